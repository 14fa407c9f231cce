/* sip/call_config.c - from what the caller of sip_invite() wants to what its messages will say. */
#include "sip/call_inside.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"

#include <errno.h>
#include <stdio.h>

/* "From" with display name and tag. */
static char *from_value(const struct sip_invite_config *config, const char *tag)
{
	char text[1024];
	struct writer w = writer_of(text, sizeof text);

	if (config->from_display) {
		sip_write_quoted(&w, span_text(config->from_display));
		write_u8(&w, ' ');
	}
	write_format(&w, "<%s>;tag=%s", config->from_uri, tag);
	return w.bad ? NULL : mem_strndup(text, w.used);
}

char *sip_extra_text(const struct sip_extra *headers, size_t count)
{
	char text[8192];
	struct writer w = writer_of(text, sizeof text);

	for (size_t i = 0; i < count; ++i)
		sip_write_header(&w, headers[i].name, span_text(headers[i].value));
	return w.bad ? NULL : mem_strndup(text, w.used);
}

static int set_text(char **at, const char *text)
{
	*at = text ? mem_strdup(text) : NULL;
	return text && !*at ? err_new(-ENOMEM) : 0;
}

/* The user part of the From URI, for Contact. */
static int set_contact_user(struct sip_call *c, const struct sip_invite_config *config)
{
	struct sip_uri from;

	if (config->contact_user)
		return set_text(&c->contact_user, config->contact_user);
	if (sip_uri_parse(&from, span_text(config->from_uri)) || !from.user.size)
		return 0;
	c->contact_user = mem_strndup((const char *)from.user.data, from.user.size);
	return c->contact_user ? 0 : err_new(-ENOMEM);
}

/* The route set that is there before there is a dialog (RFC 3261 section 12.2.1.1). */
static int set_routes(struct sip_dialog *d, const struct sip_invite_config *config)
{
	while (d->route_count < config->route_count && d->route_count < SIP_ROUTES_MAX) {
		int r = set_text(&d->routes[d->route_count], config->routes[d->route_count]);
		if (r < 0)
			return r;
		++d->route_count;
	}
	return 0;
}

static int set_dialog(struct sip_call *c, const struct sip_invite_config *config)
{
	struct sip_dialog *d = &c->s.dialog;
	const char *to = config->to_uri ? config->to_uri : config->request_uri;
	char id[33];

	rng_token(d->local_tag, sizeof d->local_tag);
	rng_token(id, sizeof id);
	d->local_cseq = 1;
	d->call_id = mem_strdup(config->call_id ? config->call_id : id);
	d->local = from_value(config, d->local_tag);
	d->remote = mem_format("<%s>", to);
	d->target = mem_strdup(config->request_uri);
	if (!d->call_id || !d->local || !d->remote || !d->target || set_routes(d, config) < 0)
		return err_new(-ENOMEM);
	return sip_usage_publish(&c->s.usage, d->call_id, d->local_tag);
}

int sip_call_set_texts(struct sip_call *c, const struct sip_invite_config *config)
{
	const char *type = config->content_type ? config->content_type : "application/sdp";

	int r = set_text(&c->content_type, type);
	if (r >= 0)
		r = set_text(&c->s.username, config->username);
	if (r >= 0)
		r = set_text(&c->s.password, config->password ? config->password : "");
	if (r >= 0)
		r = set_contact_user(c, config);
	if (r >= 0)
		r = sip_session_set_body(&c->s, config->body);
	c->extra = sip_extra_text(config->headers, config->header_count);
	if (r >= 0 && !c->extra)
		r = -EINVAL;
	return r < 0 ? r : set_dialog(c, config);
}

int sip_invite_target(const struct sip_invite_config *config, struct sip_uri *ret, char *text,
	size_t size, enum sip_protocol *protocol, bool *may_grow)
{
	struct sip_uri uri;
	struct span transport = {0};

	if (sip_uri_parse(&uri, span_text(config->request_uri)) || uri.scheme != SIP_SCHEME_SIP)
		return -EINVAL;
	sip_param_get(uri.params, "transport", &transport);
	enum sip_protocol asked = SIP_UDP;
	if (transport.size && !sip_protocol_find(&asked, transport))
		return -EINVAL;
	static const enum sip_protocol chosen[] = {
		[SIP_PROTOCOL_UDP] = SIP_UDP, [SIP_PROTOCOL_TCP] = SIP_TCP, [SIP_PROTOCOL_TLS] = SIP_TLS};
	*protocol = config->protocol == SIP_PROTOCOL_AUTO ? asked : chosen[config->protocol];
	*may_grow = config->protocol == SIP_PROTOCOL_AUTO && !transport.size;
	*ret = uri;
	struct sip_name_addr route;
	if (!config->proxy && config->route_count &&
		!sip_name_addr_parse(&route, span_text(config->routes[0])) && !sip_uri_parse(&uri, route.uri))
		*ret = uri;
	if (!config->proxy)
		return 0;
	if ((size_t)snprintf(text, size, "sip:%s", config->proxy) >= size)
		return -EINVAL;
	return sip_uri_parse(ret, span_text(text)) ? -EINVAL : 0;
}

bool sip_invite_is_sound(const struct sip_invite_config *config)
{
	struct sip_uri from, to;
	const char *to_uri = config->to_uri ? config->to_uri : config->request_uri;

	return sip_is_line(config->from_uri) && sip_is_line(config->contact_user) &&
		sip_is_line(config->call_id) && sip_is_line(config->content_type) &&
		!sip_uri_parse(&from, span_text(config->from_uri)) &&
		!sip_uri_parse(&to, span_text(to_uri));
}
