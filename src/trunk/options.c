#include "trunk/options.h"

#include "base/limits.h"
#include "wire/e164.h"
#include "wire/sdp_crypto.h"
#include "wire/sip_uri.h"

#include <jansson.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

enum option_kind {
	OPTION_TEXT,   /* char[OPTION_TEXT_SIZE] */
	OPTION_USER,   /* the same; may stand before the '@' of a SIP URI */
	OPTION_HOST,   /* the same; "host[:port]" */
	OPTION_PROXY,  /* the same, perhaps with ";transport=tcp" behind it */
	OPTION_COUNT,  /* uint32_t, from `low` to `high` */
	OPTION_FLAG,   /* bool */
	OPTION_CHOICE, /* unsigned: the place among `words` */
	OPTION_TEXTS,  /* struct option_list */
	OPTION_PREFIXES, /* the same, of "+49" or "*" */
};

/* One option: `group` is the object that it is in, NULL = "ringdown" itself. */
struct option_rule {
	const char *group, *name;
	enum option_kind kind;
	size_t offset;
	uint32_t low, high;
	const char *const *words; /* ends with NULL */
};

#define AT(member) offsetof(struct trunk_options, member)

static const char *const media_securities[] = {
	[TRUNK_MEDIA_SECURITY_SDES] = "sdes",
	[TRUNK_MEDIA_SECURITY_DTLS] = "dtls",
	NULL,
};
static const char *const media_families[] = {
	[TRUNK_MEDIA_FAMILY_AUTO] = "auto",
	[TRUNK_MEDIA_FAMILY_IPV4] = "ipv4",
	[TRUNK_MEDIA_FAMILY_IPV6] = "ipv6",
	NULL,
};
static const char *const srtp_offers[] = {
	[TRUNK_SRTP_OFFER_SECURE] = "secure",
	[TRUNK_SRTP_OFFER_BEST_EFFORT] = "best_effort",
	NULL,
};
static const char *const identity_words[] = {"auto", "none", "pai", "ppi", "rpid", NULL};
static const char *const dtmf_words[] = {"auto", "rfc4733", "info", "inband", NULL};
static const char *const number_words[] = {"as_given", "e164", "digits", NULL};

enum { RATE_HIGH = 1000, DURATION_HIGH_S = 24 * 3600 };
enum { REGISTER_LOW_S = 10, REGISTER_HIGH_S = 24 * 3600, PING_LOW_S = 30, PING_HIGH_S = 3600,
	SESSION_LOW_S = 90, SESSION_HIGH_S = 24 * 3600 };

static const struct option_rule rules[] = {
	{NULL, "outbound_proxy", OPTION_PROXY, AT(outbound_proxy), 0, 0, NULL},
	{"redirect", "hosts", OPTION_TEXTS, AT(redirect.hosts), 0, 0, NULL},
	{NULL, "media_security", OPTION_CHOICE, AT(media_security), 0, 0, media_securities},
	{NULL, "media_family", OPTION_CHOICE, AT(media_family), 0, 0, media_families},
	{NULL, "rtcp_mux", OPTION_FLAG, AT(rtcp_mux), 0, 0, NULL},
	{"srtp", "offer", OPTION_CHOICE, AT(srtp.offer), 0, 0, srtp_offers},
	{"srtp", "suites", OPTION_TEXTS, AT(srtp.suites), 0, 0, NULL},
	{"srtp", "mki", OPTION_FLAG, AT(srtp.mki), 0, 0, NULL},
	{"register", "enabled", OPTION_FLAG, AT(reg.enabled), 0, 0, NULL},
	{"register", "user", OPTION_USER, AT(reg.user), 0, 0, NULL},
	{"register", "host", OPTION_HOST, AT(reg.host), 0, 0, NULL},
	{"register", "expires_s", OPTION_COUNT, AT(reg.expires_s), REGISTER_LOW_S, REGISTER_HIGH_S, NULL},
	{NULL, "from_user", OPTION_USER, AT(from_user), 0, 0, NULL},
	{NULL, "identity_header", OPTION_CHOICE, AT(identity_header), 0, 0, identity_words},
	{NULL, "number_format", OPTION_CHOICE, AT(number_format), 0, 0, number_words},
	{NULL, "dtmf", OPTION_CHOICE, AT(dtmf), 0, 0, dtmf_words},
	{NULL, "tech_prefix", OPTION_USER, AT(tech_prefix), 0, 0, NULL},
	{NULL, "user_phone", OPTION_FLAG, AT(user_phone), 0, 0, NULL},
	{NULL, "privacy", OPTION_FLAG, AT(privacy), 0, 0, NULL},
	{"policy", "allowed_countries", OPTION_PREFIXES, AT(policy.allowed_countries), 0, 0, NULL},
	{"policy", "extensions", OPTION_FLAG, AT(policy.extensions), 0, 0, NULL},
	{"policy", "calls_per_second", OPTION_COUNT, AT(policy.calls_per_second), 1, RATE_HIGH, NULL},
	{"policy", "max_calls", OPTION_COUNT, AT(policy.max_calls), 1, LIMIT_CALLS, NULL},
	{"policy", "max_calls_per_identity", OPTION_COUNT, AT(policy.max_calls_per_identity), 1, LIMIT_CALLS, NULL},
	{"policy", "max_call_duration_s", OPTION_COUNT, AT(policy.max_call_duration_s), 1, DURATION_HIGH_S, NULL},
	{NULL, "session_expires_s", OPTION_COUNT, AT(session_expires_s), SESSION_LOW_S, SESSION_HIGH_S, NULL},
	/* Twilio shuts out who asks more than once in ten seconds. */
	{NULL, "options_interval_s", OPTION_COUNT, AT(options_interval_s), PING_LOW_S, PING_HIGH_S, NULL},
};

