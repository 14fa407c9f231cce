/* Whole transports over 127.0.0.1: two peers, a source, a sink, with the worker inside the loop
 * of the test and in a thread of its own. */
#include "base/limits.h"
#include "base/clock.h"
#include "base/mem.h"
#include "media/media.h"
#include "net/address.h"
#include "test/check.h"
#include "test/unit/rtc_peer.h"
#include "wire/rtcp.h"

#include <netinet/in.h>
#include <unistd.h>

enum {
	DEADLINE_MS = 20000,
	OPUS_PT = 111,
	SINK_PT = 96,
	SINK_SSRC = 0x51515151,
	MID_EXT = 4,
	LEVEL_EXT = 1,
};

struct fixture {
	struct loop loop;
	struct media *media;
	const char *ip;
	struct dtls_identity *identity; /* of both peers */
	struct rtc_peer publisher, subscriber;
	media_id up, down, source, sink;
	bool tcp; /* both come that way */
	uint64_t useless;

	enum media_transport_state up_state, down_state;
	struct media_level level;
	unsigned levels;
	struct media_voice_stats up_stats, down_stats;
	uint8_t sctp[64];
	size_t sctp_size;

	uint16_t seq; /* of the publisher */
	uint32_t timestamp, ssrc;
};

static void on_state(void *owner, media_id id, enum media_transport_state state)
{
	struct fixture *f = owner;
	*(id == f->up ? &f->up_state : &f->down_state) = state;
}

static void on_sctp(void *owner, media_id id, struct span packet)
{
	struct fixture *f = owner;
	CHECK_EQ(id, f->down);
	CHECK(packet.size <= sizeof f->sctp);
	memcpy(f->sctp, packet.data, packet.size);
	f->sctp_size = packet.size;
}

static void on_stats(
	void *owner, media_id id, const struct media_voice_stats *stats, size_t count)
{
	struct fixture *f = owner;
	const struct media_voice_stats *kept;

	if (count != 1 || !f->sink) /* of another test */
		return;
	CHECK(stats->id == (id == f->up ? f->source : f->sink) && stats->sink == (id == f->down));
	*(id == f->up ? &f->up_stats : &f->down_stats) = *stats;
	CHECK(media_transport_stats(&kept, f->media, id) == 1 && kept->id == stats->id);
}

static void on_levels(void *owner, const struct media_level *levels, size_t count)
{
	struct fixture *f = owner;
	f->level = levels[0];
	f->levels += (unsigned)count;
}

static void on_leg_event(void *owner, media_id leg, enum media_leg_event event)
{
}

static void on_leg_digit(void *owner, media_id leg, char digit)
{
}

static void on_leg_done(void *owner, media_id leg)
{
}

static const struct media_events events = {
	.transport_state = on_state,
	.transport_sctp = on_sctp,
	.transport_stats = on_stats,
	.levels = on_levels,
	.leg_event = on_leg_event,
	.leg_digit = on_leg_digit,
	.leg_digits_done = on_leg_done,
};

static void on_deadline(uv_timer_t *t)
{
	*(bool *)t->data = true;
}

/* Turns the loop until `done` says so. */
static void wait_for(struct fixture *f, const char *what, bool (*done)(const struct fixture *f))
{
	bool late = false;
	uv_timer_t *deadline = calloc(1, sizeof *deadline);

	CHECK(deadline && uv_timer_init(&f->loop.uv, deadline) == 0);
	deadline->data = &late;
	uv_timer_start(deadline, on_deadline, DEADLINE_MS, 0);
	while (!done(f) && !late)
		uv_run(&f->loop.uv, UV_RUN_ONCE);
	if (late)
		fprintf(stderr, "waited in vain: %s\n", what);
	CHECK(!late);
	uv_close((uv_handle_t *)deadline, (uv_close_cb)free);
}

#define WAIT_FOR(f, function) wait_for((f), #function, (function))

