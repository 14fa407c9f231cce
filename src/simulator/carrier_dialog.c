/* simulator/carrier_dialog.c - what the caller asks for in a dialog, and whether it asks as it must
 * (RFC 3261 section 12.2): our Contact in the Request-URI, our Record-Routes as its Route, the same
 * connection. What does not belong is not seen: an ACK is passed over, a BYE hears 481. */
#include "simulator/carrier_inside.h"

#include <stdio.h>

static bool has_route(const struct carrier_call *call, const struct sip_message *m)
{
	struct sip_items it = {.m = m, .id = SIP_H_ROUTE};
	struct span item;
	struct sip_name_addr a;
	for (size_t i = call->route_count; i-- > 0;)
		if (!sip_items_next(&it, &item) || sip_name_addr_parse(&a, item) || !span_is(a.uri, call->routes[i]))
			return false;
	return !sip_items_next(&it, &item);
}

const char *carrier_dialog_fault(
	const struct carrier_call *call, const struct carrier_way *way, const struct sip_message *m)
{
	const struct quirks *q = &call->trunk->quirks;
	if (!quirk(q, Q_CHECK_DIALOG))
		return NULL;
	if (!has_route(call, m))
		return "route";
	if (!span_is(m->uri, call->contact))
		return "uri";
	if (quirk(q, Q_SAME_CONNECTION) &&
		(way->transport != call->way.transport || way->connection != call->way.connection))
		return "connection";
	return NULL;
}

static struct carrier_fork *fork_of(struct carrier_call *call, const struct sip_message *m)
{
	for (size_t i = 0; i < CARRIER_FORKS_MAX; ++i)
		if (span_is(m->to.tag, call->forks[i].tag))
			return &call->forks[i];
	return &call->forks[call->fork];
}

static void answer(struct carrier_call *call, const struct carrier_way *way, const struct sip_message *m, unsigned status)
{
	carrier_call_reply(call, way, m, &(struct carrier_reply){.status = status, .to_tag = call->forks[0].tag,
		.call = status < 300 ? call : NULL});
}

/* --- ACK ------------------------------------------------------------------------------------------- */

static void start_session(struct carrier_call *call)
{
	const struct quirks *q = &call->trunk->quirks;
	uint64_t ms = (uint64_t)quirk(q, Q_SESSION_S) * 1000;
	call->session_ms = quirk(q, Q_REFRESHER) == REFRESHER_UAS ? ms / 2 : ms;
	if (ms)
		timer_start(&call->session, call->session_ms, 0);
}

static void take_late_answer(struct carrier_call *call, const struct sip_message *m)
{
	struct carrier_media media;
	if (!call->owes_answer)
		return;
	call->owes_answer = false;
	enum refusal r = carrier_media_read(&media, &call->trunk->quirks, m->body, call->way.transport == CARRIER_TLS);
	carrier_call_event(call, "answer_in_ack", json_pack("{s:s}", "fault", refusal_name(r)));
	if (r == REFUSE_NOT)
		call->media = media;
}

static void on_first_ack(struct carrier_call *call, struct carrier_fork *f, const struct sip_message *m)
{
	bool first = call->state == CALL_ANSWERED;
	f->acked = true;
	carrier_resend_stop(&f->said);
	carrier_call_event(call, "acked", json_pack("{s:i,s:i}", "fork", (int)(f - call->forks), "times", (int)f->said.times));
	if (!first)
		return;
	call->fork = (size_t)(f - call->forks);
	carrier_call_move(call, CALL_UP);
	take_late_answer(call, m);
	carrier_media_apply(call);
	start_session(call);
	timer_start(&call->duration, (uint64_t)quirk(&call->trunk->quirks, Q_MAX_DURATION_S) * 1000, 0);
	carrier_script_woken(call, WAIT_ACK);
}

static void on_ack(struct carrier_call *call, const struct carrier_way *way, const struct sip_message *m)
{
	if (call->state == CALL_REFUSED) {
		carrier_resend_stop(&call->refusal);
		carrier_call_end(call, "refused");
		return;
	}
	struct carrier_fork *f = fork_of(call, m);
	const char *fault = f->answered ? carrier_dialog_fault(call, way, m) : NULL;
	if (fault) {
		carrier_call_event(call, "ack_ignored", json_pack("{s:s}", "fault", fault));
		return;
	}
	if (f->answered && !f->acked) {
		on_first_ack(call, f, m);
	} else if (carrier_resend_waits(&call->reply)) {
		carrier_resend_stop(&call->reply);
		take_late_answer(call, m);
		carrier_media_apply(call);
		carrier_call_event(call, "reacked", NULL);
	}
}

