#include "media/sink.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/rng.h"
#include "media/history.h"
#include "media/transport.h"
#include "wire/red.h"

#include <errno.h>

enum {
	REPORT_EVERY_MS = 3000,
	FRAME_MS = 20,
	/* A larger step of the sequence is no loss but another life of the sender. */
	SEQ_JUMP = 500,
	US_PER_MS = 1000,
};

/* `us` may be negative: a packet may leave before it is to be heard. */
static uint32_t ticks_of(const struct sink *s, int64_t us)
{
	return (uint32_t)(us * (int64_t)s->clock_hz / 1000000);
}

/* The first packet after a silence that was not the sender's: right behind the last one by
 * number, and as much later by clock as it is in truth. */
static void begin(struct sink *s, const struct media_packet *p)
{
	const struct rtp_view *v = p->rtp;

	/* A phone's sound may come as Opus although G.711 was hoped for: another clock. */
	s->clock_hz = codec_facts(p->codec)->clock_hz;
	if (s->sent_any) {
		int64_t passed_us = (int64_t)(p->arrived_us - s->sent_us);
		uint32_t step = passed_us > 0 ? ticks_of(s, passed_us) : 0;
		uint32_t frame = s->clock_hz * FRAME_MS / 1000;
		s->timestamp_shift = s->timestamp + (step > frame ? step : frame) - v->timestamp;
		s->seq_shift = (uint16_t)(s->seq + 1 - v->seq);
	} else {
		s->timestamp_shift = rng_u32();
		s->seq_shift = (uint16_t)rng_u32() & 0x7fff; /* RFC 3711, 3.3.1: not near the wrap */
		s->seq_shift = (uint16_t)(s->seq_shift - v->seq);
	}
	s->in_ssrc = v->ssrc;
	s->in_first_seq = s->in_last_seq = v->seq;
}

static bool is_another_life(const struct sink *s, const struct rtp_view *v)
{
	int16_t step = (int16_t)(v->seq - s->in_last_seq);
	return !s->sent_any || s->begin_anew || v->ssrc != s->in_ssrc ||
	       s->base.source->epoch != s->in_epoch || step > SEQ_JUMP || step < -SEQ_JUMP;
}

/* The payload as its receiver names the codecs: the sender may call Opus by another number. */
static struct span rename_codec(struct rtp_view *out, const struct sink *s,
	const struct media_packet *p, struct writer *w)
{
	out->payload_type = p->codec == s->config.codec ? s->config.pt : s->config.opus_pt;
	if (p->codec != CODEC_RED || red_is_of(p->rtp->payload, s->config.opus_pt))
		return p->rtp->payload;
	red_write_as(w, p->rtp->payload, s->config.opus_pt);
	return writer_span(w);
}

/* The numbers under which a packet of this life leaves. */
static void number(const struct sink *s, struct rtp_view *out)
{
	out->seq = (uint16_t)(out->seq + s->seq_shift);
	out->timestamp += s->timestamp_shift;
	out->ssrc = s->config.ssrc;
}

static void write_packet(struct source_sink *base, const struct media_packet *p)
{
	struct sink *s = container_of(base, struct sink, base);
	uint8_t renamed[LIMIT_PACKET_BYTES];
	struct writer w = writer_of(renamed, sizeof renamed);
	struct rtp_view out = *p->rtp;
	bool first = is_another_life(s, p->rtp);

	if (p->codec != s->config.codec && !s->config.opus_pt)
		return; /* it has no name for this */
	if (first)
		begin(s, p);
	else if ((int16_t)(p->rtp->seq - s->in_first_seq) < 0)
		return; /* from before the last beginning: its number is taken */

	number(s, &out);
	out.payload = rename_codec(&out, s, p, &w);
	s->sent_pt = out.payload_type;
	out.marker |= first;
	out.extension_profile = 0; /* no extension is negotiated on this side */
	out.extension = (struct span){0};
	if (!transport_send_rtp(s->transport, &out))
		return;

	if (s->resend)
		resend_note(s->resend, out.seq);
	s->begin_anew = false;
	s->in_epoch = s->base.source->epoch;
	if (first || (int16_t)(p->rtp->seq - s->in_last_seq) > 0) {
		s->in_last_seq = p->rtp->seq;
		/* Keeps "before the beginning" a question of half the circle. */
		if ((uint16_t)(s->in_last_seq - s->in_first_seq) > 0x4000)
			s->in_first_seq = (uint16_t)(s->in_last_seq - 0x2000);
		s->seq = out.seq;
		s->timestamp = out.timestamp;
		s->sent_us = p->arrived_us;
	}
	s->sent_any = true;
	++s->packets;
	s->octets += (uint32_t)out.payload.size;
}

static void on_source_gone(struct source_sink *base)
{
	sink_free(container_of(base, struct sink, base));
}

