/* call/dial.c - the SIP side of a call: its INVITE, and what the far end says to it. */
#include "call/call_private.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "call/identity.h"
#include "call/lines.h"
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

/* RFC 3261, 21.1: 180 rings; 181-183 say that it is on its way, which is what livekit-sip calls
 * ringing too. */
static void on_trying(void *owner, const struct sip_message *response)
{
	((struct call *)owner)->heard = true;
}

static void on_progress(void *owner, const struct sip_message *response)
{
	static const struct header_rules none = {0};
	struct call *c = owner;
	c->heard = true;
	if (c->state == CALL_ENDED)
		return;
	call_show_headers(c, response, &none);
	if (response->status >= 180 && response->status != 199) /* 199: one phone of several gave up, RFC 6228 */
		show_ringing(c);
	if (response->status >= 180)
		call_hear_early(c, response);
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

/* Some carriers describe their sound in 183 only, and answer under another tag. */
static enum answer_outcome read_answer(struct media_leg_remote *ret, struct call *c, const struct sip_message *response)
{
	enum answer_outcome outcome = negotiation_settle(&c->talk, response->to.tag, response->body, ret);

	if (outcome != ANSWER_E_NONE || !c->early.heard)
		return outcome;
	return negotiation_settle(&c->talk, span_text(c->early.tag), response->body, ret);
}

static enum call_failure_kind answer_failure(enum answer_outcome outcome)
{
	if (outcome == ANSWER_E_FAMILY)
		return CALL_FAILURE_MEDIA_FAMILY;
	return answer_is_about_keys(outcome) ? CALL_FAILURE_ENCRYPTION : CALL_FAILURE_MEDIA;
}

static void on_answered(void *owner, const struct sip_message *response)
{
	struct call *c = owner;
	if (c->state == CALL_ENDED)
		return;

	struct media_leg_remote remote;
	enum answer_outcome outcome = read_answer(&remote, c, response);
	if (outcome != ANSWER_OK) {
		call_fail_as(c, answer_failure(outcome), answer_outcome_text(outcome));
		return;
	}
	timer_stop(&c->ringing);
	policy_answered(&c->allowed, clock_ms());
	call_connect_media(c, &remote);
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

/* LiveKit's ALLOW offers SRTP only, and a far end that knows none refuses: then once more in clear
 * (RFC 3261, 8.1.3.5). */
static bool on_refused(void *owner, const struct sip_message *response)
{
	struct call *c = owner;
	if (c->state == CALL_ENDED || !negotiation_give_up_security(&c->talk))
		return false;
	struct span body = negotiation_offer(&c->talk);
	if (!body.size || sip_call_set_body(c->sip, body) < 0)
		return false;
	log_info(c->id, "the far end takes no SRTP (%u), which is not required: offered again in clear",
		response->status);
	return true;
}

static enum call_failure_kind failure_kind(enum sip_why why)
{
	static const enum call_failure_kind kinds[SIP_WHY__COUNT] = {
		[SIP_WHY_RESPONSE] = CALL_FAILURE_RESPONSE,
		[SIP_WHY_TIMEOUT] = CALL_FAILURE_TIMEOUT,
		[SIP_WHY_TRANSPORT] = CALL_FAILURE_TRANSPORT,
		[SIP_WHY_TLS] = CALL_FAILURE_TLS,
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

	call_refused(c, f, failure_kind(f->why));
}

static enum call_end end_of(const struct sip_end *end, bool moved)
{
	if (end->by_far_end)
		return moved ? CALL_END_TRANSFERRED : CALL_END_FAR_END;
	if (!strcmp(end->why, "expired"))
		return CALL_END_SESSION_EXPIRED;
	return strcmp(end->why, "no ack") ? CALL_END_LOST : CALL_END_NO_ACK;
}

static void on_ended(void *owner, const struct sip_end *end)
{
	struct call *c = owner;
	bool moved = sip_call_refer_accepted(c->sip);
	c->sip = NULL;
	if (c->state == CALL_ENDED) {
		call_free_soon(c);
		return;
	}
	call_end_as(c, end_of(end, moved), end->request);
}

static struct span number_of(struct span user)
{
	size_t skip = user.size && user.data[0] == '+';
	const uint8_t *end = user.size ? memchr(user.data, ';', user.size) : NULL;
	size_t size = end ? (size_t)(end - user.data) : user.size;

	return size < skip ? (struct span){0} : span_of(user.data + skip, size - skip);
}

/* Only to hosts that the trunk names, and only the number that was asked for: another one has not
 * passed the policy. */
static bool on_redirect(void *owner, const struct sip_uri *to)
{
	struct call *c = owner;
	struct span number = number_of(to->user), asked = number_of(span_text(c->dialled));

	if (number.size != asked.size || memcmp(number.data, asked.data, asked.size))
		return false;
	for (size_t i = 0; i < c->redirect_hosts.count; ++i)
		if (span_is_nocase(to->host, c->redirect_hosts.at[i]))
			return true;
	return false;
}

static const struct sip_call_events sip_events = {
	.aimed = call_on_aimed,
	.redirect = on_redirect,
	.trying = on_trying,
	.progress = on_progress,
	.answered = on_answered,
	.refused = on_refused,
	.offer = call_on_offer,
	.info = call_on_info,
	.acked = call_on_acked,
	.reanswered = call_on_reanswered,
	.referred = call_on_referred,
	.failed = on_failed,
	.ended = on_ended,
};

static int write_identity(struct identity *ret, const struct call *c, const struct call_request *request,
	const char *caller, const struct trunk_options *options)
{
	return identity_write(ret, &(struct identity_wish){
					       .trunk = request->trunk,
					       .options = options,
					       .address = c->address,
					       .uri_params = request->uri_params,
					       .number = c->number,
					       .to_number = c->shown_number,
					       .to_user = request->to_user,
					       .caller = caller,
					       .display = request->display_name,
					       .from_host = request->from_host,
					       .own_host = c->calls->config.sip_host,
				       });
}

static struct span write_body(struct call *c, const struct call_request *request,
	const struct trunk_options *options, uint16_t rtp_port)
{
	struct offer offer = {
		.ip = c->calls->config.media_ip,
		.rtp_port = rtp_port,
		/* RFC 8866, 5.2: a number that fits an NTP timestamp; some parsers want it below 2^63. */
		.session_id = rng_u64() >> 2,
		.security = &c->security,
	};
	offer_security_init(&c->security, offer_security_mode_of(request->trunk), options,
		media_fingerprint(c->calls->config.media));
	offer_choose_codecs(offer.codecs, &offer.codec_count, request->trunk->media);
	offer.session_version = offer.session_id;
	negotiation_begin(&c->talk, &offer);
	return negotiation_offer(&c->talk);
}

/* A trunk that seems down is tried all the same: only a call shows whether calls go through. */
static void learn_line(struct line_status *ret, const struct call *c, const char *trunk_id)
{
	bool known = trunk_id && lines_status(c->calls->config.lines, trunk_id, ret);
	if (!known)
		*ret = (struct line_status){0};
	else if (ret->state == LINE_DOWN)
		log_warn(c->id, "%s seems down, and is tried all the same: %s", trunk_id, ret->problem);
}

/* A password goes to the trunk that it belongs to, and to no other host that a request names. */
static bool may_log_in(const struct call *c, const Livekit__SIPOutboundTrunkInfo *trunk, const char *login)
{
	return login && !strcasecmp(c->address, trunk->address);
}

static size_t put_header(struct sip_extra *all, size_t count, const char *name, const char *value)
{
	size_t at = 0;
	while (at < count && strcasecmp(all[at].name, name))
		++at;
	all[at] = (struct sip_extra){name, value};
	return count + (at == count);
}

/* Ours first, the trunk's over them, the request's over both. NULL when out of memory. */
static struct sip_extra *collect_headers(size_t *count, const struct call_request *request,
	const struct identity *who)
{
	const Livekit__SIPOutboundTrunkInfo *trunk = request->trunk;
	struct sip_extra *all = mem_zalloc(
		(who->header_count + trunk->n_headers + request->header_count + 1) * sizeof *all);
	if (!all)
		return NULL;
	size_t n = 0;
	for (size_t i = 0; i < who->header_count; ++i)
		n = put_header(all, n, who->headers[i].name, who->headers[i].value);
	for (size_t i = 0; i < trunk->n_headers; ++i)
		n = put_header(all, n, trunk->headers[i]->key, trunk->headers[i]->value);
	for (size_t i = 0; i < request->header_count; ++i)
		n = put_header(all, n, request->headers[i].key, request->headers[i].value);
	*count = n;
	return all;
}

static void note_redirects(struct call *c, const char *uri, const struct trunk_options *options)
{
	struct sip_uri asked;

	c->redirect_hosts = options->redirect.hosts;
	if (!sip_uri_parse(&asked, span_text(uri)))
		headers_copy_text(c->dialled, sizeof c->dialled, asked.user);
}

int call_invite(struct call *c, const struct call_request *request, const char *caller, uint16_t rtp_port)
{
	const Livekit__SIPOutboundTrunkInfo *trunk = request->trunk;
	struct identity who;
	struct trunk_options options;
	char why[TRUNK_WHY_SIZE];
	if (trunk_options_read(&options, trunk->metadata, why)) {
		log_warn(c->id, "%s: this trunk's options are passed over", why); /* kept before they were checked */
		options = (struct trunk_options){0};
	}
	if (write_identity(&who, c, request, caller, &options))
		return CALL_E_INVALID;
	note_redirects(c, who.uri, &options);
	c->media_family = options.media_family;
	struct span body = write_body(c, request, &options, rtp_port);
	if (!body.size)
		return CALL_E_CODEC;

	struct line_status line;
	learn_line(&line, c, trunk->sip_trunk_id);
	size_t header_count = 0;
	struct sip_extra *headers = collect_headers(&header_count, request, &who);
	if (!headers)
		return err_new(-ENOMEM);
	const char *login = trunk_options_login(&options, trunk);
	c->has_credentials = may_log_in(c, trunk, login);
	int r = sip_invite(&c->sip, c->calls->config.sip,
		&(struct sip_invite_config){
			.request_uri = who.uri,
			.to_uri = who.to,
			.from_uri = who.from,
			.from_display = *who.display ? who.display : NULL,
			.contact_user = who.contact_user,
			.protocol = identity_protocol(trunk),
			.proxy = *options.outbound_proxy ? options.outbound_proxy : NULL,
			.username = c->has_credentials ? login : NULL,
			.password = c->has_credentials ? trunk->auth_password : NULL,
			.routes = line.registration.routes,
			.route_count = line.registration.route_count,
			.headers = headers,
			.header_count = header_count,
			.body = body,
			.call_id = c->record.on ? c->record.sip_call_id : NULL,
			.session_expires_s = options.session_expires_s,
		},
		&sip_events, c);
	mem_free(headers);
	return r == -EINVAL ? CALL_E_INVALID : r == -EMFILE ? CALL_E_LIMIT : r;
}
