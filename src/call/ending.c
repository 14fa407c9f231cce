<<<<<<< HEAD
/* call/ending.c - the end of a call, towards the line: what was said is heard to its end.
 *
 *   the room hangs up     what is on its way to the phone is played out, digits too; then BYE
 *   the far end refuses   the end of its announcement is still in the listeners' jitter buffers: the
 *                         phone leaves the room a moment after it is known to have failed
 *   anything else         at once
 */
#include "call/call_private.h"

enum {
	VOICE_MS = 300,
	DIGITS_MS = 5000,
	ANNOUNCEMENT_MS = 300,
	PATIENCE_MS = 500, /* with a worker that does not answer */
};

/* Whoever is up the stack may still hold the call. */
static void close_line(struct call *c)
{
	c->finishing = false;
	timer_stop(&c->ending);
	call_leave_room(c);
	call_drop_media(c);
	if (c->sip)
		sip_call_hangup(c->sip, NULL); /* its last event frees us */
	else
		call_free_soon(c);
}

void call_line_done(struct call *c)
{
	if (c->finishing)
		close_line(c);
}

static void on_patience(void *owner)
{
	call_line_done(owner);
}

int call_ending_init(struct call *c)
{
	return timer_init(&c->ending, c->calls->loop, on_patience, c);
}

void call_ending_fini(struct call *c)
{
	timer_fini(&c->ending);
}

static void wait(struct call *c, uint32_t ms)
{
	c->finishing = true;
	timer_start(&c->ending, ms, 0);
}

void call_end_line(struct call *c, enum call_state from)
{
	bool stopping = c->calls->closed != NULL;

	if (from == CALL_ACTIVE && c->sip && c->leg && !stopping) {
		call_leave_room(c);
		media_leg_drain(c->calls->config.media, c->leg, VOICE_MS, DIGITS_MS);
		wait(c, DIGITS_MS + VOICE_MS + PATIENCE_MS);
	} else if (from == CALL_RINGING && !c->sip && c->early.count && !stopping) {
		wait(c, ANNOUNCEMENT_MS);
	} else {
		close_line(c);
	}
=======
/* call/ending.c - how a call ended, with the values that its explanation names. */
#include "call/call_private.h"

#include "base/log.h"

void call_values(struct call_failure *f, const struct call *c)
{
	f->address = c->address;
	f->trunk = c->trunk_name;
	f->media_address = c->calls->config.media_ip;
	f->has_credentials = c->has_credentials;
	/* The sentence is shown to the room, where the number may be meant to stay unknown. */
	f->number = c->hide_phone_number ? NULL : c->shown_number;
	f->caller = c->hide_phone_number ? NULL : c->caller;
}

void call_end_as(struct call *c, enum call_end end, const struct sip_message *bye)
{
	struct call_signs signs = {0};
	struct call_failure f = {.signs = &signs};
	struct call_explanation why;
	if (bye)
		call_signs_read(&signs, bye);
	call_values(&f, c);
	explain_end(&why, end, &f);
	call_finish(c, &why, 0, NULL);
}

void call_fail_as(struct call *c, enum call_failure_kind kind, const char *reason)
{
	struct call_failure f = {.kind = kind, .reason = reason};
	struct call_explanation why;
	call_values(&f, c);
	explain_failure(&why, &f);
	call_finish(c, &why, 0, NULL);
}

void call_refused(struct call *c, const struct sip_failure *failure, enum call_failure_kind kind)
{
	char reason[sizeof c->sip_reason] = "", phrase[64] = "";
	struct call_signs signs = {0};
	if (failure->response) {
		headers_far_words(reason, sizeof reason, failure->response);
		headers_copy_text(phrase, sizeof phrase, failure->reason);
		call_signs_read(&signs, failure->response);
	}
	struct call_failure f = {
		.kind = kind,
		.sip_status = (int)failure->status,
		.reason = reason,
		.phrase = phrase,
		.signs = &signs,
		.after_challenge = failure->why == SIP_WHY_AUTH && c->has_credentials,
	};
	call_values(&f, c);
	struct call_explanation why;
	explain_failure(&why, &f);
	log_info(c->id, "%s", failure->sentence);
	call_finish(c, &why, (int)failure->status, reason);
>>>>>>> main
}
