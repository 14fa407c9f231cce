/* call/last_words.c - the end of a call, towards the line: what was said is heard to its end.
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
	} else if (from == CALL_RINGING && !c->sip && c->early.heard && !stopping) {
		wait(c, ANNOUNCEMENT_MS);
	} else {
		close_line(c);
	}
}
