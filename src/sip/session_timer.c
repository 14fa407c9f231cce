#include "sip/session_timer.h"

#include <stdio.h>

enum {
	FLOOR_S = 2,          /* a far end that wants it more often gets this */
	CEILING_S = 1 << 20,  /* and one that never wants it, twelve days */
	MARGIN_S = 32,
	RAISES_MAX = 8, /* who always wants a little more is not followed for ever */
};

static uint32_t bounded(uint32_t seconds)
{
	if (seconds < FLOOR_S)
		return FLOOR_S;
	return seconds > CEILING_S ? CEILING_S : seconds;
}

static bool read_expires(const struct sip_message *m, struct sip_session_expires *ret)
{
	return sip_session_expires_parse(ret, sip_message_value(m, SIP_H_SESSION_EXPIRES)) == 0;
}

void sip_session_timer_response(struct sip_session_timer *t, const struct sip_message *m)
{
	struct sip_session_expires e;

	t->raises = 0;
	if (!read_expires(m, &e)) {
		t->interval_s = 0;
		return;
	}
	t->interval_s = bounded(e.seconds);
	/* Who says nothing has left it to us. */
	t->ours = !span_is_nocase(e.refresher, "uas");
}

bool sip_session_timer_too_small(struct sip_session_timer *t, const struct sip_message *m)
{
	uint32_t min;

	if (!sip_number(sip_message_value_named(m, "Min-SE"), CEILING_S, &min) || min <= t->min_s ||
		t->raises == RAISES_MAX)
		return false;
	++t->raises;
	t->min_s = min;
	return true;
}

static uint32_t at_least(uint32_t seconds, uint32_t min)
{
	return seconds < min ? min : seconds;
}

void sip_session_timer_write(const struct sip_session_timer *t, struct writer *w)
{
	uint32_t seconds = t->interval_s ? t->interval_s : t->wish_s;

	if (!seconds && t->min_s)
		seconds = t->min_s; /* a 422 though we asked for nothing: somebody on the way wants one */
	if (!seconds)
		return;
	/* Within a session the roles stay as they are (section 7.4). */
	sip_write_header_format(w, "Session-Expires", "%u%s", at_least(seconds, t->min_s),
		!t->interval_s ? "" : t->ours ? ";refresher=uac" : ";refresher=uas");
	if (t->min_s)
		sip_write_header_format(w, "Min-SE", "%u", t->min_s);
}

static bool supports(const struct sip_message *m)
{
	return sip_message_lists(m, SIP_H_SUPPORTED, "timer") ||
		sip_message_lists(m, SIP_H_REQUIRE, "timer");
}

unsigned sip_session_timer_request(struct sip_session_timer *t, const struct sip_message *m)
{
	struct sip_session_expires e;
	bool theirs_supports = supports(m);

	if (!read_expires(m, &e)) {
		/* It goes on as it was with those who know of it. */
		if (!theirs_supports)
			t->interval_s = 0;
		return 0;
	}
	if (theirs_supports && e.seconds < SIP_MIN_SE_S)
		return 422;
	bool had = t->interval_s != 0;
	t->interval_s = bounded(at_least(e.seconds, SIP_MIN_SE_S));
	if (!theirs_supports || span_is_nocase(e.refresher, "uas"))
		t->ours = true;
	else if (span_is_nocase(e.refresher, "uac") || !had)
		t->ours = false;
	return 0;
}

size_t sip_session_timer_answer(const struct sip_session_timer *t, const struct sip_message *m,
	struct sip_extra *ret, char *text)
{
	if (!t->interval_s)
		return 0;
	snprintf(text, SIP_TIMER_TEXT_SIZE, "%u;refresher=%s", t->interval_s, t->ours ? "uas" : "uac");
	ret[0] = (struct sip_extra){"Session-Expires", text};
	ret[1] = (struct sip_extra){"Require", "timer"};
	/* Section 9: who does not know of timers is not to be asked for them. */
	return supports(m) ? 2 : 1;
}

uint32_t sip_session_timer_wait_ms(const struct sip_session_timer *t)
{
	uint32_t margin_ms = t->interval_s * 1000 / 3;

	if (t->ours)
		return t->interval_s * 500;
	if (margin_ms > MARGIN_S * 1000)
		margin_ms = MARGIN_S * 1000;
	return t->interval_s * 1000 - margin_ms;
}
