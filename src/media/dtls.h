/* media/dtls.h - DTLS 1.2 over datagrams that somebody else carries (RFC 6347, RFC 5764, RFC
 * 8122). The only file pair that knows OpenSSL's SSL.
 *
 * Owner:   a transport. Owns: its SSL object.
 * Thread:  its owner's. The identity is shared by all threads and only read.
 * Life:    dtls_new() -> dtls_start() on the client's side, dtls_input() -> DTLS_DONE ->
 *          dtls_peer_is(), dtls_keys() -> dtls_send() and events.data -> dtls_free().
 *
 * Nobody is authenticated until dtls_peer_is() has said so.
 */
#pragma once

#include "base/base.h"
#include "media/srtp.h"

/* ---- the certificate: one in the process ---- */
struct dtls_identity;
MUST_USE int dtls_identity_new(struct dtls_identity **ret);
struct dtls_identity *dtls_identity_free(struct dtls_identity *i);
const char *dtls_identity_fingerprint(const struct dtls_identity *i); /* "AB:CD:...", SHA-256 */

/* ---- one connection ---- */
enum {
	DTLS_MTU = 1200,
	DTLS_DATA_BYTES_MAX = DTLS_MTU - 64, /* in one datagram, with any cipher's overhead */
};

enum dtls_state {
	DTLS_HANDSHAKE,
	DTLS_DONE,
	DTLS_CLOSED, /* the peer said goodbye */
	DTLS_FAILED,
};

struct dtls;
/* Called inside dtls_*(): they must not free the connection. */
struct dtls_events {
	void (*send)(void *owner, struct span datagram);
	void (*data)(void *owner, struct span data); /* one decrypted record */
};

MUST_USE int dtls_new(struct dtls **ret, const struct dtls_identity *identity, bool client,
	const struct dtls_events *events, void *owner);
struct dtls *dtls_free(struct dtls *d); /* says goodbye when it was done */
void dtls_start(struct dtls *d);        /* client: the first flight */
/* Others hear of it from now on. Not inside an event. */
void dtls_hand_over(struct dtls *d, const struct dtls_events *events, void *owner);
void dtls_input(struct dtls *d, struct span datagram);
/* Retransmits a flight that is overdue; call at least every 50 ms until the handshake is done. */
void dtls_poll(struct dtls *d);
enum dtls_state dtls_state(const struct dtls *d);
bool dtls_is_client(const struct dtls *d);

/* After DTLS_DONE. */
MUST_USE bool dtls_peer_is(const struct dtls *d, const char *fingerprint); /* case ignored */
/* -EPROTO: the peer chose no SRTP profile that we know. */
MUST_USE int dtls_keys(const struct dtls *d, struct srtp_keys *ret);
/* One record of at most DTLS_DATA_BYTES_MAX. Returns 0 or a negative error. */
MUST_USE int dtls_send(struct dtls *d, struct span data);
