/* Our calls against a far end that is a bare socket in the same process: every message of it is
 * written by the test, so what it sees is what really left. For sip_*.c. */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "net/address.h"
#include "sip/call.h"
#include "sip/digest.h"
#include "sip/uas.h"
#include "wire/sip_write.h"
#include "test/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

enum { WAIT_MS = 5000, QUIET_MS = 60 };

struct far {
	int fd; /* UDP */
	int tcp; /* listening */
	int link; /* accepted */
	uint16_t port;
	struct sockaddr_in from;
	char stream[65536];
	size_t stream_size;
};

struct world {
	struct loop loop;
	struct dns *dns;
	struct sip_agent *agent;
	struct far far;
	struct sip_call *call;
	struct sip_incoming *in; /* their call to us, until it ended */
	int incoming;

	int trying, progress, answered, failed, ended, offers, acks, infos, reanswers;
	const char *answer;    /* to their offers; NULL = "v=0 answer" */
	unsigned offer_status; /* refuse them; 0 = accept */
	bool offer_waits;      /* the test answers */
	const char *redirect_to; /* the user that a 3xx may send us to; NULL = none */
	unsigned status;
	enum sip_why why;
	bool by_far_end;
	char body[256], sentence[320], end_why[32];
	unsigned reason_cause;
};

struct got {
	char bytes[65536];
	size_t size;
	struct sip_message m;
};

#define UNTIL(w, cond)                                                                             \
	do {                                                                                       \
		uint64_t end_ = clock_ms() + WAIT_MS;                                              \
		while (!(cond) && clock_ms() < end_)                                               \
			turn(w);                                                                   \
		CHECK(cond);                                                                       \
	} while (0)

extern const struct sip_call_events far_events;
/* Each in a process of its own, all at the same time: they do little but wait. */
void at_once(void (*const tests[])(void), size_t count);
void far_open(struct far *f);
void world_open(struct world *w);
void world_open_for_calls(struct world *w); /* theirs are taken: `incoming`, `in` */
void world_close(struct world *w);
void turn(struct world *w);
bool receive_udp(struct world *w, struct got *g);
bool receive_tcp(struct world *w, struct got *g);
bool next(struct world *w, struct got *g, uint64_t wait_ms);
void expect(struct world *w, struct got *g, enum sip_method method);
void expect_status(struct world *w, struct got *g, unsigned status);
void expect_none(struct world *w, enum sip_method method);
void far_send(struct world *w, const char *bytes, size_t size);
void reply(struct world *w, const struct got *g, unsigned status, const char *tag,
	const char *headers, const char *body);
const char *contact(struct world *w);
void far_request(struct world *w, const struct got *invite, const char *tag,
	const char *method, unsigned cseq, const char *headers, const char *body);
/* An INVITE of theirs, with this branch and body; and requests in the dialog that our `response` to it
 * made, a CANCEL and the INVITE's own repetition among them (`branch` NULL: a new one). */
void far_invite(struct world *w, const char *branch, const char *body);
void far_caller_request(struct world *w, const struct got *response, const char *method, unsigned cseq,
	const char *branch, const char *body);
struct sip_invite_config plain(struct world *w);
void dial(struct world *w, const struct sip_invite_config *config);
void establish(struct world *w, struct got *invite);
void hang_up(struct world *w);
bool value_is(const struct got *g, enum sip_header_id id, const char *text);
