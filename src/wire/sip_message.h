/* wire/sip_message.h - a SIP request or response taken apart (RFC 3261 section 7), and where one
 * ends in a byte stream (section 18.3; wire/sip_stream.h cuts one up).
 *
 * Owner:   the caller; the struct is large (about 6 KB) and every span points into the bytes.
 * Owns:    nothing. Pure: no allocation, no clock. Fuzzed by test/fuzz/fuzz_sip_message.c.
 * Thread:  any.
 * Words:   the parser refuses only what cannot be framed or answered; what else is wrong with a
 *          request is the status that sip_message_refusal() names.
 */
#pragma once

#include "base/limits.h"
#include "wire/sip_header.h"

enum sip_method {
	SIP_METHOD_OTHER,
	SIP_INVITE,
	SIP_ACK,
	SIP_BYE,
	SIP_CANCEL,
	SIP_OPTIONS,
	SIP_REGISTER,
	SIP_PRACK,
	SIP_UPDATE,
	SIP_INFO,
	SIP_NOTIFY,
	SIP_SUBSCRIBE,
	SIP_REFER,
	SIP_MESSAGE,
	SIP_PUBLISH,
	SIP_METHOD__COUNT,
};

enum sip_header_id {
	SIP_H_OTHER,
	SIP_H_VIA,
	SIP_H_FROM,
	SIP_H_TO,
	SIP_H_CALL_ID,
	SIP_H_CSEQ,
	SIP_H_CONTACT,
	SIP_H_ROUTE,
	SIP_H_RECORD_ROUTE,
	SIP_H_MAX_FORWARDS,
	SIP_H_CONTENT_TYPE,
	SIP_H_CONTENT_LENGTH,
	SIP_H_CONTENT_ENCODING,
	SIP_H_WWW_AUTHENTICATE,
	SIP_H_PROXY_AUTHENTICATE,
	SIP_H_AUTHORIZATION,
	SIP_H_PROXY_AUTHORIZATION,
	SIP_H_REQUIRE,
	SIP_H_SUPPORTED,
	SIP_H_ALLOW,
	SIP_H_RSEQ,
	SIP_H_RACK,
	SIP_H_REASON,
	SIP_H_WARNING,
	SIP_H_RETRY_AFTER,
	SIP_H_EVENT,
	SIP_H_REFER_TO,
	SIP_H_SESSION_EXPIRES,
	SIP_H_SUBJECT,
	SIP_H_TIMESTAMP,
	SIP_H__COUNT,
};

struct sip_header_line {
	struct span name;  /* as written */
	struct span value; /* trimmed; a folded value still holds its line ends */
	enum sip_header_id id;
};

struct sip_message {
	bool is_response;
	bool version_is_2; /* false: 505 is owed */

	enum sip_method method; /* of the request, or of CSeq in a response */
	struct span method_name;
	struct span uri; /* Request-URI */
	unsigned status; /* 100..699 */
	struct span reason;

	/* What every message has. `via` is the topmost. */
	struct sip_via via;
	struct sip_name_addr from, to;
	struct span call_id;
	struct sip_cseq cseq;

	struct sip_header_line headers[LIMIT_SIP_HEADERS];
	size_t header_count;
	size_t broken_lines; /* lines that are no header; passed over */
	struct span content; /* all that follows the headers */
	struct span body;    /* the same, or of a multipart the SDP in it (RFC 5621 section 3.1) */
	struct span bytes; /* the whole message as it came */
};

/* Why bytes are no message. */
enum sip_drop {
	SIP_OK,
	SIP_DROP_KEEPALIVE, /* nothing but line ends */
	SIP_DROP_START_LINE,
	SIP_DROP_HEADERS_MANY, /* more than LIMIT_SIP_HEADERS */
	SIP_DROP_UNFINISHED,   /* no empty line after the headers */
	SIP_DROP_LENGTH,       /* Content-Length no number, contradictory, or more than there is */
	SIP_DROP_VIA,
	SIP_DROP_FROM,
	SIP_DROP_TO,
	SIP_DROP_CALL_ID,
	SIP_DROP_CSEQ,
	SIP_DROP__COUNT,
};

/* `bytes` is one datagram, or one message cut out by sip_message_frame(). Bytes after
 * Content-Length are passed over; without Content-Length the body is the rest. */
MUST_USE enum sip_drop sip_message_parse(struct sip_message *ret, struct span bytes);
/* After a drop: whether `m` is a request of which enough was read to answer it with 400. */
bool sip_message_answerable(const struct sip_message *m);
const char *sip_drop_text(enum sip_drop why);

/* Outcomes of sip_message_frame(). */
enum {
	SIP_FRAME_E_MORE = 1, /* not complete yet: it will have *ret_size bytes, 0 = nobody knows */
	SIP_FRAME_E_BLANK,    /* *ret_size bytes of line ends come first: take them off */
	SIP_FRAME_E_BROKEN,   /* can never become a message: close the stream */
};

/* Where the first message of a stream ends. 0: *ret_size bytes are one message. Content-Length is
 * required in a stream (RFC 3261 section 18.3). */
MUST_USE int sip_message_frame(struct span stream, size_t *ret_size);

/* The status that a request deserves before anyone looks at what it asks for: 400, 416, 483 or
 * 505; 0 = nothing is wrong. */
unsigned sip_message_refusal(const struct sip_message *request);

/* What an INVITE or UPDATE deserves that brings, or wants back, anything but SDP: 415, 406 or 0. */
unsigned sip_message_body_refusal(const struct sip_message *request);

/* Whether the value of a Content-Type is `type` ("application/dtmf"), whatever its parameters. */
bool sip_is_type(struct span media_type, const char *type);

/* First header of that kind, or NULL. */
const struct sip_header_line *sip_message_header(
	const struct sip_message *m, enum sip_header_id id);
const struct sip_header_line *sip_message_header_named(
	const struct sip_message *m, const char *name);
/* Its value; empty when there is none. */
struct span sip_message_value(const struct sip_message *m, enum sip_header_id id);
struct span sip_message_value_named(const struct sip_message *m, const char *name);

/* Walks the items of all headers of one kind, several lines and comma lists alike. Zero it, then
 * set `m` and `id`. */
struct sip_items {
	const struct sip_message *m;
	enum sip_header_id id;
	size_t at;
	struct span rest;
};
bool sip_items_next(struct sip_items *it, struct span *ret_item);
/* Whether a token list (Require, Supported, Allow) names `token`. */
bool sip_message_lists(const struct sip_message *m, enum sip_header_id id, const char *token);

enum sip_method sip_method_of(struct span name); /* case counts, RFC 3261 section 7.1 */
const char *sip_method_text(enum sip_method method);
