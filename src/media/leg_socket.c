#include "media/leg_socket.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "net/address.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <unistd.h>

enum {
	BATCH = 8,
	BATCHES_MAX = 4, /* for one turn of the loop, so that one leg cannot keep the beat waiting */
	TOS_EXPEDITED = 46 << 2, /* DSCP EF (RFC 4594): voice */
};

struct leg_socket {
	uv_poll_t poll;
	int fd;
	leg_datagram_fn *datagram; /* NULL = closing */
	void *owner;
};

struct batch {
	struct mmsghdr headers[BATCH];
	struct iovec vectors[BATCH];
	struct sockaddr_storage from[BATCH];
	uint8_t bytes[BATCH][LIMIT_PACKET_BYTES];
};

static void batch_prepare(struct batch *b)
{
	for (int i = 0; i < BATCH; ++i) {
		b->vectors[i] = (struct iovec){.iov_base = b->bytes[i], .iov_len = LIMIT_PACKET_BYTES};
		b->headers[i] = (struct mmsghdr){.msg_hdr = {
			.msg_name = &b->from[i],
			.msg_namelen = sizeof b->from[i],
			.msg_iov = &b->vectors[i],
			.msg_iovlen = 1,
		}};
	}
}

/* False when there was less than a batch, or the socket closed under way. */
static bool read_batch(struct leg_socket *s)
{
	struct batch b;
	batch_prepare(&b);
	int got = recvmmsg(s->fd, b.headers, BATCH, MSG_DONTWAIT, NULL);
	uint64_t now_us = clock_us();

	for (int i = 0; i < got && s->datagram; ++i) {
		if (b.headers[i].msg_hdr.msg_flags & MSG_TRUNC)
			continue; /* longer than anything we speak */
		s->datagram(s->owner, (const struct sockaddr *)&b.from[i],
			b.bytes[i], b.headers[i].msg_len, now_us);
	}
	return got == BATCH && s->datagram;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct leg_socket *s = container_of(poll, struct leg_socket, poll);
	if (status < 0 || !(events & UV_READABLE))
		return;
	for (int i = 0; i < BATCHES_MAX && read_batch(s); ++i)
		;
}

int leg_socket_open(struct leg_socket **ret, struct loop *l, int fd, leg_datagram_fn *datagram,
	void *owner)
{
	struct leg_socket *s = mem_zalloc(sizeof *s);
	if (!s) {
		close(fd);
		return err_new(-ENOMEM);
	}
	int r = uv_poll_init_socket(&l->uv, &s->poll, fd);
	if (r < 0) {
		close(fd);
		mem_free(s);
		return err_new(r);
	}
	s->fd = fd;
	s->datagram = datagram;
	s->owner = owner;
	/* Only a wish: a network without it carries the call all the same. */
	(void)setsockopt(fd, IPPROTO_IP, IP_TOS, &(int){TOS_EXPEDITED}, sizeof(int));

	r = uv_poll_start(&s->poll, UV_READABLE, on_readable);
	if (r < 0) {
		leg_socket_close(s);
		return err_new(r);
	}
	*ret = s;
	return 0;
}

bool leg_socket_send(struct leg_socket *s, const struct sockaddr_storage *to, struct span bytes)
{
	const struct sockaddr *a = (const struct sockaddr *)to;
	return sendto(s->fd, bytes.data, bytes.size, MSG_DONTWAIT, a, address_size(a)) >= 0;
}

static void on_closed(uv_handle_t *h)
{
	mem_free(container_of((uv_poll_t *)h, struct leg_socket, poll));
}

struct leg_socket *leg_socket_close(struct leg_socket *s)
{
	if (s) {
		s->datagram = NULL;
		uv_poll_stop(&s->poll);
		close(s->fd);
		uv_close((uv_handle_t *)&s->poll, on_closed);
	}
	return NULL;
}
