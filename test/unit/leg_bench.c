#include "test/unit/leg_bench.h"

#include "base/mem.h"
#include "base/writer.h"
#include "media/g711.h"
#include "test/check.h"
#include "test/unit/sound.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <unistd.h>

struct bench *b;

int bound(struct sockaddr_storage *ret)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof a;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0);
	CHECK_EQ(bind(fd, (struct sockaddr *)&a, size), 0);
	CHECK_EQ(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	memset(ret, 0, sizeof *ret);
	memcpy(ret, &a, sizeof a);
	return fd;
}

static void record(struct source_sink *s, const struct media_packet *p)
{
	struct recorded *r = &b->got[b->count++];
	CHECK(b->count < PACKETS_MAX && p->rtp->payload.size <= sizeof r->bytes);
	*r = (struct recorded){.codec = p->codec, .seq = p->rtp->seq, .timestamp = p->rtp->timestamp,
		.ssrc = p->rtp->ssrc, .level = p->level, .marker = p->rtp->marker,
		.size = p->rtp->payload.size, .at_us = p->arrived_us};
	memcpy(r->bytes, p->rtp->payload.data, r->size);
}

struct media_leg_remote remote(void)
{
	return (struct media_leg_remote){.rtp = b->phone, .codec = CODEC_PCMU, .pt = 0,
		.dtmf_pt = PT_DTMF, .ptime_ms = 20, .send = true, .receive = true};
}

void begin(const struct media_leg_config *config, enum codec listens)
{
	struct sockaddr_storage leg_rtcp, phone_rtcp;
	b = mem_zalloc(sizeof *b);
	fake_worker_init(&b->w);
	int rtp = bound(&b->leg_rtp), rtcp = bound(&leg_rtcp);
	b->phone_rtp = bound(&b->phone);
	b->phone_rtcp = bound(&phone_rtcp);
	CHECK_EQ(leg_new(&b->leg, &b->w, 7, rtp, rtcp, config), 0);
	list_init(&b->sink.link);
	if (listens != CODEC_NONE) {
		b->sink.codec = listens;
		b->sink.write = record;
		source_add_sink(leg_source(b->leg), &b->sink);
	}
	struct media_leg_remote r = remote();
	r.rtcp = phone_rtcp;
	leg_connect(b->leg, &r);
	CHECK_EQ(connect(b->phone_rtcp, (struct sockaddr *)&leg_rtcp, sizeof(struct sockaddr_in)), 0);
}

void end(void)
{
	leg_free(b->leg); /* NULL: the test did it */
	fake_worker_fini(&b->w);
	close(b->phone_rtp);
	close(b->phone_rtcp);
	mem_free(b);
	b = NULL;
	CHECK_EQ(mem_live(), 0);
}

struct span rtp_packet(uint8_t out[1500], uint8_t pt, bool marker, uint16_t seq,
	uint32_t timestamp, uint32_t ssrc, struct span payload)
{
	struct writer w = writer_of(out, 1500);
	write_u8(&w, 0x80);
	write_u8(&w, (uint8_t)(marker << 7 | pt));
	write_u16(&w, seq);
	write_u32(&w, timestamp);
	write_u32(&w, ssrc);
	write_span(&w, payload);
	CHECK(!w.bad);
	return writer_span(&w);
}

void phone_says(uint8_t pt, uint16_t seq, uint32_t timestamp, uint32_t ssrc,
	struct span payload, uint64_t now_us)
{
	uint8_t out[1500];
	struct span p = rtp_packet(out, pt, false, seq, timestamp, ssrc, payload);
	leg_receive_rtp(b->leg, (struct sockaddr *)&b->phone, p, now_us);
}

bool phone_hears(struct rtp_view *v, uint8_t bytes[1500])
{
	ssize_t size = recv(b->phone_rtp, bytes, 1500, MSG_DONTWAIT);
	if (size < 0)
		return false;
	CHECK_EQ(rtp_parse(v, span_of(bytes, (size_t)size)), RTP_OK);
	return true;
}

void send_from(int fd, const uint8_t *bytes, size_t size)
{
	CHECK_EQ(sendto(fd, bytes, size, 0, (struct sockaddr *)&b->leg_rtp, sizeof(struct sockaddr_in)), (ssize_t)size);
	for (int i = 0; i < 3; ++i)
		fake_worker_turn(&b->w);
}

