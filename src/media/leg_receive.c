#include "media/leg_private.h"

#include "base/rng.h"
#include "media/g711.h"
#include "net/address.h"

enum {
	PAYLOAD_MAX = OPUS_VOICE_SAMPLES_MAX, /* 120 ms of G.711 */
	SAMPLES_PER_MS = LEG_HZ / 1000,
};

void leg_receive_init(struct leg *l)
{
	l->in.ssrc = rng_u32();
	phone_voice_init(&l->in.voice);
}

void leg_receive_fini(struct leg *l)
{
	phone_voice_fini(&l->in.voice);
}

void leg_receive_connect(struct leg *l)
{
	l->in.locked = false;
	l->in.silent = false;
	l->in.heard_us = 0; /* the next beat sets it */
	if (l->in.voice.codec != l->remote.codec)
		phone_voice_codec(&l->in.voice, l->remote.codec);
}

/* ---- who may send what ---- */

static bool payload_fits(const struct leg *l, const struct rtp_view *v)
{
	if (v->payload_type == l->remote.pt)
		return v->payload.size > 0 && v->payload.size <= PAYLOAD_MAX;
	return v->payload_type == LEG_PT_COMFORT_NOISE ||
		(l->remote.dtmf_pt && v->payload_type == l->remote.dtmf_pt);
}

/* The SDP named the phone's address. Behind a NAT it may come from another one: the first packet
 * that makes sense moves it, once. */
static bool source_fits(struct leg *l, const struct sockaddr *from)
{
	if (address_equal(from, (const struct sockaddr *)&l->remote.rtp)) {
		l->in.locked = true;
		return true;
	}
	if (!l->config.latch || l->in.locked)
		return false;
	l->in.locked = true;
	memset(&l->remote.rtp, 0, sizeof l->remote.rtp);
	memcpy(&l->remote.rtp, from, address_size(from));
	l->remote.rtcp = l->remote.rtp;
	address_set_port(&l->remote.rtcp, (uint16_t)(address_port(from) + 1));
	return true;
}

/* LEG_DROP__COUNT = welcome. */
static enum leg_drop check(
	struct leg *l, struct rtp_view *v, const struct sockaddr *from, struct span datagram)
{
	if (!l->connected)
		return LEG_DROP_EARLY;
	if (!l->remote.receive)
		return LEG_DROP_HELD;
	if (rtp_parse(v, datagram) != RTP_OK)
		return LEG_DROP_MALFORMED;
	if (!payload_fits(l, v))
		return LEG_DROP_PAYLOAD;
	return source_fits(l, from) ? LEG_DROP__COUNT : LEG_DROP_SOURCE;
}

static void note_heard(struct leg *l, uint64_t now_us)
{
	l->in.heard_us = now_us;
	l->in.silent = false;
	if (!l->in.heard) {
		l->in.heard = true;
		worker_post_leg_event(l->worker, l->id, MEDIA_LEG_FIRST_RTP);
	}
}

/* ---- digits ---- */

static void receive_event(struct leg *l, const struct rtp_view *v)
{
	char digit;
	if (v->ssrc != l->in.dtmf_ssrc)
		l->in.dtmf = (struct dtmf_receiver){0};
	l->in.dtmf_ssrc = v->ssrc;
	if (dtmf_receiver_packet(&l->in.dtmf, v->payload, v->timestamp, &digit))
		worker_post_leg_digit(l->worker, l->id, digit);
}

/* ---- sound ---- */

static void push(struct leg *l, const struct rtp_view *v, enum codec codec, uint8_t level,
	uint64_t now_us)
{
	source_push(&l->source, &(struct media_packet){
					.rtp = v,
					.codec = codec,
					.level = level,
					.arrived_us = now_us,
				});
}

static uint8_t level_of(const struct rtp_view *v, enum g711_law law)
{
	int16_t pcm[PAYLOAD_MAX];
	g711_decode(pcm, v->payload.data, v->payload.size, law);
	return mixer_level(pcm, v->payload.size);
}

/* As it came, for those who take it so. Other legs (CODEC_NONE) take anything. */
static void forward(struct leg *l, const struct rtp_view *v, uint8_t level, uint64_t now_us)
{
	enum codec ours = l->remote.codec, other = ours == CODEC_PCMU ? CODEC_PCMA : CODEC_PCMU;

	if (l->source.wants[ours] || l->source.wants[CODEC_NONE])
		push(l, v, ours, level, now_us);
	if (l->source.wants[other]) {
		uint8_t converted[PAYLOAD_MAX];
		struct rtp_view out = *v;
		g711_convert(converted, v->payload.data, v->payload.size,
			ours == CODEC_PCMU ? G711_ULAW : G711_ALAW);
		out.payload.data = converted;
		push(l, &out, other, level, now_us);
	}
}

