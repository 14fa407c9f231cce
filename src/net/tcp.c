#include "net/tcp.h"

#include "base/err.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>

enum { BACKLOG = 512 };

struct tcp {
	uv_tcp_t uv; /* first: libuv hands it back */
	uv_connect_t connect;
	uv_shutdown_t shutdown;
	const struct tcp_events *events; /* NULL: nobody listens (any more) */
	void *owner;
	size_t queued, queue_max; /* bytes given to libuv and not yet sent */
	int error;
	bool ending;
};

struct tcp_listener {
	uv_tcp_t uv;
	void (*accepted)(void *owner, struct tcp *t);
	void *owner;
};

struct write {
	uv_write_t uv;
	struct tcp *tcp;
	size_t size;
	char bytes[];
};

static void on_closed(uv_handle_t *h)
{
	struct tcp *t = (struct tcp *)h;
	const struct tcp_events *events = t->events;
	void *owner = t->owner;
	int error = t->error;
	mem_free(t);
	if (events)
		events->closed(owner, error);
}

static void close_with(struct tcp *t, int error)
{
	if (uv_is_closing((uv_handle_t *)&t->uv))
		return;
	t->error = error;
	t->ending = true;
	uv_close((uv_handle_t *)&t->uv, on_closed);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	static _Thread_local char bytes[65536]; /* consumed before the callback returns */
	*buf = uv_buf_init(bytes, sizeof bytes);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct tcp *t = (struct tcp *)s;
	if (n < 0)
		close_with(t, n == UV_EOF ? 0 : (int)n);
	else if (n > 0 && !t->ending && t->events)
		t->events->data(t->owner, span_of(buf->base, (size_t)n));
}

static void on_connection(uv_stream_t *s, int status)
{
	struct tcp_listener *l = (struct tcp_listener *)s;
	struct tcp *t = status < 0 ? NULL : mem_zalloc(sizeof *t);
	if (!t)
		return;
	uv_tcp_init(s->loop, &t->uv);
	if (uv_accept(s, (uv_stream_t *)&t->uv) == 0)
		l->accepted(l->owner, t);
	if (!t->events)
		close_with(t, 0);
}

int tcp_listen(struct tcp_listener **ret, struct loop *loop, const struct sockaddr *bind,
	void (*accepted)(void *owner, struct tcp *t), void *owner)
{
	struct tcp_listener *l = mem_zalloc(sizeof *l);
	if (!l)
		return err_new(-ENOMEM);
	l->accepted = accepted;
	l->owner = owner;
	uv_tcp_init(&loop->uv, &l->uv);
	int r = uv_tcp_bind(&l->uv, bind, 0);
	if (r == 0)
		r = uv_listen((uv_stream_t *)&l->uv, BACKLOG, on_connection);
	if (r < 0) {
		tcp_listener_close(l);
		return r; /* an address in use is the operator's to hear, in the opener's words */
	}
	*ret = l;
	return 0;
}

void tcp_listener_local(const struct tcp_listener *l, struct sockaddr_storage *ret)
{
	int size = sizeof *ret;
	*ret = (struct sockaddr_storage){0};
	uv_tcp_getsockname(&l->uv, (struct sockaddr *)ret, &size);
}

static void on_listener_closed(uv_handle_t *h)
{
	mem_free(h);
}

void tcp_listener_close(struct tcp_listener *l)
{
	if (l)
		uv_close((uv_handle_t *)&l->uv, on_listener_closed);
}

void tcp_adopt(struct tcp *t, const struct tcp_events *events, void *owner, size_t queue_bytes_max)
{
	t->events = events;
	t->owner = owner;
	t->queue_max = queue_bytes_max;
	uv_tcp_nodelay(&t->uv, 1);
	int r = uv_read_start((uv_stream_t *)&t->uv, on_alloc, on_read);
	if (r < 0)
		close_with(t, r);
}

static void on_connect(uv_connect_t *c, int status)
{
	struct tcp *t = container_of(c, struct tcp, connect);
	if (status == UV_ECANCELED)
		return;
	if (status == 0) {
		uv_tcp_nodelay(&t->uv, 1);
		status = uv_read_start((uv_stream_t *)&t->uv, on_alloc, on_read);
	}
	if (status < 0)
		close_with(t, status);
	else
		t->events->ready(t->owner);
}

int tcp_connect(struct tcp **ret, struct loop *l, const struct sockaddr *to, const struct tcp_events *events,
	void *owner, size_t queue_bytes_max)
{
	struct tcp *t = mem_zalloc(sizeof *t);
	if (!t)
		return err_new(-ENOMEM);
	t->events = events;
	t->owner = owner;
	t->queue_max = queue_bytes_max;
	uv_tcp_init(&l->uv, &t->uv);
	*ret = t;
	int r = uv_tcp_connect(&t->connect, &t->uv, to, on_connect);
	if (r < 0)
		close_with(t, r); /* `closed` will tell, like any other failure to connect */
	return 0;
}

static void on_written(uv_write_t *uv, int status)
{
	struct write *w = (struct write *)uv;
	struct tcp *t = w->tcp;
	t->queued -= w->size;
	mem_free(w);
	if (status < 0 && status != UV_ECANCELED)
		close_with(t, status);
}

static int queue(struct tcp *t, struct span rest)
{
	if (t->queued + rest.size > t->queue_max)
		return -ENOBUFS;
	struct write *w = mem_zalloc(sizeof *w + rest.size);
	if (!w)
		return err_new(-ENOMEM);
	w->tcp = t;
	w->size = rest.size;
	memcpy(w->bytes, rest.data, rest.size);
	t->queued += rest.size;
	uv_buf_t buf = uv_buf_init(w->bytes, (unsigned)rest.size);
	return uv_write(&w->uv, (uv_stream_t *)&t->uv, &buf, 1, on_written);
}

int tcp_write(struct tcp *t, struct span bytes)
{
	if (t->ending)
		return -EPIPE;
	if (t->queued == 0 && bytes.size) {
		uv_buf_t buf = uv_buf_init((char *)bytes.data, (unsigned)bytes.size);
		int n = uv_try_write((uv_stream_t *)&t->uv, &buf, 1);
		if (n < 0 && n != UV_EAGAIN)
			return n;
		if (n > 0)
			bytes = span_of(bytes.data + n, bytes.size - (size_t)n);
	}
	return bytes.size ? queue(t, bytes) : 0;
}

void tcp_peer(const struct tcp *t, struct sockaddr_storage *ret)
{
	int size = sizeof *ret;
	*ret = (struct sockaddr_storage){0};
	uv_tcp_getpeername(&t->uv, (struct sockaddr *)ret, &size);
}

void tcp_local(const struct tcp *t, struct sockaddr_storage *ret)
{
	int size = sizeof *ret;
	*ret = (struct sockaddr_storage){0};
	uv_tcp_getsockname(&t->uv, (struct sockaddr *)ret, &size);
}

static void on_shutdown(uv_shutdown_t *s, int status)
{
	if (status != UV_ECANCELED)
		close_with(container_of(s, struct tcp, shutdown), 0);
}

void tcp_end(struct tcp *t)
{
	if (t->ending)
		return;
	t->ending = true;
	if (uv_shutdown(&t->shutdown, (uv_stream_t *)&t->uv, on_shutdown) < 0)
		close_with(t, 0);
}

void tcp_abort(struct tcp *t)
{
	close_with(t, 0);
}
