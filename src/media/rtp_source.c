#include "media/rtp_source.h"

#include "base/err.h"
#include "base/mem.h"
#include "media/transport.h"

#include <errno.h>

enum {
	/* RFC 3550, A.1: a larger step is a sender that began anew. */
	SEQ_JUMP = 3000,
	FRAME_MS = 20,
	GAP_MS_MAX = 400, /* discontinuous transmission sends at least this often */
};

int rtp_source_new(struct rtp_source **ret, struct transport *t, media_id id,
	const struct media_source_config *c)
{
	struct rtp_source *s = mem_zalloc(sizeof *s);
	if (!s)
		return err_new(-ENOMEM);
	source_init(&s->base, id);
	list_init(&s->link);
	s->transport = t;
	s->config = *c;
	if (s->config.payload_count > COUNT_OF(s->config.payloads))
		s->config.payload_count = COUNT_OF(s->config.payloads);
	if (c->ssrc)
		rtp_source_set_ssrc(s, c->ssrc);

	int r = worker_add_source(t->worker, &s->base);
	if (r < 0) {
		source_fini(&s->base);
		mem_free(s);
		return r;
	}
	list_add(&t->sources, &s->link);
	*ret = s;
	return 0;
}

struct rtp_source *rtp_source_free(struct rtp_source *s)
{
	if (!s)
		return NULL;
	transport_forget_source(s->transport, s);
	worker_remove_source(s->transport->worker, &s->base);
	list_remove(&s->link);
	source_fini(&s->base);
	mem_free(s);
	return NULL;
}

static enum codec codec_of(const struct rtp_source *s, uint8_t payload_type)
{
	for (size_t i = 0; i < s->config.payload_count; ++i)
		if (s->config.payloads[i].pt == payload_type)
			return s->config.payloads[i].codec;
	return CODEC_NONE;
}

bool rtp_source_takes(const struct rtp_source *s, uint8_t payload_type)
{
	return codec_of(s, payload_type) != CODEC_NONE;
}

void rtp_source_set_ssrc(struct rtp_source *s, uint32_t ssrc)
{
	s->has_ssrc = true;
	s->ssrc = ssrc;
	s->started = false;
	s->last_sr = 0;
}

void rtp_source_forget_ssrc(struct rtp_source *s)
{
	s->has_ssrc = false;
	s->started = false;
}

static void begin(struct rtp_source *s, const struct rtp_view *v)
{
	s->started = true;
	s->highest_seq = v->seq;
	s->cycles = 0;
	s->first_seq = v->seq;
	s->received = s->received_before = s->expected_before = 0;
	s->jitter_x16 = 0;
	s->transit = 0;
}

static void count(struct rtp_source *s, const struct rtp_view *v)
{
	uint16_t ahead = (uint16_t)(v->seq - s->highest_seq);
	bool late = ahead >= 0x8000;

	if (!s->started || (late ? (uint16_t)-ahead : ahead) > SEQ_JUMP) {
		begin(s, v);
	} else if (!late) {
		if (v->seq < s->highest_seq)
			s->cycles += 1u << 16;
		s->highest_seq = v->seq;
	}
	++s->received;
}

/* RFC 3550, A.8. */
static void measure_jitter(struct rtp_source *s, const struct rtp_view *v, uint64_t now_us)
{
	uint32_t arrival = (uint32_t)(now_us * s->clock_hz / 1000000);
	int32_t transit = (int32_t)(arrival - v->timestamp);

	if (s->received > 1) {
		uint32_t d = (uint32_t)transit - (uint32_t)s->transit;
		if ((int32_t)d < 0)
			d = -d;
		if (d < s->clock_hz) /* more than a second is a new start, not jitter */
			s->jitter_x16 += d - ((s->jitter_x16 + 8) >> 4);
	}
	s->transit = transit;
}

/* How much sound this packet stands for, by the step of its timestamp. */
static unsigned duration_ms(const struct rtp_source *s, const struct rtp_view *v)
{
	uint32_t ms = (uint32_t)((uint64_t)(v->timestamp - s->last_timestamp) * 1000 / s->clock_hz);
	return s->received > 1 && ms > 0 && ms <= GAP_MS_MAX ? ms : FRAME_MS;
}

void rtp_source_receive(struct rtp_source *s, const struct rtp_view *v, uint64_t now_us)
{
	enum codec codec = codec_of(s, v->payload_type);
	if (codec == CODEC_NONE)
		return; /* a codec that was not answered, or padding for a bandwidth test */

	s->clock_hz = codec_facts(codec)->clock_hz;
	count(s, v);
	measure_jitter(s, v, now_us);
	unsigned ms = duration_ms(s, v);
	s->last_timestamp = v->timestamp;
	if (s->base.muted)
		return;

	uint8_t level = rtp_audio_level(v, s->config.level_ext);
	worker_note_level(s->transport->worker, &s->base, level, ms);
	source_push(&s->base, &(struct media_packet){.rtp = v,
				      .codec = codec,
				      .level = level,
				      .arrived_us = now_us});
}

void rtp_source_sender_report(struct rtp_source *s, const struct rtcp_sender *r, uint64_t now_us)
{
	s->last_sr = (uint32_t)(r->ntp >> 16);
	s->last_sr_us = now_us;
}

/* RFC 3550, A.3. */
bool rtp_source_report(struct rtp_source *s, struct rtcp_report *ret, uint64_t now_us)
{
	if (!s->started)
		return false;

	uint32_t highest = s->cycles + s->highest_seq;
	uint32_t expected = highest - s->first_seq + 1;
	uint32_t expected_now = expected - s->expected_before;
	int32_t lost_now = (int32_t)(expected_now - (s->received - s->received_before));
	s->expected_before = expected;
	s->received_before = s->received;

	*ret = (struct rtcp_report){.ssrc = s->ssrc,
		.lost = (int32_t)(expected - s->received),
		.highest_seq = highest,
		.jitter = s->jitter_x16 >> 4,
		.last_sr = s->last_sr};
	if (expected_now && lost_now > 0)
		ret->fraction_lost = (uint8_t)(((uint64_t)lost_now << 8) / (expected_now + 1));
	if (s->last_sr)
		ret->delay_since_sr = (uint32_t)((now_us - s->last_sr_us) * 65536 / 1000000);
	return true;
}
