#include "call/offer_security.h"

#include "base/rng.h"

struct protocol {
	const char *name;
	bool srtp, dtls;
};

static const struct protocol protocols[] = {
	{"RTP/AVP", false, false},
	{"RTP/AVPF", false, false},
	{"RTP/SAVP", true, false},
	{"RTP/SAVPF", true, false},
	{"UDP/TLS/RTP/SAVP", true, true},
	{"UDP/TLS/RTP/SAVPF", true, true},
};

/* What is offered when the trunk has no list: LiveKit's four, in its order. */
static const enum sdp_crypto_suite usual[] = {
	SDP_CRYPTO_AES_CM_128_HMAC_SHA1_80,
	SDP_CRYPTO_AES_CM_128_HMAC_SHA1_32,
	SDP_CRYPTO_AES_256_CM_HMAC_SHA1_80,
	SDP_CRYPTO_AES_256_CM_HMAC_SHA1_32,
};

/* ---- ours ---- */

enum offer_security_mode offer_security_mode_of(const Livekit__SIPOutboundTrunkInfo *trunk)
{
	switch (trunk_media_encryption(trunk)) {
	case LIVEKIT__SIPMEDIA_ENCRYPTION__SIP_MEDIA_ENCRYPT_ALLOW:
		return OFFER_SECURITY_ALLOW;
	case LIVEKIT__SIPMEDIA_ENCRYPTION__SIP_MEDIA_ENCRYPT_REQUIRE:
		return OFFER_SECURITY_REQUIRE;
	default:
		return OFFER_SECURITY_DISABLE;
	}
}

/* A line with a key of its own. */
static void make_line(struct sdp_crypto *ret, enum sdp_crypto_suite suite, uint32_t tag, bool mki)
{
	*ret = (struct sdp_crypto){.tag = tag, .suite = suite};
	rng_bytes(ret->key, sdp_crypto_key_bytes(suite));
	if (mki) {
		ret->mki_bytes = 1;
		ret->mki[0] = 1;
	}
}

static void offer_suite(struct offer_security *s, enum sdp_crypto_suite suite)
{
	if (s->suites[suite])
		return;
	s->suites[suite] = true;
	make_line(&s->lines[s->line_count], suite, (uint32_t)s->line_count + 1, s->mki);
	++s->line_count;
}

static void offer_suites(struct offer_security *s, const struct option_list *names)
{
	enum sdp_crypto_suite suite;

	for (size_t i = 0; i < names->count; ++i)
		if (sdp_crypto_suite_named(&suite, span_text(names->at[i])))
			offer_suite(s, suite);
	if (names->count)
		return;
	for (size_t i = 0; i < COUNT_OF(usual); ++i)
		offer_suite(s, usual[i]);
	/* Not offered, because it makes the INVITE longer; taken from who asks for them. */
	s->suites[SDP_CRYPTO_AEAD_AES_128_GCM] = s->suites[SDP_CRYPTO_AEAD_AES_256_GCM] = true;
}

/* Of an offer with keys. */
static const char *secure_protocol(const struct offer_security *s)
{
	return s->best_effort ? "RTP/AVP" : "RTP/SAVP";
}

/* Instead of lines. */
static void offer_dtls(struct offer_security *s)
{
	explicit_bzero(s->lines, sizeof s->lines);
	s->line_count = 0;
	s->offers_dtls = true;
	s->protocol = "UDP/TLS/RTP/SAVP";
}

void offer_security_init(struct offer_security *s, enum offer_security_mode mode,
	const struct trunk_options *options, const char *fingerprint)
{
	*s = (struct offer_security){
		.mode = mode,
		.mki = options->srtp.mki,
		.best_effort = mode == OFFER_SECURITY_ALLOW && options->srtp.offer == TRUNK_SRTP_OFFER_BEST_EFFORT,
		.rtcp_mux = options->rtcp_mux,
		.dtls = fingerprint && options->media_security == TRUNK_MEDIA_SECURITY_DTLS,
		.fingerprint = fingerprint,
		.protocol = "RTP/AVP",
	};
	if (mode == OFFER_SECURITY_DISABLE)
		return;
	rng_token(s->ice.ufrag, sizeof s->ice.ufrag);
	rng_token(s->ice.pwd, sizeof s->ice.pwd);
	offer_suites(s, &options->srtp.suites);
	if (s->dtls)
		offer_dtls(s);
	else
		s->protocol = secure_protocol(s);
}

void offer_security_fini(struct offer_security *s)
{
	explicit_bzero(s, sizeof *s);
}

