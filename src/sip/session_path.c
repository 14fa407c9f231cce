/* sip/session_path.c - the way to the far end of a dialog: its first route, or its target. */
#include "sip/session.h"

#include "base/mem.h"
#include "net/address.h"

static void send_held(struct sip_session *s)
{
	if (s->held.size)
		(void)sip_agent_send(s->usage.agent, &s->path, buf_span(&s->held));
	buf_fini(&s->held);
}

struct hop {
	char host[256];
	uint16_t port; /* 0 = not given */
	enum sip_protocol protocol;
};

static bool hop_of(const struct sip_dialog *d, struct hop *ret)
{
	struct sip_uri uri;
	struct span transport;

	if (sip_dialog_next_hop(d, &uri) || uri.scheme == SIP_SCHEME_TEL ||
		uri.host.size >= sizeof ret->host)
		return false;
	memcpy(ret->host, uri.host.data, uri.host.size);
	ret->host[uri.host.size] = 0;
	ret->protocol = SIP_UDP;
	if (sip_param_get(uri.params, "transport", &transport))
		(void)sip_protocol_find(&ret->protocol, transport);
	if (uri.scheme == SIP_SCHEME_SIPS)
		ret->protocol = SIP_TLS;
	ret->port = uri.port;
	return true;
}

/* A connection that leads there already is kept: behind an edge the name or address in its
 * Record-Route may be reachable by no other. With TLS only a name can lead away from it: nobody proves
 * to be an address (RFC 5923). Should it break, a new one leads to the same place by the same name. */
static bool stays(const struct sip_session *s, const struct sip_dialog *d, const struct hop *hop,
	const struct sockaddr_storage *to)
{
	struct sockaddr_storage literal;
	bool is_literal = address_parse(&literal, hop->host, 0) == 0;
	bool same_host = address_same_ip(
		(const struct sockaddr *)&s->path.remote, (const struct sockaddr *)to);

	if (!sip_is_stream(s->path.protocol) || !s->path.connection)
		return false;
	return d->route_count || same_host ||
		(s->path.protocol == SIP_TLS && (is_literal || hop->protocol != SIP_TLS));
}

static struct sip_path path_to(const struct sip_session *s, const struct sip_dialog *d,
	const struct hop *hop, const struct sockaddr_storage *to)
{
	struct sip_path path = {.protocol = hop->protocol, .remote = *to};

	if (stays(s, d, hop, to))
		return s->path;
	memcpy(path.host, hop->host, sizeof path.host);
	return path;
}

static bool parse_literal(struct sockaddr_storage *ret, const struct hop *hop)
{
	return address_parse(ret, hop->host, hop->port ? hop->port : sip_protocol_port(hop->protocol)) == 0;
}

struct sip_path sip_session_hop(const struct sip_session *s, const struct sip_dialog *d)
{
	struct sockaddr_storage literal;
	struct hop hop;

	if (!hop_of(d, &hop) || !parse_literal(&literal, &hop))
		return s->path;
	return path_to(s, d, &hop, &literal);
}

static void take_path(struct sip_session *s, struct sip_path path)
{
	s->path = path;
	s->usage.remote = path.remote;
}

static void on_hop(void *owner, const struct sip_target *targets, size_t count, const char *why)
{
	struct sip_session *s = owner;
	struct hop hop;

	s->location = NULL;
	if (count && hop_of(&s->dialog, &hop)) {
		hop.protocol = targets[0].protocol;
		take_path(s, path_to(s, &s->dialog, &hop, &targets[0].address));
	}
	send_held(s);
}

void sip_session_route(struct sip_session *s)
{
	struct sockaddr_storage literal;
	struct hop hop;

	take_path(s, sip_session_hop(s, &s->dialog));
	if (!hop_of(&s->dialog, &hop) || parse_literal(&literal, &hop))
		return;
	bool same_name = s->host && strcasecmp(s->host, hop.host) == 0;
	if (same_name || s->location || (sip_is_stream(s->path.protocol) && s->dialog.route_count))
		return;
	/* Without an answer the way of the INVITE stays. */
	struct sip_agent *a = s->usage.agent;
	const struct sip_locate_wish wish = {.host = hop.host, .port = hop.port, .protocol = hop.protocol};
	if (sip_locate(&s->location, a->loop, a->dns, &wish, on_hop, s) < 0)
		s->location = NULL;
}

int sip_session_retarget(struct sip_session *s, struct sip_dialog *d, const struct sip_message *m)
{
	int r = sip_dialog_refresh(d, m);

	if (r == SIP_DIALOG_MOVED && s->confirmed && d == &s->dialog)
		sip_session_route(s);
	return r < 0 ? r : 0;
}