static void open_peer_to(struct fixture *f, struct rtc_peer *p, media_id *id, bool peer_is_client,
	const char *ip)
{
	struct media_remote remote = {.ufrag = "peer", .dtls_client = !peer_is_client};
	unsigned worker = media_pick_worker(f->media);

	*p = (struct rtc_peer){.loop = &f->loop,
		.identity = f->identity,
		.ip = ip,
		.port = f->tcp ? media_rtc_tcp_port(f->media) : media_rtc_port(f->media, worker),
		.tcp = f->tcp,
		.ufrag = "peer",
		.dtls_client = peer_is_client,
		.nominate_late = peer_is_client};
	media_ice_make(&p->remote_ice, worker);
	CHECK_EQ(media_transport_open(id, f->media, worker, &p->remote_ice), 0);
	snprintf(remote.fingerprint, sizeof remote.fingerprint, "%s",
		dtls_identity_fingerprint(f->identity));
	media_transport_remote(f->media, *id, &remote, NULL);
	rtc_peer_open(p);
}

static void open_peer(struct fixture *f, struct rtc_peer *p, media_id *id, bool peer_is_client)
{
	open_peer_to(f, p, id, peer_is_client, f->ip);
}

static void open_fixture(struct fixture *f, unsigned workers, const char *ip)
{
	struct media_config config = {
		.workers = workers, .stats_every_ms = 60, .rtc_bind_count = 1, .rtc_tcp = true, .rtp_ip = "127.0.0.1"};

	*f = (struct fixture){.ip = ip, .seq = 65500, .timestamp = 0xfffffff0, .ssrc = 77};
	CHECK_EQ(address_parse(&config.rtc_binds[0], ip, 0), 0);
	CHECK_EQ(loop_init(&f->loop), 0);
	CHECK_EQ(media_new(&f->media, &f->loop, &config, &events, f), 0);
	CHECK_EQ(strlen(media_fingerprint(f->media)), 95);
	CHECK_EQ(dtls_identity_new(&f->identity), 0);
}

static void close_fixture(struct fixture *f)
{
	media_free(f->media);
	loop_fini(&f->loop);
	dtls_identity_free(f->identity);
	CHECK_EQ(mem_live(), 0);
}

static bool both_connected(const struct fixture *f)
{
	return f->up_state == MEDIA_TRANSPORT_CONNECTED &&
	       f->down_state == MEDIA_TRANSPORT_CONNECTED && f->publisher.srtp &&
	       f->subscriber.srtp;
}

static void connect_both(struct fixture *f)
{
	open_peer(f, &f->publisher, &f->up, true);
	open_peer(f, &f->subscriber, &f->down, false);

	struct media_source_config source = {.transport = f->up,
		.mid = "0",
		.mid_ext = MID_EXT,
		.level_ext = LEVEL_EXT,
		.nack = true,
		.payloads = {{.pt = OPUS_PT, .codec = CODEC_OPUS}},
		.payload_count = 1};
	CHECK_EQ(media_source_open(&f->source, f->media, &source), 0);
	struct media_sink_config sink = {.source = f->source,
		.transport = f->down,
		.ssrc = SINK_SSRC,
		.pt = SINK_PT,
		.codec = CODEC_OPUS,
		.nack = true,
		.cname = "PA_test"};
	CHECK_EQ(media_sink_open(&f->sink, f->media, &sink), 0);
	WAIT_FOR(f, both_connected);
}

/* `count` packets of 20 ms; the first payload byte numbers them. */
static void speak(struct fixture *f, int count)
{
	static const uint8_t extension[] = {LEVEL_EXT << 4, 0x80 | 20, MID_EXT << 4, '0'};

	for (int i = 0; i < count; ++i) {
		uint8_t payload[] = {(uint8_t)i, 'o', 'p', 'u', 's'};
		rtc_peer_send_rtp(&f->publisher,
			&(struct rtp_view){.payload_type = OPUS_PT,
				.seq = f->seq++,
				.timestamp = f->timestamp,
				.ssrc = f->ssrc,
				.extension_profile = 0xbede,
				.extension = span_of(extension, sizeof extension),
				.payload = span_of(payload, sizeof payload)});
		f->timestamp += 960;
	}
}

static size_t want_seen;
static bool all_seen(const struct fixture *f)
{
	return f->subscriber.seen_count >= want_seen;
}

