/* simulator/carrier_registrar.c - REGISTER (RFC 3261 section 10.3): challenge, 423, several bindings, the list
 * of them in the 200. */
#include "simulator/carrier_inside.h"

#include "base/clock.h"

#include <stdio.h>

enum { EXPIRES_NOT_SAID = -1 };

static void say(struct carrier *c, const struct carrier_trunk *t, const struct carrier_way *way, const struct sip_message *m,
	unsigned status, const char *reason, const char *extra)
{
	char tag[CARRIER_TAG_SIZE];
	carrier_random_hex(&c->random, tag, sizeof tag);
	carrier_reply(c, t, way, m, &(struct carrier_reply){
		.status = status, .reason = reason, .to_tag = tag, .extra = extra});
}

static bool is_free(const struct carrier_binding *b)
{
	return !b->until_ms || b->until_ms <= clock_ms();
}

bool carrier_is_registered(const struct carrier *c, const struct carrier_way *way)
{
	for (size_t i = 0; i < CARRIER_BINDINGS_MAX; ++i)
		if (!is_free(&c->bindings[i]) && address_same_ip((const struct sockaddr *)&c->bindings[i].way.peer,
							 (const struct sockaddr *)&way->peer))
			return true;
	return false;
}

static struct carrier_binding *find(struct carrier *c, const char *aor, struct span contact)
{
	struct carrier_binding *unused = NULL;
	for (size_t i = 0; i < CARRIER_BINDINGS_MAX; ++i) {
		struct carrier_binding *b = &c->bindings[i];
		if (is_free(b))
			unused = b;
		else if (!strcmp(b->aor, aor) && span_is(contact, b->contact))
			return b;
	}
	return unused;
}

static long expires_of(const struct sip_message *m, const struct sip_name_addr *contact)
{
	struct span value;
	uint32_t seconds;
	if (contact && sip_param_get(contact->params, "expires", &value) && sip_number(value, 1u << 30, &seconds))
		return (long)seconds;
	value = sip_message_value_named(m, "Expires");
	return value.size && sip_number(value, 1u << 30, &seconds) ? (long)seconds : EXPIRES_NOT_SAID;
}

static void forget_all(struct carrier *c, const char *aor)
{
	for (size_t i = 0; i < CARRIER_BINDINGS_MAX; ++i)
		if (!strcmp(c->bindings[i].aor, aor))
			c->bindings[i].until_ms = 0;
}

/* 0, or the status that refuses it. */
static unsigned bind_one(struct carrier *c, const struct quirks *q, const struct carrier_way *way, const char *aor,
	const struct sip_name_addr *contact, long expires)
{
	if (expires == EXPIRES_NOT_SAID || expires > quirk(q, Q_EXPIRES))
		expires = quirk(q, Q_EXPIRES);
	if (expires && expires < quirk(q, Q_EXPIRES_MIN))
		return 423;
	struct carrier_binding *b = find(c, aor, contact->uri);
	if (!b || contact->uri.size >= sizeof b->contact)
		return 503;
	snprintf(b->aor, sizeof b->aor, "%s", aor);
	snprintf(b->contact, sizeof b->contact, "%.*s", (int)contact->uri.size, (const char *)contact->uri.data);
	b->until_ms = expires ? clock_ms() + (uint64_t)expires * 1000 : 0;
	b->way = *way;
	return 0;
}

static unsigned bind_all(struct carrier *c, const struct quirks *q, const struct carrier_way *way, const char *aor,
	const struct sip_message *m)
{
	struct sip_items it = {.m = m, .id = SIP_H_CONTACT};
	struct span item;
	unsigned status = 0;
	while (!status && sip_items_next(&it, &item)) {
		struct sip_name_addr contact;
		if (sip_name_addr_parse(&contact, item))
			return 400;
		if (contact.wildcard && expires_of(m, NULL))
			return 400;
		if (contact.wildcard)
			forget_all(c, aor);
		else
			status = bind_one(c, q, way, aor, &contact, expires_of(m, &contact));
	}
	return status;
}

static void list_bindings(struct carrier *c, const char *aor, struct writer *w)
{
	uint64_t now = clock_ms();
	for (size_t i = 0; i < CARRIER_BINDINGS_MAX; ++i) {
		const struct carrier_binding *b = &c->bindings[i];
		if (!is_free(b) && !strcmp(b->aor, aor))
			write_format(w, "Contact: <%s>;expires=%u|", b->contact, (unsigned)((b->until_ms - now + 999) / 1000));
	}
}

void carrier_register(struct carrier *c, struct carrier_trunk *t, const struct carrier_way *way, const struct sip_message *m)
{
	char header[512], aor[96], extra[4096];
	bool stale;
	enum refusal r = carrier_authenticate(c, t, m, &stale);
	snprintf(aor, sizeof aor, "%.*s", (int)m->to.uri.size, (const char *)m->to.uri.data);
	if (r == REFUSE_CHALLENGE && quirk(&t->quirks, Q_AUTH) >= AUTH_PASSWORD) {
		carrier_challenge(c, t, stale, header);
		say(c, t, way, m, (unsigned)quirk(&t->quirks, Q_CHALLENGE), NULL, header);
		return;
	}
	if (r == REFUSE_CREDENTIALS) {
		say(c, t, way, m, 403, NULL, NULL);
		return;
	}
	unsigned status = bind_all(c, &t->quirks, way, aor, m);
	carrier_log_event(&c->log, "register", NULL, json_pack("{s:s,s:i,s:o}", "aor", aor, "status", status ? (int)status : 200,
		"contact", carrier_log_text(sip_message_value(m, SIP_H_CONTACT))));
	struct writer w = writer_of(extra, sizeof extra - 1);
	if (status == 423)
		write_format(&w, "Min-Expires: %ld", quirk(&t->quirks, Q_EXPIRES_MIN));
	else if (!status)
		list_bindings(c, aor, &w);
	extra[writer_span(&w).size] = 0;
	say(c, t, way, m, status ? status : 200, status == 423 ? "Interval Too Brief" : NULL, extra);
}
