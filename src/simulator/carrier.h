/* simulator/carrier.h - a carrier for tests and for people without one: trunks that behave as Twilio's,
 * Telnyx's, Asterisk's ... do, over real sockets, with a telephone book of callees behind them.
 *
 * Owner:   whoever starts it: `ringdown simulate`, or the server for its own bank.
 * Owns:    sockets, trunks, calls, registrations.
 * Thread:  its loop's.
 * Words:   it reads and writes messages with wire/, checks digests with sip/digest, and has transactions
 *          and dialogs of its own: a fault of the client must not cancel itself out here.
 *
 * Which trunk: the host of the Request-URI. What happens then: the called number (simulator/numbers.h).
 */
#pragma once

#include "net/loop.h"
#include "simulator/carrier_profile.h"
#include "simulator/carrier_wire.h"

struct carrier;

enum { CARRIER_TRUNKS_MAX = 64, CARRIER_NUMBERS_MAX = 128 };

struct carrier_config {
	struct carrier_wire_config wire;
	const struct carrier_profile *profile; /* of every host that is no domain of the table */
	uint64_t seed;
	/* Events as JSON lines; NULL = none. */
	void (*event)(void *owner, const char *json);
	/* Each message as it is on the wire, from and to "IP:PORT"; NULL = nobody wants them. */
	void (*message)(void *owner, const char *from, const char *to, struct span bytes);
	void *owner;
	bool trace; /* whole messages in the events */
};

MUST_USE int carrier_new(struct carrier **ret, struct loop *l, const struct carrier_config *config);
struct carrier *carrier_free(struct carrier *c);

/* Outcomes of the following three. */
enum {
	CARRIER_E_BAD = 1, /* not understood */
	CARRIER_E_FULL,
};
/* "name=value;..." for every trunk; "HOST: name=value;..." for one. */
MUST_USE int carrier_set(struct carrier *c, const char *settings);
/* "HOST" or "HOST: name=value;...": one more trunk, of the profile. */
MUST_USE int carrier_add_trunk(struct carrier *c, const char *text);
/* "+15550100=180 / wait 100 / answer": what a number does; before the book. */
MUST_USE int carrier_add_number(struct carrier *c, const char *text);
/* One line of control: "set ...", "number ...", "kill IP", "blackhole IP", "revive IP", "hangup", "forget". */
MUST_USE int carrier_control(struct carrier *c, const char *line);

uint16_t carrier_port(const struct carrier *c, enum carrier_transport t);
size_t carrier_calls(const struct carrier *c); /* that are not over */