/* Speaks, and sees that what comes out goes on from what came out before. */
static void hear(struct fixture *f, int count)
{
	size_t first = f->subscriber.seen_count;

	speak(f, count);
	want_seen = first + (size_t)count;
	WAIT_FOR(f, all_seen);
	CHECK_EQ(f->subscriber.seen_count, want_seen);
	for (size_t i = first; i < want_seen; ++i) {
		const struct rtc_packet_seen *p = &f->subscriber.seen[i];
		CHECK_EQ(p->ssrc, SINK_SSRC);
		CHECK_EQ(p->payload_type, SINK_PT);
		CHECK_EQ(p->first_byte, i - first);
		CHECK_EQ(p->extended, false);
		CHECK(!p->marker || i == first); /* only after a beginning */
		if (i == 0)
			continue;
		CHECK_EQ((uint16_t)(p->seq - p[-1].seq), 1);
		uint32_t step = p->timestamp - p[-1].timestamp;
		CHECK(i == first ? step >= 960 && step < 48000 * 20 : step == 960);
	}
}

static bool level_came(const struct fixture *f)
{
	return f->levels > 0;
}

static bool data_came(const struct fixture *f)
{
	return f->subscriber.data_size > 0;
}

/* Orders are obeyed in sequence: when this data comes out, those before it are done. */
static void orders_done(struct fixture *f)
{
	f->subscriber.data_size = 0;
	media_transport_sctp(f->media, f->down, span_text("fence"));
	WAIT_FOR(f, data_came);
	f->subscriber.data_size = 0;
}

/* Packets that are not heard: a fence behind it shows that it has been handled. */
static void speak_unheard(struct fixture *f, int count)
{
	size_t seen = f->subscriber.seen_count;

	speak(f, count);
	rtc_peer_check(&f->publisher, true);
	unsigned answers = f->publisher.answers;
	while (f->publisher.answers == answers)
		uv_run(&f->loop.uv, UV_RUN_ONCE);
	CHECK_EQ(f->subscriber.seen_count, seen);
}

static void a_voice_goes_through_without_a_jump(struct fixture *f)
{
	hear(f, 50); /* over the end of both counters */
	WAIT_FOR(f, level_came);
	CHECK_EQ(f->level.source, f->source);
	CHECK_EQ(f->level.level, 20);
	CHECK(f->level.observed_ms > 0 && f->level.active_ms == f->level.observed_ms);

	media_sink_pause(f->media, f->sink, true);
	orders_done(f);
	speak_unheard(f, 10);
	media_sink_pause(f->media, f->sink, false);
	orders_done(f);
	hear(f, 10);
}

static void a_muted_source_is_silent(struct fixture *f)
{
	media_source_mute(f->media, f->source, true);
	orders_done(f);
	speak_unheard(f, 600); /* more than a jump */
	media_source_mute(f->media, f->source, false);
	orders_done(f);
	hear(f, 10);
}

static void another_sender_goes_on_where_the_last_ended(struct fixture *f)
{
	f->ssrc = 78;
	f->seq = 5;
	f->timestamp = 12345;
	hear(f, 20);
}

/* ---- what got lost ---- */

static void ask(struct fixture *f, uint16_t seq)
{
	uint8_t bytes[32];
	struct writer w = writer_of(bytes, sizeof bytes);

	rtcp_write_nack(&w, 1, SINK_SSRC, &seq, 1); /* of reduced size: no report before it */
	rtc_peer_send_rtcp(&f->subscriber, writer_span(&w));
}

static bool came_again(const struct fixture *f)
{
	return f->subscriber.came_again > 0;
}

/* Behind it, whatever it was asked is answered. */
static void answered(struct fixture *f)
{
	rtc_peer_check(&f->subscriber, true);
	unsigned answers = f->subscriber.answers;
	while (f->subscriber.answers == answers)
		uv_run(&f->loop.uv, UV_RUN_ONCE);
}

