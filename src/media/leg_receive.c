#include "media/leg_private.h"

#include "base/err.h"
#include "base/rng.h"
#include "media/g711.h"
#include "net/address.h"

#include <errno.h>

enum {
	COMFORT_FRAME_US = 20000,
	COMFORT_FRAME_TICKS = 160, /* its clock is 8000 (RFC 3389, 4) */
	COMFORT_LEVEL_MASK = 0x7f,
	ORDER_AHEAD_MAX = 3000, /* RFC 3550, A.1: MAX_DROPOUT */
	ORDER_BACK_MAX = 100,   /* MAX_MISORDER */
	ORDER_FIRST = 0x10000,  /* so that what comes late before the first one has a number */
	METER_HZ = 8000,
	KEYS_MAX = 4, /* in 120 ms */
};

/* Telephone-event leaves nothing to listen for. */
static void tune_inband(struct leg *l)
{
	uint32_t hz = l->in.codec == CODEC_OPUS ? METER_HZ : codec_facts(l->in.codec)->leg_hz;
	if (l->remote.dtmf_pt)
		l->in.inband.hz = 0;
	else if (l->in.inband.hz != hz)
		dtmf_inband_init(&l->in.inband, hz);
}

/* Another codec than before: what is passed on begins a new stream, its clock may be another. */
static void take_codec(struct leg *l, enum codec codec)
{
	struct leg_receiver *in = &l->in;
	bool was_line = line_codec_is(in->codec), is_g711 = codec == CODEC_PCMU || codec == CODEC_PCMA;

	if (in->codec == codec)
		return;
	in->codec = codec;
	in->comfort.on = false;
	if (line_codec_is(codec)) {
		line_codec_init(&in->meter, codec);
		phone_voice_codec(&in->voice, codec);
	}
	if (l->source.opus_only == is_g711 || was_line != line_codec_is(codec)) {
		in->ssrc = rng_u32();
		in->rebase = (struct rebase){0};
	}
	l->source.opus_only = !is_g711;
	tune_inband(l);
}

void leg_receive_init(struct leg *l)
{
	l->in.ssrc = rng_u32();
	l->in.codec = CODEC_PCMU;
	line_codec_init(&l->in.meter, CODEC_PCMU);
	phone_voice_init(&l->in.voice);
}

void leg_receive_fini(struct leg *l)
{
	phone_voice_fini(&l->in.voice);
	l->in.opus = opus_voice_decoder_free(l->in.opus);
}

static bool may_send_opus(const struct leg *l)
{
	for (size_t i = 0; i < l->remote.payload_count; ++i)
		if (l->remote.payloads[i].codec == CODEC_OPUS)
			return true;
	return false;
}

void leg_receive_connect(struct leg *l)
{
	leg_source_connect(l);
	l->in.sound_us = 0;
	l->in.silent = false;
	l->in.heard_us = 0; /* the next beat sets it */
	if (may_send_opus(l) && !l->in.opus && opus_voice_decoder_new(&l->in.opus, METER_HZ) < 0)
		(void)err_new(-ENOMEM); /* then its Opus goes on without a level */
	if (!l->in.heard)
		take_codec(l, l->remote.payloads[0].codec);
	tune_inband(l);
}

/* ---- who may send what ---- */

/* What this payload type stands for, or NULL. */
static const struct media_leg_payload *payload_of(const struct leg *l, uint8_t pt)
{
	for (size_t i = 0; i < l->remote.payload_count; ++i)
		if (l->remote.payloads[i].pt == pt)
			return &l->remote.payloads[i];
	return NULL;
}

/* Ticks of sound in a packet; 0 when it is none, or more than anybody sends. */
static uint32_t ticks_of(enum codec codec, struct span payload)
{
	if (codec == CODEC_OPUS)
		return opus_voice_packet_ticks(payload);
	return payload.size <= LEG_PAYLOAD_MAX ? (uint32_t)payload.size : 0;
}

static bool payload_fits(const struct leg *l, const struct rtp_view *v)
{
	const struct media_leg_payload *p = payload_of(l, v->payload_type);
	if (!p)
		return v->payload_type == LEG_PT_COMFORT_NOISE && v->payload.size > 0;
	return p->codec == CODEC_NONE ? v->payload.size >= DTMF_EVENT_BYTES
				      : ticks_of(p->codec, v->payload) > 0;
}

