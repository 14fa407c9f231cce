#include "cli/doctor_sound.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "trunk/options.h"

#include <errno.h>

enum { ANY_PORT_FIRST = 20000, ANY_PORT_LAST = 30000 };

struct doctor_sound {
	struct doctor_sound_config config;
	struct media *media;
	media_id leg;
	struct offer_security security;
	struct negotiation talk;
};

/* ---- what the media tells ---- */

static void on_stats(void *owner, media_id leg, const struct media_leg_stats *stats)
{
	struct doctor_sound *s = owner;
	s->config.measured(s->config.owner, stats);
}

/* Of people, and of keys that are pressed: there are none. */
static void on_transport(void *owner, media_id transport, enum media_transport_state state)
{
}

static void on_sctp(void *owner, media_id transport, struct span packet)
{
}

static void on_levels(void *owner, const struct media_level *levels, size_t count)
{
}

static void on_leg(void *owner, media_id leg, enum media_leg_event event)
{
}

static void on_digit(void *owner, media_id leg, char digit)
{
}

static void on_digits_done(void *owner, media_id leg)
{
}

static const struct media_events media_events = {
	.transport_state = on_transport,
	.transport_sctp = on_sctp,
	.levels = on_levels,
	.leg_event = on_leg,
	.leg_digit = on_digit,
	.leg_digits_done = on_digits_done,
	.leg_stats = on_stats,
};

/* ---- life ---- */

static int open_leg(struct doctor_sound *s, struct loop *l)
{
	const struct doctor_sound_config *c = &s->config;
	struct media_leg_local local;
	struct offer offer = {.ip = c->ip, .session_id = rng_u64() >> 2, .security = &s->security};
	struct media_config media = {
		.rtc_bind_count = 1, /* nobody is told of it */
		.rtp_ip = "0.0.0.0",
		.rtp_ip6 = c->ip6 ? "::" : NULL,
		.rtp_port_min = c->first ? c->first : ANY_PORT_FIRST,
		.rtp_port_max = c->first ? c->last : ANY_PORT_LAST,
	};
	int r = address_parse(&media.rtc_binds[0], "127.0.0.1", 0);
	if (r == 0)
		r = media_new(&s->media, l, &media, &media_events, s);
	if (r == 0)
		r = media_leg_open(&s->leg, &local, s->media, 0, &(struct media_leg_config){0});
	if (r < 0)
		return r;
	offer_security_init(&s->security, offer_security_mode_of(c->trunk), c->options, media_fingerprint(s->media));
	offer_choose_codecs(offer.codecs, &offer.codec_count, c->trunk->media);
	offer.session_version = offer.session_id;
	offer.rtp_port = local.rtp_port;
	negotiation_begin(&s->talk, &offer);
	return 0;
}

int doctor_sound_open(struct doctor_sound **ret, struct loop *l, const struct doctor_sound_config *c)
{
	struct doctor_sound *s = mem_zalloc(sizeof *s);
	if (!s)
		return err_new(-ENOMEM);
	s->config = *c;
	int r = open_leg(s, l);
	if (r < 0) {
		doctor_sound_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

struct doctor_sound *doctor_sound_close(struct doctor_sound *s)
{
	if (!s)
		return NULL;
	media_free(s->media);
	offer_security_fini(&s->security);
	explicit_bzero(&s->talk, sizeof s->talk);
	mem_free(s);
	return NULL;
}

/* ---- what is said ---- */

struct span doctor_sound_offer(struct doctor_sound *s)
{
	return negotiation_offer(&s->talk);
}

struct span doctor_sound_aimed(struct doctor_sound *s, int family)
{
	struct media_leg_local local;

	family = trunk_media_family(s->config.options->media_family, family);
	const char *ip = family == AF_INET6 ? s->config.ip6 : s->config.ip;
	if (!ip || !strcmp(ip, s->talk.ours.ip) || media_leg_move(&local, s->media, s->leg, family) != 0)
		return (struct span){0};
	return negotiation_move(&s->talk, ip, local.rtp_port);
}

struct span doctor_sound_give_up(struct doctor_sound *s)
{
	return negotiation_give_up_security(&s->talk) ? negotiation_offer(&s->talk) : (struct span){0};
}

enum answer_outcome doctor_sound_answered(struct doctor_sound *s, struct span tag, struct span body)
{
	static const struct media_ringback tone = {.hz = {440}, .cadence_ms = {1000, 20}};
	struct media_leg_remote terms;
	enum answer_outcome outcome = negotiation_settle(&s->talk, tag, body, &terms);

	if (outcome == ANSWER_OK) {
		media_leg_connect(s->media, s->leg, &terms);
		media_leg_ring(s->media, s->leg, &tone);
	}
	explicit_bzero(&terms, sizeof terms);
	return outcome;
}

const char *doctor_sound_ours(const struct doctor_sound *s, char out[ADDRESS_TEXT_SIZE])
{
	struct sockaddr_storage a;
	const struct offer *ours = &s->talk.ours;
	return address_parse(&a, ours->ip, ours->rtp_port) == 0 ? address_text(out, (const struct sockaddr *)&a) : ours->ip;
}

const char *doctor_sound_theirs(const struct doctor_sound *s, char out[ADDRESS_TEXT_SIZE])
{
	return address_text(out, (const struct sockaddr *)&s->talk.terms.rtp);
}

const char *doctor_sound_codec(const struct doctor_sound *s)
{
	return codec_facts(s->talk.terms.codec)->name;
}

const char *doctor_sound_encryption(const struct doctor_sound *s)
{
	return offer_security_name(&s->talk.terms);
}