static void a_lost_packet_is_sent_again(struct fixture *f)
{
	struct rtc_peer *p = &f->subscriber;
	size_t seen = p->seen_count;

	p->lose = 1;
	speak(f, 3);
	want_seen = seen + 2;
	WAIT_FOR(f, all_seen);
	uint16_t lost = (uint16_t)(p->seen[seen].seq - 1);
	CHECK_EQ(lost, (uint16_t)(p->seen[seen - 1].seq + 1));
	ask(f, (uint16_t)(p->seen[seen + 1].seq + 1)); /* not sent yet */
	ask(f, (uint16_t)(lost - 5000));
	answered(f);
	CHECK_EQ(p->seen_count, seen + 2);
	ask(f, lost);
	WAIT_FOR(f, came_again);
	CHECK(p->seen_count == seen + 3 && p->seen[seen + 2].seq == lost);
	CHECK(p->seen[seen + 2].first_byte == 0 && !p->seen[seen + 2].marker);
	ask(f, lost); /* at once: it is on its way */
	answered(f);
	CHECK_EQ(p->seen_count, seen + 3);
	p->seen[seen + 2] = p->seen[seen + 1]; /* for whoever looks at the last one */
	hear(f, 5);
}

static bool was_asked(const struct fixture *f)
{
	return f->publisher.nacks > 0;
}

static void a_hole_is_asked_for(struct fixture *f)
{
	uint16_t hole = f->seq;

	f->publisher.nacks = 0;
	want_seen = f->subscriber.seen_count + 3;
	++f->seq;
	f->timestamp += 960;
	speak(f, 2);
	WAIT_FOR(f, was_asked);
	CHECK_EQ(f->publisher.nacked, hole);
	f->seq = hole;
	f->timestamp -= 3 * 960;
	speak(f, 1);
	WAIT_FOR(f, all_seen);
	struct rtc_packet_seen *last = &f->subscriber.seen[want_seen - 1];
	CHECK_EQ((uint16_t)(last->seq + 2), last[-1].seq);
	/* As before, for whoever looks at the last one. */
	*last = last[-1];
	f->seq = (uint16_t)(hole + 3);
	f->timestamp += 2 * 960;
}

static bool reports_came(const struct fixture *f)
{
	return f->publisher.receiver_reports > 0 && f->subscriber.sender_reports > 0;
}

static void reports_go_both_ways(struct fixture *f)
{
	struct rtcp_sender sender = {.ssrc = f->ssrc, .ntp = 0x1234567890abcdef};
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof bytes);

	rtcp_write_sender(&w, &sender);
	rtc_peer_send_rtcp(&f->publisher, writer_span(&w));
	WAIT_FOR(f, reports_came);
	CHECK_EQ(f->publisher.reported_lost, 0);
}

static bool was_reported(const struct fixture *f)
{
	return f->down_stats.lost > 0;
}

/* What the listener says of what it got. */
static void a_listeners_report_is_read(struct fixture *f)
{
	const struct rtc_peer *p = &f->subscriber;
	struct rtcp_report report = {.ssrc = SINK_SSRC,
		.lost = 3,
		.highest_seq = p->seen[p->seen_count - 1].seq,
		.jitter = 480,
		.last_sr = (uint32_t)(p->last_sr_ntp >> 16)};
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof bytes);

	rtcp_write_receiver(&w, 1, &report, 1);
	rtc_peer_send_rtcp(&f->subscriber, writer_span(&w));
	WAIT_FOR(f, was_reported);
	const struct media_voice_stats *d = &f->down_stats, *u = &f->up_stats;
	CHECK(d->lost == 3 && d->expected == d->packets && d->packets == p->seen_count);
	CHECK(d->jitter_us == 10000 && d->rtt_us > 0 && d->rtt_us < DEADLINE_MS * 1000);
	CHECK(u->packets >= d->packets && u->expected == u->packets + u->lost && !u->rtt_us);
}

static bool sr_came(const struct fixture *f)
{
	return f->subscriber.sender_reports > 0;
}

