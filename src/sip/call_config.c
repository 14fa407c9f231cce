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
static int add_route(struct sip_dialog *d, const char *route)
{
	if (d->route_count == SIP_ROUTES_MAX)
		return 0;
	int r = set_text(&d->routes[d->route_count], route);
	d->route_count += r >= 0;
	return r;
}

static int set_routes(struct sip_call *c, const struct sip_invite_config *config)
{
	struct sip_dialog *d = &c->s.dialog;

	int r = *c->aim.route ? add_route(d, c->aim.route) : 0;
	for (size_t i = 0; r >= 0 && i < config->route_count; ++i)
		r = add_route(d, config->routes[i]);
	return r;
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
	if (!d->call_id || !d->local || !d->remote || !d->target || set_routes(c, config) < 0)
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
	c->s.expiry.wish_s = config->session_expires_s;
	c->extra = sip_extra_text(config->headers, config->header_count);
	if (r >= 0 && !c->extra)
		r = -EINVAL;
	return r < 0 ? r : set_dialog(c, config);
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
