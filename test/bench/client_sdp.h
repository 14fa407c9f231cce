/* test/bench/client_sdp.h - the session descriptions of a light client: reads what a LiveKit
 * server says, writes an answer to its offers and one offer of a microphone. Pure. */
#pragma once

#include "base/writer.h"
#include "test/bench/rtc_client.h"

#define CLIENT_SDP_TRACK "voice-of-the-bench"

enum { CLIENT_SDP_BYTES = 60000 };

struct client_sdp {
	struct rtc_client_remote remote; /* the roles are ours */
	uint16_t port; /* of its UDP candidate on 127.0.0.1; 0 = it comes later */
	bool has_data; /* an application section */
};

/* `answers`: it is the answer to our offer. False: malformed. */
MUST_USE bool client_sdp_read(struct client_sdp *ret, const char *text, bool answers);
/* The port of a UDP candidate on 127.0.0.1 somewhere in this text, 0 when there is none. */
uint16_t client_sdp_candidate(const char *text);

void client_sdp_write_answer(struct writer *w, const char *offer, const struct rtc_client *c);
void client_sdp_write_offer(struct writer *w, const struct rtc_client *c);
