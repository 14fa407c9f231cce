#include "sip/register.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "sip/call_inside.h"
#include "sip/request.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum {
	EXPIRES_S = 600,
	EXPIRES_MAX_S = 24 * 3600, /* what a registrar may make us ask for (423), or grant */
	WAIT_BASE_MS = 30 * 1000,  /* RFC 5626 section 4.5 */
	WAIT_MAX_MS = 30 * 60 * 1000,
	LOST_MS = 1000,            /* from a connection's end to the next REGISTER */
	FLOW_GOOD_MS = 120 * 1000, /* RFC 5626 section 4.5: one that lasted so long was a good one */
	REFUSED_FACTOR = 10, /* a wrong password, sent again and again, gets us locked out */
	EARLY_S = 600,       /* of a long binding: refreshed so long before its end; a short one half way */
	STOP_MS = 2000,
	INSTANCE_SIZE = 13,
};

struct sip_registration {
	struct sip_agent *agent;
	const struct sip_registration_events *events;
	void *owner;
	enum sip_registration_state state;

	char *registrar, *address, *contact_user, *proxy, *username, *password;
	enum sip_protocol_choice protocol;
	char call_id[33], instance[INSTANCE_SIZE];
	uint32_t wanted_s, wait_base_ms, wait_max_ms, least_ms;

	struct sip_request *request;
	struct sip_authorizer known;
	uint32_t cseq;
	bool lengthened; /* by a 423 to this try: once is enough */
	struct timer timer;

	struct sip_keeper keeper; /* while it is held */
	uint64_t granted_ms;      /* loop time of the last grant */
	unsigned breaks;          /* in a row: connections that ended soon after one */
	uint64_t held_until_ms; /* 0 = not held */
	struct sip_registration_info info;
	char sentence[320];
	char *routes[SIP_ROUTES_MAX];
};

static const struct {
	const char *text;
	unsigned next;
} states[SIP_REGISTRATION__COUNT] = {
	[SIP_REGISTRATION_ASKING] = {"registering",
		BIT(SIP_REGISTRATION_HELD) | BIT(SIP_REGISTRATION_WAITING) | BIT(SIP_REGISTRATION_LEAVING)},
	[SIP_REGISTRATION_HELD] = {"registered",
		BIT(SIP_REGISTRATION_REFRESHING) | BIT(SIP_REGISTRATION_LEAVING)},
	[SIP_REGISTRATION_REFRESHING] = {"refreshing",
		BIT(SIP_REGISTRATION_HELD) | BIT(SIP_REGISTRATION_WAITING) | BIT(SIP_REGISTRATION_LEAVING)},
	[SIP_REGISTRATION_WAITING] = {"failed", BIT(SIP_REGISTRATION_ASKING) | BIT(SIP_REGISTRATION_LEAVING)},
	[SIP_REGISTRATION_LEAVING] = {"leaving", BIT(SIP_REGISTRATION_GONE)},
	[SIP_REGISTRATION_GONE] = {"gone", 0},
};

const char *sip_registration_state_text(enum sip_registration_state s)
{
	return states[s].text;
}

static void move(struct sip_registration *r, enum sip_registration_state next)
{
	assert(states[r->state].next & BIT(next));
	r->state = next;
}

static uint64_t now(const struct sip_registration *r)
{
	return loop_now_ms(r->agent->loop);
}

static bool is_held(const struct sip_registration *r)
{
	return r->held_until_ms > now(r);
}

/* --- what the registrar says ---------------------------------------------------------------- */

static bool same(struct span a, struct span b)
{
	return a.size == b.size &&
		(!a.size || !strncasecmp((const char *)a.data, (const char *)b.data, a.size));
}

static bool same_place(const struct sip_uri *a, const struct sip_uri *b)
{
	unsigned port_a = a->port ? a->port : 5060, port_b = b->port ? b->port : 5060;
	return port_a == port_b && same(a->user, b->user) && same(a->host, b->host);
}

/* 2 = has our own mark, 1 = is where we are, 0 = another phone's. */
static int likeness(const struct sip_registration *r, struct span uri_text, const char *contact)
{
	struct sip_name_addr ours;
	struct sip_uri uri, own;
	struct span mark;

	if (sip_uri_parse(&uri, uri_text))
		return 0;
	if (sip_param_get(uri.params, "rinstance", &mark) && span_is(mark, r->instance))
		return 2;
	if (sip_name_addr_parse(&ours, span_text(contact)) || sip_uri_parse(&own, ours.uri))
		return 0;
	return same_place(&uri, &own);
}

static uint32_t seconds(struct span text, uint32_t otherwise)
{
	uint32_t n;

	if (sip_number(sip_trim(text), UINT32_MAX, &n))
		return n;
	return otherwise;
}