/* --- CANCEL, BYE --------------------------------------------------------------------------------------- */

static void on_cancel(struct carrier_call *call, const struct carrier_way *way, const struct sip_message *m)
{
	answer(call, way, m, 200);
	carrier_call_event(call, "cancelled", NULL);
	if (call->state > CALL_RINGING)
		return; /* too late: there is a final answer */
	call->cancelled = true;
	if (call->waits == WAIT_CANCEL) {
		carrier_script_woken(call, WAIT_CANCEL);
		return;
	}
	carrier_call_move(call, CALL_REFUSED);
	carrier_call_say(call, &(struct carrier_say){.status = 487, .fork = call->fork});
}

static bool another_lives(const struct carrier_call *call)
{
	for (size_t i = 0; i < CARRIER_FORKS_MAX; ++i)
		if (call->forks[i].answered && !call->forks[i].gone)
			return true;
	return false;
}

static void on_bye(struct carrier_call *call, const struct carrier_way *way, const struct sip_message *m)
{
	struct carrier_fork *f = fork_of(call, m);
	answer(call, way, m, 200);
	carrier_call_event(call, "bye", json_pack("{s:i,s:o}", "fork", (int)(f - call->forks), "reason",
		carrier_log_text(sip_message_value(m, SIP_H_REASON))));
	f->gone = true;
	carrier_resend_stop(&f->said);
	if (call->state <= CALL_RINGING) {
		carrier_call_move(call, CALL_REFUSED);
		carrier_call_say(call, &(struct carrier_say){.status = 487, .fork = call->fork});
	} else if (!another_lives(call)) {
		carrier_call_end(call, "the caller hung up");
	}
}

/* --- offers ------------------------------------------------------------------------------------------------ */

static void reply_with_sdp(struct carrier_call *call, const struct carrier_way *way, const struct sip_message *m,
	bool sdp)
{
	const struct quirks *q = &call->trunk->quirks;
	char text[1024], extra[96] = "";
	if (quirk(q, Q_SESSION_S))
		snprintf(extra, sizeof extra, "Session-Expires: %ld;refresher=%s", quirk(q, Q_SESSION_S),
			quirk(q, Q_REFRESHER) == REFRESHER_UAC ? "uac" : "uas");
	carrier_call_reply(call, way, m, &(struct carrier_reply){.status = 200, .to_tag = call->forks[0].tag,
		.call = call, .extra = extra, .body = sdp ? carrier_media_sdp(call, text, sizeof text) : (struct span){0}});
	if (call->session_ms)
		timer_start(&call->session, call->session_ms, 0);
}

static void on_offer(struct carrier_call *call, const struct carrier_way *way, const struct sip_message *m)
{
	struct carrier_media media;
	if (carrier_resend_waits(&call->asked.said) && call->asked.method == SIP_INVITE) {
		answer(call, way, m, 491);
		return;
	}
	if (!m->body.size) {
		call->owes_answer = m->method == SIP_INVITE;
		carrier_call_event(call, "refreshed", json_pack("{s:s}", "method", sip_method_text(m->method)));
		reply_with_sdp(call, way, m, m->method == SIP_INVITE);
		return;
	}
	enum refusal r = carrier_media_read(&media, &call->trunk->quirks, m->body, way->transport == CARRIER_TLS);
	carrier_call_event(call, "offer", json_pack("{s:s,s:s,s:s,s:b}", "method", sip_method_text(m->method), "fault",
		refusal_name(r), "direction", sdp_direction_text(media.theirs), "zero", media.to_nowhere));
	if (r != REFUSE_NOT) {
		answer(call, way, m, 488);
		return;
	}
	call->media = media;
	++call->sdp_version;
	reply_with_sdp(call, way, m, true);
	carrier_media_apply(call);
}