/* RED needs no second chance: each packet carries the one before it. */
static int remember(struct sink *s, struct source *source)
{
	if (!s->config.nack || s->config.codec == CODEC_RED)
		return 0;
	s->resend = mem_zalloc(sizeof *s->resend);
	return s->resend ? source_remember(source, s->config.codec) : err_new(-ENOMEM);
}

static void destroy(struct sink *s)
{
	mem_free(s->resend);
	mem_free(s);
}

int sink_new(struct sink **ret, struct transport *t, struct source *source, media_id id,
	const struct media_sink_config *c)
{
	struct sink *s = mem_zalloc(sizeof *s);
	if (!s)
		return err_new(-ENOMEM);
	s->transport = t;
	s->config = *c;
	s->config.cname[sizeof s->config.cname - 1] = '\0';
	s->id = id;
	s->opened_us = clock_us();
	s->clock_hz = codec_facts(c->codec)->clock_hz;
	s->base.codec = c->codec;
	s->base.write = write_packet;
	s->base.source_gone = on_source_gone;

	int r = remember(s, source);
	if (r == 0)
		r = map_put_id(worker_sinks(t->worker), &s->by_id, id);
	if (r != 0) {
		destroy(s);
		return r < 0 ? r : err_new(-EEXIST);
	}
	list_add(&t->sinks, &s->link);
	source_add_sink(source, &s->base);
	*ret = s;
	return 0;
}

struct sink *sink_free(struct sink *s)
{
	if (!s)
		return NULL;
	source_remove_sink(&s->base);
	if (s->sent_any)
		transport_end_ssrc(s->transport, s->config.ssrc);
	list_remove(&s->link);
	map_remove(worker_sinks(s->transport->worker), &s->by_id);
	destroy(s);
	return NULL;
}

void sink_pause(struct sink *s, bool paused)
{
	s->begin_anew |= s->base.paused && !paused;
	s->base.paused = paused;
}

/* ---- what is told, and what is asked ---- */

/* Our clock of the stream at `ntp`: by the reports of its sender, which hold all its voices in step,
 * if they make sense; else by when the last packet came. */
static uint32_t timestamp_at(const struct sink *s, uint64_t ntp)
{
	const struct source_clock *c = &s->base.source->clock;
	uint32_t by_arrival = s->timestamp + ticks_of(s, (int64_t)(clock_us() - s->sent_us));

	if (!c->known || c->ssrc != s->in_ssrc)
		return by_arrival;
	int64_t passed = (int64_t)(ntp - c->ntp); /* 32.32 s */
	uint32_t by_sender = c->timestamp + s->timestamp_shift +
		(uint32_t)((passed >> 16) * (int64_t)s->clock_hz >> 16);
	int32_t off = (int32_t)(by_sender - by_arrival);
	return off > -(int32_t)s->clock_hz && off < (int32_t)s->clock_hz ? by_sender : by_arrival;
}

void sink_tick(struct sink *s, uint64_t now_us)
{
	uint64_t now_ms = now_us / US_PER_MS;

	if (!s->sent_any || s->base.paused || now_ms < s->report_due_ms)
		return;
	s->report_due_ms = now_ms + REPORT_EVERY_MS;

	uint64_t ntp = rtcp_ntp(clock_unix_ns());
	struct rtcp_sender sender = {.ssrc = s->config.ssrc,
		.ntp = ntp,
		.rtp_timestamp = timestamp_at(s, ntp),
		.packets = s->packets,
		.octets = s->octets};
	uint8_t bytes[128];
	struct writer w = writer_of(bytes, sizeof bytes);
	rtcp_write_sender(&w, &sender);
	rtcp_write_cname(&w, s->config.ssrc, span_text(s->config.cname));
	transport_send_rtcp(s->transport, writer_span(&w));
}

void sink_reported(struct sink *s, const struct rtcp_report *r, uint64_t now_us)
{
	rtp_heard_put(&s->heard, r, s->packets, rtcp_ntp(clock_unix_ns()), now_us);
}

/* Only of this life, and not its first packet, which alone bears our mark: what is sent again must
 * be what was sent. */
void sink_asked(struct sink *s, uint16_t seq, uint64_t now_us)
{
	struct rtp_view out;
	uint16_t in_seq = (uint16_t)(seq - s->seq_shift);

	if (!s->resend || !s->sent_any || s->begin_anew || s->base.paused)
		return;
	++s->asked;
	if ((int16_t)(in_seq - s->in_first_seq) <= 0 ||
		!history_get(&out, s->base.source->history[s->config.codec], s->in_epoch,
			s->in_ssrc, in_seq) ||
		!resend_allow(s->resend, seq, now_us / US_PER_MS,
			s->heard.rtt_us / US_PER_MS))
		return;
	number(s, &out);
	out.payload_type = s->sent_pt; /* what is asked for again is never RED */
	s->resent += transport_resend_rtp(s->transport, &out);
}
