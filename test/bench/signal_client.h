/* test/bench/signal_client.h - a client's signalling socket: WebSocket (RFC 6455) with protobuf
 * in it, to `/rtc` of a server on 127.0.0.1.
 *
 * Owner:  a person of the load. Owns: its TCP stream and what was read of a frame.
 * Thread: the load's loop.
 */
#pragma once

#include "base/buf.h"
#include "livekit_rtc.pb-c.h"
#include "net/tcp.h"

struct signal_client {
	struct tcp *tcp; /* NULL before and after */
	bool upgraded;
	char token[1024];
	struct buf in;
	void (*message)(void *owner, const Livekit__SignalResponse *m);
	void (*closed)(void *owner); /* by the server, or refused by it */
	void *owner;
};

/* message, closed and owner are set before. Returns 0 or a negative error. */
MUST_USE int signal_client_open(
	struct signal_client *s, struct loop *l, uint16_t port, const char *token);
void signal_client_send(struct signal_client *s, const Livekit__SignalRequest *m);
void signal_client_close(struct signal_client *s); /* `closed` is called later */
