#include "media/rtc_streams.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "wire/frame.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

enum {
	IN_BYTES = 4096, /* a frame and what came with it */
	PACKET_MAX = LIMIT_PACKET_BYTES, /* as of a datagram */
	READS_PER_TURN = 8, /* bounded: the 20 ms beat must not starve */
	QUEUE_BYTES = LIMIT_ICE_TCP_QUEUE_BYTES,
	/* What the kernel may hold unsent: beyond it sound gets old, so that it is better lost. */
	UNSENT_BYTES = 16 << 10,
	KEEPALIVE_IDLE_S = 30,
	KEEPALIVE_EVERY_S = 10,
	KEEPALIVE_TRIES = 3,
};
_Static_assert((int)IN_BYTES >= (int)LIMIT_ICE_TCP_FIRST_BYTES, "what was read must fit");
_Static_assert((int)IN_BYTES >= (int)FRAME_HEADER_BYTES + (int)PACKET_MAX, "a frame must fit");

struct rtc_stream {
	uv_poll_t poll; /* first: libuv hands it back */
	struct map_node by_id; /* rtc_streams.all */
	struct rtc_streams *streams;
	struct peer_address from;
	int fd, place;
	bool proven, closed, writing;
	struct deferred flush;
	size_t in_used, out_start, out_used;
	uint8_t in[IN_BYTES];
	uint8_t out[QUEUE_BYTES]; /* a ring of frames */
};

struct rtc_streams {
	struct loop *loop;
	struct tcp_places *places;
	const struct rtc_streams_events *events;
	void *owner;
	struct map all;
	uint32_t last_id;
};

/* ---- the end of one ---- */

static void on_poll_closed(uv_handle_t *h)
{
	mem_free(h);
}

/* The memory stays until libuv has let go of it, so a handler on the stack may look at `closed`. */
static void close_stream(struct rtc_stream *s)
{
	s->closed = true;
	map_remove(&s->streams->all, &s->by_id);
	deferred_cancel(&s->flush);
	uv_close((uv_handle_t *)&s->poll, on_poll_closed);
	close(s->fd);
	tcp_places_leave(s->streams->places, s->place);
}

static void end(struct rtc_stream *s)
{
	if (s->closed)
		return;
	close_stream(s);
	if (s->proven)
		s->streams->events->ended(s->streams->owner, &s->from);
}

/* ---- out ---- */

static void on_ready(uv_poll_t *p, int status, int events);

static void watch(struct rtc_stream *s, bool writing)
{
	if (s->writing == writing)
		return;
	s->writing = writing;
	if (uv_poll_start(&s->poll, UV_READABLE | (writing ? UV_WRITABLE : 0), on_ready) < 0)
		end(s);
}

static ssize_t send_ring(struct rtc_stream *s)
{
	size_t run = QUEUE_BYTES - s->out_start;
	if (run > s->out_used)
		run = s->out_used;
	struct iovec parts[] = {{s->out + s->out_start, run}, {s->out, s->out_used - run}};
	const struct msghdr m = {.msg_iov = parts, .msg_iovlen = s->out_used > run ? 2 : 1};
	return sendmsg(s->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void flush(struct rtc_stream *s)
{
	while (s->out_used) {
		ssize_t n = send_ring(s);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			end(s);
			return;
		}
		if (n < 0)
			break;
		s->out_start = (s->out_start + (size_t)n) % QUEUE_BYTES;
		s->out_used -= (size_t)n;
	}
	watch(s, s->out_used > 0);
}

static void on_flush(struct deferred *d)
{
	flush(container_of(d, struct rtc_stream, flush));
}

static void put(struct rtc_stream *s, const void *bytes, size_t size)
{
	size_t at = (s->out_start + s->out_used) % QUEUE_BYTES;
	size_t run = QUEUE_BYTES - at;
	if (run > size)
		run = size;
	memcpy(s->out + at, bytes, run);
	memcpy(s->out, (const uint8_t *)bytes + run, size - run);
	s->out_used += size;
}

void rtc_streams_send(struct rtc_streams *all, struct span packet, const struct peer_address *to)
{
	struct rtc_stream *s =
		map_entry(map_get_id(&all->all, to->stream), struct rtc_stream, by_id);
	uint8_t header[FRAME_HEADER_BYTES];

	if (!s || QUEUE_BYTES - s->out_used < sizeof header + packet.size) {
		all->events->dropped(all->owner, true);
		return;
	}
	frame_header(header, packet.size);
	put(s, header, sizeof header);
	put(s, packet.data, packet.size);
	if (!s->writing)
		loop_defer(all->loop, &s->flush, on_flush);
}

/* ---- in ---- */

static void handle(struct rtc_stream *s, struct span packet, uint64_t now_us)
{
	const struct rtc_streams_events *e = s->streams->events;
	uint8_t *bytes = s->in + (packet.data - s->in);

	if (s->proven) {
		e->packet(s->streams->owner, bytes, packet.size, &s->from, now_us);
		return;
	}
	if (e->first(s->streams->owner, bytes, packet.size, &s->from, now_us)) {
		s->proven = true;
		tcp_places_prove(s->streams->places, s->place);
	} else if (!s->closed) {
		flush(s); /* why not */
		end(s);
	}
}

static void take_frames(struct rtc_stream *s, uint64_t now_us)
{
	struct span in = span_of(s->in, s->in_used), packet;
	enum frame_result r;

	while (!s->closed && (r = frame_take(&packet, &in, PACKET_MAX)) != FRAME_MORE) {
		if (r == FRAME_TOO_LONG) { /* no client of ours sends that */
			s->streams->events->dropped(s->streams->owner, false);
			end(s);
			return;
		}
		handle(s, packet, now_us);
	}
	memmove(s->in, in.data, in.size);
	s->in_used = in.size;
}

static void on_ready(uv_poll_t *p, int status, int events)
{
	struct rtc_stream *s = (struct rtc_stream *)p;

	if (status == 0 && events & UV_WRITABLE)
		flush(s);
	for (int i = 0; i < READS_PER_TURN && !s->closed; ++i) {
		size_t room = sizeof s->in - s->in_used;
		ssize_t n = recv(s->fd, s->in + s->in_used, room, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			end(s);
			return;
		}
		s->in_used += (size_t)n;
		take_frames(s, clock_us());
		if ((size_t)n < room)
			return;
	}
}

/* ---- birth ---- */

/* Wishes, not needs. */
static void tune(int fd)
{
	const int on = 1, unsent = UNSENT_BYTES, idle = KEEPALIVE_IDLE_S,
		  every = KEEPALIVE_EVERY_S, tries = KEEPALIVE_TRIES;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof tries);
}

