/* call/identity.h - who an INVITE says that calls, and whom: Request-URI, To, From, and the caller's
 * number where From does not show it (RFC 3325, and Remote-Party-ID before it; RFC 3323's Privacy).
 * Pure.
 *
 * Owner:   the caller, usually on its stack: it is large. Owns: its texts. Thread: any.
 */
#pragma once

#include "sip/aim.h"
#include "trunk/options.h"

struct identity_wish {
	const Livekit__SIPOutboundTrunkInfo *trunk;
	const struct trunk_options *options;
	const char *address;    /* "host" or "host:port" that is called */
	const char *uri_params; /* of the Request-URI; NULL = none */
	const char *number;     /* that is called */
	const char *to_number;  /* as To shows it */
	const char *to_user;    /* in To, as it is; NULL = to_number */
	const char *caller;     /* number, or user */
	const char *display;    /* NULL = the caller's number, "" = none */
	const char *from_host;  /* with it the whole From is as wished; NULL = by the trunk */
	const char *own_host;   /* where the trunk names none */
};

enum { IDENTITY_HEADERS_MAX = 2 };

struct identity {
	char uri[600], to[600], from[400];
	char display[160]; /* "" = none */
	char contact_user[OPTION_TEXT_SIZE];
	char asserted[900]; /* the value of the identity header */
	struct sip_extra headers[IDENTITY_HEADERS_MAX];
	size_t header_count;
};

/* Outcome. */
enum {
	IDENTITY_E_LONG = 1, /* a text does not fit */
};
MUST_USE int identity_write(struct identity *ret, const struct identity_wish *w);

/* A trunk's address of record, "sip:user@host", and where to ask for it, "sip:host[:port]". False:
 * does not fit. */
enum { IDENTITY_URI_SIZE = 600 };
bool identity_register_uris(char address[IDENTITY_URI_SIZE], char registrar[IDENTITY_URI_SIZE],
	const Livekit__SIPOutboundTrunkInfo *trunk, const struct trunk_options *options);
/* The same as a wish for sip_invite(). */
enum sip_protocol_choice identity_protocol(const Livekit__SIPOutboundTrunkInfo *trunk);
/* ";transport=udp", or "": what the trunk asks for. */
const char *identity_transport(const Livekit__SIPOutboundTrunkInfo *trunk);