static void begin_order(struct leg *l, const struct rtp_view *v)
{
	l->in.order.ssrc = v->ssrc;
	l->in.order.odd = false;
	l->in.order.seen = (struct replay){0};
	replay_note(&l->in.order.seen, (uint64_t)ORDER_FIRST + v->seq);
}

/* Far from where the stream is one packet may be a stray; two in a row are where the stream is now
 * (RFC 3550, A.1). Another SSRC from the right address is believed at once: calls are moved between
 * media servers, and the first sound counts. */
static enum leg_drop check_order(struct leg *l, const struct rtp_view *v)
{
	struct replay *seen = &l->in.order.seen;
	if (!seen->started || v->ssrc != l->in.order.ssrc) {
		begin_order(l, v);
		return LEG_DROP__COUNT;
	}
	uint64_t index = replay_index(seen, v->seq);
	if (index + ORDER_BACK_MAX < seen->newest || index > seen->newest + ORDER_AHEAD_MAX) {
		if (l->in.order.odd && v->seq == l->in.order.odd_seq) {
			begin_order(l, v);
			return LEG_DROP__COUNT;
		}
		l->in.order.odd = true;
		l->in.order.odd_seq = (uint16_t)(v->seq + 1);
		return LEG_DROP_WINDOW;
	}
	l->in.order.odd = false;
	if (!replay_is_fresh(seen, index))
		return LEG_DROP_REPLAYED;
	replay_note(seen, index);
	return LEG_DROP__COUNT;
}