size_t sealed(uint8_t out[1500], struct srtp_pair *far, uint16_t seq)
{
	uint8_t sound[FRAME];
	memset(sound, 0x55, sizeof sound);
	size_t size = rtp_packet(out, 0, false, seq, seq * FRAME, 9, span_of(sound, FRAME)).size;
	if (far)
		CHECK(srtp_pair_protect(far, out, &size));
	return size;
}

void says(struct srtp_pair *far, uint16_t seq)
{
	uint8_t out[1500];
	send_from(b->phone_rtp, out, sealed(out, far, seq));
}

bool hears(struct srtp_pair *far, struct rtp_view *v)
{
	static uint8_t bytes[1500];
	fake_worker_beat(&b->w);
	ssize_t got = recv(b->phone_rtp, bytes, sizeof bytes, MSG_DONTWAIT);
	size_t size = (size_t)got;
	return got > 0 && srtp_pair_unprotect(far, bytes, &size) && rtp_parse(v, span_of(bytes, size)) == RTP_OK &&
	       v->payload.size == FRAME;
}

void speaker_init(struct speaker *s, media_id id, enum codec codec, double hz, double amplitude)
{
	int error;
	*s = (struct speaker){.codec = codec, .hz = hz, .amplitude = amplitude};
	source_init(&s->source, id);
	s->encoder = opus_encoder_create(48000, 2, OPUS_APPLICATION_VOIP, &error);
	CHECK(s->encoder);
	opus_encoder_ctl(s->encoder, OPUS_SET_INBAND_FEC(1));
	opus_encoder_ctl(s->encoder, OPUS_SET_PACKET_LOSS_PERC(10));
}

void speaker_fini(struct speaker *s)
{
	source_fini(&s->source);
	opus_encoder_destroy(s->encoder);
}

size_t speaker_packet(struct speaker *s, unsigned at, unsigned ms, uint8_t out[1000])
{
	if (s->codec == CODEC_PCMU || s->codec == CODEC_PCMA) {
		int16_t tone[480];
		sound_tone(tone, ms * 8, (uint64_t)at * ms * 8, s->hz, s->amplitude);
		g711_encode(out, tone, ms * 8, s->codec == CODEC_PCMU ? G711_ULAW : G711_ALAW);
		return ms * 8;
	}
	static int16_t stereo[2 * 2880];
	size_t samples = ms * 48, header = 0;
	for (size_t i = 0; i < samples; ++i) {
		double t = (double)(at * samples + i) / 48000;
		stereo[2 * i] = stereo[2 * i + 1] = (int16_t)lrint(s->amplitude * sin(2 * SOUND_PI * s->hz * t));
	}
	uint8_t coded[900];
	int size = opus_encode(s->encoder, stereo, (int)samples, coded, sizeof coded);
	CHECK(size > 0);
	if (s->codec == CODEC_RED) { /* the packet before goes along */
		struct writer w = writer_of(out, 1000);
		if (s->before_size) {
			write_u8(&w, 0x80 | 111);
			write_u16(&w, (uint16_t)(samples << 2 | s->before_size >> 8));
			write_u8(&w, (uint8_t)s->before_size);
		}
		write_u8(&w, 111);
		write_bytes(&w, s->before, s->before_size);
		CHECK(!w.bad);
		header = w.used;
		memcpy(s->before, coded, s->before_size = (size_t)size);
	}
	CHECK(header + (size_t)size <= 1000);
	memcpy(out + header, coded, (size_t)size);
	return header + (size_t)size;
}

void speaker_says(struct speaker *s, unsigned at, unsigned ms, struct span payload, uint8_t level,
	uint64_t now_us)
{
	unsigned ticks = ms * (s->codec == CODEC_OPUS || s->codec == CODEC_RED ? 48 : 8);
	struct rtp_view v = {.seq = (uint16_t)(65500 + at), .timestamp = at * ticks, .ssrc = s->source.id,
		.payload = payload};
	source_push(&s->source,
		&(struct media_packet){.rtp = &v, .codec = s->codec, .level = level, .arrived_us = now_us});
}
