#include "sip/transaction.h"

#include <assert.h>

#define NEVER UINT64_MAX

uint32_t sip_timers_64t1_ms(const struct sip_timers *timers)
{
	return 64 * (timers->t1_ms ? timers->t1_ms : 500);
}

static bool is_client(const struct sip_transaction *t)
{
	return t->kind == SIP_CLIENT_INVITE || t->kind == SIP_CLIENT_OTHER;
}

/* Which moves there are; everything else is our own mistake. */
static void move(struct sip_transaction *t, enum sip_transaction_state to)
{
	static const uint8_t allowed[SIP_TX_STATE__COUNT] = {
		[SIP_TX_TRYING] = BIT(SIP_TX_PROCEEDING) | BIT(SIP_TX_ACCEPTED) |
			BIT(SIP_TX_COMPLETED) | BIT(SIP_TX_DONE),
		[SIP_TX_PROCEEDING] =
			BIT(SIP_TX_ACCEPTED) | BIT(SIP_TX_COMPLETED) | BIT(SIP_TX_DONE),
		[SIP_TX_ACCEPTED] = BIT(SIP_TX_DONE),
		[SIP_TX_COMPLETED] = BIT(SIP_TX_CONFIRMED) | BIT(SIP_TX_DONE),
		[SIP_TX_CONFIRMED] = BIT(SIP_TX_DONE),
	};
	assert(allowed[t->state] & BIT(to));
	t->state = to;
}

static void resend_in(struct sip_transaction *t, uint32_t ms, uint64_t now)
{
	t->resend_ms = ms;
	t->resend_at = t->reliable ? NEVER : now + ms;
}

static unsigned end(struct sip_transaction *t)
{
	move(t, SIP_TX_DONE);
	t->resend_at = t->deadline_at = NEVER;
	return SIP_DO_END;
}

/* Into a state that only waits for stragglers: timer D, I, J or K. None can come out of order on
 * a reliable transport, so there it ends at once. */
static unsigned linger(
	struct sip_transaction *t, enum sip_transaction_state state, uint32_t ms, uint64_t now)
{
	move(t, state);
	t->resend_at = NEVER;
	t->deadline_at = now + ms;
	return t->reliable ? end(t) : 0;
}

void sip_transaction_start(struct sip_transaction *t, enum sip_transaction_kind kind,
	const struct sip_timers *timers, bool reliable, uint64_t now_ms)
{
	*t = (struct sip_transaction){.kind = kind, .reliable = reliable, .timers = *timers,
		.resend_at = NEVER, .deadline_at = NEVER};
	if (!t->timers.t1_ms)
		t->timers.t1_ms = 500;
	if (!t->timers.t2_ms)
		t->timers.t2_ms = 4000;
	if (!t->timers.t4_ms)
		t->timers.t4_ms = 5000;
	t->state = kind == SIP_SERVER_INVITE ? SIP_TX_PROCEEDING : SIP_TX_TRYING;
	if (is_client(t)) {
		resend_in(t, t->timers.t1_ms, now_ms);                  /* A, E */
		t->deadline_at = now_ms + sip_timers_64t1_ms(&t->timers); /* B, F */
	}
}

static unsigned invite_response(struct sip_transaction *t, unsigned status, uint64_t now)
{
	if (t->state == SIP_TX_ACCEPTED)
		return status / 100 == 2 ? SIP_DO_PASS : 0;
	if (t->state == SIP_TX_COMPLETED)
		return status >= 300 ? SIP_DO_ACK : 0;
	if (status < 200) {
		if (t->state == SIP_TX_TRYING)
			move(t, SIP_TX_PROCEEDING);
		t->resend_at = NEVER;
		if (!t->quiet)
			t->deadline_at = NEVER;
		return SIP_DO_PASS;
	}
	if (status < 300) {
		/* RFC 6026 section 8.4: the 2xx of other forks and repeated ones come for timer M,
		 * on a reliable transport too. */
		move(t, SIP_TX_ACCEPTED);
		t->resend_at = NEVER;
		t->deadline_at = now + sip_timers_64t1_ms(&t->timers);
		return SIP_DO_PASS;
	}
	/* Timer D: 32 s with T1 at its usual value. */
	return SIP_DO_ACK | SIP_DO_PASS |
		linger(t, SIP_TX_COMPLETED, sip_timers_64t1_ms(&t->timers), now);
}

static unsigned other_response(struct sip_transaction *t, unsigned status, uint64_t now)
{
	if (t->state != SIP_TX_TRYING && t->state != SIP_TX_PROCEEDING)
		return 0;
	if (status >= 200)
		return SIP_DO_PASS | linger(t, SIP_TX_COMPLETED, t->timers.t4_ms, now);
	if (t->state == SIP_TX_TRYING)
		move(t, SIP_TX_PROCEEDING);
	resend_in(t, t->timers.t2_ms, now);
	return SIP_DO_PASS;
}

