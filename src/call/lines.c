#include "call/lines.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "call/identity.h"
#include "sip/request.h"
#include "wire/proto.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

enum {
	STOP_MS = 3000,
	PING_TIMEOUT_MS = 5000, /* of one address; by UDP it was asked four times by then */
	PING_FIRST_MS = 200,
};

struct line {
	struct lines *lines;
	struct list link;     /* of `all` or of `leaving` */
	struct map_node node; /* by id */
	bool listed;          /* `node` is in the map: only while in `all` */
	char *id;
	struct buf packed; /* the trunk as it was when the line began */

	enum line_state state;
	int64_t since_unix_ms;

	char address[IDENTITY_URI_SIZE], registrar[IDENTITY_URI_SIZE], target[IDENTITY_URI_SIZE];
	struct sip_registration *registration; /* or NULL */
	char *proxy;
	enum sip_protocol_choice protocol;

	uint32_t interval_s; /* 0 = no OPTIONS */
	struct timer ping_timer;
	struct sip_request *ping;
	enum line_state ping_state;
	unsigned ping_status;
	uint32_t ping_rtt_ms;
	int64_t pinged_unix_ms;
	char sentence[256]; /* why OPTIONS says that it is down */

	struct deferred free_later;
};

struct lines {
	struct lines_config config;
	char *own_host;
	struct list all, leaving;
	struct map by_id;
	uint64_t version; /* of the trunks, as they were looked at last */
	bool looked;

	struct timer stop_timer;
	void (*stopped)(void *owner);
	void *stopped_owner;
};

static const struct {
	const char *text;
	unsigned next;
} states[LINE__COUNT] = {
	[LINE_UNKNOWN] = {"unknown", BIT(LINE_UP) | BIT(LINE_DOWN)},
	[LINE_UP] = {"up", BIT(LINE_DOWN)},
	[LINE_DOWN] = {"down", BIT(LINE_UP)},
};

const char *line_state_text(enum line_state s)
{
	return states[s].text;
}

/* --- what is known ------------------------------------------------------------------------- */

static enum line_state registration_state(const struct sip_registration_info *info)
{
	if (info->held)
		return LINE_UP;
	return info->failures ? LINE_DOWN : LINE_UNKNOWN;
}

/* Down when either says so: without its registration a carrier refuses calls, and where OPTIONS finds
 * nobody a registration that has not ended yet says nothing. */
static enum line_state judge(const struct line *l, const char **problem)
{
	struct sip_registration_info info = {.problem = ""};
	enum line_state registered = LINE_UNKNOWN;

	if (l->registration) {
		sip_registration_info(l->registration, &info);
		registered = registration_state(&info);
	}
	*problem = registered == LINE_DOWN ? info.problem : l->ping_state == LINE_DOWN ? l->sentence : "";
	if (registered == LINE_DOWN || l->ping_state == LINE_DOWN)
		return LINE_DOWN;
	return registered == LINE_UP || l->ping_state == LINE_UP ? LINE_UP : LINE_UNKNOWN;
}

static void look_at(struct line *l)
{
	const char *problem;
	enum line_state next = judge(l, &problem);

	if (next == l->state || !(states[l->state].next & BIT(next)))
		return;
	if (next == LINE_DOWN)
		log_warn("trunk", "%s is down: %s", l->id, problem);
	else
		log_info("trunk", "%s is %s", l->id, states[next].text);
	l->state = next;
	l->since_unix_ms = clock_unix_ms();
}

/* --- OPTIONS ------------------------------------------------------------------------------- */

static void on_pinged(void *owner, struct sip_request *r, const struct sip_request_end *e)
{
	struct line *l = owner;
	/* Whoever says 404 or 405 is there; who says 408 or 503 takes no calls. */
	bool well = e->why == SIP_WHY_AUTH ||
		(e->why == SIP_WHY_RESPONSE && e->status < 500 && e->status != 408);

	l->ping_status = e->status;
	l->ping_rtt_ms = e->rtt_ms;
	l->ping_state = well ? LINE_UP : LINE_DOWN;
	snprintf(l->sentence, sizeof l->sentence, "%s", well ? "" : e->sentence);
	l->ping = sip_request_free(l->ping);
	look_at(l);
	timer_start(&l->ping_timer, (uint64_t)l->interval_s * 1000, 0);
}

