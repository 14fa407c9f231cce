#include "base/log.h"

#include "base/clock.h"
#include "base/writer.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static enum log_level least_level = LOG_INFO;
static bool as_json;

static const char *const names[] = {"debug", "info", "warn", "error"};

void log_configure(enum log_level least, bool json)
{
	least_level = least;
	as_json = json;
}

/* Control characters and quotes come from strangers; a log line must stay one line. */
static void write_escaped(struct writer *w, const char *text)
{
	for (; *text; ++text) {
		unsigned char c = (unsigned char)*text;
		if (as_json && (c == '"' || c == '\\'))
			write_format(w, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			write_format(w, "\\u%04x", c);
		else
			write_u8(w, c);
	}
}

static void write_time(struct writer *w)
{
	int64_t ms = clock_unix_ms();
	time_t seconds = ms / 1000;
	struct tm tm;
	gmtime_r(&seconds, &tm);
	write_format(w, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
		tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ms % 1000));
}

void log_line(enum log_level level, const char *subject, const char *format, ...)
{
	if (level < least_level)
		return;

	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);

	char line[2600 + 6 * 64];
	struct writer w = writer_of(line, sizeof line - 4);
	write_text(&w, as_json ? "{\"ts\":\"" : "");
	write_time(&w);
	write_format(&w, as_json ? "\",\"level\":\"%s\",\"subject\":\"" : " %-5s ", names[level]);
	write_escaped(&w, subject);
	write_text(&w, as_json ? "\",\"msg\":\"" : ": ");
	write_escaped(&w, text);
	write_text(&w, as_json ? "\"}" : "");
	line[w.used] = '\n';
	ssize_t written = write(STDERR_FILENO, line, w.used + 1);
	(void)written; /* nowhere to say that the log is gone */
}
