/* simulator/carrier_reply.c - what the carrier answers: one place that writes responses. */
#include "simulator/carrier_inside.h"

#include "base/log.h"

#include <stdio.h>

void carrier_sent(struct carrier *c, const char *call, const struct carrier_way *way, struct span bytes)
{
	if (!c->log.line)
		return;
	const uint8_t *end = memmem(bytes.data, bytes.size, "\r\n", 2);
	json_t *fields = json_object();
	json_object_set_new(fields, "line", carrier_log_text(span_of(bytes.data, end ? (size_t)(end - bytes.data) : 0)));
	json_object_set_new(fields, "transport", json_string(carrier_transport_text(way->transport)));
	if (c->log.trace)
		json_object_set_new(fields, "message", carrier_log_message(bytes));
	carrier_log_event(&c->log, "sent", call, fields);
}

void carrier_write_extra(struct writer *w, const char *extra)
{
	while (extra && *extra) {
		size_t size = strcspn(extra, "|");
		struct span one = sip_trim(span_of(extra, size));
		write_span(w, one);
		if (one.size)
			write_text(w, "\r\n");
		extra += size + (extra[size] == '|');
	}
}

static void write_identity(struct writer *w, const struct carrier *c, const struct carrier_trunk *t,
	const struct carrier_reply *reply)
{
	const char *server = quirk_text(&t->quirks, reply->edge ? Q_SERVER : Q_GATEWAY);
	if (*server)
		sip_write_header(w, "Server", span_text(server));
	if (t->profile->speech == SPEECH_TWILIO && reply->status == 200 && reply->call)
		sip_write_header_format(w, "X-Twilio-CallSid", "CA%016llx%016llx",
			(unsigned long long)reply->call->sdp_id, (unsigned long long)reply->call->sdp_id);
	if (t->profile->speech == SPEECH_TELNYX && reply->status == 200 && reply->call)
		sip_write_header_format(w, "X-call_leg_id", "%016llx", (unsigned long long)reply->call->sdp_id);
}

static void write_dialog(struct writer *w, const struct carrier_trunk *t, const struct carrier_call *call, bool invite)
{
	for (size_t i = 0; invite && i < call->route_count; ++i)
		sip_write_header_format(w, "Record-Route", "<%s>", call->routes[i]);
	sip_write_header_format(w, "Contact", "<%s>", call->contact);
	sip_write_header(w, "Allow", span_text(quirk_text(&t->quirks, Q_ALLOW)));
}

struct span carrier_reply_write(struct carrier *c, const struct carrier_trunk *t, const struct carrier_way *way,
	const struct sip_message *request, const struct carrier_reply *reply, uint8_t out[CARRIER_MESSAGE_MAX])
{
	uint8_t plain[CARRIER_MESSAGE_MAX];
	char ip[ADDRESS_TEXT_SIZE];
	struct writer w = writer_of(plain, sizeof plain);
	sip_write_response_head(&w, request, &(struct sip_response_head){
		.status = reply->status,
		.reason = reply->reason,
		.to_tag = reply->to_tag,
		.received_ip = address_ip_text(ip, (const struct sockaddr *)&way->peer),
		.received_port = address_port((const struct sockaddr *)&way->peer),
	});
	if (reply->call)
		write_dialog(&w, t, reply->call, request->method == SIP_INVITE && reply->status < 300);
	write_identity(&w, c, t, reply);
	carrier_write_extra(&w, reply->extra);
	sip_write_end(&w, "application/sdp", reply->body);

	struct writer rewritten = writer_of(out, CARRIER_MESSAGE_MAX);
	carrier_nuisance(&rewritten, &t->quirks, way->transport == CARRIER_UDP, writer_span(&w));
	if (w.bad || rewritten.bad)
		log_warn("simulator", "a response %u does not fit", reply->status);
	return w.bad ? (struct span){0} : writer_span(&rewritten);
}

void carrier_reply(struct carrier *c, const struct carrier_trunk *t, const struct carrier_way *way,
	const struct sip_message *request, const struct carrier_reply *reply)
{
	uint8_t out[CARRIER_MESSAGE_MAX];
	struct span bytes = carrier_reply_write(c, t, way, request, reply, out);
	if (!bytes.size)
		return;
	carrier_wire_send(c->wire, way, bytes, quirk(&t->quirks, Q_SLOW_TCP_MS));
	carrier_sent(c, reply->call ? reply->call->id : NULL, way, bytes);
}

void carrier_call_reply(struct carrier_call *call, const struct carrier_way *way, const struct sip_message *request,
	const struct carrier_reply *reply)
{
	uint8_t out[CARRIER_MESSAGE_MAX];
	struct span bytes = carrier_reply_write(call->carrier, call->trunk, way, request, reply, out);
	if (!bytes.size)
		return;
	snprintf(call->reply_branch, sizeof call->reply_branch, "%.*s", (int)request->via.branch.size,
		(const char *)request->via.branch.data);
	/* A 2xx to a re-INVITE waits for its ACK. */
	bool waits = request->method == SIP_INVITE && reply->status >= 200;
	int r = carrier_resend_start(&call->reply, way, bytes, quirk(&call->trunk->quirks, Q_T1_MS),
		waits ? REPEAT_ALWAYS : REPEAT_NEVER, quirk(&call->trunk->quirks, Q_SLOW_TCP_MS));
	if (r)
		log_warn("simulator", "a response is lost: no memory");
	carrier_sent(call->carrier, call->id, way, bytes);
}