/* Everything that is ready as Opus. */
static void drain(struct leg *l, uint64_t now_us)
{
	uint8_t packet[OPUS_VOICE_PACKET_MAX];
	struct phone_voice_frame f;

	while (phone_voice_take(&l->in.voice, &f, packet, now_us)) {
		struct rtp_view v = {
			.marker = f.marker,
			.seq = f.seq,
			.timestamp = f.timestamp,
			.ssrc = l->in.ssrc,
			.payload = f.payload,
		};
		push(l, &v, CODEC_OPUS, f.level, now_us);
	}
}

static bool opus_wanted(const struct leg *l)
{
	return l->source.wants[CODEC_OPUS] && phone_voice_started(&l->in.voice);
}

/* `v` comes as the phone sent it; from here on it carries the numbers of our own, unbroken stream,
 * in which events and comfort noise left no holes. Nobody speaks in a tone of our `own`. */
static void receive_sound(struct leg *l, struct rtp_view *v, bool own, uint64_t now_us)
{
	enum g711_law law = l->remote.codec == CODEC_PCMU ? G711_ULAW : G711_ALAW;
	uint32_t samples = (uint32_t)v->payload.size;

	rebase_put(&l->in.rebase, v->ssrc, &v->seq, &v->timestamp, LEG_HZ, now_us);
	if (l->source.muted)
		return;
	uint8_t level = level_of(v, law);
	if (!own)
		worker_note_level(l->worker, &l->source, level, samples / SAMPLES_PER_MS);

	v->ssrc = l->in.ssrc;
	v->extension = (struct span){0};
	v->extension_profile = 0;
	forward(l, v, level, now_us);
	if (opus_wanted(l)) {
		phone_voice_put(&l->in.voice,
			&(struct jitter_packet){
				.seq = v->seq,
				.timestamp = v->timestamp,
				.ssrc = v->ssrc,
				.duration = samples,
				.payload = v->payload,
			},
			now_us);
		drain(l, now_us);
	}
}

void leg_receive_rtp(
	struct leg *l, const struct sockaddr *from, struct span datagram, uint64_t now_us)
{
	struct rtp_view v;
	enum leg_drop why = check(l, &v, from, datagram);
	if (why != LEG_DROP__COUNT) {
		++l->in.drops[why];
		/* Of no use, but life: comfort noise under a number of its own, say. */
		if (why == LEG_DROP_PAYLOAD && l->in.heard && address_equal(from, (const struct sockaddr *)&l->remote.rtp))
			leg_receive_alive(l, now_us);
		return;
	}
	rtp_count_put(&l->in.count, v.ssrc, v.seq, v.timestamp, LEG_HZ, now_us);
	note_heard(l, now_us);
	if (v.payload_type == l->remote.pt) {
		receive_sound(l, &v, false, now_us);
		return;
	}
	rebase_skip(&l->in.rebase, v.ssrc, v.seq, v.timestamp, LEG_HZ, now_us);
	if (v.payload_type != LEG_PT_COMFORT_NOISE)
		receive_event(l, &v);
}

void leg_receive_own(struct leg *l, struct rtp_view *v, uint64_t now_us)
{
	if (l->source.wants[CODEC_OPUS] && phone_voice_start(&l->in.voice) < 0)
		return;
	receive_sound(l, v, true, now_us);
}

void leg_receive_alive(struct leg *l, uint64_t now_us)
{
	if (l->in.heard_us)
		l->in.heard_us = now_us;
}

/* ---- the beat ---- */

/* On hold nothing needs to come, nor before the answer. */
static bool may_be_silent(const struct leg *l)
{
	return !l->remote.receive || l->remote.early || !address_port((const struct sockaddr *)&l->remote.rtp) ||
		address_is_any((const struct sockaddr *)&l->remote.rtp);
}

static void watch_silence(struct leg *l, uint64_t now_us)
{
	uint32_t timeout_ms =
		l->in.heard ? l->config.media_timeout_ms : l->config.media_timeout_initial_ms;
	if (!l->in.heard_us)
		l->in.heard_us = now_us;
	if (l->in.silent || !timeout_ms || may_be_silent(l) || now_us < l->in.heard_us)
		return;
	if (now_us - l->in.heard_us >= (uint64_t)timeout_ms * 1000) {
		l->in.silent = true;
		worker_post_leg_event(l->worker, l->id, MEDIA_LEG_SILENT);
	}
}

void leg_receive_beat(struct leg *l, uint64_t now_us)
{
	watch_silence(l, now_us);
	if (!l->source.wants[CODEC_OPUS])
		return;
	/* Here and not on the packet path, because it allocates: once for each call. */
	if (!phone_voice_started(&l->in.voice) && phone_voice_start(&l->in.voice) < 0)
		return;
	drain(l, now_us);
}
