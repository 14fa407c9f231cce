#include "media/rtc_socket.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <unistd.h>

enum {
	BATCH = 32,
	READS_PER_TURN = 4, /* bounded: the 20 ms beat must not starve */
	KERNEL_BUFFER_BYTES = 4 << 20,
	TOS_EXPEDITED = 0xb8, /* DSCP EF: voice */
};

struct batch {
	struct mmsghdr headers[BATCH];
	struct iovec vectors[BATCH];
	union peer_address addresses[BATCH];
	uint8_t bytes[BATCH][RTC_SOCKET_OUT_BYTES];
};

struct rtc_socket {
	struct loop *loop;
	const struct rtc_socket_events *events;
	void *owner;
	int fd;
	uv_poll_t *poll; /* its own block: libuv lets go of it later */
	struct batch in, out;
	unsigned out_count;
	bool reading; /* then the flush comes at the end of it */
	struct deferred flush;
};

static void batch_init(struct batch *b, size_t size)
{
	for (int i = 0; i < BATCH; ++i) {
		b->vectors[i] = (struct iovec){.iov_base = b->bytes[i], .iov_len = size};
		b->headers[i].msg_hdr = (struct msghdr){.msg_name = &b->addresses[i],
			.msg_namelen = sizeof b->addresses[i],
			.msg_iov = &b->vectors[i],
			.msg_iovlen = 1};
	}
}

static void flush(struct rtc_socket *s)
{
	unsigned done = 0;

	while (done < s->out_count) {
		int n = sendmmsg(s->fd, s->out.headers + done, s->out_count - done, MSG_DONTWAIT);
		if (n > 0) {
			done += (unsigned)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		s->events->dropped(s->owner, true); /* this one cannot go; the next may */
		++done;
	}
	s->out_count = 0;
}

static void on_flush(struct deferred *d)
{
	flush(container_of(d, struct rtc_socket, flush));
}

static int read_batch(struct rtc_socket *s)
{
	for (int i = 0; i < BATCH; ++i)
		s->in.headers[i].msg_hdr.msg_namelen = sizeof s->in.addresses[i];
	int n = recvmmsg(s->fd, s->in.headers, BATCH, MSG_DONTWAIT, NULL);
	uint64_t now_us = clock_us();

	for (int i = 0; i < n; ++i) {
		size_t size = s->in.headers[i].msg_len;
		if (size == 0 || s->in.headers[i].msg_hdr.msg_flags & MSG_TRUNC)
			s->events->dropped(s->owner, false);
		else
			s->events->datagram(
				s->owner, s->in.bytes[i], size, &s->in.addresses[i], now_us);
	}
	return n;
}

static void on_readable(uv_poll_t *p, int status, int events)
{
	struct rtc_socket *s = p->data;

	s->reading = true;
	for (int i = 0; i < READS_PER_TURN; ++i)
		if (read_batch(s) < BATCH)
			break;
	s->reading = false;
	flush(s);
}

static void on_poll_closed(uv_handle_t *h)
{
	mem_free(h);
}

static int start_poll(struct rtc_socket *s)
{
	s->poll = mem_zalloc(sizeof *s->poll);
	if (!s->poll)
		return err_new(-ENOMEM);
	int r = uv_poll_init_socket(&s->loop->uv, s->poll, s->fd);
	if (r < 0) {
		mem_free(s->poll);
		s->poll = NULL;
		return err_new(r);
	}
	s->poll->data = s;
	r = uv_poll_start(s->poll, UV_READABLE, on_readable);
	return r < 0 ? err_new(r) : 0;
}

static int open_socket(const struct sockaddr_storage *at)
{
	int off = 0, size = KERNEL_BUFFER_BYTES, tos = TOS_EXPEDITED;

	int fd = socket(at->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_new(-errno);
	/* Wishes, not needs. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	(void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
	if (at->ss_family == AF_INET6) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
	}
	socklen_t length = at->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						     : sizeof(struct sockaddr_in);
	if (bind(fd, (const struct sockaddr *)at, length) < 0) {
		int r = err_new(-errno);
		close(fd);
		return r;
	}
	return fd;
}

int rtc_socket_new(struct rtc_socket **ret, struct loop *l, const struct sockaddr_storage *bind,
	const struct rtc_socket_events *events, void *owner)
{
	struct rtc_socket *s = mem_zalloc(sizeof *s);
	if (!s)
		return err_new(-ENOMEM);
	s->loop = l;
	s->events = events;
	s->owner = owner;
	list_init(&s->flush.link);
	batch_init(&s->in, LIMIT_PACKET_BYTES);
	batch_init(&s->out, 0);

	s->fd = open_socket(bind);
	int r = s->fd < 0 ? s->fd : start_poll(s);
	if (r < 0) {
		rtc_socket_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

struct rtc_socket *rtc_socket_free(struct rtc_socket *s)
{
	if (!s)
		return NULL;
	if (s->poll) {
		flush(s); /* goodbyes */
		uv_close((uv_handle_t *)s->poll, on_poll_closed);
	}
	list_remove(&s->flush.link);
	if (s->fd >= 0)
		close(s->fd);
	mem_free(s);
	return NULL;
}

uint16_t rtc_socket_port(const struct rtc_socket *s)
{
	union peer_address a = {0};
	socklen_t size = sizeof a;

	if (getsockname(s->fd, &a.any, &size) < 0)
		return 0;
	return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

uint8_t *rtc_socket_out(struct rtc_socket *s)
{
	if (s->out_count == BATCH)
		flush(s);
	return s->out.bytes[s->out_count];
}

void rtc_socket_send(struct rtc_socket *s, size_t size, const union peer_address *to)
{
	unsigned n = s->out_count++;

	s->out.vectors[n].iov_len = size;
	s->out.addresses[n] = *to;
	s->out.headers[n].msg_hdr.msg_namelen = peer_address_size(to);
	if (!s->reading)
		loop_defer(s->loop, &s->flush, on_flush);
}
