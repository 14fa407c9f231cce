/* sip/dialog.h - what two user agents agree on: Call-ID, tags, sequence numbers, route set,
 * remote target (RFC 3261 section 12).
 *
 * Owner:   a session (sip/session.h), or the stack for a fork that is only ended again.
 * Owns:    its texts. Pure otherwise: no socket, no clock.
 * Thread:  its owner's.
 */
#pragma once

#include "base/writer.h"
#include "wire/sip_message.h"

enum { SIP_ROUTES_MAX = 16, SIP_TAG_SIZE = 17 };

struct sip_dialog {
	char *call_id;
	char *local;      /* our From as a header value, tag included */
	char *remote;     /* their To, tag included */
	char *remote_tag; /* "" while there is none */
	char local_tag[SIP_TAG_SIZE];
	uint32_t local_cseq; /* of the last request sent */
	uint32_t remote_cseq;
	bool has_remote_cseq;
	char *target;                 /* the far end's Contact URI, as it came */
	char *routes[SIP_ROUTES_MAX]; /* header values, in the order of Route */
	size_t route_count;
};

void sip_dialog_fini(struct sip_dialog *d); /* zeroed memory is fine */

/* A response to our INVITE makes (or remakes) the dialog: RFC 3261 section 12.1.2. `d` has call_id,
 * local and local_tag. Without Contact the target stays as it is. Returns 0 or -ENOMEM. */
MUST_USE int sip_dialog_from_response(struct sip_dialog *d, const struct sip_message *response);
/* Their INVITE makes it: section 12.1.1. local_tag is set already. */
MUST_USE int sip_dialog_from_request(struct sip_dialog *d, const struct sip_message *invite);
/* A copy for another fork: the same caller, nothing of the far end. */
MUST_USE int sip_dialog_fork(struct sip_dialog *d, const struct sip_dialog *from);
/* Target refresh: re-INVITE, UPDATE and their responses (section 12.2). Returns 0, the outcome or
 * -ENOMEM. */
enum {
	SIP_DIALOG_MOVED = 1, /* the target is another one than before */
};
MUST_USE int sip_dialog_refresh(struct sip_dialog *d, const struct sip_message *m);

/* Where a request within the dialog goes first: the first route, else the target. Returns 0 or
 * SIP_URI_E_BAD. */
MUST_USE int sip_dialog_next_hop(const struct sip_dialog *d, struct sip_uri *ret);
/* Its Request-URI; not the target when the first route is a strict router (section 12.2.1.1). */
struct span sip_dialog_request_uri(const struct sip_dialog *d);
/* Request line and the headers that the dialog determines: Route, From, To, Call-ID, CSeq,
 * Max-Forwards. Via comes from the caller, before or after. */
void sip_dialog_write(
	struct writer *w, const struct sip_dialog *d, enum sip_method method, uint32_t cseq);
void sip_dialog_write_headers(
	struct writer *w, const struct sip_dialog *d, enum sip_method method, uint32_t cseq);

/* Outcome of sip_dialog_sequence(). */
enum {
	SIP_DIALOG_E_OLD = 1, /* a request older than one that came already: 500 (section 12.2.2) */
};
MUST_USE int sip_dialog_sequence(struct sip_dialog *d, const struct sip_message *request);
