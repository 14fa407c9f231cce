/* wire/sip_header.h - what stands in a SIP header: Via, addresses, CSeq, lists, Reason
 * (RFC 3261 section 20, RFC 3326, RFC 3581).
 *
 * Owner:   the caller; every span points into the caller's bytes.
 * Owns:    nothing. Pure. Fuzzed by test/fuzz/fuzz_sip_message.c.
 * Thread:  any.
 */
#pragma once

#include "wire/sip_uri.h"

struct sip_name_addr {
	struct span display; /* without quotes; backslashes kept */
	struct span uri;     /* without < > */
	struct span params;  /* of the header, not of the URI; without the leading ';' */
	struct span tag;
	bool wildcard; /* Contact: * */
};

struct sip_via {
	struct span transport; /* "UDP", "TCP", "TLS" */
	struct span host;      /* sent-by, without brackets */
	uint16_t port;         /* 0 = not given */
	struct span params;
	struct span branch;
	struct span received;
	bool has_rport;
	uint16_t rport; /* 0 = asked for, not filled in */
};

struct sip_cseq {
	uint32_t number;
	struct span method;
};

/* RFC 3326: Reason: Q.850;cause=16;text="Terminated" */
struct sip_reason {
	struct span protocol;
	uint32_t cause; /* 0 = not given */
	struct span text;
};

/* RFC 3262 section 7.2: RAck: 776656 1 INVITE */
struct sip_rack {
	uint32_t rseq;
	struct sip_cseq cseq;
};

/* RFC 4028 section 4: Session-Expires: 1800;refresher=uac */
struct sip_session_expires {
	uint32_t seconds;
	struct span refresher; /* empty when not given */
};

/* Outcome of the parsers below; *ret is untouched. */
enum {
	SIP_HEADER_E_BAD = 1,
};

MUST_USE int sip_name_addr_parse(struct sip_name_addr *ret, struct span value);
MUST_USE int sip_via_parse(struct sip_via *ret, struct span value); /* one, not a list */
MUST_USE int sip_cseq_parse(struct sip_cseq *ret, struct span value);
MUST_USE int sip_reason_parse(struct sip_reason *ret, struct span value);
MUST_USE int sip_rack_parse(struct sip_rack *ret, struct span value);
MUST_USE int sip_session_expires_parse(struct sip_session_expires *ret, struct span value);

/* RFC 3261 section 20.33: Retry-After: 120 (maintenance);duration=60. Seconds; 0 = not said, or nothing
 * that can be read. */
uint32_t sip_retry_after_s(struct span value);

/* Takes the next item off a comma list; commas inside quotes and < > do not count. Empty items
 * are passed over. False at the end. */
bool sip_list_next(struct span *rest, struct span *ret_item);
