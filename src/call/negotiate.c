#include "call/negotiate.h"

#include "net/address.h"

enum { SECTIONS_MAX = 8 };

void negotiation_begin(struct negotiation *n, const struct offer *ours)
{
	*n = (struct negotiation){.ours = *ours};
}

/* --- our texts ---------------------------------------------------------------------------- */

/* What one description of ours says beside the fixed things. */
struct draft {
	const struct sdp *theirs;        /* NULL: an offer */
	const struct sdp_media *section; /* of theirs, that we talk in; NULL: none is taken */
	const struct media_leg_remote *terms;
	enum sdp_direction direction;
	struct offer_security_reply security;
};

static void write_answer(struct writer *w, const struct offer *ours, const struct draft *d)
{
	const struct sdp_audio_format format = offer_format(d->terms->codec, d->terms->pt);
	struct sdp_audio_offer answer = {
		.ip = ours->ip,
		.port = ours->rtp_port,
		.session_id = ours->session_id,
		.session_version = ours->session_version,
		.formats = &format,
		.format_count = 1,
		.dtmf_pt = d->terms->dtmf_pt,
		.dtmf_hz = d->terms->dtmf_hz,
		.ptime_ms = 20,
		.direction = d->direction,
	};

	offer_security_describe_reply(&d->security, &answer);
	/* RFC 3264 section 6: as many sections as were offered, in that order. */
	sdp_write_session(w, &answer);
	for (size_t i = 0; i < d->theirs->media_count; ++i) {
		if (&d->theirs->media[i] == d->section)
			sdp_write_audio_section(w, &answer);
		else
			sdp_write_refused(w, &d->theirs->media[i]);
	}
}

static struct span draft_text(const struct negotiation *n, const struct draft *d, char *out)
{
	struct writer w = writer_of(out, NEGOTIATE_TEXT_SIZE);

	if (d->theirs)
		write_answer(&w, &n->ours, d);
	else
		offer_write(&w, &n->ours);
	return writer_span(&w);
}

/* The same words are the same version. False: it does not fit, or cannot be said. */
static bool write_draft(struct negotiation *n, const struct draft *d)
{
	char text[NEGOTIATE_TEXT_SIZE];
	struct span said = draft_text(n, d, text);

	bool same = said.size == n->size && memcmp(text, n->text, n->size) == 0;
	if (said.size && n->size && !same) {
		++n->ours.session_version;
		said = draft_text(n, d, text);
	}
	if (said.size) {
		memcpy(n->text, said.data, said.size);
		n->size = said.size;
	}
	explicit_bzero(text, sizeof text);
	return said.size > 0;
}

struct span negotiation_offer(struct negotiation *n)
{
	struct draft all = {0};

	if (!write_draft(n, &all))
		return (struct span){0};
	n->waiting = true;
	return span_of(n->text, n->size);
}

/* --- their texts -------------------------------------------------------------------------- */

struct theirs {
	struct sdp sdp;
	struct sdp_media sections[SECTIONS_MAX];
};

/* What we wish limits what they say (RFC 3264 section 6.1); and to the address 0.0.0.0, which is
 * how RFC 2543 put a call on hold, nothing is sent, RTCP neither (RFC 3264 section 8.4). */
static void limit(struct media_leg_remote *terms, const struct negotiation *n,
	const struct media_leg_remote *before)
{
	enum sdp_direction wish = n->ours.direction;

	terms->send &= wish == SDP_SENDRECV || wish == SDP_SENDONLY;
	terms->receive &= wish == SDP_SENDRECV || wish == SDP_RECVONLY;
	if (!address_is_any((const struct sockaddr *)&terms->rtp))
		return;
	terms->send = false;
	if (before)
		terms->rtp = before->rtp; /* music on hold may go on coming from there */
	terms->rtcp = (struct sockaddr_storage){0};
}

/* `reply` when it is an offer, else NULL. */
static enum answer_outcome read_section(const struct negotiation *n, const struct sdp_media *m,
	const struct media_leg_remote *before, struct offer_security_reply *reply,
	struct media_leg_remote *ret)
{
	enum answer_outcome outcome = offer_read_audio(ret, m, &n->ours);