unsigned sip_transaction_response(struct sip_transaction *t, unsigned status, uint64_t now_ms)
{
	assert(is_client(t));
	if (t->state == SIP_TX_DONE)
		return 0;
	return t->kind == SIP_CLIENT_INVITE ? invite_response(t, status, now_ms)
					    : other_response(t, status, now_ms);
}

unsigned sip_transaction_repeated(struct sip_transaction *t, uint64_t now_ms)
{
	assert(!is_client(t));
	return t->state == SIP_TX_PROCEEDING || t->state == SIP_TX_COMPLETED ? SIP_DO_SEND : 0;
}

unsigned sip_transaction_ack(struct sip_transaction *t, uint64_t now_ms)
{
	assert(t->kind == SIP_SERVER_INVITE);
	if (t->state == SIP_TX_ACCEPTED)
		return SIP_DO_PASS;
	if (t->state == SIP_TX_COMPLETED)
		return SIP_DO_PASS | linger(t, SIP_TX_CONFIRMED, t->timers.t4_ms, now_ms);
	return 0;
}

static unsigned invite_respond(struct sip_transaction *t, unsigned status, uint64_t now)
{
	if (t->state == SIP_TX_ACCEPTED)
		return status / 100 == 2 ? SIP_DO_SEND : 0;
	if (t->state != SIP_TX_PROCEEDING)
		return 0;
	if (status < 200)
		return SIP_DO_SEND;
	t->deadline_at = now + sip_timers_64t1_ms(&t->timers); /* L, H */
	if (status < 300) {
		move(t, SIP_TX_ACCEPTED);
	} else {
		move(t, SIP_TX_COMPLETED);
		resend_in(t, t->timers.t1_ms, now); /* G */
	}
	return SIP_DO_SEND;
}

unsigned sip_transaction_respond(struct sip_transaction *t, unsigned status, uint64_t now_ms)
{
	assert(!is_client(t));
	if (t->kind == SIP_SERVER_INVITE)
		return invite_respond(t, status, now_ms);
	if (t->state != SIP_TX_TRYING && t->state != SIP_TX_PROCEEDING)
		return 0;
	if (status >= 200) /* J */
		return SIP_DO_SEND |
			linger(t, SIP_TX_COMPLETED, sip_timers_64t1_ms(&t->timers), now_ms);
	if (t->state == SIP_TX_TRYING)
		move(t, SIP_TX_PROCEEDING);
	return SIP_DO_SEND;
}

unsigned sip_transaction_broken(struct sip_transaction *t)
{
	/* A ringing INVITE needs nothing of us: its answer may still come on another connection. */
	bool waits = t->state == SIP_TX_TRYING ||
		(t->state == SIP_TX_PROCEEDING && t->kind == SIP_CLIENT_OTHER);
	if (!is_client(t) || !waits)
		return 0;
	return SIP_DO_FAILED | end(t);
}

static unsigned deadline_passed(struct sip_transaction *t)
{
	bool client_waits = is_client(t) &&
		(t->state == SIP_TX_TRYING || t->state == SIP_TX_PROCEEDING);
	bool no_ack = t->kind == SIP_SERVER_INVITE && t->state == SIP_TX_COMPLETED;

	return (client_waits || no_ack ? SIP_DO_TIMEOUT : 0u) | end(t);
}

unsigned sip_transaction_tick(struct sip_transaction *t, uint64_t now_ms)
{
	if (t->state == SIP_TX_DONE)
		return 0;
	if (now_ms >= t->deadline_at)
		return deadline_passed(t);
	if (now_ms < t->resend_at)
		return 0;
	/* Timer A doubles without end; E and G stop at T2, and E stays there once a 1xx came. */
	uint32_t next = t->resend_ms * 2;
	if (t->kind != SIP_CLIENT_INVITE && next > t->timers.t2_ms)
		next = t->timers.t2_ms;
	/* From when it was due, so that late ticks do not add up; unless the clock has jumped. */
	bool late = now_ms - t->resend_at > next;
	resend_in(t, next, late ? now_ms : t->resend_at);
	return t->quiet ? 0 : SIP_DO_SEND;
}

uint64_t sip_transaction_deadline(const struct sip_transaction *t)
{
	return t->resend_at < t->deadline_at ? t->resend_at : t->deadline_at;
}

void sip_transaction_hush(struct sip_transaction *t, uint64_t now_ms)
{
	assert(is_client(t));
	t->quiet = true;
	t->resend_at = NEVER;
	if (t->deadline_at == NEVER && t->state != SIP_TX_DONE)
		t->deadline_at = now_ms + sip_timers_64t1_ms(&t->timers);
}
