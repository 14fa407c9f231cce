/* net/websocket.c - RFC 6455 over a connection of the HTTP server, by wslay. */
#include "net/http_private.h"

#include "base/err.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

struct websocket {
	struct http_exchange *x; /* NULL once the stream is gone */
	const struct websocket_events *events; /* NULL: nobody listens any more */
	void *owner;
	wslay_event_context_ptr wslay;
	struct span input;
	struct buf output; /* frames of one turn, written at once */
	bool in_callback, closing, waiting_for_pong;
};

static ssize_t on_recv(wslay_event_context_ptr ctx, uint8_t *out, size_t size, int flags, void *owner)
{
	struct websocket *w = owner;
	if (!w->input.size) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	if (size > w->input.size)
		size = w->input.size;
	memcpy(out, w->input.data, size);
	w->input = span_of(w->input.data + size, w->input.size - size);
	return (ssize_t)size;
}

static ssize_t on_send(wslay_event_context_ptr ctx, const uint8_t *data, size_t size, int flags, void *owner)
{
	struct websocket *w = owner;
	if (buf_add(&w->output, data, size)) {
		wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
		return -1;
	}
	return (ssize_t)size;
}

static void on_message(
	wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *m, void *owner)
{
	struct websocket *w = owner;
	w->waiting_for_pong = false;
	if (wslay_is_ctrl_frame(m->opcode) || !w->events || w->closing)
		return;
	w->events->message(w->owner, m->opcode == WSLAY_TEXT_FRAME, span_of(m->msg, m->msg_length));
}

static const struct wslay_event_callbacks callbacks = {
	.recv_callback = on_recv,
	.send_callback = on_send,
	.on_msg_recv_callback = on_message,
};

static int accept_key(char out[32], const char *key)
{
	char text[128];
	int n = snprintf(text, sizeof text, "%.64s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
	unsigned char digest[SHA_DIGEST_LENGTH];
	SHA1((unsigned char *)text, (size_t)n, digest);
	return EVP_EncodeBlock((unsigned char *)out, digest, sizeof digest);
}

static void flush(struct websocket *w)
{
	if (!w->x || w->in_callback)
		return;
	int r = wslay_event_send(w->wslay);
	if (r == 0 && w->output.size)
		r = tcp_write(w->x->tcp, buf_span(&w->output));
	w->output.size = 0;
	if (r)
		tcp_abort(w->x->tcp);
}

int websocket_accept(struct websocket **ret, struct http_exchange *x, const struct websocket_events *events,
	void *owner)
{
	const char *key = http_header(x, "Sec-WebSocket-Key");
	struct websocket *w = mem_zalloc(sizeof *w);
	if (!w || !key) {
		mem_free(w);
		return key ? err_new(-ENOMEM) : -EINVAL;
	}
	w->x = x;
	w->events = events;
	w->owner = owner;
	w->output.max = LIMIT_WS_QUEUE_BYTES;
	if (wslay_event_context_server_init(&w->wslay, &callbacks, w)) {
		mem_free(w);
		return err_new(-ENOMEM);
	}
	wslay_event_config_set_max_recv_msg_length(w->wslay, LIMIT_WS_MESSAGE_BYTES);

	char accept[32], head[256];
	accept_key(accept, key);
	int n = snprintf(head, sizeof head,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		accept);
	x->state = HTTP_UPGRADED;
	x->websocket = w;
	if (tcp_write(x->tcp, span_of(head, (size_t)n)) < 0)
		tcp_abort(x->tcp); /* `closed` will tell */
	timer_start(&x->deadline, LIMIT_HTTP_HEADER_S * 1000, 0);
	*ret = w;
	return 0;
}

static void free_websocket(struct websocket *w)
{
	wslay_event_context_free(w->wslay);
	buf_fini(&w->output);
	mem_free(w);
}

void websocket_gone(struct websocket *w)
{
	const struct websocket_events *events = w->events;
	void *owner = w->owner;
	free_websocket(w);
	if (events)
		events->closed(owner);
}

void websocket_input(struct websocket *w, struct span bytes)
{
	struct http_exchange *x = w->x;
	w->input = bytes;
	w->in_callback = true;
	int r = wslay_event_recv(w->wslay);
	w->in_callback = false;
	flush(w);
	bool over = wslay_event_get_close_received(w->wslay) || !wslay_event_get_read_enabled(w->wslay);
	if (r || over)
		tcp_end(x->tcp);
}

void websocket_send(struct websocket *w, bool text, struct span message)
{
	if (w->closing || !w->x)
		return;
	struct wslay_event_msg m = {
		.opcode = text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME,
		.msg = message.data,
		.msg_length = message.size,
	};
	if (wslay_event_queue_msg(w->wslay, &m) ||
		wslay_event_get_queued_msg_length(w->wslay) > LIMIT_WS_QUEUE_BYTES) {
		tcp_abort(w->x->tcp);
		return;
	}
	flush(w);
}

void websocket_close(struct websocket *w, uint16_t code)
{
	w->events = NULL;
	if (w->closing || !w->x)
		return;
	w->closing = true;
	/* wslay lets a close overtake what is queued: bring that out first. */
	if (wslay_event_send(w->wslay) == 0)
		wslay_event_queue_close(w->wslay, code, NULL, 0);
	flush(w);
	timer_start(&w->x->deadline, 2000, 0);
}

void websocket_beat(struct websocket *w)
{
	if (w->closing || w->waiting_for_pong) {
		tcp_abort(w->x->tcp);
		return;
	}
	struct wslay_event_msg ping = {.opcode = WSLAY_PING};
	w->waiting_for_pong = true;
	if (wslay_event_queue_msg(w->wslay, &ping))
		tcp_abort(w->x->tcp);
	else
		flush(w);
}

void websocket_shutdown(struct websocket *w)
{
	wslay_event_queue_close(w->wslay, 1001, NULL, 0);
	w->closing = true;
	flush(w);
}