	if (outcome == ANSWER_OK)
		outcome = reply ? offer_security_offered(n->ours.security, ret, reply, m, before)
				: offer_security_answered(n->ours.security, ret, m);
	if (outcome == ANSWER_OK)
		limit(ret, n, before);
	return outcome;
}

static enum answer_outcome read_answer(
	const struct negotiation *n, struct span body, struct media_leg_remote *ret)
{
	struct theirs t;

	if (!body.size)
		return ANSWER_E_NONE;
	if (sdp_parse(&t.sdp, t.sections, SECTIONS_MAX, body) != SDP_OK)
		return ANSWER_E_SDP;
	const struct sdp_media *m = offer_security_section(n->ours.security, &t.sdp);
	if (!m)
		return ANSWER_E_NO_AUDIO;
	enum answer_outcome outcome = read_section(n, m, n->agreed ? &n->terms : NULL, NULL, ret);
	if (outcome == ANSWER_OK)
		offer_expect_our_numbers(ret);
	return outcome;
}

static void agree(struct negotiation *n, const struct media_leg_remote *terms)
{
	n->terms = *terms;
	n->agreed = true;
	n->waiting = false;
	if (n->ours.security)
		offer_security_agree(n->ours.security, terms);
}

/* They rang for the former offer. */
static void forget_forks(struct negotiation *n)
{
	explicit_bzero(n->forks, sizeof n->forks);
	n->fork_count = 0;
}

struct span negotiation_move(struct negotiation *n, const char *ip, uint16_t rtp_port)
{
	forget_forks(n);
	n->ours.ip = ip;
	n->ours.rtp_port = rtp_port;
	return negotiation_offer(n);
}

bool negotiation_give_up_security(struct negotiation *n)
{
	if (!n->ours.security || !offer_security_give_up(n->ours.security))
		return false;
	forget_forks(n);
	return true;
}

enum answer_outcome negotiation_answered(
	struct negotiation *n, struct span body, struct media_leg_remote *ret)
{
	enum answer_outcome outcome = read_answer(n, body, ret);

	n->waiting = false;
	if (outcome == ANSWER_OK)
		agree(n, ret);
	return outcome;
}

/* --- forks -------------------------------------------------------------------------------- */

/* FNV-1a: two texts of one phone are compared, nobody gains by making them alike. */
static uint64_t fingerprint(struct span s)
{
	uint64_t h = 0xcbf29ce484222325;
	for (size_t i = 0; i < s.size; ++i)
		h = (h ^ s.data[i]) * 0x100000001b3;
	return h;
}

static struct negotiation_fork *fork_find(struct negotiation *n, struct span tag)
{
	for (size_t i = 0; i < n->fork_count; ++i)
		if (span_is(tag, n->forks[i].tag))
			return &n->forks[i];
	return NULL;
}

/* NULL: more phones than we follow. Their 2xx will say all of it once more. */
static struct negotiation_fork *fork_get(struct negotiation *n, struct span tag)
{
	struct negotiation_fork *f = fork_find(n, tag);

	if (f || n->fork_count == NEGOTIATE_FORKS_MAX || tag.size >= sizeof f->tag)
		return f;
	f = &n->forks[n->fork_count++];
	*f = (struct negotiation_fork){0};
	if (tag.size)
		memcpy(f->tag, tag.data, tag.size);
	return f;
}

enum answer_outcome negotiation_early(struct negotiation *n, struct span tag, struct span body,
	struct media_leg_remote *ret)
{
	struct negotiation_fork *f = fork_find(n, tag);
	uint64_t said = fingerprint(body);

	if (f && f->said == said) {
		*ret = f->terms;
		return ANSWER_OK;
	}
	enum answer_outcome outcome = read_answer(n, body, ret);
	if (outcome != ANSWER_OK)
		return outcome;
	f = fork_get(n, tag);
	if (f) {
		f->terms = *ret;
		f->said = said;
		f->changed = false;
	}
	return ANSWER_OK;
}

enum answer_outcome negotiation_settle(struct negotiation *n, struct span tag, struct span body,
	struct media_leg_remote *ret)
{
	const struct negotiation_fork *f = fork_find(n, tag);
	enum answer_outcome outcome = ANSWER_OK;