/* The publisher's clocks are 200 ms ahead of what the arrival of its packets suggests. */
static void reports_follow_the_publishers_clock(struct fixture *f)
{
	enum { AHEAD = 9600, NEAR = 2400 };
	struct rtcp_sender sender = {.ssrc = f->ssrc, .ntp = 0x1234567890abcdef};
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof bytes);

	media_sink_pause(f->media, f->sink, true);
	orders_done(f);
	speak_unheard(f, 1);
	sender.rtp_timestamp = f->timestamp + AHEAD;
	rtcp_write_sender(&w, &sender);
	rtc_peer_send_rtcp(&f->publisher, writer_span(&w));
	uint64_t at = rtcp_ntp(clock_unix_ns());
	speak_unheard(f, 1);
	media_sink_pause(f->media, f->sink, false);
	orders_done(f);
	hear(f, 1);
	WAIT_FOR(f, sr_came);
	const struct rtc_peer *p = &f->subscriber;
	uint32_t shift = p->seen[p->seen_count - 1].timestamp - (f->timestamp - 960);
	int32_t passed = (int32_t)(p->last_sr_timestamp - (sender.rtp_timestamp + shift));
	int32_t expected = (int32_t)((p->last_sr_ntp - at) * 48000 >> 32);
	CHECK(passed - expected > -NEAR && passed - expected < NEAR);
}

static void nobodys_packets_change_nothing(struct fixture *f)
{
	static const uint16_t seqs[] = {1, 2};
	struct rtp_view v = {.payload_type = 96, .seq = 7, .ssrc = 4711, .payload = span_text("?")};
	struct rtcp_report report = {.ssrc = 4711, .lost = 100};
	uint8_t bytes[256];
	struct writer w = writer_of(bytes, sizeof bytes);

	rtc_peer_send_rtp(&f->publisher, &v); /* an SSRC that nobody named */
	v.ssrc = f->ssrc;
	v.seq = f->seq++; /* a hole in its numbers: not in those that go on after a pause */
	media_sink_pause(f->media, f->sink, true);
	orders_done(f);
	rtc_peer_send_rtp(&f->publisher, &v); /* a codec that nobody agreed on */
	speak_unheard(f, 1);
	media_sink_pause(f->media, f->sink, false);
	orders_done(f);
	rtcp_write_sender(&w, &(struct rtcp_sender){.ssrc = 4712});
	rtcp_write_receiver(&w, 4713, &report, 1);
	rtcp_write_nack(&w, 4714, 4715, seqs, COUNT_OF(seqs));
	rtcp_write_bye(&w, 4716);
	write_bytes(&w, "\x8f\xce\0\2four4715", 12); /* REMB or the like */
	rtc_peer_send_rtcp(&f->publisher, writer_span(&w));
	rtc_peer_send_rtcp(&f->subscriber, writer_span(&w));
	rtc_peer_send_rtcp(&f->publisher, span_of(bytes, 12)); /* cut off */
	uint64_t forged = media_drops(f->media, MEDIA_DROP_CRYPTO);
	f->publisher.twice = true;
	hear(f, 5);
	f->publisher.twice = false;
	hear(f, 1); /* behind the last replay */
	CHECK(media_drops(f->media, MEDIA_DROP_PAYLOAD) == 1);
	CHECK(media_drops(f->media, MEDIA_DROP_SOURCE) >= 2);
	CHECK(media_drops(f->media, MEDIA_DROP_RTP) >= 1);
	CHECK_EQ(media_drops(f->media, MEDIA_DROP_CRYPTO), forged + 5);
}

static bool all_were_useless(const struct fixture *f)
{
	return media_drops(f->media, MEDIA_DROP_RTP) >= f->useless;
}

/* Each is genuine, from an SSRC of its own, and nonsense inside. */
static void a_thousand_names_cost_no_more_than_a_few(struct fixture *f)
{
	enum { NAMES = 1000, A_FEW = 200 };
	uint8_t packet[12] = {0x80, 200, 0, 99}; /* longer than it is */
	size_t before = mem_live();

	f->useless = media_drops(f->media, MEDIA_DROP_RTP) + NAMES;
	for (unsigned i = 0; i < NAMES; ++i) {
		packet[6] = (uint8_t)(i >> 8);
		packet[7] = (uint8_t)i;
		rtc_peer_send_rtcp(&f->publisher, span_of(packet, sizeof packet));
		if (i % 50 == 49)
			hear(f, 1); /* no faster than they are read */
	}
	WAIT_FOR(f, all_were_useless);
	CHECK(mem_live() < before + A_FEW);
}

