#include "simulator/carrier.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "simulator/carrier_inside.h"

#include <errno.h>
#include <stdio.h>

/* --- messages ------------------------------------------------------------------------------------ */

static void note_received(struct carrier *c, const struct carrier_way *way, const struct sip_message *m, struct span bytes)
{
	char peer[ADDRESS_TEXT_SIZE], call[72];
	if (!c->log.line)
		return;
	snprintf(call, sizeof call, "%.*s", (int)(m->call_id.size < sizeof call ? m->call_id.size : sizeof call - 1),
		(const char *)m->call_id.data);
	json_t *fields = json_pack("{s:s,s:i,s:s,s:i,s:s}", "method", sip_method_text(m->method), "cseq", (int)m->cseq.number,
		"transport", carrier_transport_text(way->transport), "connection", (int)way->connection, "peer",
		address_text(peer, (const struct sockaddr *)&way->peer));
	json_object_set_new(fields, "edge", json_string(carrier_wire_ip(c->wire, way->edge)));
	if (m->is_response)
		json_object_set_new(fields, "status", json_integer(m->status));
	else
		json_object_set_new(fields, "uri", carrier_log_text(m->uri));
	if (c->log.trace)
		json_object_set_new(fields, "message", carrier_log_message(bytes));
	carrier_log_event(&c->log, "received", call, fields);
}

/* A source that asks too often is not answered any more; "forget" lifts it. */
static void on_options(struct carrier *c, struct carrier_trunk *t, const struct carrier_way *way, const struct sip_message *m)
{
	struct carrier_source *s = carrier_source(c, way);
	uint64_t now = clock_ms(), least = (uint64_t)quirk(&t->quirks, Q_RATE_BAN_S) * 1000;
	if (s->options_ms && now - s->options_ms < least && !s->banned) {
		s->banned = true;
		carrier_log_event(&c->log, "banned", NULL, json_pack("{s:i}", "after_ms", (int)(now - s->options_ms)));
	}
	s->options_ms = now;
	if (s->banned)
		return;
	char extra[QUIRK_TEXT_SIZE + 16];
	snprintf(extra, sizeof extra, "Allow: %s", quirk_text(&t->quirks, Q_ALLOW));
	carrier_reply(c, t, way, m, &(struct carrier_reply){.status = 200, .to_tag = "options", .edge = true, .extra = extra});
}

static void on_outside_request(struct carrier *c, const struct carrier_way *way, const struct sip_message *m, struct span bytes)
{
	struct carrier_trunk *t = carrier_trunk_for(c, m);
	if (!t) {
		carrier_log_event(&c->log, "dropped", NULL, json_pack("{s:o,s:o}", "uri", carrier_log_text(m->uri), "method",
			carrier_log_text(m->method_name)));
		return;
	}
	switch (m->method) {
	case SIP_INVITE:
		carrier_call_invite(c, t, way, m, bytes);
		return;
	case SIP_OPTIONS:
		on_options(c, t, way, m);
		return;
	case SIP_REGISTER:
		if (quirk(&t->quirks, Q_REGISTER)) {
			carrier_register(c, t, way, m);
			return;
		}
		break;
	case SIP_ACK:
		return;
	default:
		break;
	}
	carrier_reply(c, t, way, m, &(struct carrier_reply){.status = m->method == SIP_REGISTER ? 405 : 481, .to_tag = "outside"});
}

static void on_request(struct carrier *c, const struct carrier_way *way, const struct sip_message *m, struct span bytes)
{
	unsigned refusal = m->method == SIP_ACK ? 0 : sip_message_refusal(m);
	if (refusal) {
		carrier_reply(c, &c->trunks[0], way, m, &(struct carrier_reply){.status = refusal, .to_tag = "refused"});
		return;
	}
	bool starts = m->method == SIP_INVITE && !m->to.tag.size;
	struct carrier_call *call = starts ? NULL : carrier_call_find(c, m);
	if (call)
		carrier_dialog_request(call, way, m);
	else if (m->method != SIP_ACK && (m->to.tag.size || m->method == SIP_CANCEL))
		carrier_reply(c, &c->trunks[0], way, m, &(struct carrier_reply){.status = 481, .to_tag = "gone"});
	else
		on_outside_request(c, way, m, bytes);
}

static void on_response(struct carrier *c, const struct carrier_way *way, const struct sip_message *m)
{
	list_each(it, &c->calls) {
		struct carrier_call *call = container_of(it, struct carrier_call, link);
		if (!span_is(m->from.tag, call->forks[call->fork].tag))
			continue;
		carrier_answered(call, way, m);
		return;
	}
}

