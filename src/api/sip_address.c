#include "api/sip_address.h"

#include "wire/sip_uri.h"

#include <stdio.h>

typedef Livekit__CreateSIPParticipantRequest request;

enum { URI_MAX = 512 };

static bool invalid(struct twirp *t, const char *which, const char *why)
{
	twirp_fail(t, "invalid_argument", "invalid %s: %s", which, why);
	return false;
}

/* What a URI says, from either of its spellings. */
struct address {
	char *user, *host, *params;
	Livekit__SIPTransport transport;
};

static bool read_transport(Livekit__SIPTransport *ret, struct span params)
{
	static const char *const names[] = {
		[LIVEKIT__SIPTRANSPORT__SIP_TRANSPORT_UDP] = "udp",
		[LIVEKIT__SIPTRANSPORT__SIP_TRANSPORT_TCP] = "tcp",
		[LIVEKIT__SIPTRANSPORT__SIP_TRANSPORT_TLS] = "tls",
	};
	struct span value;
	*ret = LIVEKIT__SIPTRANSPORT__SIP_TRANSPORT_AUTO;
	if (!sip_param_get(params, "transport", &value))
		return true;
	for (size_t i = 1; i < COUNT_OF(names); ++i)
		if (span_is_nocase(value, names[i]))
			*ret = (Livekit__SIPTransport)i;
	return *ret != LIVEKIT__SIPTRANSPORT__SIP_TRANSPORT_AUTO;
}

static char *join_host(struct twirp *t, struct span host, bool is_ipv6, unsigned port)
{
	char text[URI_MAX];
	int n = snprintf(text, sizeof text, "%s%.*s%s", is_ipv6 ? "[" : "", (int)host.size, (const char *)host.data,
		is_ipv6 ? "]" : "");
	if (port && n > 0 && n < (int)sizeof text)
		snprintf(text + n, sizeof text - (size_t)n, ":%u", port);
	return proto_text(&t->arena, text);
}

/* "sip:user@host:port;params", perhaps in < >. False: no such thing, or no memory. */
static bool read_raw(struct address *ret, struct twirp *t, const char *raw)
{
	struct span text = sip_trim(span_text(raw));
	struct sip_uri uri;
	if (text.size > 2 && text.data[0] == '<' && text.data[text.size - 1] == '>')
		text = span_of(text.data + 1, text.size - 2);
	if (text.size > URI_MAX / 2 || sip_uri_parse(&uri, text) || uri.scheme != SIP_SCHEME_SIP || !uri.host.size ||
		uri.headers.size || uri.password.size || !read_transport(&ret->transport, uri.params))
		return false;
	ret->user = proto_text_span(&t->arena, uri.user);
	ret->host = join_host(t, uri.host, uri.host_is_ipv6, uri.port);
	ret->params = proto_text_span(&t->arena, uri.params);
	return ret->user && ret->host && ret->params;
}

/* Written out and read back: so that no value can be more than what it is called. */
static bool read_values(struct address *ret, struct twirp *t, const Livekit__SIPUri *u)
{
	char text[URI_MAX];
	const char *host = *u->host ? u->host : u->ip;
	bool bare_ipv6 = *host != '[' && strchr(host, ':');
	int n = snprintf(text, sizeof text, "sip:%s%s%s%s%s", u->user, *u->user ? "@" : "", bare_ipv6 ? "[" : "", host,
		bare_ipv6 ? "]" : "");
	if (u->port && n > 0 && n < (int)sizeof text)
		n += snprintf(text + n, sizeof text - (size_t)n, ":%u", u->port);
	if (n >= (int)sizeof text || strpbrk(u->user, "@;?<> ") || strpbrk(host, "@;?<> ") || !read_raw(ret, t, text))
		return false;
	ret->transport = u->transport;
	return true;
}

/* Two wishes that contradict each other are none. */
static bool check_transports(struct twirp *t, Livekit__SIPTransport a, Livekit__SIPTransport b)
{
	if (!a || !b || a == b)
		return true;
	const ProtobufCEnumDescriptor *e = &livekit__siptransport__descriptor;
	const ProtobufCEnumValue *first = protobuf_c_enum_descriptor_get_value(e, a);
	const ProtobufCEnumValue *second = protobuf_c_enum_descriptor_get_value(e, b);
	twirp_fail(t, "invalid_argument", "invalid request URI: different transports specified: %s vs %s",
		first ? first->name : "unknown", second ? second->name : "unknown");
	return false;
}

static bool read_request_uri(struct sip_addresses *ret, struct twirp *t, const Livekit__SIPRequestDest *d,
	const Livekit__SIPOutboundTrunkInfo *trunk)
{
	static const char which[] = "request URI";
	struct address a = {0};
	if (d->uri_case == LIVEKIT__SIPREQUEST_DEST__URI_VALUES && !*d->values->host && !*d->values->ip)
		return invalid(t, which, "host or ip must be set");
	bool good = d->uri_case == LIVEKIT__SIPREQUEST_DEST__URI_RAW	    ? read_raw(&a, t, d->raw)
		    : d->uri_case == LIVEKIT__SIPREQUEST_DEST__URI_VALUES ? read_values(&a, t, d->values)
									    : false;
	if (!good)
		return invalid(t, which, "invalid request URI");
	if (trunk && !check_transports(t, trunk->transport, a.transport))
		return false;
	ret->number = a.user;
	ret->address = a.host;
	ret->uri_params = *a.params ? a.params : NULL;
	ret->transport = a.transport;
	return true;
}

static bool read_from_header(struct sip_addresses *ret, struct twirp *t, const Livekit__SIPNamedDest *d)
{
	static const char which[] = "From header";
	struct address a = {0};
	bool good = d->uri_case == LIVEKIT__SIPNAMED_DEST__URI_RAW	  ? read_raw(&a, t, d->raw)
		    : d->uri_case == LIVEKIT__SIPNAMED_DEST__URI_VALUES ? read_values(&a, t, d->values)
									  : false;
	if (!good || !*a.user)
		return invalid(t, which, "a SIP URI with a user and a host is expected");
	ret->from_user = a.user;
	ret->from_host = a.host;
	ret->from_display = d->display_name;
	return true;
}

bool sip_addresses_read(struct sip_addresses *ret, struct twirp *t, const request *in,
	const Livekit__SIPOutboundTrunkInfo *trunk)
{
	*ret = (struct sip_addresses){0};
	if (in->sip_to_header)
		return invalid(t, "To header", "cannot use both CallTo and SipToHeader");
	if (!in->sip_request_uri && !trunk)
		return invalid(t, "request URI", "address must be set");
	if (in->sip_request_uri && !read_request_uri(ret, t, in->sip_request_uri, trunk))
		return false;
	return !in->sip_from_header || read_from_header(ret, t, in->sip_from_header);
}
