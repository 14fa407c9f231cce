/* call/dial.c - the SIP side of a call: its INVITE, and what the far end says to it. */
#include "call/call_private.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "call/offer.h"
#include "sip/call.h"

#include <errno.h>
#include <stdio.h>

static void show_ringing(struct call *c)
{
	if (c->state != CALL_DIALING)
		return;
	call_move(c, CALL_RINGING);
	call_show_status(c, "ringing");
}

/* The room hears what the far end says before it answers. Nobody has picked up: it goes on ringing. */
static void hear_early(struct call *c, const struct sip_message *response)
{
	struct media_leg_remote remote;
	enum answer_outcome why;

	switch (call_early_take(&c->early, &remote, response, &why)) {
	case EARLY_NEWS:
		log_info(c->id, "early media, from a %u", response->status);
		call_connect(c, &remote, true);
		break;
	case EARLY_E_SDP:
		log_info(c->id, "no early media: %s (in a %u)", answer_outcome_text(why), response->status);
		break;
	case EARLY_NOTHING:
		break;
	}
}

/* RFC 3261, 21.1: 180 rings; 181-183 say that it is on its way, which is what livekit-sip calls
 * ringing too. */
static void on_progress(void *owner, const struct sip_message *response)
{
	static const struct header_rules none = {0};
	struct call *c = owner;
	if (c->state == CALL_ENDED)
		return;
	call_show_headers(c, response, &none);
	if (response->status < 180)
		return;
	show_ringing(c);
	hear_early(c, response);
}

static void fail_media(struct call *c, enum answer_outcome outcome)
{
	struct call_explanation why;
	explain_failure(&why, &(struct call_failure){
				      .kind = CALL_FAILURE_MEDIA,
				      .sip_status = 200,
				      .reason = answer_outcome_text(outcome),
			      });
	call_finish(c, &why, 0, NULL);
}

static void show_dialog(struct call *c, const struct sip_message *response)
{
	char call_id[LIMIT_NAME_BYTES], tag[LIMIT_NAME_BYTES];
	headers_copy_text(call_id, sizeof call_id, response->call_id);
	headers_copy_text(tag, sizeof tag, response->to.tag);
	const struct attribute a[] = {
		{"sip.callIDFull", call_id},
		{"sip.callTag", tag},
		{"sip.callStatus", *c->dtmf ? "automation" : "active"},
	};
	if (c->seat)
		seat_set_attributes(c->seat, a, COUNT_OF(a));
}

static enum answer_outcome read_answer(struct media_leg_remote *ret, const struct call *c,
	const struct sip_message *response)
{
	if (!response->body.size && call_early_answer(ret, &c->early, response->to.tag))
		return ANSWER_OK;
	return answer_read(ret, response->body);
}

static void on_answered(void *owner, const struct sip_message *response)
{
	struct call *c = owner;
	if (c->state == CALL_ENDED)
		return;

	struct media_leg_remote remote;
	enum answer_outcome outcome = read_answer(&remote, c, response);
	if (outcome != ANSWER_OK) {
		fail_media(c, outcome);
		return;
	}
	timer_stop(&c->ringing);
	call_connect(c, &remote, false);
	if (*c->dtmf)
		media_leg_digits(c->calls->config.media, c->leg, c->dtmf);
	call_move(c, CALL_ACTIVE);
	/* First: whoever waits for "active" finds them. */
	call_show_headers(c, response, &c->rules);
	if (headers_keep(&c->far_headers, &c->far_header_count, &c->kept, response) < 0)
		log_warn(c->id, "the answer's headers are not kept: out of memory");
	show_dialog(c, response);
	call_settle(c, true);
}

