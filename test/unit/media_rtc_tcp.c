/* The TCP port of WebRTC as strangers and slow readers meet it, with a worker in a thread. */
#include "base/limits.h"
#include "base/mem.h"
#include "media/media.h"
#include "media/rtc_door.h"
#include "net/address.h"
#include "test/check.h"
#include "test/unit/loop_wait.h"
#include "test/unit/rtc_peer.h"
#include "wire/frame.h"
#include "wire/stun.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

struct fixture {
	struct loop loop;
	struct media *media;
	struct dtls_identity *identity;
	media_id transport;
	struct media_ice ice;
	enum media_transport_state state;
};

static void on_state(void *owner, media_id id, enum media_transport_state state)
{
	struct fixture *f = owner;
	f->state = state;
}

static void on_sctp(void *owner, media_id id, struct span packet)
{
}

static void on_levels(void *owner, const struct media_level *levels, size_t count)
{
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
	.levels = on_levels,
	.leg_event = on_leg_event,
	.leg_digit = on_leg_digit,
	.leg_digits_done = on_leg_done,
};

static void open_fixture(struct fixture *f)
{
	struct media_config config = {
		.workers = 2, .rtc_bind_count = 2, .rtc_tcp = true, .rtp_ip = "127.0.0.1"};
	struct media_remote remote = {.ufrag = "peer"};

	*f = (struct fixture){0};
	CHECK_EQ(address_parse(&config.rtc_binds[0], "127.0.0.1", 0), 0);
	CHECK_EQ(address_parse(&config.rtc_binds[1], "::1", 0), 0);
	CHECK_EQ(loop_init(&f->loop), 0);
	CHECK_EQ(media_new(&f->media, &f->loop, &config, &events, f), 0);
	CHECK_EQ(dtls_identity_new(&f->identity), 0);
	media_ice_make(&f->ice, 1);
	CHECK_EQ(media_transport_open(&f->transport, f->media, 1, &f->ice), 0);
	snprintf(remote.fingerprint, sizeof remote.fingerprint, "%s",
		dtls_identity_fingerprint(f->identity));
	media_transport_remote(f->media, f->transport, &remote, NULL);
}

static void close_fixture(struct fixture *f)
{
	media_free(f->media);
	loop_fini(&f->loop);
	dtls_identity_free(f->identity);
	CHECK_EQ(mem_live(), 0);
}

/* ---- strangers ---- */

static int visit(const struct fixture *f, const char *ip)
{
	struct sockaddr_storage to;
	CHECK_EQ(address_parse(&to, ip, media_rtc_tcp_port(f->media)), 0);
	int fd = socket(to.ss_family, SOCK_STREAM, 0);
	CHECK(fd >= 0);
	CHECK_EQ(connect(fd, (struct sockaddr *)&to, address_size((struct sockaddr *)&to)), 0);
	return fd;
}

static bool was_closed(int fd)
{
	uint8_t bytes[2048];
	ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
	return n == 0 || (n < 0 && errno == ECONNRESET);
}

static size_t make_check(uint8_t *out, size_t size, const char *ufrag, const char *pwd)
{
	uint8_t transaction[STUN_TRANSACTION_BYTES] = "transaction";
	char username[64];
	struct writer w = writer_of(out + FRAME_HEADER_BYTES, size - FRAME_HEADER_BYTES);

	snprintf(username, sizeof username, "%s:peer", ufrag);
	stun_write_header(&w, STUN_BINDING_REQUEST, transaction);
	stun_write_attribute(&w, STUN_USERNAME, span_text(username));
	stun_write_attribute(&w, STUN_ICE_CONTROLLING, span_text("tiebreak"));
	stun_write_integrity(&w, span_text(pwd));
	stun_write_fingerprint(&w);
	CHECK(!w.bad);
	frame_header(out, w.used);
	return w.used + FRAME_HEADER_BYTES;
}