static void on_prack(struct carrier_call *call, const struct carrier_way *way, const struct sip_message *m)
{
	struct carrier_fork *f = fork_of(call, m);
	struct sip_rack rack;
	bool right = !sip_rack_parse(&rack, sip_message_value(m, SIP_H_RACK)) && f->rseq && rack.rseq == f->rseq &&
		rack.cseq.number == call->invite.cseq.number && span_is(rack.cseq.method, "INVITE");
	carrier_call_event(call, "prack", json_pack("{s:b}", "right", right));
	answer(call, way, m, right ? 200 : 481);
	if (!right)
		return;
	f->rseq = 0;
	carrier_resend_stop(&f->said);
	carrier_script_woken(call, WAIT_PRACK);
}

/* --- all of them ----------------------------------------------------------------------------------------------- */

static void on_info(struct carrier_call *call, const struct carrier_way *way, const struct sip_message *m)
{
	carrier_call_event(call, "info", json_pack("{s:o,s:o}", "type",
		carrier_log_text(sip_message_value(m, SIP_H_CONTENT_TYPE)), "body", carrier_log_text(m->body)));
	answer(call, way, m, 200);
}

/* Blind transfer as Twilio does it when a trunk allows it: 202, NOTIFYs of what comes of it, then BYE. What the
 * callee was doing ends with it. */
static void on_refer(struct carrier_call *call, const struct carrier_way *way, const struct sip_message *m)
{
	const struct carrier_trunk *t = call->trunk;
	const char *outcome = quirk_text(&t->quirks, Q_REFER);
	bool allowed = strcmp(outcome, "off") != 0;
	carrier_call_event(call, "refer", json_pack("{s:o,s:b}", "to",
		carrier_log_text(sip_message_value(m, SIP_H_REFER_TO)), "allowed", allowed));
	if (!allowed) {
		char extra[160];
		struct refusal_words words = refusal_words(t->profile->speech, REFUSE_TRANSFER);
		unsigned status = t->statuses.status[REFUSE_TRANSFER];
		snprintf(extra, sizeof extra, "%s%s", words.twilio ? "X-Twilio-Error: " : "", words.twilio ? words.twilio : "");
		carrier_call_reply(call, way, m, &(struct carrier_reply){
			.status = status ? status : words.status, .reason = words.reason, .extra = extra});
		return;
	}
	answer(call, way, m, 202);
	snprintf(call->script, sizeof call->script, "notify 100 Trying / wait 100 / notify %s%s", outcome,
		outcome[0] == '2' ? " / bye" : "");
	call->step = 0;
	carrier_script_run(call);
}

static void dispatch(struct carrier_call *call, const struct carrier_way *way, const struct sip_message *m)
{
	switch (m->method) {
	case SIP_BYE:
		on_bye(call, way, m);
		return;
	case SIP_INVITE:
	case SIP_UPDATE:
		on_offer(call, way, m);
		return;
	case SIP_PRACK:
		on_prack(call, way, m);
		return;
	case SIP_INFO:
		on_info(call, way, m);
		return;
	case SIP_REFER:
		on_refer(call, way, m);
		return;
	case SIP_OPTIONS:
	case SIP_MESSAGE:
	case SIP_NOTIFY:
		answer(call, way, m, 200);
		return;
	default:
		answer(call, way, m, 405);
	}
}

static bool is_repeated(const struct carrier_call *call, const struct sip_message *m)
{
	return call->reply.bytes.size && call->reply_branch[0] && span_is(m->via.branch, call->reply_branch);
}

void carrier_dialog_request(struct carrier_call *call, const struct carrier_way *way, const struct sip_message *m)
{
	if (m->method == SIP_ACK) {
		on_ack(call, way, m);
		return;
	}
	/* A CANCEL has its INVITE's branch, and no route: it goes hop by hop. */
	if (m->method == SIP_CANCEL) {
		on_cancel(call, way, m);
		return;
	}
	if (is_repeated(call, m)) {
		carrier_resend_again(&call->reply);
		return;
	}
	const char *fault = call->state == CALL_ENDED ? "over" : carrier_dialog_fault(call, way, m);
	if (fault) {
		carrier_call_event(call, "no_dialog",
			json_pack("{s:s,s:o}", "fault", fault, "method", carrier_log_text(m->method_name)));
		answer(call, way, m, 481);
		return;
	}
	if (m->cseq.number <= call->peer_cseq) {
		answer(call, way, m, 500);
		return;
	}
	call->peer_cseq = m->cseq.number;
	dispatch(call, way, m);
}
