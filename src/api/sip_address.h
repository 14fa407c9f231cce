/* api/sip_address.h - addresses of one's own in CreateSIPParticipant: sip_request_uri and
 * sip_from_header, taken apart for a call.
 *
 * Owner, owns: nothing; the texts live in the request's arena. Thread: the control thread.
 */
#pragma once

#include "api/twirp.h"

#include "livekit_sip.pb-c.h"

/* Members are NULL where the request says nothing. */
struct sip_addresses {
	const char *number;     /* user of the Request-URI: what is dialled, and checked */
	const char *address;    /* its "host" or "host:port" */
	const char *uri_params; /* without the first ';' */
	Livekit__SIPTransport transport;
	const char *from_user, *from_host, *from_display;
};

/* False: the refusal was sent. `trunk` is the one that the call goes through, or NULL. */
bool sip_addresses_read(struct sip_addresses *ret, struct twirp *t,
	const Livekit__CreateSIPParticipantRequest *in, const Livekit__SIPOutboundTrunkInfo *trunk);