static void offer_nothing(struct offer_security *s)
{
	explicit_bzero(s->lines, sizeof s->lines);
	s->line_count = 0;
	s->offers_dtls = false;
	s->protocol = "RTP/AVP";
}

bool offer_security_give_up(struct offer_security *s)
{
	if (s->mode != OFFER_SECURITY_ALLOW || (!s->line_count && !s->offers_dtls))
		return false;
	offer_nothing(s);
	return true;
}

void offer_security_describe(const struct offer_security *s, struct sdp_audio_offer *o)
{
	o->protocol = s->protocol;
	o->crypto = s->lines;
	o->crypto_count = s->line_count;
	o->rtcp_mux = s->rtcp_mux || s->offers_dtls;
	if (!s->offers_dtls)
		return;
	o->fingerprint = s->fingerprint;
	o->setup = "actpass";
	o->ice_ufrag = s->ice.ufrag;
	o->ice_pwd = s->ice.pwd;
}

void offer_security_describe_reply(const struct offer_security_reply *r, struct sdp_audio_offer *o)
{
	o->protocol = r->protocol;
	o->crypto = &r->line;
	o->crypto_count = r->secure;
	o->rtcp_mux = r->rtcp_mux;
	o->fingerprint = r->fingerprint;
	o->setup = r->setup;
	o->ice_ufrag = r->ice ? r->ice->ufrag : NULL;
	o->ice_pwd = r->ice ? r->ice->pwd : NULL;
}

/* ---- theirs ---- */

/* NULL when it is none that we speak. */
static const struct protocol *protocol_of(const struct sdp_media *m)
{
	for (size_t i = 0; i < COUNT_OF(protocols); ++i)
		if (span_is(m->protocol, protocols[i].name))
			return &protocols[i];
	return NULL;
}

static enum offer_security_mode mode_of(const struct offer_security *s)
{
	return s ? s->mode : OFFER_SECURITY_DISABLE;
}

/* 0 = not to be used; keys on offer go before none, where keys are wanted. */
static int rank(const struct offer_security *s, const struct sdp_media *m)
{
	const struct protocol *p = protocol_of(m);

	if (!span_is(m->kind, "audio") || !m->port || !p)
		return 0;
	bool keys = p->dtls ? m->fingerprint.size > 0 : m->crypto_count > 0;
	if (mode_of(s) == OFFER_SECURITY_DISABLE)
		return p->srtp ? 1 : 2;
	if (p->dtls && s->dtls)
		return 5;
	return keys && p->srtp ? 4 : keys ? 3 : p->srtp ? 1 : 2;
}

const struct sdp_media *offer_security_section(const struct offer_security *s, const struct sdp *sdp)
{
	const struct sdp_media *best = NULL;

	for (size_t i = 0; i < sdp->media_count; ++i)
		if (rank(s, &sdp->media[i]) > (best ? rank(s, best) : 0))
			best = &sdp->media[i];
	return best;
}

static const enum srtp_profile profiles[SDP_CRYPTO__SUITES] = {
	[SDP_CRYPTO_AES_CM_128_HMAC_SHA1_80] = SRTP_PROFILE_AES128_CM_SHA1_80,
	[SDP_CRYPTO_AES_CM_128_HMAC_SHA1_32] = SRTP_PROFILE_AES128_CM_SHA1_32,
	[SDP_CRYPTO_AES_256_CM_HMAC_SHA1_80] = SRTP_PROFILE_AES256_CM_SHA1_80,
	[SDP_CRYPTO_AES_256_CM_HMAC_SHA1_32] = SRTP_PROFILE_AES256_CM_SHA1_32,
	[SDP_CRYPTO_AEAD_AES_128_GCM] = SRTP_PROFILE_AEAD_AES_128_GCM,
	[SDP_CRYPTO_AEAD_AES_256_GCM] = SRTP_PROFILE_AEAD_AES_256_GCM,
};

static enum sdp_crypto_suite suite_of(enum srtp_profile p)
{
	unsigned i = 0;
	while (profiles[i] != p)
		++i;
	return (enum sdp_crypto_suite)i;
}

_Static_assert((int)SRTP_KEY_BYTES_MAX == (int)SDP_CRYPTO_KEY_BYTES_MAX, "a key fits");
_Static_assert((int)SRTP_MKI_BYTES_MAX == (int)SDP_CRYPTO_MKI_BYTES_MAX, "and its name");

static struct srtp_mki mki_of(const struct sdp_crypto *line)
{
	struct srtp_mki ret = {.size = line->mki_bytes};
	memcpy(ret.bytes, line->mki, line->mki_bytes);
	return ret;
}