	if (f && (!body.size || (f->changed && f->said == fingerprint(body))))
		*ret = f->terms;
	else
		outcome = read_answer(n, body, ret);
	if (outcome == ANSWER_OK)
		agree(n, ret);
	return outcome;
}

/* --- their offers ------------------------------------------------------------------------- */

static enum sdp_direction direction_of(const struct media_leg_remote *terms)
{
	if (terms->send)
		return terms->receive ? SDP_SENDRECV : SDP_SENDONLY;
	return terms->receive ? SDP_RECVONLY : SDP_INACTIVE;
}

/* All sections have port 0: the stream is gone until another offer brings it back (section 8.2).
 * The codec of before stands in the answer's place. */
static bool is_suspended(const struct sdp *sdp)
{
	for (size_t i = 0; i < sdp->media_count; ++i)
		if (sdp->media[i].port)
			return false;
	return true;
}

static enum answer_outcome read_offer(const struct negotiation *n, const struct sdp *sdp,
	const struct media_leg_remote *before, struct draft *d, struct media_leg_remote *ret)
{
	d->section = offer_security_section(n->ours.security, sdp);
	if (d->section)
		return read_section(n, d->section, before, &d->security, ret);
	if (!before || !is_suspended(sdp))
		return ANSWER_E_NO_AUDIO;
	*ret = *before;
	ret->send = ret->receive = false;
	return ANSWER_OK;
}

enum answer_outcome negotiation_answer(struct negotiation *n, struct span tag, struct span offer,
	struct span *ret_answer, struct media_leg_remote *ret)
{
	struct theirs t;
	struct negotiation_fork *f = n->agreed ? NULL : fork_get(n, tag);
	const struct media_leg_remote *before = n->agreed ? &n->terms : f && f->said ? &f->terms : NULL;
	struct media_leg_remote terms;
	struct draft d = {.theirs = &t.sdp, .terms = &terms};

	if (sdp_parse(&t.sdp, t.sections, SECTIONS_MAX, offer) != SDP_OK)
		return ANSWER_E_SDP;
	enum answer_outcome outcome = read_offer(n, &t.sdp, before, &d, &terms);
	if (outcome != ANSWER_OK)
		return outcome;
	d.direction = direction_of(&terms);
	bool fits = write_draft(n, &d);
	sdp_crypto_wipe(&d.security.line);
	if (!fits)
		return ANSWER_E_SDP;
	if (f) {
		f->terms = terms;
		f->changed = true;
	} else if (n->agreed) {
		agree(n, &terms);
	}
	*ret = terms;
	*ret_answer = span_of(n->text, n->size);
	return ANSWER_OK;
}

/* --- helpers of the caller ---------------------------------------------------------------- */

bool negotiation_same(const struct media_leg_remote *a, const struct media_leg_remote *b)
{
	return offer_security_same(a, b) && offer_same_formats(a, b) && a->send == b->send && a->receive == b->receive &&
		address_equal((const struct sockaddr *)&a->rtp, (const struct sockaddr *)&b->rtp) &&
		a->rtcp.ss_family == b->rtcp.ss_family &&
		address_port((const struct sockaddr *)&a->rtcp) ==
			address_port((const struct sockaddr *)&b->rtcp);
}

const char *negotiation_warning(enum answer_outcome why)
{
	static const char *const texts[ANSWER__COUNT] = {
		[ANSWER_E_SDP] = "399 ringdown \"The SDP cannot be read\"",
		[ANSWER_E_NO_AUDIO] = "304 ringdown \"No audio over RTP is offered\"",
		[ANSWER_E_CODEC] = "305 ringdown \"None of the codecs is supported\"",
		[ANSWER_E_ADDRESS] = "301 ringdown \"The c= line is no IP address\"",
		[ANSWER_E_FAMILY] = "300 ringdown \"The c= line is of the other IP version\"",
		[ANSWER_E_IN_CLEAR] = "399 ringdown \"SRTP is required\"",
		[ANSWER_E_CRYPTO] = "399 ringdown \"No a=crypto line can be used\"",
		[ANSWER_E_UNWANTED] = "302 ringdown \"SRTP is disabled\"",
		[ANSWER_E_NONE] = "399 ringdown \"No SDP\"",
	};
	return texts[why];
}