static void who_said_bye_may_speak_again(struct fixture *f)
{
	uint8_t bytes[32];
	struct writer w = writer_of(bytes, sizeof bytes);

	rtcp_write_bye(&w, f->ssrc);
	rtc_peer_send_rtcp(&f->publisher, writer_span(&w));
	hear(f, 5);
}

static bool sctp_came(const struct fixture *f)
{
	return f->sctp_size > 0 && f->subscriber.data_size > 0;
}

static void data_goes_both_ways(struct fixture *f)
{
	media_transport_sctp(f->media, f->down, span_text("down"));
	CHECK_EQ(dtls_send(f->subscriber.dtls, span_text("up")), 0);
	WAIT_FOR(f, sctp_came);
	CHECK(span_is(span_of(f->sctp, f->sctp_size), "up"));
	CHECK(span_is(span_of(f->subscriber.data, f->subscriber.data_size), "down"));
}

static void garbage_changes_nothing(struct fixture *f)
{
	static const uint8_t first_bytes[] = {0, 1, 3, 5, 22, 63, 64, 127, 128, 191, 200, 255};

	for (size_t i = 0; i < sizeof first_bytes; ++i) {
		uint8_t bytes[200];
		for (size_t size = 1; size < sizeof bytes; size += 13) {
			memset(bytes, (int)(size + i), size);
			bytes[0] = first_bytes[i];
			rtc_peer_send_raw(&f->publisher, bytes, size);
		}
	}
	hear(f, 5);
	CHECK(media_drops(f->media, MEDIA_DROP_STUN) > 0);
	CHECK(media_drops(f->media, MEDIA_DROP_KIND) > 0);
	CHECK(media_drops(f->media, MEDIA_DROP_CRYPTO) > 0);
	CHECK_STR(media_drop_name(MEDIA_DROP_CRYPTO), "crypto");
}

/* Media from an address that passed no check is not even looked at. */
static void a_stranger_is_not_heard(struct fixture *f)
{
	struct rtc_peer stranger = f->publisher;

	struct sockaddr_storage to;
	CHECK_EQ(address_parse(&to, stranger.ip, stranger.port), 0);
	stranger.fd = socket(to.ss_family, SOCK_DGRAM, 0);
	const struct sockaddr *a = (const struct sockaddr *)&to;
	CHECK_EQ(connect(stranger.fd, a, address_size(a)), 0);
	uint8_t packet[100] = {0x80, OPUS_PT};
	rtc_peer_send_raw(&stranger, packet, sizeof packet);
	close(stranger.fd);
	hear(f, 5);
	CHECK_EQ(media_drops(f->media, MEDIA_DROP_STRANGER), 1);
}

static bool restarted(const struct fixture *f)
{
	return f->publisher.answers > 1;
}

static void ice_restarts_while_the_voice_goes_on(struct fixture *f)
{
	struct media_remote remote = {.ufrag = "again", .dtls_client = false};

	snprintf(remote.fingerprint, sizeof remote.fingerprint, "%s",
		dtls_identity_fingerprint(f->identity));
	media_ice_make(&f->publisher.remote_ice, 0);
	media_transport_remote(f->media, f->up, &remote, &f->publisher.remote_ice);
	orders_done(f);
	hear(f, 5);
	f->publisher.ufrag = "again";
	f->publisher.answers = 1; /* a check answered with the new password passes rtc_peer */
	rtc_peer_check(&f->publisher, true);
	WAIT_FOR(f, restarted);
	hear(f, 5);
}

static bool said_bye(const struct fixture *f)
{
	return f->subscriber.byes > 0;
}

static bool publisher_gone(const struct fixture *f)
{
	return f->up_state == MEDIA_TRANSPORT_FAILED;
}

