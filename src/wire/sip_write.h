/* wire/sip_write.h - SIP messages as bytes (RFC 3261 sections 7, 8.2.6). The mirror of
 * wire/sip_message.h: a start line, headers, then sip_write_end().
 *
 * Owner:   the caller owns the writer; ask `bad` once, at the end.
 * Owns:    nothing. Pure.
 * Thread:  any.
 */
#pragma once

#include "base/writer.h"
#include "wire/sip_message.h"

void sip_write_request(struct writer *w, struct span method, struct span uri);
void sip_write_status(struct writer *w, unsigned status, const char *reason);

/* A line end in a value sets `bad`: a name from an API call must not become a header. */
void sip_write_header(struct writer *w, const char *name, struct span value);
void sip_write_header_format(struct writer *w, const char *name, const char *format, ...)
	PRINTF(3, 4);
/* Something received, as one line: folding becomes a blank. */
void sip_write_copy(struct writer *w, const char *name, struct span value);
/* Every header of that kind, in order. */
void sip_write_copies(struct writer *w, const struct sip_message *m, enum sip_header_id id);

/* A display name in quotes, escaped as RFC 3261 section 25.1 asks. */
void sip_write_quoted(struct writer *w, struct span text);

/* Content-Type (when there is a body), Content-Length, the empty line, the body. */
void sip_write_end(struct writer *w, const char *content_type, struct span body);

struct sip_response_head {
	unsigned status;
	const char *reason;      /* NULL = the usual words */
	const char *to_tag;      /* added when the request's To has none; NULL = never */
	const char *received_ip; /* where it came from (RFC 3261 18.2.1); NULL = not said */
	uint16_t received_port;  /* fills in rport when it was asked for (RFC 3581) */
};

/* Status line, Via (all), From, To, Call-ID, CSeq. */
void sip_write_response_head(struct writer *w, const struct sip_message *request,
	const struct sip_response_head *head);

const char *sip_status_text(unsigned status); /* "" when it has no usual words */
const char *sip_header_text(enum sip_header_id id);