static int failure_kind(enum sip_why why)
{
	static const int kinds[SIP_WHY__COUNT] = {
		[SIP_WHY_RESPONSE] = CALL_FAILURE_RESPONSE,
		[SIP_WHY_TIMEOUT] = CALL_FAILURE_TIMEOUT,
		[SIP_WHY_TRANSPORT] = CALL_FAILURE_TRANSPORT,
		[SIP_WHY_DNS] = CALL_FAILURE_DNS,
		[SIP_WHY_AUTH] = CALL_FAILURE_RESPONSE,
		[SIP_WHY_CANCELLED] = CALL_FAILURE_NO_ANSWER,
		[SIP_WHY_BROKEN] = CALL_FAILURE_INTERNAL,
	};
	return kinds[why];
}

static void on_failed(void *owner, const struct sip_failure *f)
{
	struct call *c = owner;
	c->sip = NULL;
	if (c->state == CALL_ENDED) {
		call_free_soon(c);
		return;
	}

	char reason[sizeof c->sip_reason] = "", provider[64] = "";
	if (f->response) {
		headers_far_words(reason, sizeof reason, f->response);
		headers_copy_text(provider, sizeof provider, sip_message_value_named(f->response, "X-Twilio-Error"));
	}
	struct call_explanation why;
	explain_failure(&why, &(struct call_failure){
				      .sip_status = (int)f->status,
				      .reason = reason,
				      .provider = *provider ? provider : NULL,
				      .after_challenge = f->why == SIP_WHY_AUTH && c->has_credentials,
				      .has_credentials = c->has_credentials,
				      .kind = failure_kind(f->why),
				      .address = c->address,
			      });
	log_info(c->id, "%s", f->sentence);
	call_finish(c, &why, (int)f->status, reason);
}

static void on_ended(void *owner, const struct sip_end *end)
{
	struct call *c = owner;
	c->sip = NULL;
	if (c->state == CALL_ENDED) {
		call_free_soon(c);
		return;
	}
	const struct call_explanation why = {
		.sentence = "The other side hung up.",
		.code = "far_end_hung_up",
		.twirp_code = "canceled",
		.reason = LIVEKIT__DISCONNECT_REASON__CLIENT_INITIATED,
	};
	call_finish(c, &why, 0, NULL);
}

static const struct sip_call_events sip_events = {
	.progress = on_progress,
	.answered = on_answered,
	.failed = on_failed,
	.ended = on_ended,
};

static enum sip_protocol_choice protocol_of(const Livekit__SIPOutboundTrunkInfo *trunk)
{
	switch (trunk->transport) {
	case LIVEKIT__SIPTRANSPORT__SIP_TRANSPORT_UDP:
		return SIP_PROTOCOL_UDP;
	case LIVEKIT__SIPTRANSPORT__SIP_TRANSPORT_TCP:
		return SIP_PROTOCOL_TCP;
	default:
		return SIP_PROTOCOL_AUTO;
	}
}

static bool ends_with(const char *text, const char *tail)
{
	size_t size = strlen(text), tail_size = strlen(tail);
	return size >= tail_size && !strcasecmp(text + size - tail_size, tail);
}

/* What the INVITE says, as text. */
struct invite_texts {
	char uri[600], to[600], from[400], display[160], offer[OFFER_SIZE];
	struct span body;
};

/* What livekit-sip writes too: only a transport that was asked for. `params` may say it already. */
static const char *transport_param(const Livekit__SIPOutboundTrunkInfo *trunk, const char *params)
{
	if (sip_param_get(span_text(params), "transport", NULL))
		return "";
	switch (trunk->transport) {
	case LIVEKIT__SIPTRANSPORT__SIP_TRANSPORT_UDP:
		return ";transport=udp";
	case LIVEKIT__SIPTRANSPORT__SIP_TRANSPORT_TCP:
		return ";transport=tcp";
	default:
		return "";
	}
}