static void whole_life(unsigned workers, const char *ip, bool tcp)
{
	static struct fixture f;

	open_fixture(&f, workers, ip);
	f.tcp = tcp;
	connect_both(&f);
	reports_follow_the_publishers_clock(&f);
	a_voice_goes_through_without_a_jump(&f);
	a_muted_source_is_silent(&f);
	another_sender_goes_on_where_the_last_ended(&f);
	reports_go_both_ways(&f);
	a_listeners_report_is_read(&f);
	nobodys_packets_change_nothing(&f);
	a_thousand_names_cost_no_more_than_a_few(&f);
	who_said_bye_may_speak_again(&f);
	data_goes_both_ways(&f);
	a_lost_packet_is_sent_again(&f);
	a_hole_is_asked_for(&f);
	garbage_changes_nothing(&f);
	if (!tcp)
		a_stranger_is_not_heard(&f);
	ice_restarts_while_the_voice_goes_on(&f);

	media_source_close(f.media, f.source); /* and its sink */
	WAIT_FOR(&f, said_bye);
	rtc_peer_close(&f.publisher); /* says goodbye */
	WAIT_FOR(&f, publisher_gone);
	media_transport_close(f.media, f.up);
	media_transport_close(f.media, f.up);
	media_sink_close(f.media, f.sink);
	rtc_peer_close(&f.subscriber);
	close_fixture(&f);
}

static bool refused(const struct fixture *f)
{
	return f->up_state == MEDIA_TRANSPORT_FAILED;
}

/* The handshake is right, but the certificate is not the one that the signalling named. */
static void a_stranger_is_refused(void)
{
	static struct fixture f;
	struct dtls_identity *named;

	open_fixture(&f, 0, "127.0.0.1");
	open_peer(&f, &f.publisher, &f.up, true);
	CHECK_EQ(dtls_identity_new(&named), 0);
	struct media_remote remote = {.ufrag = "peer"};
	snprintf(remote.fingerprint, sizeof remote.fingerprint, "%s",
		dtls_identity_fingerprint(named));
	media_transport_remote(f.media, f.up, &remote, NULL);
	dtls_identity_free(named);
	WAIT_FOR(&f, refused);
	rtc_peer_close(&f.publisher);
	close_fixture(&f);
}

static bool publisher_connected(const struct fixture *f)
{
	return f->up_state == MEDIA_TRANSPORT_CONNECTED;
}

