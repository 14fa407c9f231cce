/* The STUN and TURN servers that a client is told, when it joins and when it comes back. */
#include "signal/session.h"

#include "base/clock.h"
#include "wire/turn_auth.h"

#include <inttypes.h>
#include <stdio.h>

/* IPv6 literals stand in brackets (RFC 7065, 3.1). */
static char *turn_url(struct info_arena *a, const struct signal_turn_server *t)
{
	char url[512];
	bool tls = strcmp(t->protocol, "tls") == 0;
	bool bare_v6 = strchr(t->host, ':') && t->host[0] != '[';

	snprintf(url, sizeof url, "%s:%s%.250s%s:%u?transport=%s", tls ? "turns" : "turn",
		bare_v6 ? "[" : "", t->host, bare_v6 ? "]" : "", t->port,
		strcmp(t->protocol, "udp") == 0 ? "udp" : "tcp");
	return info_text(a, url);
}

static int give_credentials(Livekit__ICEServer *server, struct info_arena *a,
	const struct signal_turn_server *t, const char *identity)
{
	char password[TURN_AUTH_PASSWORD_SIZE];

	if (!t->secret) {
		server->username = (char *)t->username;
		server->credential = (char *)t->credential;
		return 0;
	}
	char username[LIMIT_NAME_BYTES_MAX + 32];
	snprintf(username, sizeof username, "%" PRId64 ":%s", clock_unix_s() + t->ttl_s, identity);
	server->username = info_text(a, username);
	int r = turn_auth_password(password, t->secret, username);
	if (r == 0)
		server->credential = info_text(a, password);
	return r ? r : server->username && server->credential ? 0 : err_new(-ENOMEM);
}

static Livekit__ICEServer *new_server(struct info_arena *a, size_t url_count)
{
	Livekit__ICEServer *server = info_alloc(a, sizeof *server);
	if (!server)
		return NULL;
	livekit__iceserver__init(server);
	server->urls = info_alloc(a, url_count * sizeof *server->urls);
	return server->urls ? server : NULL;
}

static Livekit__ICEServer *turn_server(
	struct session *s, struct info_arena *a, const struct signal_turn_server *t)
{
	Livekit__ICEServer *server = new_server(a, 1);
	if (!server || !(server->urls[0] = turn_url(a, t)))
		return NULL;
	server->n_urls = 1;
	return give_credentials(server, a, t, participant_identity(s->participant)) ? NULL : server;
}

static Livekit__ICEServer *stun_servers(struct info_arena *a, const struct signal_config *c)
{
	Livekit__ICEServer *server = new_server(a, c->stun_server_count);
	for (size_t i = 0; server && i < c->stun_server_count; ++i) {
		char url[300];
		snprintf(url, sizeof url, "stun:%.290s", c->stun_servers[i]);
		server->urls[i] = info_text(a, url);
		if (!server->urls[i])
			return NULL;
		++server->n_urls;
	}
	return server;
}

size_t session_ice_servers(Livekit__ICEServer ***ret, struct session *s, struct info_arena *a)
{
	const struct signal_config *c = &s->door->config;
	size_t count = 0;

	*ret = info_alloc(a, (c->turn_server_count + 1) * sizeof **ret);
	for (size_t i = 0; *ret && i < c->turn_server_count; ++i) {
		Livekit__ICEServer *server = turn_server(s, a, &c->turn_servers[i]);
		if (server)
			(*ret)[count++] = server;
	}
	Livekit__ICEServer *stun = *ret && c->stun_server_count ? stun_servers(a, c) : NULL;
	if (stun)
		(*ret)[count++] = stun;
	return count;
}

Livekit__ClientConfiguration *session_client_configuration(
	struct session *s, Livekit__ClientConfiguration *c)
{
	if (s->way != WAY_RELAY || !s->door->config.turn_server_count)
		return NULL;
	livekit__client_configuration__init(c);
	c->force_relay = LIVEKIT__CLIENT_CONFIG_SETTING__ENABLED;
	return c;
}
