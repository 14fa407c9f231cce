/* simulator/simulator.h - the server's own far end: the friendly carrier (simulator/carrier.h, profile
 * "bank") with two banks behind it, for people and tests without a telephone account.
 *
 * Owner:    `ringdown serve`, when it is enabled.
 * Owns:     a carrier.
 * Thread:   its loop's. It shares nothing with the server but the loop: they meet on the wire.
 */
#pragma once

#include "net/loop.h"

struct simulator;

struct simulator_config {
	const char *ip;        /* where it listens, and what its SDP says; loopback by default */
	uint16_t sip_port;     /* UDP and TCP; 0 = any */
	const char *username;  /* what the trunk must present; NULL = no challenge */
	const char *password;
};

MUST_USE int simulator_new(struct simulator **ret, struct loop *l, const struct simulator_config *config);
struct simulator *simulator_free(struct simulator *s);
uint16_t simulator_port(const struct simulator *s);

/* What each number does, for `--help` and the page. */
struct simulator_number {
	const char *number; /* E.164 */
	const char *what;   /* a line for people */
	bool bank;          /* worth a button on the page */
	const char *id, *name;
};
const struct simulator_number *simulator_numbers(size_t *count);