/* We are the "client", whoever offered: it only says which key is whose. */
static void set_secure(struct media_leg_remote *ret, const struct sdp_crypto *ours, const struct sdp_crypto *theirs)
{
	ret->secure = true;
	ret->keys = (struct srtp_keys){
		.profile = profiles[ours->suite],
		.client_mki = mki_of(ours),
		.server_mki = mki_of(theirs),
	};
	memcpy(ret->keys.client, ours->key, sizeof ours->key);
	memcpy(ret->keys.server, theirs->key, sizeof theirs->key);
}

/* Our line of the terms that hold, as make_line() made it. */
static void line_of(struct sdp_crypto *ret, const struct srtp_keys *keys, uint32_t tag)
{
	*ret = (struct sdp_crypto){.tag = tag, .suite = suite_of(keys->profile)};
	memcpy(ret->key, keys->client, sizeof ret->key);
	ret->mki_bytes = keys->client_mki.size;
	memcpy(ret->mki, keys->client_mki.bytes, sizeof ret->mki);
}

/* RFC 8122: of the one hash that we compare. */
static bool read_fingerprint(struct media_leg_remote *ret, const struct sdp_media *m)
{
	if (!span_is_nocase(m->fingerprint_hash, "sha-256") || m->fingerprint.size != sizeof ret->fingerprint - 1)
		return false;
	memcpy(ret->fingerprint, m->fingerprint.data, m->fingerprint.size);
	ret->fingerprint[m->fingerprint.size] = 0;
	return true;
}

/* What they want to be in the handshake, by RFC 4145: who is "active" begins. */
static bool read_setup(bool *we_begin, const struct sdp_media *m, bool if_theirs_is_open)
{
	if (span_is(m->setup, "active") || span_is(m->setup, "passive"))
		*we_begin = span_is(m->setup, "passive");
	else if (span_is(m->setup, "actpass") || !m->setup.size)
		*we_begin = if_theirs_is_open;
	else
		return false; /* holdconn */
	return true;
}

static enum answer_outcome set_dtls(const struct offer_security *s, struct media_leg_remote *ret,
	const struct sdp_media *m, bool if_theirs_is_open)
{
	if (mode_of(s) == OFFER_SECURITY_DISABLE)
		return ANSWER_E_UNWANTED;
	if (!s->fingerprint || !read_fingerprint(ret, m) || !read_setup(&ret->dtls_client, m, if_theirs_is_open))
		return ANSWER_E_CRYPTO;
	ret->secure = ret->dtls = true;
	ret->ice = m->ice_ufrag.size > 0;
	ret->local_ice = s->ice;
	return ANSWER_OK;
}

/* Without a line that we can use. */
static enum answer_outcome set_clear(
	const struct offer_security *s, struct media_leg_remote *ret, bool srtp)
{
	if (srtp)
		return mode_of(s) == OFFER_SECURITY_DISABLE ? ANSWER_E_UNWANTED : ANSWER_E_CRYPTO;
	if (mode_of(s) == OFFER_SECURITY_REQUIRE)
		return ANSWER_E_IN_CLEAR;
	ret->secure = false;
	explicit_bzero(&ret->keys, sizeof ret->keys);
	return ANSWER_OK;
}

/* RFC 4568, 5.1.3: the answer has the tag and the suite of one of our lines. */
static const struct sdp_crypto *match_answer(const struct offer_security *s, const struct sdp_crypto *theirs)
{
	for (size_t i = 0; s && i < s->line_count; ++i)
		if (s->lines[i].tag == theirs->tag && s->lines[i].suite == theirs->suite)
			return &s->lines[i];
	return NULL;
}

enum answer_outcome offer_security_answered(
	const struct offer_security *s, struct media_leg_remote *ret, const struct sdp_media *m)
{
	const struct sdp_crypto *ours = NULL;
	struct sdp_crypto theirs = {0};
	const struct protocol *p = protocol_of(m);

	if (!p)
		return ANSWER_E_NO_AUDIO;
	ret->rtcp_mux = m->rtcp_mux;
	if (p->dtls) /* an answer leaves nothing open; who begins when it says nothing does */
		return s && s->offers_dtls ? set_dtls(s, ret, m, false) : ANSWER_E_UNWANTED;
	for (size_t i = 0; !ours && i < m->crypto_count; ++i)
		if (sdp_crypto_parse(&theirs, m->crypto[i]) == SDP_CRYPTO_OK)
			ours = match_answer(s, &theirs);
	if (ours)
		set_secure(ret, ours, &theirs);
	explicit_bzero(&theirs, sizeof theirs);
	return ours ? ANSWER_OK : set_clear(s, ret, p->srtp);
}