/* The session timer that the carrier asks for, when the caller knows what that is (RFC 4028 section 9). */
static void write_session(struct writer *w, const struct carrier_call *call)
{
	const struct quirks *q = &call->trunk->quirks;
	if (!quirk(q, Q_SESSION_S))
		return;
	bool known = sip_message_lists(&call->invite, SIP_H_SUPPORTED, "timer");
	bool uac = quirk(q, Q_REFRESHER) == REFRESHER_UAC && known;
	write_format(w, "Session-Expires: %ld;refresher=%s|%s", quirk(q, Q_SESSION_S), uac ? "uac" : "uas",
		known ? "Require: timer|" : "");
}

static enum carrier_repeat repeat_of(const struct carrier_say *say)
{
	return say->status < 300 ? REPEAT_ALWAYS : REPEAT_ON_UDP_T2;
}

/* The message in the carrier's own memory: it goes out again while nobody has heard it. */
static void say_for_good(struct carrier_call *call, struct carrier_resend *r, struct span bytes,
	const struct carrier_say *say)
{
	const struct quirks *q = &call->trunk->quirks;
	enum carrier_repeat how = say->reliably ? REPEAT_ON_UDP : repeat_of(say);
	if (carrier_resend_start(r, &call->way, bytes, quirk(q, Q_T1_MS), how, quirk(q, Q_SLOW_TCP_MS)))
		log_warn("simulator", "a response is lost: no memory");
}

static void send_say(struct carrier_call *call, const struct carrier_say *say, struct span bytes)
{
	struct carrier *c = call->carrier;
	if (say->status >= 300)
		say_for_good(call, &call->refusal, bytes, say);
	else if (say->status >= 200 || say->reliably)
		say_for_good(call, &call->forks[say->fork].said, bytes, say);
	else
		carrier_wire_send(c->wire, &call->way, bytes, quirk(&call->trunk->quirks, Q_SLOW_TCP_MS));
	carrier_sent(c, call->id, &call->way, bytes);
}

void carrier_call_say(struct carrier_call *call, const struct carrier_say *say)
{
	struct carrier_fork *f = &call->forks[say->fork];
	char sdp[1024], extra[1024];
	uint8_t out[CARRIER_MESSAGE_MAX];
	struct writer w = writer_of(extra, sizeof extra - 1);
	if (say->reliably) {
		/* Any number first, then one more each time (RFC 3262 section 3). */
		call->rseq = call->rseq ? call->rseq + 1 : carrier_random_u32(&call->carrier->random) % 100000 + 1;
		f->rseq = call->rseq;
		write_format(&w, "Require: 100rel|RSeq: %u|", f->rseq);
	}
	if (say->status >= 200 && say->status < 300)
		write_session(&w, call);
	write_text(&w, say->extra ? say->extra : "");
	extra[writer_span(&w).size] = 0;
	bool makes_dialog = say->status > 100 && say->status < 300;
	/* Twilio's inner gateway shows its private Contact in refusals too. */
	bool shows = makes_dialog || (call->trunk->profile->speech == SPEECH_TWILIO && say->status >= 300);
	struct carrier_reply reply = {
		.status = say->status,
		.reason = say->reason,
		.to_tag = say->status > 100 ? f->tag : NULL,
		.extra = extra,
		.call = shows ? call : NULL,
		.edge = say->status == 100,
	};
	if (say->sdp)
		reply.body = carrier_media_sdp(call, sdp, sizeof sdp);
	if (makes_dialog)
		f->used = true;
	struct span bytes = carrier_reply_write(call->carrier, call->trunk, &call->way, &call->invite, &reply, out);
	if (bytes.size)
		send_say(call, say, bytes);
}

void carrier_call_refuse(struct carrier_call *call, enum refusal why)
{
	const struct carrier_trunk *t = call->trunk;
	struct refusal_words words = refusal_words(t->profile->speech, why);
	char extra[160];
	snprintf(extra, sizeof extra, "%s%s", words.twilio ? "X-Twilio-Error: " : "", words.twilio ? words.twilio : "");
	unsigned status = words.status;
	if (why == REFUSE_CODEC)
		status = (unsigned)quirk(&t->quirks, Q_MEDIA_STATUS);
	if (why == REFUSE_BLOCKED)
		status = (unsigned)quirk(&t->quirks, Q_BLOCK_STATUS);
	if (why == REFUSE_SESSION)
		snprintf(extra, sizeof extra, "Min-SE: %ld", quirk(&t->quirks, Q_MIN_SE));
	if (t->statuses.status[why])
		status = t->statuses.status[why];
	carrier_call_event(call, "refused", json_pack("{s:s,s:i}", "why", refusal_name(why), "status", status));
	carrier_call_move(call, CALL_REFUSED);
	carrier_call_say(call, &(struct carrier_say){.status = status, .reason = words.reason, .extra = extra});
}
