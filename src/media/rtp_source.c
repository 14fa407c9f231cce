#include "media/rtp_source.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "media/transport.h"

#include <errno.h>

enum {
	FRAME_MS = 20,
	US_PER_MS = 1000,
	RTCP_NACK_BYTES_MAX = 12 + 4 * MISSING_MAX,
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
	snprintf(s->base.sif_trailer, sizeof s->base.sif_trailer, "%s", c->sif_trailer);
	s->heard_us = clock_us();
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
	if (s->ssrc != ssrc)
		++s->base.epoch; /* its numbers are of other packets */
	s->ssrc = ssrc;
	s->missing = (struct missing){0};
	s->last_sr = 0;
}

void rtp_source_forget_ssrc(struct rtp_source *s)
{
	s->has_ssrc = false;
}

/* How much sound this packet stands for, by the step of its timestamp. */
static unsigned duration_ms(const struct rtp_source *s, const struct rtp_view *v)
{
	uint32_t ms = (uint32_t)((uint64_t)(v->timestamp - s->last_timestamp) * 1000 / s->clock_hz);
	return s->count.received > 1 && ms > 0 && ms <= GAP_MS_MAX ? ms : FRAME_MS;
}

void rtp_source_receive(struct rtp_source *s, const struct rtp_view *v, uint64_t now_us)
{
	enum codec codec = codec_of(s, v->payload_type);
	if (codec == CODEC_NONE) { /* was not answered, or padding for a bandwidth test */
		worker_count_drop(s->transport->worker, MEDIA_DROP_PAYLOAD);
		return;
	}

	s->clock_hz = codec_facts(codec)->clock_hz;
	rtp_count_put(&s->count, v->ssrc, v->seq, v->timestamp, s->clock_hz, now_us);
	s->heard_us = now_us;
	if (s->config.nack)
		missing_note(&s->missing, v->seq, now_us / US_PER_MS);
	unsigned ms = duration_ms(s, v);
	if (v->seq == s->count.highest_seq)
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

void rtp_source_sender_report(
	struct rtp_source *s, const struct rtcp_sender *r, uint64_t ntp, uint64_t now_us)
{
	s->last_sr = (uint32_t)(r->ntp >> 16);
	s->last_sr_us = s->heard_us = now_us;
	s->base.clock = (struct source_clock){
		.known = true, .ssrc = r->ssrc, .timestamp = r->rtp_timestamp, .ntp = ntp};
}

bool rtp_source_report(struct rtp_source *s, struct rtcp_report *ret, uint64_t now_us)
{
	return s->has_ssrc && rtp_count_report(&s->count, ret, s->last_sr, now_us - s->last_sr_us);
}

void rtp_source_tick(struct rtp_source *s, uint64_t now_us)
{
	uint16_t seqs[MISSING_MAX];
	uint8_t bytes[RTCP_NACK_BYTES_MAX];
	struct writer w = writer_of(bytes, sizeof bytes);

	if (!s->missing.count || s->base.muted)
		return;
	size_t count = missing_due(seqs, &s->missing, now_us / US_PER_MS,
		transport_rtt_us(s->transport) / US_PER_MS);
	rtcp_write_nack(&w, s->transport->own_ssrc, s->ssrc, seqs, count);
	s->asked += (uint32_t)count;
	transport_send_rtcp(s->transport, writer_span(&w));
}