static void show(struct carrier *c, const struct carrier_way *way, struct span bytes, bool is_sent)
{
	char peer[ADDRESS_TEXT_SIZE], own[ADDRESS_TEXT_SIZE + 8];
	const char *ip = carrier_wire_ip(c->wire, way->edge);
	if (!c->message)
		return;
	address_text(peer, (const struct sockaddr *)&way->peer);
	snprintf(own, sizeof own, strchr(ip, ':') ? "[%s]:%u" : "%s:%u", ip, carrier_wire_port(c->wire, way->transport));
	c->message(c->owner, is_sent ? own : peer, is_sent ? peer : own, bytes);
}

static void on_sent(void *owner, const struct carrier_way *way, struct span bytes)
{
	show(owner, way, bytes, true);
}

static void on_message(void *owner, const struct carrier_way *way, struct span bytes)
{
	struct carrier *c = owner;
	struct sip_message m;
	show(c, way, bytes, false);
	enum sip_drop why = sip_message_parse(&m, bytes);
	if (why != SIP_OK) {
		carrier_log_event(&c->log, "malformed", NULL, json_pack("{s:s,s:o}", "why", sip_drop_text(why), "message",
			carrier_log_message(bytes)));
		return;
	}
	note_received(c, way, &m, bytes);
	if (m.is_response)
		on_response(c, way, &m);
	else
		on_request(c, way, &m, bytes);
}

static void on_keepalive(void *owner, const struct carrier_way *way, size_t bytes)
{
	struct carrier *c = owner;
	carrier_log_event(&c->log, "keepalive", NULL, json_pack("{s:s,s:i}", "transport",
		carrier_transport_text(way->transport), "bytes", (int)bytes));
	if (way->transport != CARRIER_UDP && bytes >= 4)
		carrier_wire_send(c->wire, way, span_of("\r\n", 2), 0);
}

static void on_connection(void *owner, const struct carrier_way *way, bool opened)
{
	struct carrier *c = owner;
	carrier_log_event(&c->log, opened ? "connected" : "disconnected", NULL, json_pack("{s:s,s:i}", "transport",
		carrier_transport_text(way->transport), "connection", (int)way->connection));
}

static const struct carrier_wire_events wire_events = {
	.message = on_message, .sent = on_sent, .keepalive = on_keepalive, .connection = on_connection};

/* --- settings --------------------------------------------------------------------------------------- */

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* "HOST: rest" -> the trunk of that host and `rest`. */
static struct carrier_trunk *take_host(struct carrier *c, const char **text)
{
	const char *colon = strstr(*text, ": ");
	for (size_t i = 0; colon && i < c->trunk_count; ++i) {
		size_t size = (size_t)(colon - *text);
		if (strlen(c->trunks[i].host) == size && !strncmp(c->trunks[i].host, *text, size)) {
			*text = skip_blanks(colon + 1);
			return &c->trunks[i];
		}
	}
	return NULL;
}

int carrier_set(struct carrier *c, const char *settings)
{
	struct carrier_trunk *one = take_host(c, &settings);
	if (one)
		return carrier_trunk_set(one, settings, NULL) ? CARRIER_E_BAD : 0;
	for (size_t i = 0; i < c->trunk_count; ++i)
		if (carrier_trunk_set(&c->trunks[i], settings, NULL))
			return CARRIER_E_BAD;
	return 0;
}

static int add_trunk(struct carrier *c, const char *host, const struct carrier_profile *p, const char *settings)
{
	if (c->trunk_count == CARRIER_TRUNKS_MAX)
		return CARRIER_E_FULL;
	if (carrier_trunk_init(&c->trunks[c->trunk_count], host, p, settings))
		return CARRIER_E_BAD;
	++c->trunk_count;
	return 0;
}

int carrier_add_trunk(struct carrier *c, const char *text)
{
	char host[sizeof c->trunks[0].host];
	const char *colon = strstr(text, ": ");
	size_t size = colon ? (size_t)(colon - text) : strlen(text);
	if (!size || size >= sizeof host)
		return CARRIER_E_BAD;
	memcpy(host, text, size);
	host[size] = 0;
	return add_trunk(c, host, c->trunks[0].profile, colon ? skip_blanks(colon + 1) : NULL);
}

