/* api/sip_dial.c - CreateSIPParticipant: LiveKit's way of calling a phone into a room. The order of
 * the checks and the words are LiveKit's; the call itself is call/'s. */
#include "api/sip_service.h"

#include "api/sip_address.h"

#include "api/wait.h"

#include "base/limits.h"
#include "trunk/check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	DISPLAY_NAME_MAX = 128,
	WAIT_MS = 80000, /* LiveKit's, unless X-Twirp-Timeout-Ms says otherwise */
	TIMEOUT_MS_MAX = 24 * 3600 * 1000,
};

typedef Livekit__CreateSIPParticipantRequest request;

static bool invalid(struct twirp *t, const char *why)
{
	twirp_fail(t, "invalid_argument", "%s", why);
	return false;
}

/* ---- checks; false: the refusal was sent ---- */

static const char user_characters[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~";

static bool check_who(struct twirp *t, const request *in)
{
	if (!*in->sip_trunk_id && !in->trunk && !*in->sip_number)
		return invalid(t, "missing sip trunk id and sip number");
	if (!*in->sip_call_to)
		return invalid(t, "missing sip callee number");
	if (strchr(in->sip_call_to, '@') || !strncasecmp(in->sip_call_to, "sip:", 4))
		return invalid(t, "SipCallTo should be a phone number or SIP user, not a full SIP URI");
	/* It stands before the '@' of To. */
	if (strlen(in->to_user_override) > LIMIT_NAME_BYTES ||
		strspn(in->to_user_override, user_characters) != strlen(in->to_user_override))
		return invalid(t, "ToUserOverride should be a SIP user, without a host");
	return *in->room_name ? true : invalid(t, "missing room name");
}

static bool check_headers(struct twirp *t, const request *in)
{
	char why[TRUNK_WHY_SIZE];
	for (size_t i = 0; i < in->n_headers; ++i)
		if (!check_request_header(in->headers[i]->key, in->headers[i]->value, why))
			return invalid(t, why);
	return check_media(in->media, why) ? true : invalid(t, why);
}

/* It goes into the From header between quotes. */
static bool check_display_name(struct twirp *t, const request *in)
{
	if (in->_display_name_case != LIVEKIT__CREATE_SIPPARTICIPANT_REQUEST___DISPLAY_NAME_DISPLAY_NAME)
		return true;
	if (strlen(in->display_name) > DISPLAY_NAME_MAX)
		return invalid(t, "DisplayName too long (max 128 characters)");
	for (const unsigned char *c = (const unsigned char *)in->display_name; *c; ++c)
		if (*c < 0x20 || *c == 0x7f || *c == '"' || *c == '\\')
			return invalid(t, "DisplayName must be a valid quoted string: invalid syntax");
	return true;
}

static bool is_country(const char *code)
{
	/* Every letter pair of ISO 3166-1, in alphabetical order. */
	static const char all[] =
		"ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCM"
		"CNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHK"
		"HMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMH"
		"MKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQAREROSRSRU"
		"RWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUKUMUSUYUZVAVCVEVG"
		"VIVNVUWFWSYEYTZAZMZW";
	if (strlen(code) != 2)
		return false;
	for (size_t i = 0; i + 1 < sizeof all; i += 2)
		if (all[i] == code[0] && all[i + 1] == code[1])
			return true;
	return false;
}

static bool check_destination(struct twirp *t, const request *in)
{
	if (in->_destination_case != LIVEKIT__CREATE_SIPPARTICIPANT_REQUEST___DESTINATION_DESTINATION)
		return true;
	const Livekit__Destination *d = in->destination;
	if (*d->city && !*d->country && !*d->region)
		return invalid(t, "if city is specified, country or region must also be specified");
	if (*d->country && !is_country(d->country))
		return invalid(t, "country must be a valid ISO 3166-1 alpha-2 code (2-letter like 'US', 'IN', 'UK')");
	return true;
}

static bool check_inline_trunk(struct twirp *t, const Livekit__SIPOutboundConfig *c)
{
	char why[TRUNK_WHY_SIZE];
	if (!*c->hostname)
		return invalid(t, "no outbound hostname specified");
	if (!check_host("trunk hostname", c->hostname, why) || !check_host("from_host", c->from_host, why))
		return invalid(t, why);
	for (size_t i = 0; i < c->n_headers_to_attributes; ++i)
		if (!check_header_name(c->headers_to_attributes[i]->key, why))
			return invalid(t, why);
	for (size_t i = 0; i < c->n_attributes_to_headers; ++i)
		if (!check_header_name(c->attributes_to_headers[i]->value, why))
			return invalid(t, why);
	return true;
}

/* LiveKit takes a codec without a rate only when it knows the codec. */
static bool check_codecs(struct twirp *t, const request *in)
{
	static const char *const known[] = {"PCMU", "PCMA", "G722", "AMR-WB"};
	for (size_t i = 0; in->media && i < in->media->n_codecs; ++i) {
		const Livekit__SIPCodec *c = in->media->codecs[i];
		bool is_known = c->rate != 0;
		for (size_t j = 0; j < COUNT_OF(known); ++j)
			is_known |= !strcasecmp(c->name, known[j]);
		if (is_known)
			continue;
		twirp_fail(t, "unknown", "sample rate not specified for codec: \"%.64s\"", c->name);
		return false;
	}
	return true;
}

static bool is_negative(const Livekit__Duration *d)
{
	return d && (d->seconds < 0 || d->nanos < 0);
}

static bool check_times(struct twirp *t, const request *in)
{
	if (is_negative(in->ringing_timeout))
		return invalid(t, "ringing_timeout must not be negative");
	return is_negative(in->max_call_duration) ? invalid(t, "max_call_duration must not be negative") : true;
}

/* LiveKit lets these through to the gateway, whose join then fails: hence "internal". */
static bool check_sizes(struct twirp *t, const request *in)
{
	const struct room_limits *limits = rooms_limits(t->api->config.rooms);
	if (strlen(in->room_name) > limits->room_name)
		twirp_fail(t, "internal", "room_name is longer than %u bytes", limits->room_name);
	else if (strlen(in->participant_identity) > limits->identity)
		twirp_fail(t, "internal", "participant_identity is longer than %u bytes", limits->identity);
	else if (strlen(in->participant_name) > limits->name)
		twirp_fail(t, "internal", "participant_name is longer than %u bytes", limits->name);
	else if (strlen(in->participant_metadata) > limits->metadata)
		twirp_fail(t, "internal", "participant_metadata is longer than %u bytes", limits->metadata);
	else
		return true;
	return false;
}

static bool check(struct twirp *t, const request *in)
{
	return check_who(t, in) && check_headers(t, in) && check_display_name(t, in) &&
		check_destination(t, in) &&
		(*in->sip_trunk_id || !in->trunk || check_inline_trunk(t, in->trunk)) && check_times(t, in);
}

/* ---- the trunk ---- */

/* An inline trunk as if it had been kept: without id and numbers. */
static bool from_inline(struct twirp *t, Livekit__SIPOutboundTrunkInfo *trunk, const Livekit__SIPOutboundConfig *c)
{
	*trunk = (Livekit__SIPOutboundTrunkInfo)LIVEKIT__SIPOUTBOUND_TRUNK_INFO__INIT;
	trunk->address = c->hostname;
	trunk->transport = c->transport;
	trunk->auth_username = c->auth_username;
	trunk->auth_password = c->auth_password;
	trunk->destination_country = c->destination_country;
	trunk->from_host = c->from_host;
	/* Map entries of the two messages have one layout: a key and a value. */
	trunk->n_headers_to_attributes = c->n_headers_to_attributes;
	trunk->n_attributes_to_headers = c->n_attributes_to_headers;
	trunk->headers_to_attributes =
		proto_alloc(&t->arena, (c->n_headers_to_attributes + 1) * sizeof *trunk->headers_to_attributes);
	trunk->attributes_to_headers =
		proto_alloc(&t->arena, (c->n_attributes_to_headers + 1) * sizeof *trunk->attributes_to_headers);
	if (!trunk->headers_to_attributes || !trunk->attributes_to_headers)
		return false;
	for (size_t i = 0; i < c->n_headers_to_attributes; ++i) {
		Livekit__SIPOutboundTrunkInfo__HeadersToAttributesEntry *e = (void *)proto_new(&t->arena,
			&livekit__sipoutbound_trunk_info__headers_to_attributes_entry__descriptor);
		if (!e)
			return false;
		e->key = c->headers_to_attributes[i]->key;
		e->value = c->headers_to_attributes[i]->value;
		trunk->headers_to_attributes[i] = e;
	}
	for (size_t i = 0; i < c->n_attributes_to_headers; ++i) {
		Livekit__SIPOutboundTrunkInfo__AttributesToHeadersEntry *e = (void *)proto_new(&t->arena,
			&livekit__sipoutbound_trunk_info__attributes_to_headers_entry__descriptor);
		if (!e)
			return false;
		e->key = c->attributes_to_headers[i]->key;
		e->value = c->attributes_to_headers[i]->value;
		trunk->attributes_to_headers[i] = e;
	}
	return true;
}

/* The request's media over the trunk's: its list of codecs, and what else it sets. */
static void merge_media(Livekit__SIPOutboundTrunkInfo *trunk, Livekit__SIPMediaConfig *both, const request *in)
{
	if (in->include_headers)
		trunk->include_headers = in->include_headers;
	if (in->media_encryption)
		trunk->media_encryption = in->media_encryption;
	if (!in->media)
		return;
	*both = trunk->media ? *trunk->media : (Livekit__SIPMediaConfig)LIVEKIT__SIPMEDIA_CONFIG__INIT;
	if (in->media->n_codecs || in->media->only_listed_codecs) {
		both->only_listed_codecs = in->media->only_listed_codecs;
		both->n_codecs = in->media->n_codecs;
		both->codecs = in->media->codecs;
	}
	if (in->media->_encryption_case == LIVEKIT__SIPMEDIA_CONFIG___ENCRYPTION_ENCRYPTION &&
		in->media->encryption) {
		both->_encryption_case = in->media->_encryption_case;
		both->encryption = in->media->encryption;
	}
	if (in->media->_media_timeout_case == LIVEKIT__SIPMEDIA_CONFIG___MEDIA_TIMEOUT_MEDIA_TIMEOUT) {
		both->_media_timeout_case = in->media->_media_timeout_case;
		both->media_timeout = in->media->media_timeout;
	}
	trunk->media = both;
}

/* False: the refusal was sent. */
static bool choose(struct twirp *t, Livekit__SIPOutboundTrunkInfo *trunk, const request *in)
{
	if (!*in->sip_trunk_id && in->trunk) {
		if (from_inline(t, trunk, in->trunk))
			return true;
		twirp_broken(t);
		return false;
	}
	const Livekit__SIPOutboundTrunkInfo *kept = NULL;
	char why[TRUNK_WHY_SIZE];
	if (*in->sip_trunk_id && trunks_choose(&kept, t->api->config.trunks, in->sip_trunk_id, why) == 0) {
		*trunk = *kept;
		return true;
	}
	twirp_fail(t, "not_found", "requested sip trunk does not exist");
	return false;
}

/* ---- the call ---- */

static uint32_t milliseconds(const Livekit__Duration *d)
{
	if (!d)
		return 0;
	if (d->seconds > TIMEOUT_MS_MAX / 1000)
		return TIMEOUT_MS_MAX;
	uint32_t ms = (uint32_t)(d->seconds * 1000 + d->nanos / 1000000);
	return ms || !d->nanos ? ms : 1;
}

static void send_participant(struct http_exchange *x, bool as_json, struct call *c)
{
	Livekit__SIPParticipantInfo out = LIVEKIT__SIPPARTICIPANT_INFO__INIT;
	out.participant_id = (char *)call_participant_sid(c);
	out.participant_identity = (char *)call_participant_identity(c);
	out.room_name = (char *)call_room(c);
	out.sip_call_id = (char *)call_id(c);
	twirp_send(x, as_json, &out.base);
}

static void send_failure(struct http_exchange *x, struct call *c)
{
	const struct call_explanation *e = call_explanation(c);
	char status[16];
	snprintf(status, sizeof status, "%d", call_sip_status(c));
	const struct twirp_meta meta[] = {
		{"sip_status_code", status},
		{"sip_status", call_sip_reason(c)},
	};
	twirp_send_error(x, e->twirp_code ? e->twirp_code : "internal", e->sentence, meta,
		call_sip_status(c) ? COUNT_OF(meta) : 0);
}

static void on_done(struct api_wait *w, enum wait_end end)
{
	if (!w->x)
		return;
	switch (end) {
	case WAIT_ANSWERED:
		send_participant(w->x, w->as_json, w->call);
		break;
	case WAIT_FAILED:
		send_failure(w->x, w->call);
		break;
	case WAIT_DEADLINE:
		twirp_send_error(w->x, "deadline_exceeded", "nobody answered within the time of this request",
			NULL, 0);
		break;
	case WAIT_CLOSED:
		twirp_send_error(w->x, "unavailable", "the server is shutting down", NULL, 0);
		break;
	}
}

/* X-Twirp-Timeout-Ms, when it is a number. */
static uint64_t time_allowed(struct twirp *t)
{
	const char *text = http_header(t->x, "X-Twirp-Timeout-Ms");
	size_t digits = text ? strspn(text, "0123456789") : 0;
	if (!digits || text[digits] || digits > 9)
		return WAIT_MS;
	uint64_t ms = strtoull(text, NULL, 10);
	return ms ? ms : WAIT_MS;
}

static void wait_for_answer(struct twirp *t, struct call *c)
{
	struct http_exchange *x = twirp_detach(t);
	int r = wait_new(t->api, &(struct wait_request){
					 .call = c,
					 .x = x,
					 .deadline_ms = time_allowed(t),
					 .hang_up_when_gone = true,
					 .as_json = t->as_json,
					 .done = on_done,
				 });
	if (r < 0) {
		twirp_send_error(x, "internal", "out of memory", NULL, 0);
		call_hang_up(c);
	}
}

static void refuse(struct twirp *t, int outcome, const struct call_refusal *refusal)
{
	static const char *const codes[] = {
		[CALL_E_NUMBER] = "invalid_argument",
		[CALL_E_COUNTRY] = "permission_denied",
		[CALL_E_BLOCKED] = "permission_denied",
		[CALL_E_RATE] = "resource_exhausted",
		[CALL_E_ALREADY] = "already_exists",
		[CALL_E_LIMIT] = "resource_exhausted",
		[CALL_E_MINUTES] = "resource_exhausted",
		[CALL_E_INVALID] = "invalid_argument",
		[CALL_E_CODEC] = "invalid_argument",
	};
	if (outcome == CALL_E_NO_CALLER)
		twirp_fail(t, "failed_precondition", "no numbers on outbound trunk");
	else
		twirp_fail(t, codes[outcome], "%s", refusal->why);
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

/* NULL when out of memory. The entries of both maps have one layout. */
static struct attribute *pairs(struct twirp *t, Livekit__CreateSIPParticipantRequest__HeadersEntry *const *list,
	size_t count)
{
	struct attribute *out = proto_alloc(&t->arena, (count + 1) * sizeof *out);
	for (size_t i = 0; out && i < count; ++i)
		out[i] = (struct attribute){list[i]->key, list[i]->value};
	return out;
}

static struct attribute *attributes_of(struct twirp *t, const request *in)
{
	struct attribute *out = proto_alloc(&t->arena, (in->n_participant_attributes + 1) * sizeof *out);
	for (size_t i = 0; out && i < in->n_participant_attributes; ++i)
		out[i] = (struct attribute){in->participant_attributes[i]->key,
			in->participant_attributes[i]->value};
	return out;
}

/* Where a call leads decides what it costs: an inline trunk, or an address of one's own, at the host of a trunk that
 * is kept has no country and no limits of its own choice. */
static const Livekit__SIPOutboundTrunkInfo *rules_of(struct twirp *t, const Livekit__SIPOutboundTrunkInfo *trunk,
	const struct sip_addresses *own)
{
	const char *address = own->address ? own->address : trunk->address;
	bool at_home = *trunk->sip_trunk_id && trunk_is_at(trunk, address);
	return at_home ? NULL : trunks_find_host(t->api->config.trunks, address);
}

static void dial(struct twirp *t, const request *in, const Livekit__SIPOutboundTrunkInfo *trunk,
	const struct sip_addresses *own)
{
	struct call_refusal refusal = {0};
	struct call *c = NULL;
	struct attribute *attributes = attributes_of(t, in), *headers = pairs(t, in->headers, in->n_headers);
	const char *display = own->from_display;
	if (in->_display_name_case == LIVEKIT__CREATE_SIPPARTICIPANT_REQUEST___DISPLAY_NAME_DISPLAY_NAME)
		display = in->display_name;
	int r = attributes && headers
		? calls_dial(&c, t->api->config.calls,
			  &(struct call_request){
				  .room = in->room_name,
				  .number = own->number ? own->number : in->sip_call_to,
				  .shown_number = own->number ? in->sip_call_to : NULL,
				  .to_user = or_null(in->to_user_override),
				  .address = own->address,
				  .uri_params = own->uri_params,
				  .trunk = trunk,
				  .rules = rules_of(t, trunk, own),
				  .caller_number = own->from_user ? own->from_user : or_null(in->sip_number),
				  .from_host = own->from_host,
				  .identity = or_null(in->participant_identity),
				  .name = in->participant_name,
				  .metadata = in->participant_metadata,
				  .attributes = attributes,
				  .attribute_count = in->n_participant_attributes,
				  .dtmf = or_null(in->dtmf),
				  .display_name = display,
				  .headers = headers,
				  .header_count = in->n_headers,
				  .hide_phone_number = in->hide_phone_number,
				  .api_key = t->grants.issuer,
				  .asker = t->grants.identity,
				  .ringback = in->play_dialtone || in->play_ringtone,
				  .ringing_timeout_ms = milliseconds(in->ringing_timeout),
				  .max_duration_ms = milliseconds(in->max_call_duration),
			  },
			  &refusal)
		: -1;
	if (r < 0)
		twirp_broken(t);
	else if (r)
		refuse(t, r, &refusal);
	else if (in->wait_until_answered)
		wait_for_answer(t, c);
	else
		send_participant(twirp_detach(t), t->as_json, c);
}

void sip_create_participant(struct twirp *t)
{
	const request *in = (const request *)t->in;
	Livekit__SIPOutboundTrunkInfo trunk = LIVEKIT__SIPOUTBOUND_TRUNK_INFO__INIT;
	Livekit__SIPMediaConfig media;
	struct sip_addresses own;
	bool through_trunk = *in->sip_trunk_id || in->trunk;

	if (!t->grants.sip.call) {
		twirp_denied(t);
		return;
	}
	if (!check(t, in))
		return;
	/* What the gateway looks at comes after the trunk was found. */
	if (through_trunk && !choose(t, &trunk, in))
		return;
	if (!sip_addresses_read(&own, t, in, through_trunk ? &trunk : NULL) || !check_codecs(t, in) ||
		!check_sizes(t, in))
		return;
	if (own.transport)
		trunk.transport = own.transport;
	merge_media(&trunk, &media, in);
	dial(t, in, &trunk, &own);
}