/* Where the value stands, for a refusal: "ringdown.redirect.hosts". */
struct place {
	char name[96];
	char *why;
};

PRINTF(2, 3) static int refuse(const struct place *p, const char *format, ...)
{
	va_list args;
	int used = snprintf(p->why, TRUNK_WHY_SIZE, "metadata: %s ", p->name);

	va_start(args, format);
	vsnprintf(p->why + used, TRUNK_WHY_SIZE - (size_t)used, format, args);
	va_end(args);
	return TRUNK_E_INVALID;
}

static int take_text(char at[OPTION_TEXT_SIZE], const json_t *value, const struct place *p)
{
	const char *text = json_string_value(value);

	if (!text || strlen(text) >= OPTION_TEXT_SIZE || strpbrk(text, "\r\n"))
		return refuse(p, "must be a text of one line, shorter than %d bytes", OPTION_TEXT_SIZE);
	snprintf(at, OPTION_TEXT_SIZE, "%s", text);
	return 0;
}

/* RFC 3261, section 25.1: user, without what would have to be escaped; and hostport. */
static int take_word(char at[OPTION_TEXT_SIZE], const json_t *value, const struct place *p, bool is_host)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	int r = take_text(at, value, p);

	if (r)
		return r;
	for (const char *c = at; *c; ++c)
		if (!strchr(letters, *c) && !strchr(is_host ? ":[]" : "!~*'&=+$#", *c))
			return refuse(p, is_host ? "must be host or host:port" : "must be a SIP user, without host");
	return 0;
}

static int take_proxy(char at[OPTION_TEXT_SIZE], const json_t *value, const struct place *p)
{
	static const char *const transports[] = {"udp", "tcp", "tls"};
	char text[OPTION_TEXT_SIZE + 8];
	struct sip_uri uri;
	struct span transport = {0};
	int r = take_text(at, value, p);

	if (r || !*at)
		return r;
	snprintf(text, sizeof text, "sip:%s", at);
	bool good = !sip_uri_parse(&uri, span_text(text)) && uri.host.size && !uri.user.size && !uri.headers.size &&
		!strpbrk(at, "<>, \t");
	bool known = !good || !sip_param_get(uri.params, "transport", &transport);
	for (size_t i = 0; i < COUNT_OF(transports); ++i)
		known |= span_is_nocase(transport, transports[i]);
	return good && known ? 0 : refuse(p, "must be host or host:port, perhaps with ;transport=udp, tcp or tls");
}

static int take_texts(struct option_list *at, const json_t *value, const struct place *p)
{
	if (!json_is_array(value) || json_array_size(value) > OPTION_LIST_MAX)
		return refuse(p, "must be a list of at most %d texts", OPTION_LIST_MAX);
	at->count = json_array_size(value);
	for (size_t i = 0; i < at->count; ++i) {
		int r = take_text(at->at[i], json_array_get(value, i), p);
		if (r)
			return r;
	}
	return 0;
}

static int take_prefixes(struct option_list *at, const json_t *value, const struct place *p)
{
	int r = take_texts(at, value, p);

	for (size_t i = 0; r == 0 && i < at->count; ++i)
		if (strcmp(at->at[i], "*") && !e164_is_prefix(at->at[i]))
			r = refuse(p, "must be a list of country prefixes such as \"+49\", or \"*\"");
	return r;
}

static int take_count(uint32_t *at, const json_t *value, const struct place *p, const struct option_rule *o)
{
	json_int_t n = json_integer_value(value);

	if (!json_is_integer(value) || n < o->low || n > o->high)
		return refuse(p, "must be a number from %u to %u", o->low, o->high);
	*at = (uint32_t)n;
	return 0;
}

