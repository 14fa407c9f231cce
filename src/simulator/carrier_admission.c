/* simulator/carrier_admission.c - what a trunk checks before any telephone rings, in the order in which Twilio
 * does: the host, the address, the credentials, the account, the numbers, the limits, the media. */
#include "simulator/carrier_inside.h"

#include "base/clock.h"
#include "sip/digest.h"
#include "wire/e164.h"

#include <stdio.h>

struct carrier_trunk *carrier_trunk_for(struct carrier *c, const struct sip_message *m)
{
	struct sip_uri uri;
	if (sip_uri_parse(&uri, m->uri))
		return NULL;
	for (size_t i = c->trunk_count; i-- > 1;)
		if (carrier_trunk_is_at(&c->trunks[i], uri.host))
			return &c->trunks[i];
	return quirk(&c->trunks[0].quirks, Q_STRICT_HOST) ? NULL : &c->trunks[0];
}

struct carrier_source *carrier_source(struct carrier *c, const struct carrier_way *way)
{
	struct carrier_source *unused = &c->sources[0];
	for (size_t i = 0; i < CARRIER_SOURCES_MAX; ++i) {
		struct carrier_source *s = &c->sources[i];
		if (s->ip.ss_family && address_same_ip((struct sockaddr *)&s->ip, (const struct sockaddr *)&way->peer))
			return s;
		if (!s->ip.ss_family)
			unused = s;
	}
	*unused = (struct carrier_source){.ip = way->peer};
	return unused;
}

/* --- credentials ------------------------------------------------------------------------------ */

static struct carrier_nonce *find_nonce(struct carrier *c, struct span text)
{
	for (size_t i = 0; i < CARRIER_NONCES_MAX; ++i)
		if (c->nonces[i].text[0] && span_is(text, c->nonces[i].text))
			return &c->nonces[i];
	return NULL;
}

struct span carrier_challenge(struct carrier *c, const struct carrier_trunk *t, bool stale, char out[512])
{
	const struct quirks *q = &t->quirks;
	struct carrier_nonce *n = &c->nonces[c->nonce_next++ % CARRIER_NONCES_MAX];
	carrier_random_hex(&c->random, n->text, sizeof n->text);
	n->born_ms = clock_ms();
	n->old_at_once = !quirk(q, Q_NONCE_S) && !stale;

	struct writer w = writer_of(out, 511);
	write_format(&w, "%s: Digest realm=\"%s\"", quirk(q, Q_CHALLENGE) == 401 ? "WWW-Authenticate" : "Proxy-Authenticate",
		quirk_text(q, Q_REALM));
	if (strcmp(quirk_text(q, Q_QOP), "none"))
		write_format(&w, ",qop=\"%s\"", quirk_text(q, Q_QOP));
	write_format(&w, ",nonce=\"%s\",opaque=\"%.16s\"", n->text, n->text + 8);
	if (strcmp(quirk_text(q, Q_ALGORITHM), "none"))
		write_format(&w, ",algorithm=%s", quirk_text(q, Q_ALGORITHM));
	if (stale && quirk(q, Q_STALE))
		write_text(&w, ",stale=true");
	struct span s = writer_span(&w);
	out[s.size] = 0;
	return s;
}

static bool nonce_is_old(const struct carrier_nonce *n, const struct quirks *q)
{
	long life = quirk(q, Q_NONCE_S);
	return n->old_at_once || (life && clock_ms() - n->born_ms > (uint64_t)life * 1000);
}

enum refusal carrier_authenticate(
	struct carrier *c, const struct carrier_trunk *t, const struct sip_message *m, bool *stale)
{
	const struct quirks *q = &t->quirks;
	enum sip_header_id header = quirk(q, Q_CHALLENGE) == 401 ? SIP_H_AUTHORIZATION : SIP_H_PROXY_AUTHORIZATION;
	const char *realm = quirk_text(q, Q_REALM);
	*stale = false;
	int r = sip_digest_verify(m, header, realm, NULL, quirk_text(q, Q_USERNAME), quirk_text(q, Q_PASSWORD));
	if (r == SIP_VERIFY_E_NONE)
		return REFUSE_CHALLENGE;
	struct span rest = sip_message_value(m, header);
	struct sip_auth a;
	struct carrier_nonce *n = sip_auth_next(&rest, &a) ? find_nonce(c, a.nonce) : NULL;
	if (!n || nonce_is_old(n, q)) {
		*stale = true;
		return REFUSE_CHALLENGE;
	}
	return r ? REFUSE_CREDENTIALS : REFUSE_NOT;
}

