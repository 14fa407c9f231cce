#include "net/udp.h"

#include "base/err.h"
#include "base/mem.h"
#include "net/address.h"

#include <errno.h>

struct udp {
	uv_udp_t uv; /* first: libuv hands it back */
	const struct udp_events *events;
	void *owner;
};

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	static _Thread_local char bytes[65536]; /* consumed before the callback returns */
	*buf = uv_buf_init(bytes, sizeof bytes);
}

static void on_datagram(
	uv_udp_t *uv, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from, unsigned flags)
{
	struct udp *u = (struct udp *)uv;
	if (n <= 0 || !from || flags & UV_UDP_PARTIAL || !u->events)
		return;
	u->events->datagram(u->owner, from, span_of(buf->base, (size_t)n));
}

static void on_closed(uv_handle_t *h)
{
	mem_free(h);
}

int udp_open(struct udp **ret, struct loop *l, const struct sockaddr *bind, const struct udp_events *events,
	void *owner)
{
	struct udp *u = mem_zalloc(sizeof *u);
	if (!u)
		return err_new(-ENOMEM);
	u->events = events;
	u->owner = owner;
	uv_udp_init(&l->uv, &u->uv);
	int r = uv_udp_bind(&u->uv, bind, 0);
	if (r == 0)
		r = uv_udp_recv_start(&u->uv, on_alloc, on_datagram);
	if (r < 0) {
		udp_close(u);
		return r; /* an address in use is the operator's to hear, in the opener's words */
	}
	*ret = u;
	return 0;
}

int udp_send(struct udp *u, const struct sockaddr *to, struct span bytes)
{
	uv_buf_t buf = uv_buf_init((char *)bytes.data, (unsigned)bytes.size);
	int n = uv_udp_try_send(&u->uv, &buf, 1, to);
	if (n == UV_ECONNREFUSED && u->events->refused)
		u->events->refused(u->owner, to);
	return n < 0 ? n : 0;
}

void udp_local(const struct udp *u, struct sockaddr_storage *ret)
{
	int size = sizeof *ret;
	*ret = (struct sockaddr_storage){0};
	uv_udp_getsockname(&u->uv, (struct sockaddr *)ret, &size);
}

void udp_close(struct udp *u)
{
	if (!u)
		return;
	u->events = NULL;
	uv_close((uv_handle_t *)&u->uv, on_closed);
}
