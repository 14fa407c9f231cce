#include "sip/aim.h"

#include "sip/core.h"

#include <errno.h>
#include <stdio.h>

enum sip_protocol_choice sip_protocol_choice_of(enum sip_protocol p)
{
	return p == SIP_TLS ? SIP_PROTOCOL_TLS : p == SIP_TCP ? SIP_PROTOCOL_TCP : SIP_PROTOCOL_UDP;
}

/* What the URI asks for; 0, or -EINVAL for a protocol that is none of ours. */
static int take_protocol(struct sip_aim *a, const struct sip_uri *uri)
{
	struct span transport;

	if (!sip_param_get(uri->params, "transport", &transport))
		return 0;
	a->any_protocol = false;
	return sip_protocol_find(&a->protocol, transport) ? 0 : -EINVAL;
}

static int take_host(struct sip_aim *a, const struct sip_uri *uri)
{
	if (!uri->host.size || uri->host.size >= sizeof a->host)
		return -EINVAL;
	snprintf(a->host, sizeof a->host, "%.*s", (int)uri->host.size, (const char *)uri->host.data);
	a->port = uri->port;
	return 0;
}

/* "<sip:host:port;transport=tcp;lr>" */
static int take_proxy(struct sip_aim *a, const char *proxy)
{
	struct sip_uri uri;
	struct writer w = writer_of(a->route, sizeof a->route);

	write_format(&w, "<sip:%s%s>", proxy, strstr(proxy, ";lr") ? "" : ";lr");
	write_u8(&w, 0);
	if (w.bad || strpbrk(proxy, "\r\n<>,") ||
		sip_uri_parse(&uri, span_of(a->route + 1, strlen(a->route) - 2)) || uri.user.size)
		return -EINVAL;
	int r = take_host(a, &uri);
	return r < 0 ? r : take_protocol(a, &uri);
}

/* One that makes no sense is passed over: a registrar told it (RFC 3608). */
static int take_route(struct sip_aim *a, const char *route)
{
	struct sip_name_addr value;
	struct sip_uri uri;

	if (sip_name_addr_parse(&value, span_text(route)) || sip_uri_parse(&uri, value.uri) ||
		uri.scheme != SIP_SCHEME_SIP)
		return 0;
	int r = take_host(a, &uri);
	return r < 0 ? r : take_protocol(a, &uri);
}

int sip_aim_read(struct sip_aim *ret, const char *request_uri, enum sip_protocol_choice protocol,
	const char *proxy, const char *route)
{
	static const enum sip_protocol chosen[] = {
		[SIP_PROTOCOL_UDP] = SIP_UDP, [SIP_PROTOCOL_TCP] = SIP_TCP, [SIP_PROTOCOL_TLS] = SIP_TLS};
	struct sip_uri uri;

	*ret = (struct sip_aim){.any_protocol = true};
	if (sip_uri_parse(&uri, span_text(request_uri)) || uri.scheme != SIP_SCHEME_SIP)
		return -EINVAL;
	int r = take_protocol(ret, &uri);
	if (r >= 0)
		r = take_host(ret, &uri);
	if (r >= 0 && proxy && *proxy)
		r = take_proxy(ret, proxy);
	else if (r >= 0 && route)
		r = take_route(ret, route);
	if (protocol != SIP_PROTOCOL_AUTO && !(proxy && strstr(proxy, "transport="))) {
		ret->any_protocol = false;
		ret->protocol = chosen[protocol];
	}
	return r;
}

int sip_aim_locate(struct sip_location **ret, struct sip_agent *a, const struct sip_aim *aim,
	sip_located_fn *found, void *owner)
{
	const struct sip_locate_wish wish = {.host = aim->host, .port = aim->port,
		.any_protocol = aim->any_protocol, .protocol = aim->protocol};
	return sip_locate(ret, a->loop, a->dns, &wish, found, owner);
}