static int take_choice(unsigned *at, const json_t *value, const struct place *p, const struct option_rule *o)
{
	const char *word = json_string_value(value);
	char all[128] = "";
	size_t used = 0;

	for (unsigned i = 0; o->words[i]; ++i) {
		if (word && !strcmp(word, o->words[i])) {
			*at = i;
			return 0;
		}
		int n = snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", o->words[i]);
		used += (size_t)n < sizeof all - used ? (size_t)n : 0;
	}
	return refuse(p, "must be one of %s", all);
}

static int take(struct trunk_options *ret, const struct option_rule *o, const json_t *value,
	const struct place *p)
{
	void *at = (char *)ret + o->offset;

	switch (o->kind) {
	case OPTION_TEXT:
		return take_text(at, value, p);
	case OPTION_USER:
		return take_word(at, value, p, false);
	case OPTION_HOST:
		return take_word(at, value, p, true);
	case OPTION_PROXY:
		return take_proxy(at, value, p);
	case OPTION_TEXTS:
		return take_texts(at, value, p);
	case OPTION_PREFIXES:
		return take_prefixes(at, value, p);
	case OPTION_COUNT:
		return take_count(at, value, p, o);
	case OPTION_CHOICE:
		return take_choice(at, value, p, o);
	case OPTION_FLAG:
		if (!json_is_boolean(value))
			return refuse(p, "must be true or false");
		*(bool *)at = json_is_true(value);
		return 0;
	}
	return 0;
}

static bool same_group(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool is_group(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(rules); ++i)
		if (rules[i].group && !strcmp(rules[i].group, name))
			return true;
	return false;
}

static const struct option_rule *rule_of(const char *group, const char *name)
{
	for (size_t i = 0; i < COUNT_OF(rules); ++i)
		if (same_group(rules[i].group, group) && !strcmp(rules[i].name, name))
			return &rules[i];
	return NULL;
}

static int read_group(struct trunk_options *ret, const char *group, const json_t *object, char *why)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value) {
		struct place p = {.why = why};
		const struct option_rule *o = rule_of(group, name);
		int r;

		snprintf(p.name, sizeof p.name, "ringdown.%s%s%.40s", group ? group : "", group ? "." : "", name);
		if (o)
			r = take(ret, o, value, &p);
		else if (!group && is_group(name) && json_is_object(value))
			r = read_group(ret, name, value, why);
		else
			r = refuse(&p, is_group(name) && !group ? "must be an object" : "is no option; see docs/configuration.md");
		if (r)
			return r;
	}
	return 0;
}

static int check_suites(const struct option_list *names, char *why)
{
	const struct place p = {.name = "ringdown.srtp.suites", .why = why};
	enum sdp_crypto_suite suite;

	for (size_t i = 0; i < names->count; ++i)
		if (!sdp_crypto_suite_named(&suite, span_text(names->at[i])))
			return refuse(&p, "has \"%.60s\", which is no suite that we know; see docs/configuration.md",
				names->at[i]);
	return 0;
}

int trunk_options_read(struct trunk_options *ret, const char *metadata, char why[TRUNK_WHY_SIZE])
{
	struct place whole = {.name = "ringdown", .why = why};
	int r = 0;

	*ret = (struct trunk_options){0};
	json_t *root = json_loads(metadata, 0, NULL);
	const json_t *ours = json_object_get(root, "ringdown");
	if (ours)
		r = json_is_object(ours) ? read_group(ret, NULL, ours, why) : refuse(&whole, "must be an object");
	json_decref(root);
	return r ? r : check_suites(&ret->srtp.suites, why);
}

bool trunk_options_register(const struct trunk_options *o)
{
	return o->reg.enabled || *o->reg.user || *o->reg.host || o->reg.expires_s;
}

const char *trunk_options_user(const struct trunk_options *o, const Livekit__SIPOutboundTrunkInfo *trunk)
{
	if (*o->reg.user || !trunk->auth_username)
		return o->reg.user;
	return trunk->auth_username;
}

/* Most far ends that are reached by IPv6 send sound by it too; the trunk may say otherwise. */
int trunk_media_family(unsigned said, int family)
{
	static const int families[] = {
		[TRUNK_MEDIA_FAMILY_IPV4] = AF_INET, [TRUNK_MEDIA_FAMILY_IPV6] = AF_INET6};
	return said == TRUNK_MEDIA_FAMILY_AUTO ? family : families[said];
}

const char *trunk_options_login(const struct trunk_options *o, const Livekit__SIPOutboundTrunkInfo *trunk)
{
	if (trunk->auth_username && *trunk->auth_username)
		return trunk->auth_username;
	return *o->reg.user ? o->reg.user : NULL;
}
