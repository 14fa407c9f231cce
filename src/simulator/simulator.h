/* simulator/simulator.h - the far end for people and tests without a telephone account: a trunk that
 * behaves as Twilio's does, over real sockets, with a bank behind it.
 *
 * Owner:    whoever starts it: `ringdown simulate`, or `ringdown serve` when it is enabled.
 * Owns:     a SIP agent of its own, every far end's call and RTP socket.
 * Thread:   its loop's. It shares nothing with the server but the loop: they meet on the wire.
 *
 * The trunk: 100 ("trying -- your call is important to us"), 407 (realm sip.twilio.com, qop, opaque,
 * no algorithm), 400 for a number without '+', 403 with X-Twilio-Error for wrong credentials, 404 for
 * a number that nobody has; 200 with a private Contact and a Record-Route, sound from the address in
 * its SDP, PCMU or PCMA, whichever our offer names first, RFC 4733.
 */
#pragma once

#include "net/dns.h"
#include "net/loop.h"

struct simulator;

struct simulator_config {
	const char *ip;        /* where it listens, and what its SDP says; loopback by default */
	uint16_t sip_port;     /* UDP and TCP; 0 = any */
	const char *username;  /* what the trunk must present; NULL = no challenge */
	const char *password;
};

MUST_USE int simulator_new(struct simulator **ret, struct loop *l, struct dns *d, const struct simulator_config *config);
struct simulator *simulator_free(struct simulator *s);
uint16_t simulator_port(const struct simulator *s);
size_t simulator_calls(const struct simulator *s);

/* What each number does, for `--help` and the page. */
struct simulator_number {
	const char *number; /* E.164 */
	const char *what;   /* a line for people */
	bool bank;          /* worth a button on the page */
	const char *id, *name;
};
const struct simulator_number *simulator_numbers(size_t *count);
