#include "sip/agent.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/address.h"
#include "sip/core.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

/* What an in-dialog request of that name does not get a 405 for. */
const char sip_allow[] = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO";
const char sip_supported[] = "100rel, timer";

static void trace(struct sip_agent *a, const struct sip_path *path, struct span bytes, const struct sip_message *m)
{
	if (!a->events || !a->events->message)
		return;
	const struct sip_traced t = {
		.sent = !m,
		.protocol = sip_protocol_text(path->protocol),
		.remote = (const struct sockaddr *)&path->remote,
		.path = path,
		.bytes = bytes,
		.message = m,
	};
	a->events->message(a->owner, &t);
}

int sip_agent_send(struct sip_agent *a, struct sip_path *path, struct span bytes)
{
	++a->counts.sent;
	trace(a, path, bytes, NULL);
	return sip_transport_send(a->transport, path, bytes);
}

void sip_agent_write_via(
	struct sip_agent *a, struct writer *w, const struct sip_path *path, const char *branch)
{
	char host_port[SIP_HOST_PORT_SIZE];

	sip_transport_host_port(a->transport, path, host_port);
	/* RFC 5923: who shall reach us by the connection only, because we do not listen for TLS. */
	bool alias = path->protocol == SIP_TLS && !sip_transport_tls_port(a->transport);
	sip_write_header_format(w, "Via", "SIP/2.0/%s %s;rport%s;branch=%s",
		sip_protocol_text(path->protocol), host_port, alias ? ";alias" : "", branch);
}

int sip_agent_contact(
	struct sip_agent *a, const struct sip_path *path, const char *user, char **ret)
{
	char host_port[SIP_HOST_PORT_SIZE];

	sip_transport_host_port(a->transport, path, host_port);
	char *text = mem_format("<sip:%s%s%s;transport=%s>", user ? user : "",
		user && *user ? "@" : "", host_port, sip_protocol_param(path->protocol));
	if (!text)
		return err_new(-ENOMEM);
	mem_free(*ret);
	*ret = text;
	return 0;
}

/* --- usages ------------------------------------------------------------------------------- */

/* RFC 6026 has an answered INVITE wait 32 s for stragglers: were those calls, a server that makes
 * some 60 a second would be full of ended ones. */
bool sip_usage_room(struct sip_agent *a)
{
	while (a->lingering_count > LIMIT_SIP_LINGERING) {
		struct sip_usage *oldest = list_first(&a->lingering, struct sip_usage, link);
		oldest->ops->free_now(oldest);
	}
	return a->usage_count < LIMIT_CALLS;
}

void sip_usage_init(struct sip_usage *u, struct sip_agent *a, const struct sip_usage_ops *ops)
{
	u->agent = a;
	u->ops = ops;
	list_add(&a->usages, &u->link);
	++a->usage_count;
}

int sip_usage_publish(struct sip_usage *u, const char *call_id, const char *local_tag)
{
	u->key = mem_format("%s\n%s", call_id, local_tag);
	if (!u->key)
		return err_new(-ENOMEM);
	int r = map_put(&u->agent->dialogs, &u->node, u->key);
	if (!r)
		return 0;
	mem_free(u->key);
	u->key = NULL;
	return r < 0 ? r : err_new(-EEXIST);
}

void sip_usage_fini(struct sip_usage *u)
{
	if (!u->agent)
		return;
	if (u->key)
		map_remove(&u->agent->dialogs, &u->node);
	mem_free(u->key);
	list_remove(&u->link);
	--*(u->over ? &u->agent->lingering_count : &u->agent->usage_count);
	*u = (struct sip_usage){0};
}

void sip_usage_over(struct sip_usage *u)
{
	if (u->over)
		return;
	u->over = true;
	list_remove(&u->link);
	list_add(&u->agent->lingering, &u->link);
	--u->agent->usage_count;
	++u->agent->lingering_count;
}

static struct sip_usage *usage_find(struct sip_agent *a, const struct sip_message *m)
{
	char text[SIP_KEY_MAX];
	struct writer key = writer_of(text, sizeof text);

	write_span(&key, m->call_id);
	write_u8(&key, '\n');
	write_span(&key, m->to.tag);
	return key.bad ? NULL
		       : map_entry(map_get_span(&a->dialogs, writer_span(&key)), struct sip_usage,
				 node);
}

/* --- peers -------------------------------------------------------------------------------- */

static struct span address_bytes(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET)
		return span_of(&((const struct sockaddr_in *)a)->sin_addr, 4);
	return span_of(&((const struct sockaddr_in6 *)a)->sin6_addr, 16);
}