int carrier_add_number(struct carrier *c, const char *text)
{
	char why[96];
	const char *equals = strchr(text, '=');
	size_t size = equals ? (size_t)(equals - text) : 0;
	if (!size || size >= sizeof c->numbers[0].number || !carrier_script_is_good(equals + 1, why))
		return CARRIER_E_BAD;
	size_t at = 0;
	while (at < c->number_count && (strlen(c->numbers[at].number) != size || strncmp(c->numbers[at].number, text, size)))
		++at;
	if (at == CARRIER_NUMBERS_MAX)
		return CARRIER_E_FULL;
	struct carrier_number *n = &c->numbers[at];
	snprintf(n->number, sizeof n->number, "%.*s", (int)size, text);
	snprintf(n->script, sizeof n->script, "%s", equals + 1);
	c->number_count += at == c->number_count;
	return 0;
}

static void forget(struct carrier *c)
{
	memset(c->sources, 0, sizeof c->sources);
	memset(c->bindings, 0, sizeof c->bindings);
	memset(c->nonces, 0, sizeof c->nonces);
}

static void hang_up_all(struct carrier *c)
{
	list_each(it, &c->calls)
		carrier_bye(container_of(it, struct carrier_call, link), NULL);
}

int carrier_control(struct carrier *c, const char *line)
{
	char word[16];
	size_t size = strcspn(line, " ");
	const char *rest = skip_blanks(line + size);
	snprintf(word, sizeof word, "%.*s", (int)size, line);
	if (!strcmp(word, "set"))
		return carrier_set(c, rest);
	if (!strcmp(word, "number"))
		return carrier_add_number(c, rest);
	if (!strcmp(word, "trunk"))
		return carrier_add_trunk(c, rest);
	if (!strcmp(word, "kill"))
		return carrier_wire_set(c->wire, rest, EDGE_DEAD) ? CARRIER_E_BAD : 0;
	if (!strcmp(word, "blackhole"))
		return carrier_wire_set(c->wire, rest, EDGE_BLACK_HOLE) ? CARRIER_E_BAD : 0;
	if (!strcmp(word, "revive"))
		return carrier_wire_set(c->wire, rest, EDGE_ALIVE) ? CARRIER_E_BAD : 0;
	if (!strcmp(word, "forget"))
		forget(c);
	else if (!strcmp(word, "hangup"))
		hang_up_all(c);
	else
		return CARRIER_E_BAD;
	return 0;
}

/* --- life ----------------------------------------------------------------------------------------------- */

static int build(struct carrier *c, const struct carrier_config *config)
{
	c->trunks = mem_zalloc(sizeof *c->trunks * CARRIER_TRUNKS_MAX);
	c->numbers = mem_zalloc(sizeof *c->numbers * CARRIER_NUMBERS_MAX);
	if (!c->trunks || !c->numbers)
		return err_new(-ENOMEM);
	int r = add_trunk(c, "", config->profile, NULL);
	const struct carrier_domain *d;
	for (size_t i = 0; r == 0 && (d = carrier_domain_at(i)); ++i)
		r = add_trunk(c, d->host, carrier_profile_find(d->profile), d->quirks);
	if (r)
		return err_new(-EINVAL); /* our own tables; a unit test reads them */
	return carrier_wire_new(&c->wire, c->loop, &config->wire, &wire_events, c);
}

int carrier_new(struct carrier **ret, struct loop *l, const struct carrier_config *config)
{
	struct carrier *c = mem_zalloc(sizeof *c);
	if (!c)
		return err_new(-ENOMEM);
	c->loop = l;
	c->random.state = config->seed;
	list_init(&c->calls);
	carrier_log_init(&c->log, config->event, config->owner);
	c->log.trace = config->trace;
	c->message = config->message;
	c->owner = config->owner;
	int r = build(c, config);
	if (r < 0) {
		carrier_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

struct carrier *carrier_free(struct carrier *c)
{
	if (!c)
		return NULL;
	c->log.line = NULL;
	while (!list_empty(&c->calls))
		carrier_call_free(list_first(&c->calls, struct carrier_call, link));
	c->wire = carrier_wire_free(c->wire);
	mem_free(c->trunks);
	mem_free(c->numbers);
	mem_free(c);
	return NULL;
}

uint16_t carrier_port(const struct carrier *c, enum carrier_transport t)
{
	return carrier_wire_port(c->wire, t);
}

size_t carrier_calls(const struct carrier *c)
{
	size_t count = 0;
	list_each(it, &c->calls)
		count += container_of(it, struct carrier_call, link)->state < CALL_REFUSED;
	return count;
}
