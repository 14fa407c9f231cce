/* media/leg_guests.h - DTLS handshakes with those who come from another address than the SDP names.
 * One of them may be the phone behind its NAT (sip.symmetric_rtp), the others are strangers: who is
 * who is known when a handshake is over and its certificate has the fingerprint of the SDP. Until
 * then each has a handshake of its own, and the leg's own goes on untouched.
 *
 * Owner:   a leg's DTLS; part of it.
 * Owns:    a DTLS connection for each guest.
 * Thread:  the worker's.
 * Bounds:  LIMIT_LEG_GUESTS places, one for each host; a place that was taken stays so for
 *          LEG_GUEST_MS, however it went: nobody makes us reckon or remember more than that.
 */
#pragma once

#include "base/limits.h"
#include "media/dtls.h"
#include "media/peer_address.h"

enum { LEG_GUEST_MS = 5000 };

struct leg;

struct leg_guest {
	struct leg *leg;
	struct dtls *dtls; /* NULL = nobody, or it is over */
	struct peer_address from;
	uint64_t until_us; /* from then on somebody else may have the place; 0 = free */
};

struct leg_guests {
	struct leg_guest places[LIMIT_LEG_GUESTS];
};

/* A datagram of DTLS. Returns the guest that has just proven to own the certificate of l->dtls:
 * take its connection away. NULL: nobody has (yet). */
struct leg_guest *leg_guests_input(
	struct leg *l, const struct peer_address *from, struct span datagram, uint64_t now_us);
void leg_guests_poll(struct leg_guests *g);
void leg_guests_fini(struct leg_guests *g); /* zeroed memory is fine; may be used again */
