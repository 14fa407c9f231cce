/* simulator/carrier_ask.c - requests of the carrier's own in a dialog: BYE, re-INVITE, UPDATE and the rest
 * (RFC 3261 sections 12.2.1, 14.1, 15.1.1, 17.1), one at a time. */
#include "simulator/carrier_inside.h"

#include "base/log.h"

#include <stdio.h>

/* To of the INVITE is our From and the other way round; tags belong to the addresses. */
static void write_parties(struct writer *w, const struct carrier_call *call)
{
	const struct sip_message *m = &call->invite;
	write_text(w, "From: <");
	write_span(w, m->to.uri);
	write_format(w, ">;tag=%s\r\nTo: <", call->forks[call->fork].tag);
	write_span(w, m->from.uri);
	write_text(w, ">;tag=");
	write_span(w, m->from.tag);
	write_text(w, "\r\nCall-ID: ");
	write_span(w, m->call_id);
	write_text(w, "\r\n");
}

static void write_route_in(struct writer *w, const struct carrier_call *call)
{
	for (size_t i = 0; i < call->route_count; ++i)
		sip_write_header_format(w, "Record-Route", "<%s>", call->routes[i]);
}

static void write_head(struct writer *w, const struct carrier_call *call, const char *method, uint32_t cseq)
{
	const struct carrier *c = call->carrier;
	const char *ip = carrier_wire_ip(c->wire, call->way.edge);
	sip_write_request(w, span_text(method), span_text(call->peer_contact));
	write_format(w, strchr(ip, ':') ? "Via: SIP/2.0/%s [%s]:%u;branch=%s;rport\r\n" : "Via: SIP/2.0/%s %s:%u;branch=%s;rport\r\n",
		carrier_transport_text(call->way.transport), ip, carrier_wire_port(c->wire, call->way.transport),
		call->asked.branch);
	write_parties(w, call);
	write_format(w, "CSeq: %u %s\r\nMax-Forwards: 69\r\n", cseq, method);
	sip_write_header_format(w, "Contact", "<%s>", call->contact);
}

static void new_branch(struct carrier_call *call)
{
	char hex[17];
	carrier_random_hex(&call->carrier->random, hex, sizeof hex);
	snprintf(call->asked.branch, sizeof call->asked.branch, "z9hG4bK%s", hex);
}

static void send_request(struct carrier_call *call, struct writer *w, enum carrier_repeat how)
{
	const struct quirks *q = &call->trunk->quirks;
	uint8_t out[CARRIER_MESSAGE_MAX];
	struct writer rewritten = writer_of(out, sizeof out);
	carrier_nuisance(&rewritten, q, call->way.transport == CARRIER_UDP, writer_span(w));
	if (w->bad || rewritten.bad) {
		log_warn("simulator", "a request does not fit");
		return;
	}
	if (carrier_resend_start(&call->asked.said, &call->way, writer_span(&rewritten), quirk(q, Q_T1_MS), how,
		    quirk(q, Q_SLOW_TCP_MS)))
		log_warn("simulator", "a request is lost: no memory");
	carrier_sent(call->carrier, call->id, &call->way, writer_span(&rewritten));
}

void carrier_ask(struct carrier_call *call, const struct carrier_ask *ask)
{
	char sdp[1024];
	uint8_t plain[CARRIER_MESSAGE_MAX];
	struct writer w = writer_of(plain, sizeof plain);
	struct carrier_asked *a = &call->asked;
	struct span body = ask->body;
	if (ask->offer) {
		++call->sdp_version;
		body = carrier_media_sdp(call, sdp, sizeof sdp);
	}
	a->method = ask->method;
	a->cseq = ++call->cseq;
	a->wants_answer = ask->offer;
	a->no_offer = ask->no_offer;
	new_branch(call);
	write_head(&w, call, sip_method_text(ask->method), a->cseq);
	if (ask->method == SIP_INVITE) {
		write_route_in(&w, call);
		sip_write_header(&w, "Allow", span_text(quirk_text(&call->trunk->quirks, Q_ALLOW)));
	}
	carrier_write_extra(&w, ask->extra);
	sip_write_end(&w, ask->content_type ? ask->content_type : "application/sdp", body);
	send_request(call, &w, ask->method == SIP_INVITE ? REPEAT_ON_UDP : REPEAT_ON_UDP_T2);
}

void carrier_bye(struct carrier_call *call, const char *reason)
{
	char extra[160];
	if (call->state != CALL_ANSWERED && call->state != CALL_UP)
		return;
	for (size_t i = 0; i < CARRIER_FORKS_MAX; ++i)
		carrier_resend_stop(&call->forks[i].said);
	carrier_resend_stop(&call->reply);
	timer_stop(&call->wait);
	call->waits = WAIT_BYE;
	call->asked.then_end = true;
	snprintf(extra, sizeof extra, "%s%s", reason ? "Reason: " : "", reason ? reason : "");
	carrier_call_event(call, "hangs_up", json_pack("{s:s}", "reason", reason ? reason : ""));
	carrier_ask(call, &(struct carrier_ask){.method = SIP_BYE, .extra = extra});
}

/* Hop by hop for a refusal, a message of its own for a 2xx. */
static void ack(struct carrier_call *call, bool success)
{
	char sdp[1024];
	uint8_t plain[CARRIER_MESSAGE_MAX];
	struct writer w = writer_of(plain, sizeof plain);
	struct span body = {0};
	if (success)
		new_branch(call);
	if (success && call->asked.no_offer)
		body = carrier_media_sdp(call, sdp, sizeof sdp);
	write_head(&w, call, "ACK", call->asked.cseq);
	sip_write_end(&w, "application/sdp", body);
	send_request(call, &w, REPEAT_NEVER);
}

static void take_sdp(struct carrier_call *call, const struct sip_message *m)
{
	struct carrier_media media;
	if (!m->body.size)
		return;
	enum refusal r = carrier_media_read(&media, &call->trunk->quirks, m->body, call->way.transport == CARRIER_TLS);
	carrier_call_event(call, "answer", json_pack("{s:s,s:s,s:b}", "fault", refusal_name(r), "direction",
		sdp_direction_text(media.theirs), "zero", media.to_nowhere));
	if (r == REFUSE_NOT)
		call->media = media;
}

static void note(struct carrier_call *call, const struct sip_message *m)
{
	carrier_call_event(call, "reply", json_pack("{s:s,s:i,s:b}", "method", sip_method_text(call->asked.method), "status",
		(int)m->status, "body", m->body.size > 0));
}

void carrier_answered(struct carrier_call *call, const struct carrier_way *way, const struct sip_message *m)
{
	struct carrier_asked *a = &call->asked;
	bool is_ours = m->cseq.number == a->cseq && m->method == a->method;
	if (!is_ours || m->status < 200)
		return;
	if (!span_is(m->via.branch, a->branch)) {
		/* Their 2xx once more: our ACK was lost, and has another branch. */
		if (a->method == SIP_INVITE && m->status < 300)
			carrier_resend_again(&a->said);
		return;
	}
	if (!carrier_resend_waits(&a->said))
		return;
	carrier_resend_stop(&a->said);
	note(call, m);
	if (a->then_end) {
		carrier_call_end(call, "the carrier hung up");
		return;
	}
	if (m->status < 300 && (a->wants_answer || a->no_offer))
		take_sdp(call, m);
	if (a->method == SIP_INVITE)
		ack(call, m->status < 300);
	carrier_media_apply(call);
	carrier_script_woken(call, WAIT_ANSWER);
}