static bool in_acl(const struct quirks *q, const struct carrier_way *way)
{
	const char *list = quirk_text(q, Q_ACL);
	if (!strcmp(list, "any"))
		return true;
	while (*list) {
		char net[64];
		size_t size = strcspn(list, ",");
		snprintf(net, sizeof net, "%.*s", (int)size, list);
		if (address_in_net((const struct sockaddr *)&way->peer, net))
			return true;
		list += size + (list[size] == ',');
	}
	return false;
}

static enum refusal check_access(struct carrier *c, const struct carrier_trunk *t, const struct carrier_way *way,
	const struct sip_message *m)
{
	long auth = quirk(&t->quirks, Q_AUTH);
	bool stale;
	if ((auth == AUTH_ACL || auth == AUTH_BOTH) && !in_acl(&t->quirks, way))
		return REFUSE_ACL;
	if (auth != AUTH_PASSWORD && auth != AUTH_BOTH)
		return REFUSE_NOT;
	return carrier_authenticate(c, t, m, &stale);
}

/* --- numbers ------------------------------------------------------------------------------------ */

static struct span user_of(struct span uri_text)
{
	struct sip_uri uri;
	if (sip_uri_parse(&uri, uri_text))
		return (struct span){0};
	struct span user = uri.scheme == SIP_SCHEME_TEL ? uri.host : uri.user;
	const uint8_t *end = user.size ? memchr(user.data, ';', user.size) : NULL;
	return end ? span_of(user.data, (size_t)(end - user.data)) : user;
}

static bool is_number(struct span s)
{
	size_t i = s.size && s.data[0] == '+' ? 1 : 0;
	if (s.size - i < 7 || s.size - i > E164_DIGITS_MAX)
		return false;
	for (; i < s.size; ++i)
		if (s.data[i] < '0' || s.data[i] > '9')
			return false;
	return true;
}

static bool number_is_written_right(const struct quirks *q, struct span user)
{
	bool plus = user.size && user.data[0] == '+';
	if (!is_number(user))
		return false;
	return quirk(q, Q_E164) == E164_EITHER || plus == (quirk(q, Q_E164) == E164_PLUS);
}

static struct span identity(const struct sip_message *m, const char *header)
{
	struct sip_name_addr a;
	struct span value = sip_message_value_named(m, header);
	return value.size && !sip_name_addr_parse(&a, value) ? user_of(a.uri) : (struct span){0};
}

/* From first; when that is no number Remote-Party-ID, then P-Asserted-Identity. A Remote-Party-ID that is
 * there must be right too. */
static enum refusal check_caller(const struct quirks *q, const struct sip_message *m)
{
	const char *owned = quirk_text(q, Q_OWNED);
	struct span from = user_of(m->from.uri);
	struct span rpid = identity(m, "Remote-Party-ID"), pai = identity(m, "P-Asserted-Identity");
	struct span ppi = identity(m, "P-Preferred-Identity");
	if (quirk(q, Q_FROM_USER))
		return !span_is(from, quirk_text(q, Q_USERNAME)) ? REFUSE_CALLER
			: !strcmp(owned, "any") || quirk_list_has(owned, ppi.size ? ppi : pai, true)
			? REFUSE_NOT : REFUSE_CALLER;
	if (!strcmp(owned, "any"))
		return REFUSE_NOT;
	struct span caller = is_number(from) ? from : is_number(rpid) ? rpid : pai;
	if (!is_number(caller))
		return REFUSE_CALLER_FORMAT;
	if (!quirk_list_has(owned, caller, true) || (rpid.size && !quirk_list_has(owned, rpid, true)))
		return REFUSE_CALLER;
	return REFUSE_NOT;
}

static enum refusal check_account(const struct quirks *q, struct span called)
{
	switch (quirk(q, Q_ACCOUNT)) {
	case ACCOUNT_SUSPENDED:
		return REFUSE_SUSPENDED;
	case ACCOUNT_INACTIVE:
		return REFUSE_INACTIVE;
	case ACCOUNT_TRIAL_2026:
		return REFUSE_TRIAL;
	case ACCOUNT_TRIAL_LEGACY:
		return quirk_list_has(quirk_text(q, Q_VERIFIED), called, true) ? REFUSE_NOT : REFUSE_UNVERIFIED;
	default:
		return REFUSE_NOT;
	}
}

static enum refusal check_numbers(const struct quirks *q, const struct sip_message *m, struct span called)
{
	if (!number_is_written_right(q, called))
		return REFUSE_NUMBER;
	enum refusal r = check_account(q, called);
	if (r == REFUSE_NOT)
		r = check_caller(q, m);
	if (r == REFUSE_NOT && quirk_list_has(quirk_text(q, Q_GEO), called, true))
		r = REFUSE_COUNTRY;
	if (r == REFUSE_NOT && quirk_list_has(quirk_text(q, Q_BLOCKED), called, true))
		r = REFUSE_BLOCKED;
	return r;
}

