/* wire/stun.h - STUN messages as ICE uses them (RFC 8489, RFC 8445 section 16.1).
 *
 * Pure: bytes in, struct out, and back. The caller gives the passwords and counts what was
 * dropped and why. Fuzzed by test/fuzz/fuzz_stun.c.
 */
#pragma once

#include "base/base.h"
#include "base/writer.h"

#include <sys/socket.h>

enum {
	STUN_HEADER_BYTES = 20,
	STUN_TRANSACTION_BYTES = 12,
	STUN_REPLY_BYTES_MAX = 256, /* room for everything stun_write_*() here ever answers */
	STUN_UNKNOWN_MAX = 8,       /* unknown attributes that we name in a 420 */
};

/* Message types: method Binding with its four classes. */
enum {
	STUN_BINDING_REQUEST = 0x0001,
	STUN_BINDING_INDICATION = 0x0011,
	STUN_BINDING_SUCCESS = 0x0101,
	STUN_BINDING_ERROR = 0x0111,
};

/* Attributes below 0x8000 must be understood, or the request is refused (RFC 8489, 14). */
enum stun_attribute {
	STUN_USERNAME = 0x0006,
	STUN_MESSAGE_INTEGRITY = 0x0008,
	STUN_ERROR_CODE = 0x0009,
	STUN_UNKNOWN_ATTRIBUTES = 0x000a,
	STUN_XOR_MAPPED_ADDRESS = 0x0020,
	STUN_PRIORITY = 0x0024,
	STUN_USE_CANDIDATE = 0x0025,
	STUN_SOFTWARE = 0x8022,
	STUN_FINGERPRINT = 0x8028,
	STUN_ICE_CONTROLLED = 0x8029,
	STUN_ICE_CONTROLLING = 0x802a,
};

struct stun_view {
	uint16_t type;
	uint8_t transaction[STUN_TRANSACTION_BYTES];
	struct span username;  /* "receiver's ufrag:sender's ufrag" in a check; empty if absent */
	struct span integrity; /* the 20 bytes of the HMAC; empty if absent */
	bool has_fingerprint;  /* then it was right: a wrong one is STUN_DROP_FINGERPRINT */
	bool use_candidate;
	bool controlled, controlling; /* which role the sender claims */
	uint32_t priority;            /* 0 if absent */
	uint16_t error_code;          /* 300-699 of an error response, else 0 */
	struct sockaddr_storage mapped; /* XOR-MAPPED-ADDRESS; ss_family AF_UNSPEC if absent */
	uint16_t unknown[STUN_UNKNOWN_MAX]; /* must-understand attributes that we do not */
	size_t unknown_count;
};

enum stun_drop {
	STUN_OK,
	STUN_DROP_SHORT,
	STUN_DROP_HEADER, /* not STUN: top bits, cookie or length */
	STUN_DROP_ATTRIBUTE,
	STUN_DROP_FINGERPRINT,
	STUN_DROP__COUNT,
};

MUST_USE enum stun_drop stun_parse(struct stun_view *ret, struct span packet);
/* Is MESSAGE-INTEGRITY there and made with this password? `packet` is what `v` was parsed from. */
bool stun_integrity_ok(const struct stun_view *v, struct span packet, struct span password);

/* Build a message: header, attributes, then integrity, then fingerprint. Each keeps the length
 * in the header true. Ask w->bad once, at the end. The message must begin at w->data. */
void stun_write_header(
	struct writer *w, uint16_t type, const uint8_t transaction[STUN_TRANSACTION_BYTES]);
void stun_write_attribute(struct writer *w, uint16_t type, struct span value);
void stun_write_mapped(struct writer *w, const struct sockaddr *address);
void stun_write_error(struct writer *w, unsigned code, const char *reason);
void stun_write_integrity(struct writer *w, struct span password);
void stun_write_fingerprint(struct writer *w);