/* On all addresses at once, an answer must come from the one that was asked. */
static void every_address_answers_for_itself(void)
{
	static const struct {
		const char *bind, *ask;
	} cases[] = {
		{"0.0.0.0", "127.0.0.9"},
		{"::", "127.0.0.9"},
		{"::", "::1"},
		{"::1", "::1"},
		{"127.0.0.9", "127.0.0.9"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		static struct fixture f;
		open_fixture(&f, 0, cases[i].bind);
		open_peer_to(&f, &f.publisher, &f.up, true, cases[i].ask);
		WAIT_FOR(&f, publisher_connected);
		rtc_peer_close(&f.publisher);
		close_fixture(&f);
	}
}

/* A listener that takes RED but calls it, and the Opus inside, by other numbers. */
static void red_is_named_as_the_listener_does(void)
{
	enum { RED_PT = 63, THEIR_RED = 100, THEIR_OPUS = 109 };
	static const struct {
		uint8_t payload_type, expected, first_byte;
		const char *payload;
	} packets[] = {
		{RED_PT, THEIR_RED, 0x80 | THEIR_OPUS, "\xef\x0f\x01\x03\x6foldnew!"},
		{RED_PT, THEIR_RED, THEIR_OPUS, "onew!"},
		{OPUS_PT, THEIR_OPUS, 'p', "plain"},
	};
	static struct fixture f;
	struct media_source_config source = {.ssrc = 7,
		.payloads = {{.pt = OPUS_PT, .codec = CODEC_OPUS}, {.pt = RED_PT, .codec = CODEC_RED}},
		.payload_count = 2};
	struct media_sink_config sink = {.ssrc = SINK_SSRC,
		.pt = THEIR_RED,
		.opus_pt = THEIR_OPUS,
		.codec = CODEC_RED};

	open_fixture(&f, 0, "127.0.0.1");
	open_peer(&f, &f.publisher, &f.up, true);
	open_peer(&f, &f.subscriber, &f.down, false);
	source.transport = f.up;
	sink.transport = f.down;
	CHECK_EQ(media_source_open(&sink.source, f.media, &source), 0);
	CHECK_EQ(media_sink_open(&f.sink, f.media, &sink), 0);
	WAIT_FOR(&f, both_connected);
	for (size_t i = 0; i < COUNT_OF(packets); ++i)
		rtc_peer_send_rtp(&f.publisher,
			&(struct rtp_view){.payload_type = packets[i].payload_type,
				.seq = (uint16_t)i,
				.timestamp = (uint32_t)i * 960,
				.ssrc = 7,
				.payload = span_text(packets[i].payload)});
	want_seen = COUNT_OF(packets);
	WAIT_FOR(&f, all_seen);
	for (size_t i = 0; i < COUNT_OF(packets); ++i) {
		CHECK_EQ(f.subscriber.seen[i].payload_type, packets[i].expected);
		CHECK_EQ(f.subscriber.seen[i].first_byte, packets[i].first_byte);
	}
	rtc_peer_close(&f.publisher);
	rtc_peer_close(&f.subscriber);
	close_fixture(&f);
}

static unsigned want_levels;
static bool all_heard(const struct fixture *f)
{
	return f->levels >= want_levels;
}

/* As many tracks as one participant may have, on one connection, told apart by their mids. */
static void every_track_is_heard(void)
{
	static struct fixture f;
	struct media_source_config c = {.mid_ext = MID_EXT,
		.level_ext = LEVEL_EXT,
		.payloads = {{.pt = OPUS_PT, .codec = CODEC_OPUS}},
		.payload_count = 1};

	open_fixture(&f, 0, "127.0.0.1");
	open_peer(&f, &f.publisher, &f.up, true);
	WAIT_FOR(&f, publisher_connected);
	c.transport = f.up;
	for (unsigned i = 0; i < LIMIT_TRACKS_PER_PARTICIPANT; ++i) {
		uint8_t extension[] = {LEVEL_EXT << 4, 20, (MID_EXT << 4) + 1, (uint8_t)('0' + i / 10),
			(uint8_t)('0' + i % 10), 0, 0, 0};
		snprintf(c.mid, sizeof c.mid, "%02u", i);
		CHECK_EQ(media_source_open(&f.source, f.media, &c), 0);
		rtc_peer_send_rtp(&f.publisher,
			&(struct rtp_view){.payload_type = OPUS_PT,
				.ssrc = 1000 + i,
				.extension_profile = 0xbede,
				.extension = span_of(extension, sizeof extension),
				.payload = span_text("opus")});
	}
	want_levels = LIMIT_TRACKS_PER_PARTICIPANT;
	WAIT_FOR(&f, all_heard);
	CHECK_EQ(f.levels, want_levels);
	CHECK_EQ(media_drops(f.media, MEDIA_DROP_SOURCE), 0);
	rtc_peer_close(&f.publisher);
	close_fixture(&f);
}

static void building_may_fail_anywhere(void)
{
	struct media_config config = {.rtc_binds = {{.ss_family = AF_INET}},
		.rtc_bind_count = 1,
		.rtc_tcp = true,
		.rtp_ip = "127.0.0.1"};
	int r = -1;

	for (int allowed = 0; r < 0; ++allowed) {
		struct loop loop;
		struct media *m = NULL;
		CHECK_EQ(loop_init(&loop), 0);
		mem_fail_after(allowed);
		r = media_new(&m, &loop, &config, &events, NULL);
		mem_fail_after(-1);
		CHECK(r == 0 || !m);
		media_free(m);
		loop_fini(&loop);
		CHECK_EQ(mem_live(), 0);
		CHECK(allowed < 100);
	}
}

int main(void)
{
	building_may_fail_anywhere();
	whole_life(0, "127.0.0.1", false);
	whole_life(1, "127.0.0.1", false);
	whole_life(0, "::1", false);
	whole_life(0, "127.0.0.1", true);
	whole_life(1, "::1", true);
	a_stranger_is_refused();
	every_address_answers_for_itself();
	every_track_is_heard();
	red_is_named_as_the_listener_does();
	return 0;
}
