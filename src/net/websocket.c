/* net/websocket.c - RFC 6455 over a connection of the HTTP server. wslay reads (frames, fragments,
 * UTF-8, pings and closes that want an answer); what we have to say is framed here, because wslay
 * would let a close overtake queued data. */
#include "net/http_private.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/writer.h"
#include "wire/base64.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <wslay/wslay.h>

enum {
	KEY_CHARS = 24, /* base64 of 16 bytes: RFC 6455 section 4.1 */
	FRAME_HEAD_MAX = 10,
	FINAL = 0x80,
	ANSWERS_MAX = 64 << 10, /* pongs to one read's worth of pings */
};

struct websocket {
	struct http_exchange *x;
	const struct websocket_events *events; /* NULL: nobody listens any more */
	void *owner;
	wslay_event_context_ptr wslay;
	struct span input;  /* not yet read by wslay */
	struct buf answers; /* what wslay wants to say by itself */
	bool ended;         /* our close, or the stream's end, is on its way: nothing after it */
	unsigned fragments; /* of the message that is coming */
	int unanswered;     /* pings since the client was last heard */
};

/* ---- the handshake ---- */

static bool is_key(const char *key)
{
	uint8_t bytes[KEY_CHARS];
	size_t size;
	return key && strlen(key) == KEY_CHARS && !base64_decode(bytes, &size, span_text(key)) &&
	       size == 16;
}

unsigned websocket_check(const struct http_exchange *x)
{
	const char *version = http_header(x, "Sec-WebSocket-Version");
	if (x->parser.method != HTTP_GET || x->parser.http_minor == 0)
		return 400;
	if (!version || strcmp(version, "13"))
		return 426;
	return is_key(http_header(x, "Sec-WebSocket-Key")) ? 0 : 400;
}

static int send_handshake(struct http_exchange *x)
{
	char text[128], accept[BASE64_TEXT_SIZE(SHA_DIGEST_LENGTH)], head[256];
	unsigned char digest[SHA_DIGEST_LENGTH];
	int n = snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
		http_header(x, "Sec-WebSocket-Key"));
	SHA1((unsigned char *)text, (size_t)n, digest);
	base64_encode(accept, span_of(digest, sizeof digest));
	n = snprintf(head, sizeof head,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		accept);
	return tcp_write(x->tcp, span_of(head, (size_t)n));
}

/* ---- what we say ---- */

/* RFC 6455 section 5.2; a server does not mask. */
static void send_frame(struct websocket *w, uint8_t opcode, struct span payload)
{
	uint8_t bytes[FRAME_HEAD_MAX];
	struct writer head = writer_of(bytes, sizeof bytes);
	write_u8(&head, FINAL | opcode);
	if (payload.size < 126) {
		write_u8(&head, (uint8_t)payload.size);
	} else if (payload.size <= UINT16_MAX) {
		write_u8(&head, 126);
		write_u16(&head, (uint16_t)payload.size);
	} else {
		write_u8(&head, 127);
		write_u32(&head, (uint32_t)((uint64_t)payload.size >> 32));
		write_u32(&head, (uint32_t)payload.size);
	}
	struct span parts[] = {writer_span(&head), payload};
	if (tcp_write_parts(w->x->tcp, parts, COUNT_OF(parts)) < 0)
		tcp_abort(w->x->tcp); /* `closed` will tell */
}

static bool has_room(const struct websocket *w, size_t size)
{
	size_t queued = tcp_queued(w->x->tcp);
	return size <= LIMIT_WS_QUEUE_BYTES && queued <= LIMIT_WS_QUEUE_BYTES - size;
}

static void give_up(struct websocket *w, const char *why)
{
	log_debug("websocket", "closed: %s", why);
	w->ended = true;
	tcp_abort(w->x->tcp);
}

static void end(struct websocket *w)
{
	w->ended = true;
	timer_stop(&w->x->deadline);
	tcp_end(w->x->tcp);
}

static void say_close(struct websocket *w, uint16_t code)
{
	uint8_t reason[] = {(uint8_t)(code >> 8), (uint8_t)code};
	send_frame(w, WSLAY_CONNECTION_CLOSE, span_of(reason, sizeof reason));
	end(w);
}

/* ---- what wslay calls ---- */

static ssize_t on_recv(
	wslay_event_context_ptr ctx, uint8_t *out, size_t size, int flags, void *owner)
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

static ssize_t on_send(
	wslay_event_context_ptr ctx, const uint8_t *data, size_t size, int flags, void *owner)
{
	struct websocket *w = owner;
	if (buf_add(&w->answers, data, size)) {
		wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
		return -1;
	}
	return (ssize_t)size;
}