/* Their first line of a suite that we may use. */
static bool choose_line(struct sdp_crypto *ret, const struct offer_security *s, const struct sdp_media *m)
{
	for (size_t i = 0; s && i < m->crypto_count; ++i)
		if (sdp_crypto_parse(ret, m->crypto[i]) == SDP_CRYPTO_OK && s->suites[ret->suite])
			return true;
	sdp_crypto_wipe(ret);
	return false;
}

static bool is_key_before(const struct media_leg_remote *before, const struct sdp_crypto *theirs)
{
	const struct srtp_keys *k = &before->keys;

	return before->secure && k->profile == profiles[theirs->suite] && k->server_mki.size == theirs->mki_bytes &&
	       !memcmp(k->server_mki.bytes, theirs->mki, theirs->mki_bytes) &&
	       !memcmp(k->server, theirs->key, sizeof theirs->key);
}

/* RFC 5763, 5: who answers begins, so that the first words need not wait; a handshake that was done
 * keeps its roles (RFC 8842, 5.5). */
static enum answer_outcome reply_dtls(const struct offer_security *s, struct media_leg_remote *ret,
	struct offer_security_reply *reply, const struct sdp_media *m, const struct media_leg_remote *before)
{
	bool goes_on = before && before->dtls && m->fingerprint.size == strlen(before->fingerprint) &&
		       span_is_nocase(m->fingerprint, before->fingerprint);
	enum answer_outcome outcome = set_dtls(s, ret, m, goes_on ? before->dtls_client : true);

	if (outcome != ANSWER_OK)
		return outcome;
	reply->fingerprint = s->fingerprint;
	reply->setup = ret->dtls_client ? "active" : "passive";
	reply->ice = ret->ice ? &s->ice : NULL;
	return ANSWER_OK;
}

enum answer_outcome offer_security_offered(const struct offer_security *s,
	struct media_leg_remote *ret, struct offer_security_reply *reply, const struct sdp_media *m,
	const struct media_leg_remote *before)
{
	struct sdp_crypto theirs = {0};
	const struct protocol *p = protocol_of(m);

	if (!p)
		return ANSWER_E_NO_AUDIO;
	*reply = (struct offer_security_reply){.protocol = p->name, .rtcp_mux = m->rtcp_mux};
	ret->rtcp_mux = m->rtcp_mux;
	if (p->dtls)
		return reply_dtls(s, ret, reply, m, before);
	if (!choose_line(&theirs, s, m))
		return set_clear(s, ret, p->srtp);
	if (before && is_key_before(before, &theirs))
		line_of(&reply->line, &before->keys, theirs.tag);
	else
		make_line(&reply->line, theirs.suite, theirs.tag, s->mki);
	reply->line.old_name = theirs.old_name;
	reply->secure = true;
	set_secure(ret, &reply->line, &theirs);
	sdp_crypto_wipe(&theirs);
	return ANSWER_OK;
}

void offer_security_agree(struct offer_security *s, const struct media_leg_remote *terms)
{
	offer_nothing(s);
	if (!terms->secure)
		return;
	if (terms->dtls) {
		offer_dtls(s);
		return;
	}
	line_of(&s->lines[0], &terms->keys, 1);
	s->line_count = 1;
	s->protocol = secure_protocol(s);
}

bool offer_security_same(const struct media_leg_remote *a, const struct media_leg_remote *b)
{
	const struct srtp_keys *k = &a->keys, *l = &b->keys;

	if (a->secure != b->secure || a->rtcp_mux != b->rtcp_mux)
		return false;
	if (a->dtls || b->dtls)
		return a->dtls == b->dtls && a->dtls_client == b->dtls_client && a->ice == b->ice &&
		       !strcasecmp(a->fingerprint, b->fingerprint);
	return !a->secure ||
	       (k->profile == l->profile && !memcmp(k->client, l->client, sizeof k->client) &&
		       !memcmp(k->server, l->server, sizeof k->server) &&
		       srtp_mki_equal(&k->client_mki, &l->client_mki) && srtp_mki_equal(&k->server_mki, &l->server_mki));
}

const char *offer_security_name(const struct media_leg_remote *terms)
{
	if (!terms->secure)
		return NULL;
	return terms->dtls ? "DTLS-SRTP" : sdp_crypto_suite_name(suite_of(terms->keys.profile));
}
