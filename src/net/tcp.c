#include "net/tcp.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "net/tls.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>

enum {
	BACKLOG = 512,
	READ_BYTES = 64 << 10,
	KEEPALIVE_S = 60,
	FLUSH_MS = 10000, /* for a peer to take what is queued when we end */
	LINGER_MS = 2000, /* for a peer to end after us */
};

/*
 *   CONNECTING -> OPEN -> ENDING (flushing) -> LINGERING (waiting for the peer's end)
 *        \__________\_______\____________________\--> CLOSING (libuv tells when it is done)
 */
enum tcp_state {
	STREAM_CONNECTING,
	STREAM_OPEN,
	STREAM_ENDING,
	STREAM_LINGERING,
	STREAM_CLOSING,
};

struct tcp {
	uv_tcp_t uv; /* first: libuv hands it back */
	struct loop *loop;
	const struct tcp_events *events; /* NULL: nobody adopted it */
	void *owner;
	size_t queued, queue_max; /* bytes given to libuv and not yet sent */
	int error;
	enum tcp_state state;
	bool held, peer_ended;
	bool connects; /* ours: TLS's client */
	uv_shutdown_t shutdown;
	struct timer patience; /* only while shaking hands, and while ending */
	struct tls_context *tls_context; /* NULL: a plain stream */
	struct tls *tls;
	struct list handshake; /* in the context's list while hands are being shaken */
};

struct tcp_listener {
	uv_tcp_t uv; /* first: libuv hands it back */
	struct loop *loop;
	struct tls_context *tls; /* or NULL */
	void (*accepted)(void *owner, struct tcp *t);
	void *owner;
};

struct write {
	uv_write_t uv; /* first: libuv hands it back */
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
	tls_free(t->tls);
	mem_free(t);
	if (events)
		events->closed(owner, error);
}

static void close_with(struct tcp *t, int error)
{
	if (t->state == STREAM_CLOSING)
		return;
	t->state = STREAM_CLOSING;
	t->error = error;
	timer_fini(&t->patience);
	if (t->tls)
		tls_handshake_left(t->tls_context, &t->handshake);
	uv_close((uv_handle_t *)&t->uv, on_closed);
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	static _Thread_local char bytes[READ_BYTES]; /* consumed before the callback returns */
	const struct tcp *t = (const struct tcp *)h;
	*buf = uv_buf_init(bytes, t->tls ? TLS_INPUT_BYTES_MAX : sizeof bytes);
}

static int send_wire(struct tcp *t, struct span wire);

static bool is_shaking_hands(const struct tcp *t)
{
	return t->tls && !list_empty(&t->handshake);
}

static void hands_are_shaken(struct tcp *t)
{
	if (!is_shaking_hands(t) || !tls_is_open(t->tls))
		return;
	tls_handshake_left(t->tls_context, &t->handshake);
	timer_fini(&t->patience);
	if (t->connects && t->state == STREAM_OPEN && t->events->ready)
		t->events->ready(t->owner);
}

static void fail_tls(struct tcp *t, const char *why, int error)
{
	if (t->state == STREAM_OPEN && t->events->tls_failed)
		t->events->tls_failed(t->owner, why);
	close_with(t, error);
}

static void on_peer_end(struct tcp *t)
{
	bool again = t->peer_ended; /* TLS tells it, then TCP */
	t->peer_ended = true;
	if (t->state == STREAM_OPEN && again)
		return;
	if (is_shaking_hands(t))
		fail_tls(t, "it hung up while shaking hands: perhaps it asks for a certificate of ours", -ECONNRESET);
	else if (t->state == STREAM_OPEN && t->events->ended)
		t->events->ended(t->owner);
	else if (t->state != STREAM_ENDING) /* that one still flushes */
		close_with(t, 0);
}

