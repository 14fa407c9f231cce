/* trunk/explain_signs.c - what a response or a BYE says besides its status. */
#include "trunk/explain.h"

#include "wire/utf8.h"

#include <stdio.h>

enum { CAUSE_MAX = 127, RETRY_AFTER_MAX_S = 24 * 3600 };

static struct span leading_digits(struct span s)
{
	size_t n = 0;
	while (n < s.size && s.data[n] >= '0' && s.data[n] <= '9')
		++n;
	return span_of(s.data, n);
}

/* RFC 3326: several may be there, of several protocols; SIP's own (RFC 8688) has words at best. Asterisk
 * has a header of its own. */
static void read_cause(struct call_signs *ret, const struct sip_message *m)
{
	struct sip_items it = {.m = m, .id = SIP_H_REASON};
	struct span item;
	uint32_t cause = 0;
	while (sip_items_next(&it, &item)) {
		struct sip_reason reason;
		if (sip_reason_parse(&reason, item))
			continue;
		if (!span_is_nocase(reason.protocol, "Q.850") || !reason.cause || reason.cause > CAUSE_MAX) {
			if (!*ret->cause_text)
				utf8_printable(ret->cause_text, sizeof ret->cause_text, reason.text);
			continue;
		}
		ret->cause = reason.cause;
		utf8_printable(ret->cause_text, sizeof ret->cause_text, reason.text);
		return;
	}
	if (sip_number(sip_message_value_named(m, "X-Asterisk-HangupCauseCode"), CAUSE_MAX, &cause) && cause) {
		ret->cause = cause;
		utf8_printable(ret->cause_text, sizeof ret->cause_text,
			sip_message_value_named(m, "X-Asterisk-HangupCause"));
	}
}

/* RFC 3261, 20.43: 307 isi.edu "Session parameter 'foo' not understood" */
static void read_warning(struct call_signs *ret, const struct sip_message *m)
{
	struct span value = sip_message_value(m, SIP_H_WARNING);
	uint32_t code = 0;
	if (!sip_number(leading_digits(value), 399, &code) || code < 300)
		return;
	ret->warning = code;
	const uint8_t *open = memchr(value.data, '"', value.size);
	if (!open++)
		return;
	size_t left = value.size - (size_t)(open - value.data);
	const uint8_t *close = memchr(open, '"', left);
	utf8_printable(ret->warning_text, sizeof ret->warning_text,
		span_of(open, close ? (size_t)(close - open) : left));
}

/* RFC 3261, 18.2.1: who does not add `received` saw what we wrote, if that was an address. */
static void read_seen(struct call_signs *ret, const struct sip_message *m)
{
	static const char of_addresses[] = "0123456789abcdefABCDEF.:";
	if (!m->is_response)
		return;
	struct span seen = m->via.received.size ? m->via.received : m->via.host;
	char text[sizeof ret->seen];
	utf8_printable(text, sizeof text, seen);
	if (strspn(text, of_addresses) == strlen(text) && strpbrk(text, ".:") && strpbrk(text, "0123456789"))
		snprintf(ret->seen, sizeof ret->seen, "%s", text);
}

void call_signs_read(struct call_signs *ret, const struct sip_message *m)
{
	memset(ret, 0, sizeof *ret);
	utf8_printable(ret->provider, sizeof ret->provider, sip_message_value_named(m, "X-Twilio-Error"));
	read_cause(ret, m);
	read_warning(ret, m);
	read_seen(ret, m);
	uint32_t seconds = sip_retry_after_s(sip_message_value(m, SIP_H_RETRY_AFTER));
	ret->retry_after_s = seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S;
}