static void on_ping_time(void *owner)
{
	struct line *l = owner;
	char from[300];

	/* No user: Microsoft's direct routing wants none. */
	snprintf(from, sizeof from, "sip:%s", l->lines->own_host);
	l->pinged_unix_ms = clock_unix_ms();
	int r = sip_request_start(&l->ping, l->lines->config.sip,
		&(struct sip_request_config){
			.method = SIP_OPTIONS,
			.request_uri = l->target,
			.from_uri = from,
			.protocol = l->protocol,
			.proxy = l->proxy,
			.contact_user = "",
			.timeout_ms = PING_TIMEOUT_MS,
		},
		on_pinged, l);
	if (r < 0) {
		log_warn("trunk", "%s cannot be asked with OPTIONS now", l->id);
		timer_start(&l->ping_timer, (uint64_t)l->interval_s * 1000, 0);
	}
}

/* --- one line ------------------------------------------------------------------------------ */

static void line_free(struct line *l)
{
	if (l->listed)
		map_remove(&l->lines->by_id, &l->node);
	list_remove(&l->link);
	deferred_cancel(&l->free_later);
	sip_registration_free(l->registration);
	sip_request_free(l->ping);
	timer_fini(&l->ping_timer);
	buf_fini(&l->packed);
	mem_free(l->proxy);
	mem_free(l->id);
	mem_free(l);
}

static void finish_stop(struct lines *ls)
{
	if (list_empty(&ls->leaving) && ls->stopped)
		timer_start(&ls->stop_timer, 0, 0);
}

static void free_now(struct deferred *d)
{
	struct line *l = container_of(d, struct line, free_later);
	struct lines *ls = l->lines;

	line_free(l);
	finish_stop(ls);
}

static void on_changed(void *owner)
{
	look_at(owner);
}

static void on_stopped(void *owner)
{
	struct line *l = owner;
	loop_defer(l->lines->config.loop, &l->free_later, free_now);
}

static const struct sip_registration_events registration_events = {.changed = on_changed, .stopped = on_stopped};

/* The trunk has changed, or has gone. */
static void line_leave(struct line *l)
{
	map_remove(&l->lines->by_id, &l->node);
	l->listed = false;
	list_remove(&l->link);
	list_add(&l->lines->leaving, &l->link);
	timer_stop(&l->ping_timer);
	l->ping = sip_request_free(l->ping);
	if (l->registration)
		sip_registration_stop(l->registration);
	else
		loop_defer(l->lines->config.loop, &l->free_later, free_now);
}

static int register_line(struct line *l, const Livekit__SIPOutboundTrunkInfo *trunk, const struct trunk_options *o)
{
	const char *user = trunk_options_user(o, trunk);

	if (!identity_register_uris(l->address, l->registrar, trunk, o))
		return -EINVAL;
	return sip_registration_new(&l->registration, l->lines->config.sip,
		&(struct sip_registration_config){
			.registrar = l->registrar,
			.address = l->address,
			.contact_user = user,
			.proxy = l->proxy,
			.protocol = l->protocol,
			.username = trunk_options_login(o, trunk),
			.password = trunk->auth_password,
			.expires_s = o->reg.expires_s,
		},
		&registration_events, l);
}

static int build(struct line *l, const Livekit__SIPOutboundTrunkInfo *trunk, const struct trunk_options *o)
{
	l->id = mem_strdup(trunk->sip_trunk_id);
	l->proxy = *o->outbound_proxy ? mem_strdup(o->outbound_proxy) : NULL;
	if (!l->id || (*o->outbound_proxy && !l->proxy))
		return err_new(-ENOMEM);
	l->protocol = identity_protocol(trunk);
	l->interval_s = o->options_interval_s;
	int r = proto_pack(&l->packed, &trunk->base);
	if (r == 0)
		r = timer_init(&l->ping_timer, l->lines->config.loop, on_ping_time, l);
	if (r == 0 && (size_t)snprintf(l->target, sizeof l->target, "sip:%s%s", trunk->address,
			      identity_transport(trunk)) >= sizeof l->target)
		r = -EINVAL;
	if (r == 0 && trunk_options_register(o))
		r = register_line(l, trunk, o);
	if (r == 0)
		r = map_put(&l->lines->by_id, &l->node, l->id);
	assert(r != MAP_E_EXISTS);
	l->listed = r == 0;
	return r;
}

static int line_new(struct lines *ls, const Livekit__SIPOutboundTrunkInfo *trunk, const struct trunk_options *o)
{
	struct line *l = mem_zalloc(sizeof *l);
	if (!l)
		return err_new(-ENOMEM);
	l->lines = ls;
	l->since_unix_ms = clock_unix_ms();
	list_init(&l->link);
	list_init(&l->free_later.link);
	int r = build(l, trunk, o);
	if (r < 0) {
		line_free(l);
		return r;
	}
	list_add(&ls->all, &l->link);
	if (l->interval_s)
		timer_start(&l->ping_timer, PING_FIRST_MS, 0);
	return 0;
}

/* --- all of them --------------------------------------------------------------------------- */

static struct line *find(struct lines *ls, const char *id)
{
	return map_entry(map_get(&ls->by_id, id), struct line, node);
}