/* LEG_DROP__COUNT = welcome. */
static enum leg_drop check(
	struct leg *l, struct rtp_view *v, const struct sockaddr *from, struct span datagram, uint64_t now_us)
{
	if (!l->connected)
		return LEG_DROP_EARLY;
	if (!l->remote.receive)
		return LEG_DROP_HELD;
	if (rtp_parse(v, datagram) != RTP_OK)
		return LEG_DROP_MALFORMED;
	if (!payload_fits(l, v))
		return LEG_DROP_PAYLOAD;
	return leg_source_fits(l, v, from, now_us) ? check_order(l, v) : LEG_DROP_SOURCE;
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

static void listen_for_keys(struct leg *l, const int16_t *pcm, size_t count)
{
	char keys[KEYS_MAX];
	size_t found = dtmf_inband_put(&l->in.inband, pcm, count, keys, sizeof keys);
	for (size_t i = 0; i < found; ++i)
		worker_post_leg_digit(l->worker, l->id, keys[i]);
}

/* Decoded for its level: who speaks is shown to the room. */
static uint8_t level_of(struct leg *l, const struct rtp_view *v)
{
	int16_t pcm[OPUS_VOICE_SAMPLES_MAX];
	size_t count;

	if (l->in.codec != CODEC_OPUS) {
		count = line_codec_samples(l->in.codec, v->payload.size);
		line_codec_decode(&l->in.meter, pcm, v->payload);
	} else {
		count = l->in.opus ? opus_voice_decode(l->in.opus, pcm, v->payload) : 0;
	}
	if (l->in.inband.hz)
		listen_for_keys(l, pcm, count);
	return mixer_level(pcm, count);
}

static void forward_g711(struct leg *l, const struct rtp_view *v, uint8_t level, uint64_t now_us)
{
	enum codec ours = l->in.codec, other = ours == CODEC_PCMU ? CODEC_PCMA : CODEC_PCMU;

	if (l->source.wants[ours] || l->source.wants[CODEC_NONE])
		push(l, v, ours, level, now_us);
	if (l->source.wants[other]) {
		uint8_t converted[LEG_PAYLOAD_MAX];
		struct rtp_view out = *v;
		g711_convert(converted, v->payload.data, v->payload.size,
			ours == CODEC_PCMU ? G711_ULAW : G711_ALAW);
		out.payload.data = converted;
		push(l, &out, other, level, now_us);
	}
}

/* As it came, for those who take it so. Other legs (CODEC_NONE) take anything. */
static void forward(struct leg *l, const struct rtp_view *v, uint8_t level, uint64_t now_us)
{
	if (l->in.codec == CODEC_PCMU || l->in.codec == CODEC_PCMA)
		forward_g711(l, v, level, now_us);
	else if (l->in.codec == CODEC_OPUS || l->source.wants[CODEC_NONE])
		push(l, v, l->in.codec, level, now_us);
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

/* By those who negotiated it, and those who negotiated G.711 where there is none. */
static bool opus_wanted(const struct leg *l)
{
	const unsigned *wants = l->source.wants;
	return wants[CODEC_OPUS] || (l->source.opus_only && (wants[CODEC_PCMU] || wants[CODEC_PCMA]));
}

/* `v` carries the numbers of our own, unbroken stream. */
static void pass_on(struct leg *l, struct rtp_view *v, uint8_t level, uint64_t now_us)
{
	v->ssrc = l->in.ssrc;
	v->extension = (struct span){0};
	v->extension_profile = 0;
	forward(l, v, level, now_us);
}

static void make_opus(struct leg *l, const struct rtp_view *v, bool noise, uint32_t ticks, uint64_t now_us)
{
	if (!line_codec_is(l->in.codec) || !opus_wanted(l) || !phone_voice_started(&l->in.voice))
		return;
	phone_voice_put(&l->in.voice,
		&(struct jitter_packet){
			.seq = v->seq,
			.timestamp = v->timestamp,
			.ssrc = v->ssrc,
			.duration = ticks,
			.noise = noise,
			.payload = noise ? span_of(&l->in.comfort.level, 1) : v->payload,
		},
		now_us);
	drain(l, now_us);
}

/* `v` comes as the phone sent it; from here on it carries the numbers of our own, unbroken stream,
 * in which events and comfort noise left no holes. */
static void receive_sound(struct leg *l, struct rtp_view *v, enum codec codec, uint64_t now_us)
{
	take_codec(l, codec);
	uint32_t clock_hz = codec_facts(codec)->clock_hz, ticks = ticks_of(codec, v->payload);

	l->in.comfort.on = false;
	if (!rebase_put(&l->in.rebase, v->ssrc, &v->seq, &v->timestamp, clock_hz, now_us)) {
		++l->in.drops[LEG_DROP_WINDOW];
		return;
	}
	if (l->source.muted)
		return;
	uint8_t level = level_of(l, v);
	worker_note_level(l->worker, &l->source, level, ticks * 1000 / clock_hz);
	pass_on(l, v, level, now_us);
	make_opus(l, v, false, ticks, now_us);
}

/* ---- comfort noise ---- */

/* The first byte is its level (RFC 3389, section 3). Until sound comes again the noise is ours. */
static void receive_comfort(struct leg *l, const struct rtp_view *v, uint64_t now_us)
{
	if (!line_codec_is(l->in.codec) || !l->in.rebase.started)
		return;
	if (!l->in.comfort.on)
		l->in.comfort.due_us = now_us;
	l->in.comfort.on = true;
	l->in.comfort.level = v->payload.data[0] & COMFORT_LEVEL_MASK;
}

static void make_comfort(struct leg *l, uint64_t now_us)
{
	int16_t pcm[LEG_FRAME_MAX];
	uint8_t payload[COMFORT_FRAME_TICKS];
	struct rtp_view v = {0};
	size_t count = line_codec_samples(l->in.codec, COMFORT_FRAME_TICKS);

	l->in.comfort.due_us += COMFORT_FRAME_US;
	rebase_insert(&l->in.rebase, &v.seq, &v.timestamp, COMFORT_FRAME_TICKS);
	if (l->source.muted)
		return;
	noise_make(&l->in.comfort.noise, pcm, count, l->in.comfort.level);
	v.payload = span_of(payload, line_codec_encode(&l->in.meter, payload, pcm, count));
	pass_on(l, &v, l->in.comfort.level, now_us);
	make_opus(l, &v, true, COMFORT_FRAME_TICKS, now_us);
}

/* ---- one packet ---- */

static void receive(struct leg *l, struct rtp_view *v, uint64_t now_us)
{
	const struct media_leg_payload *p = payload_of(l, v->payload_type);
	if (p && p->codec != CODEC_NONE) {
		receive_sound(l, v, p->codec, now_us);
		return;
	}
	rebase_skip(&l->in.rebase, v->ssrc, v->seq, v->timestamp, codec_facts(l->in.codec)->clock_hz, now_us);
	if (p)
		receive_event(l, v);
	else
		receive_comfort(l, v, now_us);
}

void leg_receive_rtp(
	struct leg *l, const struct sockaddr *from, struct span datagram, uint64_t now_us)
{
	struct rtp_view v;
	enum leg_drop why = check(l, &v, from, datagram, now_us);
	if (why != LEG_DROP__COUNT) {
		++l->in.drops[why];
		/* Of no use, but life: comfort noise under a number of its own, say. */
		if (why == LEG_DROP_PAYLOAD && l->in.heard && address_equal(from, (const struct sockaddr *)&l->remote.rtp))
			leg_receive_alive(l, now_us);
		return;
	}
	rtp_count_put(&l->in.count, v.ssrc, v.seq, v.timestamp, codec_facts(l->in.codec)->clock_hz, now_us);
	l->in.sound_us = now_us;
	note_heard(l, now_us);
	receive(l, &v, now_us);
}

/* Nobody speaks in it: no level is noted. */
void leg_receive_own(struct leg *l, struct rtp_view *v, uint64_t now_us)
{
	uint32_t ticks = (uint32_t)v->payload.size;

	take_codec(l, CODEC_PCMU);
	if (opus_wanted(l) && !phone_voice_started(&l->in.voice) && phone_voice_start(&l->in.voice) < 0)
		return;
	if (!rebase_put(&l->in.rebase, v->ssrc, &v->seq, &v->timestamp, codec_facts(CODEC_PCMU)->clock_hz, now_us) ||
		l->source.muted)
		return;
	pass_on(l, v, level_of(l, v), now_us);
	make_opus(l, v, false, ticks, now_us);
}

void leg_receive_alive(struct leg *l, uint64_t now_us)
{
	if (l->in.heard_us)
		l->in.heard_us = now_us;
}

/* ---- the beat ---- */

/* On hold nothing needs to come (music that ends does not end the call), nor before the answer. */
static bool may_be_silent(const struct leg *l)
{
	return !l->remote.receive || !l->remote.send || l->remote.early || !address_port((const struct sockaddr *)&l->remote.rtp) ||
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
	if (!l->remote.receive)
		l->in.comfort.on = false;
	/* Here and not on the packet path, because it allocates: once for each call. */
	bool wanted = line_codec_is(l->in.codec) && opus_wanted(l);
	if (wanted && !phone_voice_started(&l->in.voice) && phone_voice_start(&l->in.voice) < 0)
		return;
	if (l->in.comfort.on && now_us >= l->in.comfort.due_us)
		make_comfort(l, now_us);
	if (wanted)
		drain(l, now_us);
}

/* ---- figures ---- */

static uint64_t count_drops(const struct leg *l)
{
	uint64_t sum = 0;
	for (int why = 0; why < LEG_DROP__COUNT; ++why)
		sum += l->in.drops[why];
	/* Those are told apart, or are no sound that was lost. */
	return sum - l->in.drops[LEG_DROP_EARLY] - l->in.drops[LEG_DROP_KNOCK] - l->in.drops[LEG_DROP_LOCKED];
}

void leg_receive_stats(const struct leg *l, struct media_leg_stats *ret)
{
	const struct leg_receiver *in = &l->in;
	uint32_t clock_hz = codec_facts(in->codec)->clock_hz;

	*ret = (struct media_leg_stats){
		.codec_in = in->codec,
		.received = rtp_count_received(&in->count),
		.lost = rtp_count_lost(&in->count),
		.holes = in->count.holes,
		.late = in->voice.jitter.stats.late,
		.dropped = count_drops(l),
		.elsewhere = in->drops[LEG_DROP_SOURCE],
		.locked = in->drops[LEG_DROP_LOCKED],
		.concealed = in->voice.concealed,
		.jitter_us = (uint32_t)((uint64_t)rtp_count_jitter(&in->count) * 1000000 / clock_hz),
		.in_buffer_ms = (uint16_t)(jitter_target_us(&in->voice.jitter) / 1000),
	};
}