/* Pongs, and the close that answers theirs or names their mistake (1002, 1007, 1009). */
static void send_answers(struct websocket *w)
{
	if (!wslay_event_want_write(w->wslay))
		return;
	int r = wslay_event_send(w->wslay);
	if (r || !has_room(w, w->answers.size) || tcp_write(w->x->tcp, buf_span(&w->answers)) < 0)
		give_up(w, "it asks more than it reads");
	buf_fini(&w->answers);
}

static void on_message(
	wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *m, void *owner)
{
	struct websocket *w = owner;
	if (wslay_is_ctrl_frame(m->opcode) || w->ended)
		return;
	send_answers(w); /* to what came before this message */
	if (w->ended || !w->events || !w->events->message)
		return;
	w->events->message(w->owner, m->opcode == WSLAY_TEXT_FRAME, span_of(m->msg, m->msg_length));
}

static void on_frame(
	wslay_event_context_ptr ctx, const struct wslay_event_on_frame_recv_start_arg *f, void *owner)
{
	struct websocket *w = owner;
	if (wslay_is_ctrl_frame(f->opcode) || w->ended)
		return;
	w->fragments = f->opcode == WSLAY_CONTINUATION_FRAME ? w->fragments + 1 : 1;
	if (w->fragments <= LIMIT_WS_FRAGMENTS)
		return;
	log_debug("websocket", "closed: a message in more than %d pieces", LIMIT_WS_FRAGMENTS);
	say_close(w, WSLAY_CODE_MESSAGE_TOO_BIG);
	w->input = (struct span){0};
}

static const struct wslay_event_callbacks callbacks = {
	.recv_callback = on_recv,
	.send_callback = on_send,
	.on_frame_recv_start_callback = on_frame,
	.on_msg_recv_callback = on_message,
};

/* ---- what the connection tells ---- */

void websocket_input(struct websocket *w, struct span bytes)
{
	if (w->ended)
		return;
	w->unanswered = 0;
	w->input = bytes;
	int r = wslay_event_recv(w->wslay);
	if (w->ended)
		return; /* a handler closed it, or it cannot keep up */
	/* For some broken frames wslay fails, and its own close would not name the reason. */
	if (r) {
		say_close(w, r == WSLAY_ERR_NOMEM ? WSLAY_CODE_INTERNAL_SERVER_ERROR
						  : WSLAY_CODE_PROTOCOL_ERROR);
		return;
	}
	send_answers(w);
	bool over = wslay_event_get_close_received(w->wslay) ||
		    !wslay_event_get_read_enabled(w->wslay);
	if (over && !w->ended)
		end(w);
}

void websocket_beat(struct websocket *w)
{
	if (w->ended)
		return;
	if (w->unanswered++ >= WS_MISSED_PINGS_MAX)
		give_up(w, "it does not answer pings");
	else if (!has_room(w, 2))
		give_up(w, "it does not read");
	else
		send_frame(w, WSLAY_PING, (struct span){0});
}

void websocket_shutdown(struct websocket *w)
{
	if (!w->ended)
		say_close(w, WSLAY_CODE_GOING_AWAY);
}

static void free_websocket(struct websocket *w)
{
	if (w->wslay)
		wslay_event_context_free(w->wslay);
	buf_fini(&w->answers);
	mem_free(w);
}

void websocket_gone(struct websocket *w)
{
	const struct websocket_events *events = w->events;
	void *owner = w->owner;
	free_websocket(w);
	if (events && events->closed)
		events->closed(owner);
}

/* ---- for its owner ---- */

int websocket_accept(struct websocket **ret, struct http_exchange *x,
	const struct websocket_events *events, void *owner)
{
	struct websocket *w = mem_zalloc(sizeof *w);
	if (!w)
		return err_new(-ENOMEM);
	w->x = x;
	w->events = events;
	w->owner = owner;
	w->answers.max = ANSWERS_MAX;
	if (wslay_event_context_server_init(&w->wslay, &callbacks, w)) {
		free_websocket(w);
		return err_new(-ENOMEM);
	}
	wslay_event_config_set_max_recv_msg_length(w->wslay, LIMIT_WS_MESSAGE_BYTES);
	if (send_handshake(x) < 0)
		tcp_abort(x->tcp); /* gone already: `closed` will tell */
	x->websocket = w;
	x->gone = NULL;
	http_exchange_upgraded(x);
	*ret = w;
	return 0;
}

void websocket_send(struct websocket *w, bool text, struct span message)
{
	if (w->ended)
		return;
	if (has_room(w, message.size + FRAME_HEAD_MAX))
		send_frame(w, text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, message);
	else
		give_up(w, "it reads slower than it is told");
}

void websocket_close(struct websocket *w, uint16_t code)
{
	w->events = NULL;
	if (!w->ended)
		say_close(w, code);
}