/* Whether the line is what the trunk wants. Without memory it is, until the next change. */
static bool is_same(const struct line *l, const Livekit__SIPOutboundTrunkInfo *trunk)
{
	struct buf packed = {0};
	bool same = proto_pack(&packed, &trunk->base) < 0 ||
		(packed.size == l->packed.size &&
			(!packed.size || !memcmp(packed.data, l->packed.data, packed.size)));

	buf_fini(&packed);
	return same;
}

static void leave_changed(struct lines *ls)
{
	for (struct list *it = ls->all.next, *next; it != &ls->all; it = next) {
		struct line *l = container_of(it, struct line, link);
		const Livekit__SIPOutboundTrunkInfo *trunk = trunks_find_id(ls->config.trunks, l->id);
		next = it->next;
		if (!trunk || !is_same(l, trunk))
			line_leave(l);
	}
}

static void begin(struct lines *ls, const Livekit__SIPOutboundTrunkInfo *trunk)
{
	struct trunk_options options;
	char why[TRUNK_WHY_SIZE];

	if (find(ls, trunk->sip_trunk_id))
		return;
	if (trunk_options_read(&options, trunk->metadata, why)) {
		log_warn("trunk", "%s: %s: its options are passed over", trunk->sip_trunk_id, why);
		return;
	}
	if (!trunk_options_register(&options) && !options.options_interval_s)
		return;
	if (line_new(ls, trunk, &options) < 0)
		log_warn("trunk", "%s is neither registered nor asked: its address, its user or our memory do not do",
			trunk->sip_trunk_id);
}

void lines_look(struct lines *ls)
{
	uint64_t version = trunks_version(ls->config.trunks);

	if (ls->stopped || (ls->looked && version == ls->version))
		return;
	ls->looked = true;
	ls->version = version;
	leave_changed(ls);
	for (size_t i = 0; i < trunks_count(ls->config.trunks); ++i)
		begin(ls, trunks_at(ls->config.trunks, i));
}

static void on_stop_timer(void *owner)
{
	struct lines *ls = owner;
	void (*stopped)(void *) = ls->stopped;

	timer_stop(&ls->stop_timer);
	/* Stays set: nothing begins anew. */
	if (stopped)
		stopped(ls->stopped_owner);
}

void lines_stop(struct lines *ls, void (*done)(void *owner), void *owner)
{
	ls->stopped = done;
	ls->stopped_owner = owner;
	while (!list_empty(&ls->all))
		line_leave(list_first(&ls->all, struct line, link));
	timer_start(&ls->stop_timer, list_empty(&ls->leaving) ? 0 : STOP_MS, 0);
}

bool lines_status(struct lines *ls, const char *trunk_id, struct line_status *ret)
{
	struct line *l = ls ? find(ls, trunk_id) : NULL;

	*ret = (struct line_status){.problem = "", .address = "", .registration.problem = ""};
	if (!l)
		return false;
	look_at(l);
	ret->state = l->state;
	ret->since_unix_ms = l->since_unix_ms;
	(void)judge(l, &ret->problem);
	ret->registers = l->registration != NULL;
	ret->address = l->address;
	if (l->registration) {
		uint64_t now = loop_now_ms(ls->config.loop);
		sip_registration_info(l->registration, &ret->registration);
		ret->next_in_ms = ret->registration.next_ms > now ? (uint32_t)(ret->registration.next_ms - now) : 0;
	}
	ret->asks = l->interval_s != 0;
	ret->interval_s = l->interval_s;
	ret->options_status = l->ping_status;
	ret->options_asked_unix_ms = l->pinged_unix_ms;
	ret->options_rtt_ms = l->ping_rtt_ms;
	return true;
}

int lines_new(struct lines **ret, const struct lines_config *config)
{
	struct lines *ls = mem_zalloc(sizeof *ls);
	if (!ls)
		return err_new(-ENOMEM);
	ls->config = *config;
	list_init(&ls->all);
	list_init(&ls->leaving);
	ls->own_host = mem_strdup(config->own_host);
	int r = ls->own_host ? timer_init(&ls->stop_timer, config->loop, on_stop_timer, ls) : err_new(-ENOMEM);
	if (r < 0) {
		lines_free(ls);
		return r;
	}
	*ret = ls;
	return 0;
}

static void free_all(struct list *head)
{
	while (!list_empty(head))
		line_free(list_first(head, struct line, link));
}

struct lines *lines_free(struct lines *ls)
{
	if (!ls)
		return NULL;
	free_all(&ls->all);
	free_all(&ls->leaving);
	timer_fini(&ls->stop_timer);
	map_fini(&ls->by_id);
	mem_free(ls->own_host);
	mem_free(ls);
	return NULL;
}
