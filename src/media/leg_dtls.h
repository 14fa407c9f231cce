/* media/leg_dtls.h - a leg's keys by a DTLS handshake on its RTP port (RFC 5763, RFC 5764), and the
 * answering half of ICE where the far end checks (RFC 8445).
 *
 * Who may shake hands: the address of the SDP, and with ICE one that has passed a check. Behind a NAT
 * the phone comes from elsewhere (sip.symmetric_rtp): such are guests (media/leg_guests.h), and the
 * first whose certificate is the SDP's is the phone; only then the leg follows it.
 *
 * Owner:   a leg; part of it.
 * Owns:    the DTLS connection.
 * Thread:  the worker's.
 * Life:    leg_dtls_connect() -> input, beats -> keys are given to the leg, once for each connection.
 *          Only who has the fingerprint of the SDP gets that far; else nothing ever passes.
 *
 *              connect           certificate and profile fit
 *     (no dtls) ----> SHAKING ---------------------------> KEYED
 *                        |                                   ^
 *                        '-----------> FAILED ---------------'  a guest was the phone
 */
#pragma once

#include "media/dtls.h"
#include "media/ice.h"
#include "media/leg_guests.h"

struct leg;
struct leg_early; /* a ClientHello that overtook the SDP */

enum leg_dtls_state {
	LEG_DTLS_SHAKING,
	LEG_DTLS_KEYED,
	LEG_DTLS_FAILED,
};

struct leg_dtls {
	struct dtls *dtls; /* NULL = keys come otherwise, or there was no memory */
	enum leg_dtls_state state; /* while there is one */
	bool client;
	struct leg_guests guests;
	char fingerprint[MEDIA_FINGERPRINT_SIZE];
	bool ice_is_on;
	struct ice ice;
	struct leg_early *early; /* until leg_dtls_connect(); NULL = none came */
};

/* By l->remote. The same fingerprint in the same role is the same connection, and goes on. */
void leg_dtls_connect(struct leg *l);
/* Before leg_dtls_connect(): the last DTLS datagram is kept, or they would send it again only after a
 * second. One allocation for each leg. */
void leg_dtls_keep(struct leg_dtls *d, const struct sockaddr *from, struct span datagram);
void leg_dtls_fini(struct leg_dtls *d); /* zeroed memory is fine */
/* STUN or DTLS (RFC 7983); false: it is neither, or not for us. */
bool leg_dtls_input(
	struct leg *l, const struct sockaddr *from, struct span datagram, uint64_t now_us);
void leg_dtls_beat(struct leg *l);
