/* call/ending.c - how a call ended, with the values that its explanation names. */
#include "call/call_private.h"

#include "call/lines.h"

#include "base/log.h"
#include "wire/e164.h"

#include <stdio.h>

void call_values(struct call_failure *f, const struct call *c)
{
	f->address = c->address;
	f->trunk = c->trunk_name;
	f->media_address = c->talk.ours.ip ? c->talk.ours.ip : c->calls->config.media_ip;
	f->has_credentials = c->has_credentials;
	/* The sentence is shown to the room, where the number may be meant to stay unknown. */
	f->number = c->hide_phone_number ? NULL : c->shown_number;
	f->caller = c->hide_phone_number ? NULL : c->caller;
}

void call_hide_numbers(char *out, size_t size, const struct call *c, const char *sentence)
{
	snprintf(out, size, "%s", sentence);
	e164_hide(out, c->number);
	e164_hide(out, c->shown_number);
	e164_hide(out, c->caller);
}

void call_end_as(struct call *c, enum call_end end, const struct sip_message *bye)
{
	struct call_signs signs = {0};
	struct call_failure f = {.signs = &signs};
	struct call_explanation why;
	if (bye)
		call_signs_read(&signs, bye);
	if (end == CALL_END_FAR_END && record_ack_unseen(c))
		end = CALL_END_ACK_UNSEEN;
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

/* Without its registration a carrier refuses calls with words that do not say so. */
static void add_registration(struct call_explanation *why, const struct call *c)
{
	struct line_status line;
	size_t used = strlen(why->sentence);
	/* Its problem names the trunk's user and address of record, which may be the caller's number. */
	if (!c->hide_phone_number && lines_status(c->calls->config.lines, c->trunk_id, &line) && line.registers && !line.registration.held &&
		*line.registration.problem)
		snprintf(why->sentence + used, sizeof why->sentence - used, " The trunk is not registered: %s",
			line.registration.problem);
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
		.reason = *reason ? reason : failure->detail,
		.phrase = phrase,
		.signs = &signs,
		.after_challenge = failure->authorized && c->has_credentials,
	};
	call_values(&f, c);
	struct call_explanation why;
	explain_failure(&why, &f);
	add_registration(&why, c);
	char line[sizeof failure->sentence];
	call_hide_numbers(line, sizeof line, c, failure->sentence);
	log_info(c->id, "%s", line);
	snprintf(c->record.detail, sizeof c->record.detail, "%s", failure->sentence);
	call_finish(c, &why, (int)failure->status, reason);
}
