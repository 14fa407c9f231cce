/* trunk/explain_fill.c - the blanks of a sentence, filled with the operator's own values. */
#include "trunk/country.h"
#include "trunk/explain_table.h"

#include "wire/utf8.h"

#include <stdarg.h>
#include <stdio.h>

enum { VALUE_SIZE = 160, MINUTES_FROM_S = 120 };

static bool is_text(const char *text)
{
	return text && *text;
}

static bool format(char out[VALUE_SIZE], const char *pattern, ...) PRINTF(2, 3);
static bool format(char out[VALUE_SIZE], const char *pattern, ...)
{
	char text[VALUE_SIZE * 2];
	va_list args;
	va_start(args, pattern);
	vsnprintf(text, sizeof text, pattern, args);
	va_end(args);
	utf8_printable(out, VALUE_SIZE, span_text(text));
	return *out;
}

static bool reason_of(char out[VALUE_SIZE], const struct call_failure *f)
{
	char words[VALUE_SIZE];
	utf8_printable(words, sizeof words, span_text(is_text(f->reason) ? f->reason : ""));
	if (*words)
		return format(out, "%s", words);
	return f->sip_status ? format(out, "SIP %d", f->sip_status) : format(out, "no reason given");
}

static bool country_name(char out[VALUE_SIZE], const struct call_failure *f)
{
	const struct country *c = is_text(f->number) && *f->number == '+' ? country_of(f->number) : NULL;
	return c ? format(out, "%s (%s)", c->name, c->prefix) : format(out, "this country");
}

static bool cause_of(char out[VALUE_SIZE], const struct call_failure *f)
{
	const struct call_signs *s = f->signs;
	if (!s || !s->cause)
		return format(out, "no cause given");
	return *s->cause_text ? format(out, "Q.850 cause %u, %s", s->cause, s->cause_text)
			      : format(out, "Q.850 cause %u", s->cause);
}

static bool when(char out[VALUE_SIZE], uint32_t retry_s)
{
	if (!retry_s)
		return format(out, "later");
	if (retry_s >= MINUTES_FROM_S)
		return format(out, "in %u minutes", (retry_s + 59) / 60);
	return retry_s == 1 ? format(out, "in a second") : format(out, "in %u seconds", retry_s);
}

/* Of our SDP's address, which may have a port. Without one: as most calls are. */
static bool is_ip6(const struct call_failure *f)
{
	const char *colon = f->media_address ? strchr(f->media_address, ':') : NULL;
	return colon && strchr(colon + 1, ':');
}

/* False: it is not known, and the sentence goes on without it. */
static bool value_of(char out[VALUE_SIZE], struct span name, const struct call_failure *f, uint32_t retry_s)
{
	if (span_is(name, "address"))
		return format(out, "%.120s", is_text(f->address) ? f->address : "its address");
	if (span_is(name, "reason"))
		return reason_of(out, f);
	if (span_is(name, "country"))
		return country_name(out, f);
	if (span_is(name, "cause"))
		return cause_of(out, f);
	if (span_is(name, "when"))
		return when(out, retry_s);
	if (span_is(name, "trunk"))
		return is_text(f->trunk) && format(out, "\"%.80s\"", f->trunk);
	if (span_is(name, "number"))
		return is_text(f->number) && format(out, "%.40s", f->number);
	if (span_is(name, "caller"))
		return is_text(f->caller) && format(out, "%.40s", f->caller);
	if (span_is(name, "media"))
		return is_text(f->media_address) && format(out, "%.64s", f->media_address);
	if (span_is(name, "family"))
		return format(out, "%s", is_ip6(f) ? "IPv6" : "IPv4");
	if (span_is(name, "setting"))
		return format(out, "%s", is_ip6(f) ? "sip.nat_1_to_1_ipv6" : "sip.nat_1_to_1_ip");
	if (span_is(name, "seen"))
		return f->signs && *f->signs->seen && format(out, "%s (as they see it)", f->signs->seen);
	return false;
}

void explain_fill(char *out, size_t size, const char *sentence, const struct call_failure *f, uint32_t retry_s)
{
	char value[VALUE_SIZE];
	size_t used = 0;

	while (*sentence && used + 1 < size) {
		const char *end = *sentence == '{' ? strchr(sentence, '}') : NULL;
		if (!end) {
			out[used++] = *sentence++;
			continue;
		}
		bool known = value_of(value, span_of(sentence + 1, (size_t)(end - sentence - 1)), f, retry_s);
		if (!known && used && out[used - 1] == ' ')
			--used;
		if (known) {
			int n = snprintf(out + used, size - used, "%s", value);
			used += (size_t)n < size - used ? (size_t)n : size - used - 1;
		}
		sentence = end + 1;
	}
	/* A sentence that was cut may end in half a character. */
	if (used + 1 >= size)
		while (used && (uint8_t)out[used - 1] >= 0x80)
			--used;
	out[used] = 0;
}
