/* base/log.h - one line per event worth a human's attention: text for a terminal, JSON for a
 * machine. Never called per packet. Secrets never go in: callers name fields, not messages.
 *
 * Thread: any; a line is one write(2), so lines of two threads never mix.
 */
#pragma once

#include "base/base.h"

enum log_level {
	LOG_DEBUG,
	LOG_INFO,
	LOG_WARN,
	LOG_ERROR,
};

void log_configure(enum log_level least, bool json);

/* `subject` is the id of what the line is about: a call id, a room's name, or the part of the
 * program ("sip", "http"). */
void log_line(enum log_level level, const char *subject, const char *format, ...) PRINTF(3, 4);

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