static void send_closed(struct fixture *f, const void *bytes, size_t size)
{
	int fd = visit(f, "127.0.0.1");
	CHECK_EQ(send(fd, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
	LOOP_WAIT(&f->loop, was_closed(fd));
	close(fd);
}

static void strangers_are_sent_away(struct fixture *f)
{
	static const char http[] = "GET / HTTP/1.1\r\n\r\n", media[] = "\0\4\x80\0\0\0";
	static uint8_t much[LIMIT_ICE_TCP_FIRST_BYTES + 1];
	uint8_t check[512];

	send_closed(f, http, strlen(http));
	send_closed(f, media, sizeof media - 1);
	send_closed(f, much, sizeof much);
	send_closed(f, check, make_check(check, sizeof check, "unknown", f->ice.pwd));
	send_closed(f, check, make_check(check, sizeof check, "\xff\xfe", f->ice.pwd));
	send_closed(f, check, make_check(check, sizeof check, "", f->ice.pwd));
	char other[MEDIA_UFRAG_SIZE]; /* a worker that there is, and one that there is not */
	for (const char *letter = "AB/"; *letter; ++letter) {
		memcpy(other, f->ice.ufrag, sizeof other);
		other[0] = *letter;
		other[7] = other[7] == 'x' ? 'y' : 'x';
		send_closed(f, check, make_check(check, sizeof check, other, f->ice.pwd));
	}
	uint64_t before = media_drops(f->media, MEDIA_DROP_CHECK);
	send_closed(f, check, make_check(check, sizeof check, f->ice.ufrag, "wrong"));
	CHECK_EQ(media_drops(f->media, MEDIA_DROP_CHECK), before + 1);
}

static void one_source_cannot_have_all_places(struct fixture *f)
{
	int fds[LIMIT_ICE_TCP_UNPROVEN], more = -1;

	for (size_t i = 0; i < COUNT_OF(fds); ++i)
		fds[i] = visit(f, "127.0.0.1");
	more = visit(f, "127.0.0.1");
	LOOP_WAIT(&f->loop, was_closed(more));
	close(more);
	for (size_t i = 0; i < COUNT_OF(fds); ++i) {
		CHECK(!was_closed(fds[i]));
		close(fds[i]);
	}
	/* Their places are free again: a check gets its answer. */
	uint8_t bytes[512];
	size_t size = make_check(bytes, sizeof bytes, f->ice.ufrag, f->ice.pwd);
	ssize_t n = -1;
	uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	int fd = visit(f, "127.0.0.1");
	CHECK_EQ(send(fd, bytes, 1, 0), 1); /* in pieces */
	LOOP_WAIT(&f->loop, true);
	CHECK_EQ(send(fd, bytes + 1, size - 1, 0), (ssize_t)size - 1);
	LOOP_WAIT(&f->loop, (n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0);
	struct stun_view v;
	CHECK_EQ(stun_parse(&v, span_of(bytes + 2, (size_t)n - 2)), STUN_OK);
	CHECK_EQ(v.type, STUN_BINDING_SUCCESS);
	close(fd);
}

/* ---- the one it is for ---- */

static void open_peer(struct fixture *f, struct rtc_peer *p, const char *ip)
{
	*p = (struct rtc_peer){.loop = &f->loop,
		.identity = f->identity,
		.ip = ip,
		.port = media_rtc_tcp_port(f->media),
		.remote_ice = f->ice,
		.ufrag = "peer",
		.dtls_client = true,
		.tcp = true};
	rtc_peer_open(p);
}

/* What it does not read is lost, and the worker goes on. */
static void a_slow_reader_loses_packets(struct fixture *f, struct rtc_peer *p)
{
	uint8_t packet[1000] = {0};

	uv_poll_stop(&p->poll);
	uint64_t before = media_drops(f->media, MEDIA_DROP_SEND);
	size_t sent = 0;
	while (media_drops(f->media, MEDIA_DROP_SEND) == before && sent < 64u << 20) {
		media_transport_sctp(f->media, f->transport, span_of(packet, sizeof packet));
		sent += sizeof packet;
		uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	}
	CHECK(media_drops(f->media, MEDIA_DROP_SEND) > before);
}

static void a_late_visitor_is_sent_away(struct fixture *f)
{
	struct sockaddr_storage at;
	struct tcp_places *places;
	struct rtc_door *door;

	CHECK_EQ(address_parse(&at, "127.0.0.1", 0), 0);
	CHECK_EQ(tcp_places_new(&places), 0);
	CHECK_EQ(rtc_door_new(&door, &(struct rtc_door_config){.loop = &f->loop,
					     .binds = &at,
					     .bind_count = 1,
					     .places = places,
					     .patience_ms = 20}), 0);
	address_set_port(&at, rtc_door_port(door));
	int fd[2];
	for (int i = 0; i < 2; ++i) {
		fd[i] = socket(AF_INET, SOCK_STREAM, 0);
		CHECK_EQ(connect(fd[i], (struct sockaddr *)&at, sizeof(struct sockaddr_in)), 0);
		CHECK_EQ(send(fd[i], "\0", 1, 0), 1);
	}
	LOOP_WAIT(&f->loop, was_closed(fd[0]));
	LOOP_WAIT(&f->loop, was_closed(fd[1]));
	close(fd[0]);
	close(fd[1]);
	rtc_door_free(door);
	uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	tcp_places_free(places);
}

int main(void)
{
	static struct fixture f;
	static struct rtc_peer p;

	open_fixture(&f);
	strangers_are_sent_away(&f);
	one_source_cannot_have_all_places(&f);
	a_late_visitor_is_sent_away(&f);
	open_peer(&f, &p, "::1");
	LOOP_WAIT(&f.loop, f.state == MEDIA_TRANSPORT_CONNECTED && p.srtp);
	a_slow_reader_loses_packets(&f, &p);
	/* It says goodbye, behind what it did not read; the connection stays, or the reset that a close with
	 * unread bytes is could reach the worker in the middle of a write, before the goodbye is read. */
	uv_timer_stop(&p.retry);
	p.dtls = dtls_free(p.dtls);
	LOOP_WAIT(&f.loop, f.state == MEDIA_TRANSPORT_FAILED);
	rtc_peer_close(&p);
	media_transport_close(f.media, f.transport);
	close_fixture(&f);
	return 0;
}
