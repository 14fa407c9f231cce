/* test/bench/person.h - a participant as a light LiveKit client: signalling by `/rtc`, a peer
 * connection to hear by and one to speak by, data channels. Works against any LiveKit server.
 *
 * Owner:  the load. Owns: its socket and both connections. Thread: the load's loop.
 */
#pragma once

#include "media/sctp.h"
#include "test/bench/rtc_client.h"
#include "test/bench/signal_client.h"

enum { PERSON_HEARS_MAX = 64 };

/* The sides of a person: each a peer connection with a socket that the loop watches. */
struct side {
	struct person *person;
	struct rtc_client rtc;
	uv_poll_t poll;
	bool open;
	uint16_t server_port; /* told before we knew the rest */
};

struct person {
	struct loop *loop;
	const struct dtls_identity *identity;
	bool speaks;
	unsigned hears; /* voices until it is done */
	bool counts;    /* from now on packets are only counted */

	struct signal_client signal;
	struct side up, down;
	struct sctp_association *sctp;
	bool has_data; /* the server offered channels */

	uint32_t heard[PERSON_HEARS_MAX];
	unsigned heard_count;
	uint64_t packets; /* RTP that came */
	uint64_t began_us, done_us; /* WebSocket opened; everyone heard. 0 = not yet */
	uint64_t frame_us;          /* when it speaks next */
	unsigned frame;
	bool gone;
	void (*pong)(struct person *p, int64_t sent_us); /* may be NULL */
};

/* Opens the WebSocket. Returns 0 or a negative error. */
MUST_USE int person_join(struct person *p, uint16_t port, const char *token);
void person_poll(struct person *p, uint64_t now_us); /* every 20 ms or so */
bool person_can_speak(const struct person *p);
void person_ping(struct person *p, uint64_t now_us); /* pong() tells when it came back */
void person_leave(struct person *p);                 /* then let the loop run */
bool person_is_done(const struct person *p);
