/* sip/session_refresh.c - signs of life: UPDATE or re-INVITE before the session timer runs out, the end
 * when it does (RFC 4028 section 10), and what met a request of theirs is sent again (RFC 3261 14.1). */
#include "sip/session.h"

#include "base/rng.h"

enum {
	GLARES_MAX = 8,
	RETRY_MS = 10000, /* a refresh that was refused for some other reason */
	RETRY_LEAST_MS = 1000,
	BUSY_MS = 2000,   /* an offer is under way */
};

void sip_session_note_peer(struct sip_session *s, const struct sip_message *m)
{
	if (sip_message_header(m, SIP_H_ALLOW))
		s->updates = sip_message_lists(m, SIP_H_ALLOW, "UPDATE");
}

void sip_session_alive(struct sip_session *s)
{
	const struct sip_session_timer *t = &s->expiry;

	timer_stop(&s->expires);
	s->expires_at_ms = 0;
	s->refreshing = false;
	if (!t->interval_s || s->over)
		return;
	s->expires_at_ms = loop_now_ms(s->usage.agent->loop) + t->interval_s * 1000ull;
	timer_start(&s->expires, sip_session_timer_wait_ms(t), 0);
}

void sip_session_lost(struct sip_session *s, const char *why)
{
	if (!s->over)
		s->ops->lost(s, why);
}

/* --- glare -------------------------------------------------------------------------------- */

/* RFC 3261 section 14.1, for T1 of half a second: who made the Call-ID waits 2.1 to 4 s, the other
 * one up to 2 s, in steps of 10 ms. */
static uint32_t glare_wait_ms(const struct sip_session *s)
{
	uint32_t t1 = sip_timers_64t1_ms(&s->usage.agent->timers) / 64;
	uint32_t ms = s->caller ? 2100 + rng_u32() % 191 * 10 : rng_u32() % 201 * 10;

	return (uint32_t)((uint64_t)ms * t1 / 500);
}

bool sip_session_send_later(struct sip_session *s, bool update)
{
	if (++s->glares > GLARES_MAX)
		return false;
	s->again_update = update;
	timer_start(&s->again, glare_wait_ms(s), 0);
	return true;
}

static bool send_update(struct sip_session *s);

void sip_session_on_again(void *owner)
{
	struct sip_session *s = owner;

	if (s->over)
		return;
	if (s->pending || s->reinvite || s->unacked || s->update) {
		timer_start(&s->again, glare_wait_ms(s), 0);
		return;
	}
	sip_session_begin_auth(s);
	if (s->again_update)
		(void)!send_update(s);
	else if (!s->ops->glare || !s->ops->glare(s))
		(void)!sip_session_send_reinvite(s);
}

/* --- refreshing --------------------------------------------------------------------------- */

static void refresh_later(struct sip_session *s, uint32_t ms)
{
	uint64_t now = loop_now_ms(s->usage.agent->loop);

	if (s->expires_at_ms <= now)
		sip_session_lost(s, "expired");
	else
		timer_start(&s->expires, s->expires_at_ms - now < ms ? s->expires_at_ms - now : ms, 0);
}

/* Who would have us wait beyond the end is asked half way there: better than to hang up. */
void sip_session_refused(struct sip_session *s, const struct sip_message *m)
{
	uint64_t now = loop_now_ms(s->usage.agent->loop);
	uint32_t asked_s = m ? sip_retry_after_s(sip_message_value(m, SIP_H_RETRY_AFTER)) : 0;
	uint64_t wait = asked_s ? asked_s * 1000ull : RETRY_MS;

	if (!s->refreshing || s->over)
		return;
	s->refreshing = false;
	uint64_t half = s->expires_at_ms > now ? (s->expires_at_ms - now) / 2 : 0;
	if (wait > half && half >= RETRY_LEAST_MS)
		wait = half;
	refresh_later(s, wait < UINT32_MAX ? (uint32_t)wait : UINT32_MAX);
}

/* True: it goes on, sent again now or later. */
static bool update_again(struct sip_session *s, const struct sip_message *m)
{
	if (sip_session_challenged(s, m))
		return send_update(s);
	if (m->status == 422)
		return sip_session_timer_too_small(&s->expiry, m) && send_update(s);
	if (m->status == 491)
		return sip_session_send_later(s, true);
	/* It allows UPDATE, or says so; this one it does not like, or somebody on the way does not. */
	if (m->status / 100 == 4 || m->status == 501) {
		s->updates = false;
		return !s->pending && !s->reinvite && sip_session_send_reinvite(s);
	}
	return false;
}

static void on_update_response(void *owner, struct sip_client *c, const struct sip_message *m)
{
	struct sip_session *s = owner;

	if (c != s->update || m->status < 200)
		return;
	s->update = NULL;
	if (s->over)
		return;
	sip_session_authorized(s, m);
	if (m->status < 300) {
		s->glares = 0;
		if (sip_session_retarget(s, &s->dialog, m) == 0) {
			sip_session_timer_response(&s->expiry, m);
			sip_session_alive(s);
		}
	} else if (m->status == 408 || m->status == 481) {
		sip_session_lost(s, "lost");
	} else if (!update_again(s, m)) {
		sip_session_refused(s, m);
	}
}

static void on_update_failed(void *owner, struct sip_client *c, bool timeout)
{
	struct sip_session *s = owner;

	if (c != s->update)
		return;
	s->update = NULL;
	if (timeout)
		sip_session_lost(s, "lost");
	else
		sip_session_refused(s, NULL);
}

static const struct sip_client_events update_events = {
	.response = on_update_response,
	.failed = on_update_failed,
	.ended = sip_session_client_ended,
};

static bool send_update(struct sip_session *s)
{
	struct writer w = writer_of(s->usage.agent->scratch, SIP_SCRATCH);
	char branch[SIP_BRANCH_SIZE];

	sip_branch(branch);
	sip_session_write(s, &w, &s->dialog, SIP_UPDATE, ++s->dialog.local_cseq, branch);
	sip_write_header(&w, "Contact", span_text(s->contact));
	sip_write_header(&w, "Allow", span_text(sip_allow));
	sip_write_header(&w, "Supported", span_text(sip_supported));
	sip_session_timer_write(&s->expiry, &w);
	if (sip_session_write_auth(s, &w, &s->dialog, SIP_UPDATE, (struct span){0}) < 0)
		return false;
	sip_write_end(&w, NULL, (struct span){0});
	struct sip_client *c =
		sip_session_start(s, SIP_UPDATE, branch, writer_span(&w), &update_events);
	if (c)
		s->update = c;
	return c;
}

void sip_session_on_expiry(void *owner)
{
	struct sip_session *s = owner;

	if (s->over)
		return;
	if (!s->expiry.ours || s->expires_at_ms <= loop_now_ms(s->usage.agent->loop)) {
		sip_session_lost(s, "expired");
		return;
	}
	if (s->pending || s->reinvite || s->unacked || s->update) {
		refresh_later(s, BUSY_MS);
		return;
	}
	sip_session_begin_auth(s);
	s->refreshing = s->updates ? send_update(s) : sip_session_send_reinvite(s);
	refresh_later(s, s->refreshing ? UINT32_MAX : RETRY_MS);
}
