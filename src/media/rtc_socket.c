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

/* Room for one IP_PKTINFO or IPV6_PKTINFO: which of our addresses a datagram is for or from. */
union control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct batch {
	struct mmsghdr headers[BATCH];
	struct iovec vectors[BATCH];
	union control controls[BATCH];
	struct peer_address addresses[BATCH];
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
	bool any_address; /* bound to all of ours: we must say which one an answer is from */
	bool reading; /* then the flush comes at the end of it */
	struct deferred flush;
};

static void batch_init(struct batch *b, size_t size)
{
	for (int i = 0; i < BATCH; ++i) {
		b->vectors[i] = (struct iovec){.iov_base = b->bytes[i], .iov_len = size};
		b->headers[i].msg_hdr = (struct msghdr){.msg_name = &b->addresses[i],
			.msg_namelen = sizeof(struct sockaddr_in6),
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

static void read_local(struct peer_address *a, struct msghdr *h)
{
	memset(&a->local6, 0, sizeof a->local6);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
			memcpy(&a->local4, CMSG_DATA(c) + offsetof(struct in_pktinfo, ipi_addr),
				sizeof a->local4);
		else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
			memcpy(&a->local6, CMSG_DATA(c) + offsetof(struct in6_pktinfo, ipi6_addr),
				sizeof a->local6);
	}
}

static void set_control(struct msghdr *h, union control *control, int level, int type,
	const void *info, size_t size)
{
	h->msg_control = control;
	h->msg_controllen = CMSG_SPACE(size);
	struct cmsghdr *c = CMSG_FIRSTHDR(h);
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), info, size);
}

static void write_local(struct msghdr *h, union control *control, const struct peer_address *to)
{
	if (to->any.sa_family == AF_INET6) {
		struct in6_pktinfo info = {.ipi6_addr = to->local6};
		set_control(h, control, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
	} else {
		struct in_pktinfo info = {.ipi_spec_dst = to->local4};
		set_control(h, control, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
	}
}

static int read_batch(struct rtc_socket *s)
{
	for (int i = 0; i < BATCH; ++i) {
		struct msghdr *h = &s->in.headers[i].msg_hdr;
		h->msg_namelen = sizeof(struct sockaddr_in6);
		h->msg_control = &s->in.controls[i];
		h->msg_controllen = s->any_address ? sizeof s->in.controls[i] : 0;
	}
	int n = recvmmsg(s->fd, s->in.headers, BATCH, MSG_DONTWAIT, NULL);
	uint64_t now_us = clock_us();

	for (int i = 0; i < n; ++i) {
		size_t size = s->in.headers[i].msg_len;
		read_local(&s->in.addresses[i], &s->in.headers[i].msg_hdr);
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

static int open_socket(const struct sockaddr_storage *at, bool v6_only)
{
	int only = v6_only, on = 1, size = KERNEL_BUFFER_BYTES, tos = TOS_EXPEDITED;

	int fd = socket(at->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_new(-errno);
	/* Wishes, not needs. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	(void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
	if (at->ss_family == AF_INET) {
		(void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
	} else {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
	}
	socklen_t length = at->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						     : sizeof(struct sockaddr_in);
	if (bind(fd, (const struct sockaddr *)at, length) < 0) {
		int r = -errno; /* an address in use is the operator's to hear, in the opener's words */
		close(fd);
		return r;
	}
	return fd;
}

static bool is_any(const struct sockaddr_storage *at)
{
	if (at->ss_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)at)->sin6_addr);
	return ((const struct sockaddr_in *)at)->sin_addr.s_addr == htonl(INADDR_ANY);
}

int rtc_socket_new(struct rtc_socket **ret, struct loop *l, const struct sockaddr_storage *bind,
	bool v6_only, const struct rtc_socket_events *events, void *owner)
{
	struct rtc_socket *s = mem_zalloc(sizeof *s);
	if (!s)
		return err_new(-ENOMEM);
	s->loop = l;
	s->events = events;
	s->owner = owner;
	s->any_address = is_any(bind);
	list_init(&s->flush.link);
	batch_init(&s->in, LIMIT_PACKET_BYTES);
	batch_init(&s->out, 0);

	s->fd = open_socket(bind, v6_only);
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
	struct peer_address a = {0};
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

void rtc_socket_send(struct rtc_socket *s, size_t size, const struct peer_address *to)
{
	unsigned n = s->out_count++;

	s->out.vectors[n].iov_len = size;
	s->out.addresses[n] = *to;
	s->out.headers[n].msg_hdr.msg_namelen = peer_address_size(to);
	if (s->any_address)
		write_local(&s->out.headers[n].msg_hdr, &s->out.controls[n], to);
	if (!s->reading)
		loop_defer(s->loop, &s->flush, on_flush);
}