static bool peer_holds(const struct sip_peer *p, const struct sockaddr *a)
{
	if (p->address.ss_family != a->sa_family)
		return false;
	struct span want = address_bytes((const struct sockaddr *)&p->address);
	struct span got = address_bytes(a);
	unsigned whole = p->bits / 8, rest = p->bits % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	return memcmp(want.data, got.data, whole) == 0 &&
		(!rest || ((want.data[whole] ^ got.data[whole]) & mask) == 0);
}

int sip_agent_add_peer(struct sip_agent *a, const char *ip, unsigned prefix_bits)
{
	struct sip_peer p = {.bits = prefix_bits};

	int r = address_parse(&p.address, ip, 0);
	if (r < 0)
		return r;
	if (prefix_bits > (p.address.ss_family == AF_INET ? 32u : 128u) ||
		a->peer_count == SIP_PEERS_MAX)
		return -EINVAL;
	struct sip_peer *peers = mem_realloc(a->peers, (a->peer_count + 1) * sizeof *peers);
	if (!peers)
		return err_new(-ENOMEM);
	a->peers = peers;
	a->peers[a->peer_count++] = p;
	return 0;
}

void sip_agent_clear_peers(struct sip_agent *a)
{
	mem_free(a->peers);
	a->peers = NULL;
	a->peer_count = 0;
}

static bool in_a_call(const struct sip_agent *a, const struct sockaddr *from)
{
	list_each(it, &a->usages)
	{
		const struct sip_usage *u = container_of(it, struct sip_usage, link);
		const struct sockaddr *remote = (const struct sockaddr *)&u->remote;
		if (remote->sa_family == from->sa_family && address_same_ip(remote, from))
			return true;
	}
	return false;
}

/* Whoever knows a dialog's Call-ID and our random tag is no stranger: carriers send a BYE from
 * another edge than the one we called. */
static bool on_known(void *owner, const struct sockaddr *from, const struct sip_message *m)
{
	struct sip_agent *a = owner;

	if (a->open_to_all)
		return true;
	for (size_t i = 0; i < a->peer_count; ++i)
		if (peer_holds(&a->peers[i], from))
			return true;
	return (m && m->to.tag.size && usage_find(a, m)) || in_a_call(a, from);
}

/* --- messages ----------------------------------------------------------------------------- */

/* RFC 3261 section 18.2.1: who adds no `received` saw the address that we wrote. */
static void note_seen(struct sip_agent *a, const struct sip_message *m)
{
	struct span host = m->via.received.size ? m->via.received : m->via.host;
	struct sockaddr_storage seen;
	char text[ADDRESS_TEXT_SIZE];

	if (!m->via.rport || host.size >= sizeof text)
		return;
	snprintf(text, sizeof text, "%.*s", (int)host.size, (const char *)host.data);
	if (address_parse(&seen, text, m->via.rport) < 0)
		return;
	*(seen.ss_family == AF_INET ? &a->seen_v4 : &a->seen_v6) = seen;
}

bool sip_agent_seen_address(const struct sip_agent *a, int family, struct sockaddr_storage *ret)
{
	const struct sockaddr_storage *seen = family == AF_INET ? &a->seen_v4 : &a->seen_v6;

	*ret = *seen;
	return seen->ss_family;
}

static void on_response(struct sip_agent *a, const struct sip_message *m)
{
	char text[SIP_KEY_MAX];
	struct writer key = writer_of(text, sizeof text);

	sip_client_key(&key, m->via.branch, m->cseq.method);
	struct sip_client *c = key.bad
		? NULL
		: map_entry(map_get(&a->clients, text), struct sip_client, node);
	if (!c) {
		++a->counts.responses_late;
		return;
	}
	note_seen(a, m);
	sip_client_input(c, m);
}

static struct sip_server *server_find(
	struct sip_agent *a, const struct sip_message *m, enum sip_method method)
{
	char key[SIP_KEY_MAX];

	if (!sip_server_key(m, method, key))
		return NULL;
	return map_entry(map_get(&a->servers, key), struct sip_server, node);
}

/* An ACK with the INVITE's branch is for a refusal; any other finds its dialog. */
static void on_ack(struct sip_agent *a, const struct sip_message *m)
{
	struct sip_server *s = server_find(a, m, SIP_INVITE);

	if (s && s->engine.state != SIP_TX_ACCEPTED) {
		sip_server_acked(s);
		return;
	}
	struct sip_usage *u = usage_find(a, m);
	if (u)
		u->ops->ack(u, m);
}

/* RFC 3261 section 9.2. */
static void on_cancel(struct sip_agent *a, struct sip_server *s, const struct sip_message *m)
{
	struct sip_server *invite = server_find(a, m, SIP_INVITE);

	if (!invite) {
		sip_server_reply(s, 481);
		return;
	}
	memcpy(s->to_tag, invite->to_tag, sizeof s->to_tag);
	sip_server_reply(s, 200);
	if (invite->status < 200 && invite->events && invite->events->cancelled)
		invite->events->cancelled(invite->owner, invite, m);
}

