#include "cli/doctor_rtp.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "media/g711.h"
#include "net/address.h"
#include "net/udp.h"
#include "wire/rtcp.h"
#include "wire/rtp.h"

#include <errno.h>
#include <math.h>

enum { CLOCK_HZ = 8000, PACKET_MS = 20, SAMPLES = CLOCK_HZ * PACKET_MS / 1000, PORT_TRIES = 50, TONE_HZ = 440, TONE_LEVEL = 1000 };

struct doctor_rtp {
	struct loop *loop;
	struct udp *rtp, *rtcp;
	uint16_t port;
	struct timer tick;
	struct sockaddr_storage to;
	uint32_t ssrc, timestamp;
	uint16_t seq;
	uint64_t began_ms;
	struct rtp_count count;
	struct doctor_rtp_result result;
};

static void on_rtp(void *owner, const struct sockaddr *from, struct span bytes)
{
	struct doctor_rtp *r = owner;
	struct rtp_view v;
	if (rtp_parse(&v, bytes) != RTP_OK)
		return;
	if (v.payload_type != 0) {
		++r->result.other_payload;
		return;
	}
	rtp_count_put(&r->count, v.ssrc, v.seq, v.timestamp, CLOCK_HZ, clock_us());
	r->result.elsewhere += r->to.ss_family && !address_same_ip(from, (const struct sockaddr *)&r->to);
	memcpy(&r->result.from, from, address_size(from));
}

static void on_rtcp(void *owner, const struct sockaddr *from, struct span bytes)
{
	struct doctor_rtp *r = owner;
	struct reader in = reader_of(bytes);
	struct rtcp_packet p;
	struct rtcp_report report;
	while (rtcp_next(&p, &in))
		for (unsigned i = 0; i < p.count && rtcp_read_report(&report, &p, i); ++i) {
			if (report.ssrc != r->ssrc)
				continue;
			r->result.reported = true;
			r->result.far_lost_percent = report.fraction_lost * 100u / 256;
			r->result.far_jitter_ms = report.jitter * 1000 / CLOCK_HZ;
		}
}

static const struct udp_events rtp_events = {.datagram = on_rtp}, rtcp_events = {.datagram = on_rtcp};

/* As many as are due by now. */
static void on_tick(void *owner)
{
	struct doctor_rtp *r = owner;
	uint64_t due = (loop_now_ms(r->loop) - r->began_ms) / PACKET_MS + 1;
	while (r->result.sent < due) {
		int16_t pcm[SAMPLES];
		uint8_t sound[SAMPLES], packet[RTP_HEADER_BYTES + SAMPLES];
		struct writer w = writer_of(packet, sizeof packet);
		for (unsigned i = 0; i < SAMPLES; ++i)
			pcm[i] = (int16_t)(TONE_LEVEL * sin(2 * M_PI * TONE_HZ * (r->timestamp + i) / CLOCK_HZ));
		g711_encode(sound, pcm, SAMPLES, G711_ULAW);
		rtp_write(&w, &(struct rtp_view){
				      .marker = r->result.sent == 0,
				      .seq = r->seq++,
				      .timestamp = r->timestamp,
				      .ssrc = r->ssrc,
				      .payload = span_of(sound, sizeof sound),
			      });
		r->timestamp += SAMPLES;
		++r->result.sent;
		(void)!udp_send(r->rtp, (const struct sockaddr *)&r->to, writer_span(&w));
	}
}

static int open_pair(struct doctor_rtp *r, const struct sockaddr *bind, uint16_t port)
{
	struct sockaddr_storage at = {0};
	memcpy(&at, bind, address_size(bind));
	address_set_port(&at, port);
	int e = udp_open(&r->rtp, r->loop, (const struct sockaddr *)&at, &rtp_events, r);
	if (e < 0)
		return e;
	address_set_port(&at, (uint16_t)(port + 1));
	e = udp_open(&r->rtcp, r->loop, (const struct sockaddr *)&at, &rtcp_events, r);
	if (e < 0) {
		udp_close(r->rtp);
		r->rtp = NULL;
		return e;
	}
	r->port = port;
	return 0;
}

int doctor_rtp_open(struct doctor_rtp **ret, struct loop *l, const struct sockaddr *bind, uint16_t first, uint16_t last)
{
	struct doctor_rtp *r = mem_zalloc(sizeof *r);
	if (!r)
		return err_new(-ENOMEM);
	r->loop = l;
	r->ssrc = rng_u32();
	r->seq = (uint16_t)rng_u32();
	uint32_t low = first ? first : 20000, high = first && last > first ? last : low + 10000;
	int e = -EADDRINUSE;
	for (unsigned i = 0; e == -EADDRINUSE && i < PORT_TRIES; ++i)
		e = open_pair(r, bind, (uint16_t)((low + 1 + rng_u32() % (high - low)) & ~1u));
	if (e == 0)
		e = timer_init(&r->tick, l, on_tick, r);
	if (e < 0) {
		doctor_rtp_close(r);
		return e;
	}
	*ret = r;
	return 0;
}

uint16_t doctor_rtp_port(const struct doctor_rtp *r)
{
	return r->port;
}

void doctor_rtp_start(struct doctor_rtp *r, const struct sockaddr *to)
{
	memcpy(&r->to, to, address_size(to));
	r->began_ms = loop_now_ms(r->loop);
	timer_start(&r->tick, 0, PACKET_MS);
}

void doctor_rtp_result(const struct doctor_rtp *r, struct doctor_rtp_result *ret)
{
	*ret = r->result;
	ret->received = rtp_count_received(&r->count);
	ret->lost = rtp_count_lost(&r->count);
	ret->jitter_ms = rtp_count_jitter(&r->count) * 1000 / CLOCK_HZ;
}

struct doctor_rtp *doctor_rtp_close(struct doctor_rtp *r)
{
	if (!r)
		return NULL;
	udp_close(r->rtp);
	udp_close(r->rtcp);
	timer_fini(&r->tick);
	mem_free(r);
	return NULL;
}
