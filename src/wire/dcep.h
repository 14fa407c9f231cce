/* wire/dcep.h - the two messages that open a WebRTC data channel (RFC 8832), and the payload
 * protocol ids of SCTP that say what a message is (RFC 8831, section 8).
 *
 * Pure. Fuzzed by test/fuzz/fuzz_dcep.c.
 */
#pragma once

#include "base/base.h"
#include "base/writer.h"

enum dcep_payload {
	DCEP_PAYLOAD_CONTROL = 50,
	DCEP_PAYLOAD_TEXT = 51,
	DCEP_PAYLOAD_BINARY = 53,
	DCEP_PAYLOAD_TEXT_EMPTY = 56, /* SCTP cannot carry nothing: one byte stands for it */
	DCEP_PAYLOAD_BINARY_EMPTY = 57,
};

enum dcep_type {
	DCEP_ACK = 0x02,
	DCEP_OPEN = 0x03,
};

enum dcep_reliability {
	DCEP_RELIABLE,
	DCEP_RETRANSMITS, /* at most `reliability` times */
	DCEP_LIFETIME,    /* for `reliability` ms */
};

struct dcep_open {
	bool ordered;
	enum dcep_reliability kind;
	uint32_t reliability; /* 0 when DCEP_RELIABLE */
	uint16_t priority;
	struct span label, protocol;
};

/* False: neither OPEN nor ACK, or malformed. `open` is set only for DCEP_OPEN. */
MUST_USE bool dcep_parse(enum dcep_type *ret, struct dcep_open *open, struct span message);
void dcep_write_open(struct writer *w, const struct dcep_open *o);
void dcep_write_ack(struct writer *w);