/* What is left of our binding. A registrar that lists none of its bindings, or one only that it has
 * rewritten (a NAT's address), means ours. 0 = it is not there. */
static uint32_t granted(struct sip_registration *r, const struct sip_message *m, const char *contact)
{
	uint32_t whole = seconds(sip_message_value_named(m, "Expires"), r->wanted_s), ours = 0, last = whole;
	struct sip_items it = {.m = m, .id = SIP_H_CONTACT};
	struct span item, value;
	int best = 0;

	r->info.bindings = 0;
	while (sip_items_next(&it, &item)) {
		struct sip_name_addr a;
		if (sip_name_addr_parse(&a, item) || a.wildcard)
			continue;
		++r->info.bindings;
		last = sip_param_get(a.params, "expires", &value) ? seconds(value, whole) : whole;
		int like = likeness(r, a.uri, contact);
		if (like > best) {
			best = like;
			ours = last;
		}
	}
	if (!best && r->info.bindings <= 1)
		ours = last;
	return ours < EXPIRES_MAX_S ? ours : EXPIRES_MAX_S;
}

static void drop_routes(struct sip_registration *r)
{
	for (size_t i = 0; i < SIP_ROUTES_MAX; ++i) {
		mem_free(r->routes[i]);
		r->routes[i] = NULL;
	}
	r->info.route_count = 0;
}

/* RFC 3608: where calls of ours shall go first. What does not fit is passed over. */
static void take_routes(struct sip_registration *r, const struct sip_message *m)
{
	static const char name[] = "Service-Route";
	struct span item;

	drop_routes(r);
	for (size_t i = 0; i < m->header_count; ++i) {
		const struct sip_header_line *line = &m->headers[i];
		struct span rest = line->value;
		if (line->name.size != sizeof name - 1 ||
			strncasecmp((const char *)line->name.data, name, line->name.size))
			continue;
		while (r->info.route_count < SIP_ROUTES_MAX && sip_list_next(&rest, &item)) {
			char *text = mem_strndup((const char *)item.data, item.size);
			if (text && sip_is_line(text))
				r->routes[r->info.route_count++] = text;
			else
				mem_free(text);
		}
	}
}

/* --- asking -------------------------------------------------------------------------------- */

static sip_request_done_fn on_done;

static int ask(struct sip_registration *r, uint32_t expires_s)
{
	char mark[INSTANCE_SIZE + 16], text[16];
	const struct sip_extra headers[] = {
		{"Expires", text},
		{"Supported", "path"},
		{"Allow", sip_allow},
	};

	snprintf(mark, sizeof mark, ";rinstance=%s", r->instance);
	snprintf(text, sizeof text, "%u", expires_s);
	r->request = sip_request_free(r->request);
	return sip_request_start(&r->request, r->agent,
		&(struct sip_request_config){
			.method = SIP_REGISTER,
			.request_uri = r->registrar,
			.to_uri = r->address,
			.from_uri = r->address,
			.call_id = r->call_id,
			.cseq = ++r->cseq,
			.protocol = r->protocol,
			.proxy = r->proxy,
			.contact_user = r->contact_user,
			.contact_params = mark,
			.headers = headers,
			.header_count = COUNT_OF(headers),
			.username = r->username,
			.password = r->password,
			.known = &r->known,
			.timeout_ms = r->state == SIP_REGISTRATION_LEAVING ? STOP_MS : 0,
		},
		on_done, r);
}

static void changed(struct sip_registration *r)
{
	if (r->events->changed)
		r->events->changed(r->owner);
}

static void note_held(struct sip_registration *r, uint32_t expires_s)
{
	bool was = is_held(r);

	r->held_until_ms = expires_s ? now(r) + expires_s * (uint64_t)1000 : 0;
	r->info.expires_s = expires_s;
	if (was != is_held(r))
		r->info.since_ms = now(r);
}

static void start_timer(struct sip_registration *r, uint64_t wait_ms)
{
	r->info.next_ms = now(r) + wait_ms;
	timer_start(&r->timer, wait_ms, 0);
}

/* RFC 5626 section 4.5: twice as long each time, by chance between half of it and all of it. */
static uint64_t longer_each_time(const struct sip_registration *r, uint64_t wait, unsigned times)
{
	for (unsigned i = 1; i < times && wait < r->wait_max_ms; ++i)
		wait *= 2;
	if (wait > r->wait_max_ms)
		wait = r->wait_max_ms;
	return wait / 2 + rng_u64() % (wait / 2 + 1);
}

static uint64_t back_off(const struct sip_registration *r, bool refused, uint32_t retry_after_s)
{
	uint64_t wait = longer_each_time(
		r, (uint64_t)r->wait_base_ms * (refused ? REFUSED_FACTOR : 1), r->info.failures);
	uint64_t asked = (uint64_t)(retry_after_s < EXPIRES_MAX_S ? retry_after_s : EXPIRES_MAX_S) * 1000;
	return asked > wait ? asked : wait;
}