static void answer_options(struct sip_agent *a, struct sip_server *s, const struct sip_message *m)
{
	const struct sockaddr *from = (const struct sockaddr *)&s->from.remote;

	if (a->events && a->events->options && !a->events->options(a->owner, m, from))
		sip_server_free(s);
	else
		sip_server_reply(s, 200);
}

/* Extensions that we must understand (section 8.2.2.3). */
static bool is_known_extension(struct span item)
{
	return span_is_nocase(item, "100rel") || span_is_nocase(item, "timer");
}

static bool requires_unknown(const struct sip_message *m)
{
	struct sip_items it = {.m = m, .id = SIP_H_REQUIRE};
	struct span item;

	while (sip_items_next(&it, &item))
		if (!is_known_extension(item))
			return true;
	return false;
}

static void refuse_extension(struct sip_server *s, const struct sip_message *m)
{
	char names[256] = "";
	struct sip_items it = {.m = m, .id = SIP_H_REQUIRE};
	struct span item;

	while (sip_items_next(&it, &item)) {
		size_t used = strlen(names);
		if (!is_known_extension(item) && item.size + 3 < sizeof names - used)
			snprintf(names + used, sizeof names - used, "%s%.*s", used ? ", " : "",
				(int)item.size, (const char *)item.data);
	}
	for (char *at = names; *at; ++at)
		if (*at < ' ')
			*at = ' ';
	struct sip_extra unsupported = {.name = "Unsupported", .value = names};
	struct sip_response r = {.status = 420, .headers = &unsupported, .header_count = 1};
	(void)!sip_server_respond(s, &r, NULL);
}

static void on_outside(struct sip_agent *a, struct sip_server *s, const struct sip_message *m)
{
	if (requires_unknown(m))
		refuse_extension(s, m);
	else if (m->method == SIP_OPTIONS)
		answer_options(a, s, m);
	else if (m->method == SIP_INVITE && a->events && a->events->incoming)
		sip_incoming_begin(a, s, m);
	else if (m->method == SIP_INVITE)
		sip_server_reply(s, 403);
	else if (m->method == SIP_BYE || m->method == SIP_UPDATE || m->method == SIP_INFO ||
		m->method == SIP_PRACK)
		sip_server_reply(s, 481);
	else
		sip_server_reply(s, 405);
}

static void on_new_request(struct sip_agent *a, struct sip_server *s, const struct sip_message *m)
{
	if (m->method == SIP_CANCEL) {
		on_cancel(a, s, m);
		return;
	}
	if (!m->to.tag.size) {
		on_outside(a, s, m);
		return;
	}
	struct sip_usage *u = usage_find(a, m);
	if (!u)
		sip_server_reply(s, 481);
	else if (requires_unknown(m))
		refuse_extension(s, m);
	else
		u->ops->request(u, s, m);
}

static void on_request(
	struct sip_agent *a, const struct sip_message *m, const struct sip_path *from)
{
	char key[SIP_KEY_MAX];
	struct sip_server *s;
	unsigned refusal = sip_message_refusal(m);

	if (m->method == SIP_ACK) {
		if (!refusal)
			on_ack(a, m);
		return;
	}
	if (refusal) {
		sip_reply_stateless(a, m, from, refusal);
		return;
	}
	if (!sip_server_key(m, m->method, key))
		return;
	s = map_entry(map_get(&a->servers, key), struct sip_server, node);
	if (s) {
		sip_server_repeated(s);
		return;
	}
	refusal = sip_message_body_refusal(m);
	if (refusal) {
		sip_reply_stateless(a, m, from, refusal);
		return;
	}
	/* Without memory it is as if the request was lost: it will come again. */
	if (sip_server_new(&s, a, m, from, key) == 0)
		on_new_request(a, s, m);
}

static void on_message(void *owner, const struct sip_message *m, const struct sip_path *from)
{
	struct sip_agent *a = owner;

	++a->counts.received;
	trace(a, from, m->bytes, m);
	if (m->is_response)
		on_response(a, m);
	else
		on_request(a, m, from);
}

static void on_dropped(void *owner, enum sip_drop why)
{
	++((struct sip_agent *)owner)->counts.dropped[why];
}

static void on_broken(void *owner, const struct sip_message *m, const struct sip_path *from)
{
	sip_reply_stateless(owner, m, from, 400);
}

static void on_stranger(void *owner)
{
	++((struct sip_agent *)owner)->counts.strangers;
}

