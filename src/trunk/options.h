/* trunk/options.h - what a trunk may say beyond LiveKit's fields: an object under "ringdown" in its
 * metadata, so that every SDK and `lk` can write it and the store keeps it already:
 *
 *   {"ringdown": {"outbound_proxy": "sbc.example.net", "redirect": {"hosts": ["b.example.net"]}}}
 *
 * Metadata that is no JSON object, or has no such key, says nothing and is fine. Pure.
 *
 * Owner:   the caller. Owns: nothing. Thread: any.
 */
#pragma once

#include "trunk/trunk.h"

enum { OPTION_TEXT_SIZE = 256, OPTION_LIST_MAX = 16 };

struct option_list {
	char at[OPTION_LIST_MAX][OPTION_TEXT_SIZE];
	size_t count;
};

enum trunk_srtp_offer {
	TRUNK_SRTP_OFFER_SECURE,      /* RTP/SAVP, as LiveKit does */
	TRUNK_SRTP_OFFER_BEST_EFFORT, /* RTP/AVP with keys: who knows no SRTP answers in clear */
};

/* Zeros and empty texts mean: not said. docs/configuration.md has the list. */
struct trunk_options {
	char outbound_proxy[OPTION_TEXT_SIZE]; /* "host[:port]": every request goes there first */
	struct {
		struct option_list hosts; /* a 3xx may send a call there; none = 3xx is refused */
	} redirect;
	struct {
		unsigned offer;            /* enum trunk_srtp_offer, when encryption is allowed */
		struct option_list suites; /* of RFC 4568 and its followers, best first; none = the usual */
		bool mki;                  /* our keys have a name in the packets */
	} srtp;
	bool rtcp_mux; /* offered: RTCP on the RTP port */
};

/* Returns 0 or TRUNK_E_INVALID with a `why` that names the option. `metadata` may be "". */
MUST_USE int trunk_options_read(
	struct trunk_options *ret, const char *metadata, char why[TRUNK_WHY_SIZE]);