/* What TLS makes of it: something to send, something to tell, or the end. */
static void on_wire(struct tcp *t, struct span bytes)
{
	struct span plain, wire;
	int r = tls_input(t->tls, bytes, &plain, &wire);
	int sent = send_wire(t, wire);
	if (r == TLS_E_BROKEN) {
		fail_tls(t, tls_why(t->tls), -EPROTO);
		return;
	}
	if (sent < 0) {
		close_with(t, sent);
		return;
	}
	hands_are_shaken(t);
	if (plain.size && t->state == STREAM_OPEN)
		t->events->data(t->owner, plain);
	if (r == TLS_E_ENDED && t->state == STREAM_OPEN)
		on_peer_end(t);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct tcp *t = (struct tcp *)s;
	if (n == UV_EOF)
		on_peer_end(t);
	else if (n < 0)
		close_with(t, (int)n);
	else if (n > 0 && t->state == STREAM_OPEN && t->tls)
		on_wire(t, span_of(buf->base, (size_t)n));
	else if (n > 0 && t->state == STREAM_OPEN)
		t->events->data(t->owner, span_of(buf->base, (size_t)n));
}

static int start_reading(struct tcp *t)
{
	return uv_read_start((uv_stream_t *)&t->uv, on_alloc, on_read);
}

void tcp_hold(struct tcp *t, bool held)
{
	if (t->held == held || t->state != STREAM_OPEN || t->peer_ended)
		return;
	t->held = held;
	if (held)
		uv_read_stop((uv_stream_t *)&t->uv);
	else if (start_reading(t) < 0)
		close_with(t, -EPIPE);
}

/* ---- birth ---- */

static void on_connection(uv_stream_t *s, int status)
{
	struct tcp_listener *l = (struct tcp_listener *)s;
	struct tcp *t = status < 0 ? NULL : mem_zalloc(sizeof *t);
	if (!t)
		return; /* libuv asks again for the next one */
	t->loop = l->loop;
	t->tls_context = l->tls;
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
	l->loop = loop;
	l->accepted = accepted;
	l->owner = owner;
	uv_tcp_init(&loop->uv, &l->uv);
	int r = uv_tcp_bind(&l->uv, bind, bind->sa_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0);
	if (r == 0)
		r = uv_listen((uv_stream_t *)&l->uv, BACKLOG, on_connection);
	if (r < 0) {
		tcp_listener_close(l);
		return r; /* an address in use is the operator's to hear, in the opener's words */
	}
	*ret = l;
	return 0;
}