static uint32_t next_id(struct rtc_streams *all)
{
	do
		++all->last_id;
	while (!all->last_id || map_get_id(&all->all, all->last_id));
	return all->last_id;
}

/* False: `s` is gone; its socket and its place are not. */
static bool open_stream(struct rtc_stream *s)
{
	socklen_t size = sizeof(struct sockaddr_in6);

	if (getpeername(s->fd, &s->from.any, &size) < 0 /* it went away meanwhile */ ||
		uv_poll_init_socket(&s->streams->loop->uv, &s->poll, s->fd) < 0) {
		mem_free(s);
		return false;
	}
	tune(s->fd);
	s->from.stream = next_id(s->streams);
	if (map_put_id(&s->streams->all, &s->by_id, s->from.stream) == 0) {
		if (uv_poll_start(&s->poll, UV_READABLE, on_ready) == 0)
			return true;
		map_remove(&s->streams->all, &s->by_id);
	}
	uv_close((uv_handle_t *)&s->poll, on_poll_closed);
	return false;
}

void rtc_streams_adopt(struct rtc_streams *all, int fd, int place, struct span read)
{
	struct rtc_stream *s = read.size <= IN_BYTES ? mem_zalloc(sizeof *s) : NULL;

	if (s) {
		s->streams = all;
		s->fd = fd;
		s->place = place;
		list_init(&s->flush.link);
	}
	if (!s || !open_stream(s)) {
		close(fd);
		tcp_places_leave(all->places, place);
		return;
	}
	memcpy(s->in, read.data, read.size);
	s->in_used = read.size;
	take_frames(s, clock_us());
}

void rtc_streams_close(struct rtc_streams *all, uint32_t stream)
{
	struct rtc_stream *s = map_entry(map_get_id(&all->all, stream), struct rtc_stream, by_id);
	if (!s)
		return;
	s->proven = false; /* whoever closes it knows */
	flush(s); /* goodbyes */
	if (!s->closed)
		close_stream(s);
}

int rtc_streams_new(struct rtc_streams **ret, struct loop *l, struct tcp_places *places,
	const struct rtc_streams_events *events, void *owner)
{
	struct rtc_streams *all = mem_zalloc(sizeof *all);
	if (!all)
		return err_new(-ENOMEM);
	*all = (struct rtc_streams){
		.loop = l, .places = places, .events = events, .owner = owner};
	*ret = all;
	return 0;
}

struct rtc_streams *rtc_streams_free(struct rtc_streams *all)
{
	if (!all)
		return NULL;
	while (all->all.count)
		rtc_streams_close(all, (uint32_t)map_next(&all->all, NULL)->hash);
	map_fini(&all->all);
	mem_free(all);
	return NULL;
}
