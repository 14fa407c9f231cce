#include "test/bench/signal_client.h"

#include "base/writer.h"
#include "wire/proto.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

enum {
	FRAME_BYTES_MAX = 4 << 20,
	HEAD_BYTES_MAX = 14,
	BINARY = 2,
	CLOSE = 8,
	FINAL = 0x80,
	MASKED = 0x80,
};

/* ---- out ---- */

/* A client masks; a mask of zeros changes nothing (RFC 6455, 5.3). */
static void send_frame(struct signal_client *s, uint8_t opcode, struct span payload)
{
	uint8_t bytes[HEAD_BYTES_MAX];
	struct writer head = writer_of(bytes, sizeof bytes);

	write_u8(&head, FINAL | opcode);
	if (payload.size < 126) {
		write_u8(&head, (uint8_t)(MASKED | payload.size));
	} else {
		write_u8(&head, MASKED | 126);
		write_u16(&head, (uint16_t)payload.size);
	}
	write_u32(&head, 0);
	if (payload.size > UINT16_MAX || !s->tcp ||
		tcp_write_parts(s->tcp, (struct span[]){writer_span(&head), payload}, 2) < 0)
		fprintf(stderr, "bench: a frame of %zu bytes could not be sent\n", payload.size);
}

void signal_client_send(struct signal_client *s, const Livekit__SignalRequest *m)
{
	struct buf b = {0};
	if (proto_pack(&b, &m->base) == 0)
		send_frame(s, BINARY, buf_span(&b));
	buf_fini(&b);
}

static void on_ready(void *owner)
{
	struct signal_client *s = owner;
	char text[2048];
	int n = snprintf(text, sizeof text,
		"GET /rtc?access_token=%s&auto_subscribe=1&protocol=15&sdk=go&version=2.0.0"
		" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		s->token);
	if (tcp_write(s->tcp, span_of(text, (size_t)n)) < 0)
		fprintf(stderr, "bench: no request could be sent\n");
}

/* ---- in ---- */

static bool take_upgrade(struct signal_client *s)
{
	uint8_t *end = s->in.size ? memmem(s->in.data, s->in.size, "\r\n\r\n", 4) : NULL;
	if (!end)
		return false;
	s->upgraded = strncmp((const char *)s->in.data, "HTTP/1.1 101", 12) == 0;
	if (!s->upgraded) {
		fprintf(stderr, "bench: refused: %.60s\n", (const char *)s->in.data);
		tcp_abort(s->tcp);
	}
	buf_drop_front(&s->in, (size_t)(end + 4 - s->in.data));
	return s->upgraded;
}

static void on_frame(struct signal_client *s, uint8_t opcode, struct span payload)
{
	struct proto_arena arena = {0};
	ProtobufCMessage *m;

	if (opcode == CLOSE && s->tcp)
		tcp_end(s->tcp);
	if (opcode == BINARY &&
		proto_unpack(&m, &arena, &livekit__signal_response__descriptor, payload) == 0)
		s->message(s->owner, (const Livekit__SignalResponse *)m);
	proto_arena_fini(&arena);
}

/* False: not all of it is there. */
static bool take_frame(struct signal_client *s)
{
	const uint8_t *p = s->in.data;
	size_t have = s->in.size, head = 2, length;

	if (have < head)
		return false;
	length = p[1] & 0x7f;
	if (length >= 126) {
		head = length == 126 ? 4 : 10;
		if (have < head)
			return false;
		length = 0;
		for (size_t i = 2; i < head; ++i)
			length = length << 8 | p[i];
	}
	if (have < head + length)
		return false;
	on_frame(s, p[0] & 0x0f, span_of(p + head, length));
	buf_drop_front(&s->in, head + length);
	return true;
}

static void on_data(void *owner, struct span bytes)
{
	struct signal_client *s = owner;

	if (buf_add(&s->in, bytes.data, bytes.size) != 0) {
		tcp_abort(s->tcp);
		return;
	}
	if (!s->upgraded && !take_upgrade(s))
		return;
	while (take_frame(s))
		;
}

static void on_closed(void *owner, int error)
{
	struct signal_client *s = owner;

	s->tcp = NULL;
	buf_fini(&s->in);
	s->closed(s->owner);
}

static const struct tcp_events events = {.ready = on_ready, .data = on_data, .closed = on_closed};

/* ---- life ---- */

int signal_client_open(struct signal_client *s, struct loop *l, uint16_t port, const char *token)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	snprintf(s->token, sizeof s->token, "%s", token);
	s->in = (struct buf){.max = FRAME_BYTES_MAX};
	return tcp_connect(&s->tcp, l, (struct sockaddr *)&to, &events, s, FRAME_BYTES_MAX);
}

void signal_client_close(struct signal_client *s)
{
	if (!s->tcp)
		return;
	send_frame(s, CLOSE, span_text("\x03\xe8"));
	tcp_end(s->tcp);
}