PRINTF(4, 5) static void fail(struct sip_registration *r, bool refused, uint32_t retry_after_s,
	const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->sentence, sizeof r->sentence, format, args);
	va_end(args);
	++r->info.failures;
	move(r, SIP_REGISTRATION_WAITING);
	start_timer(r, back_off(r, refused, retry_after_s));
	log_warn("sip", "%s is not registered: %s Next try in %u s.", r->address, r->sentence,
		(unsigned)((r->info.next_ms - now(r)) / 1000));
	changed(r);
}

/* RFC 5626 section 4.4: calls came by this connection, so it is made anew, soon; later and later with
 * a registrar that ends one after the other. */
static void on_broken(void *owner)
{
	struct sip_registration *r = owner;

	if (r->state != SIP_REGISTRATION_HELD)
		return;
	r->breaks = now(r) - r->granted_ms < FLOW_GOOD_MS ? r->breaks + 1 : 0;
	uint64_t wait = r->breaks > 1 ? longer_each_time(r, r->wait_base_ms, r->breaks - 1) : LOST_MS;
	if (now(r) + wait < r->info.next_ms)
		start_timer(r, wait);
}

/* Half way, and a long one a good while before its end. */
static uint64_t refresh_ms(uint32_t expires_s)
{
	uint64_t ms = (uint64_t)expires_s * 1000;
	return expires_s > 2 * EARLY_S ? ms - (uint64_t)EARLY_S * 1000 : ms / 2;
}

static void on_granted(struct sip_registration *r, const struct sip_request_end *e)
{
	bool first = !is_held(r);
	uint32_t expires_s = granted(r, e->response, e->contact);

	note_held(r, expires_s);
	if (!expires_s) {
		fail(r, false, 0, "The registrar answered %u but does not list our binding.", e->status);
		return;
	}
	if (refresh_ms(expires_s) < r->least_ms) {
		fail(r, false, 0, "The registrar grants %u s only, too brief to be kept up.", expires_s);
		return;
	}
	take_routes(r, e->response);
	r->granted_ms = now(r);
	sip_keeper_start(&r->keeper, r->agent, e->path, on_broken, r);
	r->info.failures = 0;
	r->sentence[0] = 0;
	move(r, SIP_REGISTRATION_HELD);
	start_timer(r, refresh_ms(expires_s));
	if (first)
		log_info("sip", "%s is registered for %u s, one of %u bindings", r->address, expires_s,
			r->info.bindings);
	changed(r);
}

/* 423: it does not want to hear from us so often. */
static void on_too_brief(struct sip_registration *r, const struct sip_request_end *e)
{
	uint32_t least = seconds(sip_message_value_named(e->response, "Min-Expires"), 0);

	if (r->lengthened || least <= r->wanted_s || least > EXPIRES_MAX_S) {
		fail(r, false, 0, "The registrar refuses %u s as too brief and asks for %u s, which makes no sense.",
			r->wanted_s, least);
		return;
	}
	r->wanted_s = least;
	r->lengthened = true;
	if (ask(r, r->wanted_s) < 0)
		fail(r, false, 0, "REGISTER could not be sent: an error of our own.");
}

static void on_refused(struct sip_registration *r, const struct sip_request_end *e)
{
	uint32_t after = e->response ? sip_retry_after_s(sip_message_value(e->response, SIP_H_RETRY_AFTER)) : 0;

	if (e->why == SIP_WHY_AUTH && r->username)
		fail(r, true, after, "%s The user is \"%s\": check it and its password.", e->sentence, r->username);
	else if (e->why == SIP_WHY_AUTH)
		fail(r, true, after, "%s", e->sentence);
	else if (e->status == 403)
		fail(r, true, after, "%s May \"%s\" register, and from this address?", e->sentence, r->address);
	else if (e->status == 404)
		fail(r, true, after, "%s It does not know \"%s\".", e->sentence, r->address);
	else
		fail(r, false, after, "%s", e->sentence);
}

static void gone(struct sip_registration *r)
{
	move(r, SIP_REGISTRATION_GONE);
	timer_stop(&r->timer);
	sip_keeper_stop(&r->keeper);
	note_held(r, 0);
	r->events->stopped(r->owner);
}

static void on_done(void *owner, struct sip_request *request, const struct sip_request_end *e)
{
	struct sip_registration *r = owner;

	r->cseq = e->cseq;
	r->info.status = e->status;
	r->info.rtt_ms = e->rtt_ms;
	r->info.remote = e->remote;
	if (e->response)
		r->info.answered_ms = now(r);
	if (r->state == SIP_REGISTRATION_LEAVING)
		gone(r);
	else if (e->why == SIP_WHY_RESPONSE && e->status / 100 == 2)
		on_granted(r, e);
	else if (e->why == SIP_WHY_RESPONSE && e->status == 423)
		on_too_brief(r, e);
	else
		on_refused(r, e);
}