static struct sip_client *waiting_at(struct sip_agent *a, const struct sip_path *path)
{
	for (struct map_node *n = map_next(&a->clients, NULL); n; n = map_next(&a->clients, n)) {
		struct sip_client *c = container_of(n, struct sip_client, node);
		if (!c->busy && sip_client_waits(c) && sip_path_same(&c->path, path))
			return c;
	}
	return NULL;
}

/* Each one told may change the table, so the search begins anew. It ends: who was told waits no
 * longer there, and what is started meanwhile to the same place is told in a later turn. */
static void on_path_failed(
	void *owner, const struct sip_path *path, const struct sip_trouble *why)
{
	struct sip_agent *a = owner;
	struct sip_client *c;

	for (size_t i = a->clients.count; i && (c = waiting_at(a, path)); --i)
		sip_client_broken(c, why);
	sip_keep_alive_failed(a, path);
}

static bool on_needed(void *owner, uint64_t connection)
{
	return sip_keep_alive_needs(owner, connection);
}

static const struct sip_transport_events transport_events = {
	.needed = on_needed,
	.known = on_known,
	.message = on_message,
	.dropped = on_dropped,
	.broken = on_broken,
	.stranger = on_stranger,
	.failed = on_path_failed,
};

/* --- life --------------------------------------------------------------------------------- */

static int open_transport(struct sip_agent *a, const struct sip_agent_config *config)
{
	const char *binds[SIP_BINDS_MAX] = {"0.0.0.0"};
	size_t count = 0;

	for (size_t i = 0; i < SIP_BINDS_MAX; ++i)
		if (config->binds[i])
			binds[count++] = config->binds[i];
	struct sip_transport_config transport = {
		.binds = binds,
		.bind_count = count ? count : 1,
		.bind_optional = config->bind_optional,
		.port = config->port,
		.advertised = config->advertised,
		.advertised_port = config->advertised_port,
		.tls_server = config->tls_server,
		.tls_port = config->tls_port,
		.tls_client = config->tls_client,
		.ping_ms = config->ping_ms,
	};
	return sip_transport_open(&a->transport, a->loop, &transport, &transport_events, a);
}

int sip_agent_new(struct sip_agent **ret, struct loop *l, struct dns *d,
	const struct sip_agent_config *config, const struct sip_agent_events *events, void *owner)
{
	struct sip_agent *a = mem_zalloc(sizeof *a);
	if (!a)
		return err_new(-ENOMEM);
	a->loop = l;
	a->dns = d;
	a->events = events;
	a->owner = owner;
	a->timers = config->timers;
	a->failover_ms = config->failover_ms ? config->failover_ms : 4000;
	a->open_to_all = config->open_to_all;
	list_init(&a->usages);
	list_init(&a->lingering);
	list_init(&a->orphans);
	list_init(&a->settled);
	int r = sip_keep_alive_init(a, config->datagram_ping_ms);
	if (r < 0) {
		mem_free(a);
		return r;
	}
	if (config->user_agent) {
		a->user_agent = mem_strdup(config->user_agent);
		if (!a->user_agent) {
			sip_agent_free(a);
			return err_new(-ENOMEM);
		}
	}
	r = open_transport(a, config);
	if (r < 0) {
		sip_agent_free(a);
		return r;
	}
	*ret = a;
	return 0;
}

static void free_usages(struct list *usages)
{
	while (!list_empty(usages)) {
		struct sip_usage *u = list_first(usages, struct sip_usage, link);
		u->ops->free_now(u);
	}
}

struct sip_agent *sip_agent_free(struct sip_agent *a)
{
	if (!a)
		return NULL;
	free_usages(&a->usages);
	free_usages(&a->lingering);
	for (struct map_node *n; (n = map_next(&a->clients, NULL));)
		sip_client_free(container_of(n, struct sip_client, node));
	for (struct map_node *n; (n = map_next(&a->servers, NULL));)
		sip_server_free(container_of(n, struct sip_server, node));
	timer_fini(&a->datagram_ping);
	sip_transport_close(a->transport);
	map_fini(&a->clients);
	map_fini(&a->servers);
	map_fini(&a->dialogs);
	mem_free(a->peers);
	mem_free(a->user_agent);
	mem_free(a);
	return NULL;
}

void sip_agent_local(const struct sip_agent *a, const struct sip_path *path, char out[SIP_LOCAL_SIZE])
{
	sip_transport_host_port(a->transport, path, out);
}

uint16_t sip_agent_port(const struct sip_agent *a)
{
	return sip_transport_port(a->transport);
}

uint16_t sip_agent_tls_port(const struct sip_agent *a)
{
	return sip_transport_tls_port(a->transport);
}

size_t sip_agent_calls(const struct sip_agent *a)
{
	return a->usage_count + a->lingering_count;
}

const struct sip_agent_counts *sip_agent_counts(const struct sip_agent *a)
{
	return &a->counts;
}