/* --- limits --------------------------------------------------------------------------------------- */

static bool take_token(struct carrier_trunk *t)
{
	long cps = quirk(&t->quirks, Q_CPS);
	uint64_t now = clock_ms();
	if (!cps)
		return true;
	t->tokens += (double)(now - t->tokens_ms) * (double)cps / 1000;
	if (!t->tokens_ms || t->tokens > (double)cps)
		t->tokens = (double)cps;
	t->tokens_ms = now;
	if (t->tokens < 1)
		return false;
	t->tokens -= 1;
	return true;
}

static enum refusal check_limits(struct carrier_trunk *t, const struct sip_message *m)
{
	uint32_t hops = 70;
	struct span value = sip_message_value(m, SIP_H_MAX_FORWARDS);
	if (value.size && sip_number(value, 1000, &hops) && hops < (uint32_t)quirk(&t->quirks, Q_MAX_FORWARDS))
		return REFUSE_HOPS;
	if (!take_token(t))
		return REFUSE_CPS;
	return t->calls >= (unsigned)quirk(&t->quirks, Q_CONCURRENCY) ? REFUSE_CONCURRENCY : REFUSE_NOT;
}

/* --- the rest --------------------------------------------------------------------------------------- */

static enum refusal check_session(const struct quirks *q, const struct sip_message *m)
{
	uint32_t seconds;
	struct span value = sip_message_value(m, SIP_H_SESSION_EXPIRES);
	const uint8_t *end = value.size ? memchr(value.data, ';', value.size) : NULL;
	struct span number = sip_trim(end ? span_of(value.data, (size_t)(end - value.data)) : value);
	if (!value.size || !sip_number(number, UINT32_MAX, &seconds))
		return REFUSE_NOT;
	return seconds < (uint32_t)quirk(q, Q_MIN_SE) ? REFUSE_SESSION : REFUSE_NOT;
}

static enum refusal check_require(const struct sip_message *m)
{
	struct sip_items it = {.m = m, .id = SIP_H_REQUIRE};
	struct span item;
	while (sip_items_next(&it, &item))
		if (!span_is_nocase(item, "100rel") && !span_is_nocase(item, "timer"))
			return REFUSE_EXTENSION;
	return REFUSE_NOT;
}

static enum refusal check_peer(struct carrier *c, const struct carrier_trunk *t, const struct carrier_way *way,
	const struct sip_message *m)
{
	struct sip_name_addr contact;
	struct sip_uri uri;
	struct sockaddr_storage ip;
	char host[128] = "";
	if (quirk(&t->quirks, Q_OPTIONS_FIRST) && !carrier_source(c, way)->options_ms)
		return REFUSE_NO_OPTIONS;
	if (quirk(&t->quirks, Q_REGISTER) && !carrier_is_registered(c, way))
		return REFUSE_UNREGISTERED;
	if (!quirk(&t->quirks, Q_FQDN_CONTACT))
		return REFUSE_NOT;
	if (sip_name_addr_parse(&contact, sip_message_value(m, SIP_H_CONTACT)) || sip_uri_parse(&uri, contact.uri) ||
		uri.host.size >= sizeof host)
		return REFUSE_CONTACT;
	memcpy(host, uri.host.data, uri.host.size);
	return address_parse(&ip, host, 0) == 0 ? REFUSE_CONTACT : REFUSE_NOT;
}

enum refusal carrier_admit(struct carrier *c, struct carrier_trunk *t, const struct carrier_way *way,
	const struct sip_message *invite, struct carrier_media *media)
{
	const struct quirks *q = &t->quirks;
	enum refusal r = check_require(invite);
	*media = (struct carrier_media){0};
	if (r == REFUSE_NOT && quirk(q, Q_SECURE) == SECURE_ON && way->transport != CARRIER_TLS)
		r = REFUSE_SECURE_TRANSPORT;
	if (r == REFUSE_NOT)
		r = check_access(c, t, way, invite);
	if (r == REFUSE_NOT)
		r = check_peer(c, t, way, invite);
	if (r == REFUSE_NOT)
		r = check_numbers(q, invite, user_of(invite->uri));
	if (r == REFUSE_NOT)
		r = check_session(q, invite);
	if (r == REFUSE_NOT)
		r = check_limits(t, invite);
	if (r != REFUSE_NOT || (!invite->body.size && quirk(q, Q_LATE_OFFER)))
		return r;
	return carrier_media_read(media, q, invite->body, way->transport == CARRIER_TLS);
}
