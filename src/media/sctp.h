/* media/sctp.h - data channels: SCTP (RFC 9260) inside DTLS (RFC 8261) with DCEP (RFC 8832).
 * The only file pair that knows usrsctp.
 *
 * Owner:   a participant's connection, which also owns the transport that carries it.
 * Owns:    one usrsctp socket, its channels, what waits to be sent.
 * Thread:  the control thread only: usrsctp is one global stack.
 *
 * It does no I/O: packets come by sctp_association_input() (media_events.transport_sctp) and
 * leave by events.output (media_transport_sctp). No event is called inside a function of this
 * header, only later in the loop's turn; sctp_association_free() alone may call events.output,
 * to say goodbye.
 */
#pragma once

#include "net/loop.h"

struct sctp_association;

struct sctp_events {
	void (*output)(void *owner, struct span packet);
	/* Either side's channel can be used by both: the peer opened it, or took ours. */
	void (*channel_open)(void *owner, const char *label, uint16_t channel);
	void (*message)(void *owner, uint16_t channel, struct span bytes, bool binary);
	void (*closed)(void *owner); /* the peer ended it; only free it now. NULL is fine */
};

/* Outcomes of sctp_association_send() and sctp_association_open_channel(). */
enum {
	SCTP_E_NO_CHANNEL = 1, /* not open, or no place for one more */
	SCTP_E_FULL = 2,       /* LIMIT_SCTP_QUEUE... wait already; nothing was queued */
};

/* Once, before the first association and after the last. */
MUST_USE int sctp_stack_start(struct loop *l);
void sctp_stack_stop(void); /* fine when never started */

/* Begins at once; so does the peer (RFC 8831, 6.1). The DTLS role decides who has the even
 * channels. */
MUST_USE int sctp_association_new(struct sctp_association **ret, const struct sctp_events *events,
	void *owner, bool is_dtls_client);
struct sctp_association *sctp_association_free(struct sctp_association *a);
void sctp_association_input(struct sctp_association *a, struct span packet);

/* `max_retransmits` < 0: reliable. It may be used at once: what is sent waits. Returns 0,
 * an outcome above or a negative error. */
MUST_USE int sctp_association_open_channel(uint16_t *ret, struct sctp_association *a,
	const char *label, bool ordered, int max_retransmits);
/* At most LIMIT_DATA_PACKET_BYTES; copied. Returns 0, an outcome above or a negative error. */
MUST_USE int sctp_association_send(
	struct sctp_association *a, uint16_t channel, struct span bytes, bool binary);