static void on_timer(void *owner)
{
	struct sip_registration *r = owner;

	if (r->state == SIP_REGISTRATION_LEAVING) {
		gone(r);
		return;
	}
	if (r->state == SIP_REGISTRATION_HELD)
		move(r, SIP_REGISTRATION_REFRESHING);
	else if (r->state == SIP_REGISTRATION_WAITING)
		move(r, SIP_REGISTRATION_ASKING);
	r->lengthened = false;
	if (ask(r, r->wanted_s) < 0)
		fail(r, false, 0, "REGISTER could not be sent: an error of our own.");
	else
		changed(r);
}

/* --- life ---------------------------------------------------------------------------------- */

static int copy(char **at, const char *text)
{
	*at = text ? mem_strdup(text) : NULL;
	return text && !*at ? err_new(-ENOMEM) : 0;
}

static bool is_sound(const struct sip_registration_config *c)
{
	struct sip_uri uri;

	return sip_is_line(c->registrar) && sip_is_line(c->address) && sip_is_line(c->contact_user) &&
		!sip_uri_parse(&uri, span_text(c->registrar)) && !sip_uri_parse(&uri, span_text(c->address));
}

static int set_texts(struct sip_registration *r, const struct sip_registration_config *c)
{
	const struct {
		char **at;
		const char *text;
	} all[] = {
		{&r->registrar, c->registrar},
		{&r->address, c->address},
		{&r->contact_user, c->contact_user ? c->contact_user : ""},
		{&r->proxy, c->proxy},
		{&r->username, c->username},
		{&r->password, c->password},
	};
	int e = 0;

	for (size_t i = 0; e == 0 && i < COUNT_OF(all); ++i)
		e = copy(all[i].at, all[i].text);
	return e;
}

int sip_registration_new(struct sip_registration **ret, struct sip_agent *a,
	const struct sip_registration_config *config, const struct sip_registration_events *events, void *owner)
{
	if (!is_sound(config))
		return -EINVAL;
	struct sip_registration *r = mem_zalloc(sizeof *r);
	if (!r)
		return err_new(-ENOMEM);
	r->agent = a;
	r->events = events;
	r->owner = owner;
	r->protocol = config->protocol;
	r->wanted_s = config->expires_s ? config->expires_s : EXPIRES_S;
	r->wait_base_ms = config->wait_base_ms ? config->wait_base_ms : WAIT_BASE_MS;
	r->wait_max_ms = config->wait_max_ms ? config->wait_max_ms : WAIT_MAX_MS;
	r->least_ms = config->least_ms ? config->least_ms : LIMIT_SIP_REGISTER_MS;
	r->info.since_ms = now(r);
	rng_token(r->call_id, sizeof r->call_id);
	rng_token(r->instance, sizeof r->instance);
	int e = set_texts(r, config);
	if (e == 0)
		e = timer_init(&r->timer, a->loop, on_timer, r);
	if (e < 0) {
		sip_registration_free(r);
		return e;
	}
	start_timer(r, 0);
	*ret = r;
	return 0;
}

void sip_registration_stop(struct sip_registration *r)
{
	bool asked = r->request && (r->state == SIP_REGISTRATION_ASKING || is_held(r));

	move(r, SIP_REGISTRATION_LEAVING);
	timer_stop(&r->timer);
	/* One that is under way may have been numbered anew by a challenge; ours must be the last. */
	++r->cseq;
	if (!asked || ask(r, 0) < 0)
		timer_start(&r->timer, 0, 0);
}

struct sip_registration *sip_registration_free(struct sip_registration *r)
{
	if (!r)
		return NULL;
	sip_keeper_stop(&r->keeper);
	sip_request_free(r->request);
	timer_fini(&r->timer);
	drop_routes(r);
	char *const texts[] = {r->registrar, r->address, r->contact_user, r->proxy, r->username};
	for (size_t i = 0; i < COUNT_OF(texts); ++i)
		mem_free(texts[i]);
	mem_free_wiped(r->password, r->password ? strlen(r->password) : 0);
	mem_free(r);
	return NULL;
}

void sip_registration_info(const struct sip_registration *r, struct sip_registration_info *ret)
{
	*ret = r->info;
	ret->state = r->state;
	ret->held = is_held(r);
	/* It ended without anybody having touched it: nothing else tells. */
	if (!ret->held && r->held_until_ms > ret->since_ms)
		ret->since_ms = r->held_until_ms;
	ret->problem = r->sentence;
	ret->routes = (const char *const *)r->routes;
}