/* RFC 3261, 19.1.1: a transport belongs into the Request-URI only, not into To and From. */
static bool write_uris(struct invite_texts *t, const struct call *c, const struct call_request *request,
	const char *caller)
{
	const Livekit__SIPOutboundTrunkInfo *trunk = request->trunk;
	const char *host = request->from_host			     ? request->from_host
			   : trunk->from_host && *trunk->from_host ? trunk->from_host
								     : c->calls->config.sip_host;
	/* Twilio knows numbers by their '+' only (livekit-sip adds it too). */
	const char *plus = *caller != '+' && ends_with(c->address, "twilio.com") ? "+" : "";
	const char *params = request->uri_params ? request->uri_params : "";

	int uri = snprintf(t->uri, sizeof t->uri, "sip:%s@%s%s%s%s", c->number, c->address, transport_param(trunk, params),
		*params ? ";" : "", params);
	int to = snprintf(t->to, sizeof t->to, "sip:%s@%s", request->to_user ? request->to_user : c->shown_number,
		c->address);
	int from = snprintf(t->from, sizeof t->from, "sip:%s%s@%s", plus, caller, host);
	int display = snprintf(t->display, sizeof t->display, "%s%s", request->display_name ? "" : plus,
		request->display_name ? request->display_name : caller);
	return uri < (int)sizeof t->uri && to < (int)sizeof t->to && from < (int)sizeof t->from &&
	       display < (int)sizeof t->display;
}

static void write_body(struct invite_texts *t, const struct call *c, const struct call_request *request,
	uint16_t rtp_port)
{
	struct writer w = writer_of(t->offer, sizeof t->offer);
	struct offer offer = {
		.ip = c->calls->config.media_ip,
		.rtp_port = rtp_port,
		/* RFC 8866, 5.2: a number that fits an NTP timestamp; some parsers want it below 2^63. */
		.session_id = rng_u64() >> 2,
	};
	offer_choose_codecs(offer.codecs, &offer.codec_count, request->trunk->media);
	offer_write(&w, &offer);
	t->body = writer_span(&w);
}

/* A password goes to the trunk that it belongs to, and to no other host that a request names. */
static bool may_log_in(const struct call *c, const Livekit__SIPOutboundTrunkInfo *trunk)
{
	return trunk->auth_username && *trunk->auth_username && !strcasecmp(c->address, trunk->address);
}

/* Trunk headers first, the request's over them. NULL when out of memory. */
static struct sip_extra *collect_headers(size_t *count, const struct call_request *request)
{
	const Livekit__SIPOutboundTrunkInfo *trunk = request->trunk;
	struct sip_extra *all = mem_zalloc((trunk->n_headers + request->header_count + 1) * sizeof *all);
	if (!all)
		return NULL;
	size_t n = 0;
	for (size_t i = 0; i < trunk->n_headers; ++i)
		all[n++] = (struct sip_extra){trunk->headers[i]->key, trunk->headers[i]->value};
	for (size_t i = 0; i < request->header_count; ++i) {
		size_t at = 0;
		while (at < n && strcasecmp(all[at].name, request->headers[i].key))
			++at;
		all[at] = (struct sip_extra){request->headers[i].key, request->headers[i].value};
		n += at == n;
	}
	*count = n;
	return all;
}

int call_invite(struct call *c, const struct call_request *request, const char *caller, uint16_t rtp_port)
{
	const Livekit__SIPOutboundTrunkInfo *trunk = request->trunk;
	struct invite_texts t;
	if (!write_uris(&t, c, request, caller))
		return CALL_E_INVALID;
	write_body(&t, c, request, rtp_port);

	size_t header_count = 0;
	struct sip_extra *headers = collect_headers(&header_count, request);
	if (!headers)
		return err_new(-ENOMEM);
	c->has_credentials = may_log_in(c, trunk);
	int r = sip_invite(&c->sip, c->calls->config.sip,
		&(struct sip_invite_config){
			.request_uri = t.uri,
			.to_uri = t.to,
			.from_uri = t.from,
			.from_display = *t.display ? t.display : NULL,
			.contact_user = caller,
			.protocol = protocol_of(trunk),
			.username = c->has_credentials ? trunk->auth_username : NULL,
			.password = c->has_credentials ? trunk->auth_password : NULL,
			.headers = headers,
			.header_count = header_count,
			.body = t.body,
		},
		&sip_events, c);
	mem_free(headers);
	return r == -EINVAL ? CALL_E_INVALID : r;
}