void tcp_listener_use_tls(struct tcp_listener *l, struct tls_context *c)
{
	l->tls = c;
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

static int open_stream(struct tcp *t)
{
	t->state = STREAM_OPEN;
	uv_tcp_nodelay(&t->uv, 1);
	uv_tcp_keepalive(&t->uv, 1, KEEPALIVE_S);
	return start_reading(t);
}

static void on_handshake_late(void *owner)
{
	fail_tls(owner, "it does not shake hands: perhaps it speaks no TLS on that port", -ETIMEDOUT);
}

static int make_tls(struct tcp *t, const char *host)
{
	list_init(&t->handshake);
	return t->tls_context ? tls_new(&t->tls, t->tls_context, host) : 0;
}

static int begin_tls(struct tcp *t)
{
	int r = timer_init(&t->patience, t->loop, on_handshake_late, t);
	if (r < 0)
		return r;
	timer_start(&t->patience, LIMIT_TLS_HANDSHAKE_S * 1000, 0);
	struct list *oldest = tls_handshake_entered(t->tls_context, &t->handshake);
	if (oldest)
		close_with(container_of(oldest, struct tcp, handshake), -ETIMEDOUT);
	return 0;
}

void tcp_adopt(struct tcp *t, const struct tcp_events *events, void *owner, size_t queue_bytes_max)
{
	assert(!t->events && events->data && events->closed);
	t->events = events;
	t->owner = owner;
	t->queue_max = queue_bytes_max;
	int r = make_tls(t, NULL);
	if (r == 0 && t->tls)
		r = begin_tls(t);
	if (r == 0)
		r = open_stream(t);
	if (r < 0)
		close_with(t, r);
}

/* Connected: a stream without TLS is there; with it, we say hello. */
static void on_connected(struct tcp *t)
{
	int r = open_stream(t);
	if (r == 0 && t->tls)
		r = begin_tls(t);
	if (r < 0)
		close_with(t, r);
	else if (t->tls)
		on_wire(t, (struct span){0});
	else if (t->events->ready)
		t->events->ready(t->owner);
}

static void on_connect(uv_connect_t *c, int status)
{
	struct tcp *t = c->data;
	mem_free(c);
	if (t->state == STREAM_CLOSING)
		return; /* aborted meanwhile; `closed` is on its way */
	if (status < 0)
		close_with(t, status);
	else
		on_connected(t);
}

/* `c` and `host` are NULL for a plain stream. */
static int tcp_prepare(struct tcp **ret, struct loop *l, struct tls_context *c, const char *host)
{
	struct tcp *t = mem_zalloc(sizeof *t);
	if (!t)
		return err_new(-ENOMEM);
	t->loop = l;
	t->tls_context = c;
	t->connects = true;
	int r = make_tls(t, host);
	if (r < 0) {
		tls_free(t->tls);
		mem_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

int tcp_connect_tls(struct tcp **ret, struct loop *l, const struct sockaddr *to, struct tls_context *c,
	const char *host, const struct tcp_events *events, void *owner, size_t queue_bytes_max)
{
	struct tcp *t = NULL;
	assert(events->data && events->closed);
	int r = tcp_prepare(&t, l, c, host);
	if (r < 0)
		return r;
	uv_connect_t *connect = mem_zalloc(sizeof *connect);
	if (!connect) {
		tls_free(t->tls);
		mem_free(t);
		return err_new(-ENOMEM);
	}
	t->events = events;
	t->owner = owner;
	t->queue_max = queue_bytes_max;
	connect->data = t;
	uv_tcp_init(&l->uv, &t->uv);
	*ret = t;
	r = uv_tcp_connect(connect, &t->uv, to, on_connect);
	if (r < 0) {
		mem_free(connect);
		close_with(t, r);
	}
	return 0;
}

int tcp_connect(struct tcp **ret, struct loop *l, const struct sockaddr *to,
	const struct tcp_events *events, void *owner, size_t queue_bytes_max)
{
	return tcp_connect_tls(ret, l, to, NULL, NULL, events, owner, queue_bytes_max);
}

/* ---- writing ---- */

static void on_written(uv_write_t *uv, int status)
{
	struct write *w = (struct write *)uv;
	struct tcp *t = w->tcp;
	t->queued -= w->size;
	mem_free(w);
	if (status < 0)
		close_with(t, status);
	else if (!t->queued && t->state == STREAM_OPEN && t->events->drained)
		t->events->drained(t->owner);
}

/* Copies everything but the first `sent` bytes and hands it to libuv. */
static int queue(struct tcp *t, const struct span *parts, size_t count, size_t size, size_t sent)
{
	struct write *w = mem_zalloc(sizeof *w + size - sent);
	if (!w)
		return err_new(-ENOMEM);
	w->tcp = t;
	for (size_t i = 0; i < count; ++i) {
		size_t skip = sent < parts[i].size ? sent : parts[i].size;
		sent -= skip;
		if (parts[i].size > skip)
			memcpy(w->bytes + w->size, parts[i].data + skip, parts[i].size - skip);
		w->size += parts[i].size - skip;
	}
	uv_buf_t buf = uv_buf_init(w->bytes, (unsigned)w->size);
	int r = uv_write(&w->uv, (uv_stream_t *)&t->uv, &buf, 1, on_written);
	if (r < 0) {
		mem_free(w);
		return r;
	}
	t->queued += w->size;
	return 0;
}

/* Bytes that the kernel takes at once, or a negative error. */
static int write_now(struct tcp *t, const struct span *parts, size_t count)
{
	uv_buf_t bufs[TCP_PARTS_MAX];
	if (t->queued || t->state == STREAM_CONNECTING)
		return 0;
	for (size_t i = 0; i < count; ++i)
		bufs[i] = uv_buf_init((char *)parts[i].data, (unsigned)parts[i].size);
	int n = uv_try_write((uv_stream_t *)&t->uv, bufs, (unsigned)count);
	return n == UV_EAGAIN ? 0 : n;
}

/* TLS's own words and what it made of ours: not counted against the owner's maximum. */
static int send_wire(struct tcp *t, struct span wire)
{
	if (!wire.size)
		return 0;
	int r = write_now(t, &wire, 1);
	if (r >= 0 && (size_t)r < wire.size)
		r = queue(t, &wire, 1, wire.size, (size_t)r);
	return r < 0 ? r : 0;
}

static int encrypt_and_send(struct tcp *t, const struct span *parts, size_t count)
{
	struct span wire;
	int r = tls_output(t->tls, parts, count, &wire);
	return r < 0 ? r : send_wire(t, wire);
}

static int send_plain(struct tcp *t, const struct span *parts, size_t count, size_t size)
{
	int r = write_now(t, parts, count);
	if (r >= 0 && (size_t)r < size)
		r = queue(t, parts, count, size, (size_t)r);
	return r;
}

int tcp_write_parts(struct tcp *t, const struct span *parts, size_t count)
{
	size_t size = 0;
	assert(count <= TCP_PARTS_MAX);
	for (size_t i = 0; i < count; ++i)
		size += parts[i].size;
	if ((t->state != STREAM_OPEN && t->state != STREAM_CONNECTING) || (t->tls && !tls_is_open(t->tls)))
		return -EPIPE;
	if (size > t->queue_max || t->queued > t->queue_max - size)
		return -ENOBUFS;
	if (!size)
		return 0;

	int r = t->tls ? encrypt_and_send(t, parts, count) : send_plain(t, parts, count, size);
	if (r < 0)
		close_with(t, r);
	return r < 0 ? r : 0;
}

int tcp_write(struct tcp *t, struct span bytes)
{
	return tcp_write_parts(t, &bytes, 1);
}

size_t tcp_queued(const struct tcp *t)
{
	return t->queued;
}

/* ---- names ---- */

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

/* ---- the end ---- */

static void on_out_of_patience(void *owner)
{
	struct tcp *t = owner;
	close_with(t, t->state == STREAM_LINGERING ? 0 : -ETIMEDOUT);
}

static void on_shutdown(uv_shutdown_t *s, int status)
{
	struct tcp *t = container_of(s, struct tcp, shutdown);
	if (t->state != STREAM_ENDING)
		return; /* cancelled by closing */
	t->state = STREAM_LINGERING;
	if (status < 0 || t->peer_ended)
		close_with(t, 0);
	else
		timer_start(&t->patience, LINGER_MS, 0);
}

void tcp_end(struct tcp *t)
{
	if (t->state >= STREAM_ENDING)
		return;
	/* A stream that is not there yet has nothing to say. */
	bool silent = t->state == STREAM_CONNECTING || (t->tls && !tls_is_open(t->tls));
	tcp_hold(t, false); /* to see the peer's end */
	if (t->state == STREAM_CLOSING)
		return;
	if (t->tls && !silent) {
		struct span wire;
		tls_end(t->tls, &wire);
		silent = send_wire(t, wire) < 0;
	}
	t->state = STREAM_ENDING;
	if (silent || timer_init(&t->patience, t->loop, on_out_of_patience, t) < 0 ||
		uv_shutdown(&t->shutdown, (uv_stream_t *)&t->uv, on_shutdown) < 0) {
		close_with(t, 0);
		return;
	}
	timer_start(&t->patience, FLUSH_MS, 0);
}

void tcp_abort(struct tcp *t)
{
	close_with(t, 0);
}

int tcp_take_fd(struct tcp *t)
{
	uv_os_fd_t fd;
	int r = uv_fileno((uv_handle_t *)&t->uv, &fd);
	if (r < 0)
		return r;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return err_new(-errno);
	close_with(t, 0);
	return copy;
}
