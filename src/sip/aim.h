/* sip/aim.h - where a request outside any dialog goes first: the outbound proxy if there is one, which
 * then stands in a Route (RFC 3261 section 8.1.2), else the host of the Request-URI.
 *
 * Owner:   the caller. Owns: its texts. Thread: any for sip_aim_read(), the agent's else.
 */
#pragma once

#include "sip/agent.h"
#include "sip/locate.h"

enum sip_protocol_choice {
	SIP_PROTOCOL_AUTO, /* what the URI says, else what the DNS says; else UDP, or TCP when the
			    * request passes 1300 bytes */
	SIP_PROTOCOL_UDP,
	SIP_PROTOCOL_TCP,
	SIP_PROTOCOL_TLS,
};
enum sip_protocol_choice sip_protocol_choice_of(enum sip_protocol p);

struct sip_aim {
	char host[SIP_HOST_SIZE]; /* without brackets */
	uint16_t port;            /* 0 = not said */
	bool any_protocol;        /* nobody asked for one; `protocol` is UDP then */
	enum sip_protocol protocol;
	char route[SIP_HOST_SIZE + 64]; /* the proxy as the value of a Route header; "" = none */
};

/* `proxy` is "host[:port][;transport=tcp]" or NULL; without it `route`, the value of a Route header that
 * the request has already, says where to; NULL = it has none. Returns 0 or -EINVAL. */
MUST_USE int sip_aim_read(struct sip_aim *ret, const char *request_uri, enum sip_protocol_choice protocol,
	const char *proxy, const char *route);
/* As sip_locate(). */
MUST_USE int sip_aim_locate(struct sip_location **ret, struct sip_agent *a, const struct sip_aim *aim,
	sip_located_fn *found, void *owner);
