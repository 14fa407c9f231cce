#include "media/media.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rng.h"
#include "media/order.h"
#include "media/payload.h"
#include "media/rtc_door.h"
#include "media/rtp_ports.h"
#include "media/tcp_places.h"
#include "media/worker.h"
#include "net/address.h"
#include "net/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

enum {
	WORKER_BITS = 6, /* of an id: which worker has it */
	WORKERS_MAX = MEDIA_WORKERS_MAX,
	LEVELS_EVERY_MS = 400, /* as LiveKit has it, and ... */
	ACTIVE_LEVEL = 35,
};
_Static_assert(WORKERS_MAX == 1 << WORKER_BITS, "an id names one of all workers");

/* What the control thread knows of a transport or a leg: that it is open, and a leg's figures. */
struct member {
	struct map_node by_id;
	media_id id;
	struct media_leg_stats stats;
	struct media_voice_stats *voices;
	size_t voice_count;
};

struct media {
	struct loop *loop;
	struct media_config config;
	const struct media_events *events;
	void *owner;

	struct dtls_identity *identity;
	struct mailbox *reports;
	struct payloads payloads;
	struct rtp_ports ports, ports6; /* of rtp_ip and rtp_ip6 */
	struct tcp_places *places;
	struct rtc_door *door; /* NULL without ICE over TCP */
	struct worker *workers[WORKERS_MAX];
	unsigned members[WORKERS_MAX]; /* how many, of each worker */
	unsigned worker_count;
	struct map open; /* struct member */
	media_id last_serial;
};

/* ---- ids and orders ---- */

static unsigned worker_of(media_id id)
{
	return id & (WORKERS_MAX - 1);
}

static media_id new_id(struct media *m, unsigned worker)
{
	m->last_serial = (m->last_serial + 1) & (UINT32_MAX >> WORKER_BITS);
	if (!m->last_serial)
		m->last_serial = 1;
	return m->last_serial << WORKER_BITS | worker;
}

/* Returns 0 or a negative error; then nothing was sent. */
static int order(struct media *m, struct order o, const void *payload, size_t size)
{
	unsigned worker = worker_of(o.id);
	if (o.id == 0 || worker >= m->worker_count)
		return -ENOENT; /* an id that never was; an order for it is ignored */
	if (size) {
		o.payload = payload_new(&m->payloads, payload, size);
		o.size = size;
		if (!o.payload)
			return err_new(-ENOMEM);
	}
	int r = mailbox_post(worker_orders(m->workers[worker]), &o);
	if (r < 0) {
		payload_free(&m->payloads, o.payload);
		/* SCTP sends again what got lost, and must not fill the log. */
		return o.kind == ORDER_TRANSPORT_SCTP ? r : err_new(r);
	}
	return 0;
}

/* Orders without an answer: a failure has been logged where it was born. */
static void tell(struct media *m, struct order o, const void *payload, size_t size)
{
	(void)order(m, o, payload, size);
}

static struct member *member_of(const struct media *m, media_id id)
{
	return map_entry(map_get_id(&m->open, id), struct member, by_id);
}

static int add_member(struct media *m, media_id id)
{
	struct member *x = mem_zalloc(sizeof *x);
	if (!x)
		return err_new(-ENOMEM);
	x->id = id;
	int r = map_put_id(&m->open, &x->by_id, id);
	if (r != 0) {
		mem_free(x);
		return r < 0 ? r : err_new(-EEXIST);
	}
	++m->members[worker_of(id)];
	return 0;
}

/* False when it was not open. */
static bool remove_member(struct media *m, media_id id)
{
	struct member *x = member_of(m, id);
	if (!x)
		return false;
	map_remove(&m->open, &x->by_id);
	mem_free(x->voices);
	mem_free(x);
	--m->members[worker_of(id)];
	return true;
}

/* ---- reports ---- */

static void take_stats(struct media *m, struct member *x, const struct report *r)
{
	struct media_voice_stats *voices = mem_zalloc(r->size);
	if (!voices)
		return;
	memcpy(voices, r->payload, r->size);
	mem_free(x->voices);
	x->voices = voices;
	x->voice_count = r->size / sizeof *voices;
	if (m->events->transport_stats)
		m->events->transport_stats(m->owner, r->id, r->payload, x->voice_count);
}

static void dispatch(struct media *m, const struct report *r)
{
	const struct media_events *e = m->events;
	struct member *x = member_of(m, r->id);

	if (r->kind == REPORT_LEVELS) {
		e->levels(m->owner, r->payload, r->size / sizeof(struct media_level));
		return;
	}
	if (!x)
		return; /* closed while the report was under way */

	switch (r->kind) {
	case REPORT_TRANSPORT_STATE:
		e->transport_state(m->owner, r->id, (enum media_transport_state)r->value);
		break;
	case REPORT_TRANSPORT_SCTP:
		e->transport_sctp(m->owner, r->id, span_of(r->payload, r->size));
		break;
	case REPORT_TRANSPORT_STATS:
		take_stats(m, x, r);
		break;
	case REPORT_LEG_EVENT:
		e->leg_event(m->owner, r->id, (enum media_leg_event)r->value);
		break;
	case REPORT_LEG_DIGIT:
		e->leg_digit(m->owner, r->id, (char)r->value);
		break;
	case REPORT_LEG_DIGITS_DONE:
		e->leg_digits_done(m->owner, r->id);
		break;
	case REPORT_LEG_KEY:
		if (e->leg_key)
			e->leg_key(m->owner, r->id, (char)r->value);
		break;
	case REPORT_LEG_STATS:
		x->stats = *(const struct media_leg_stats *)r->payload;
		if (e->leg_stats)
			e->leg_stats(m->owner, r->id, &x->stats);
		break;
	case REPORT_LEVELS:
	case REPORT__COUNT:
		break;
	}
}

static void on_report(void *owner, void *letter)
{
	struct media *m = owner;
	struct report *r = letter;

	/* An event may do anything but free us, so the payload outlives it. */
	dispatch(m, r);
	payload_free(&m->payloads, r->payload);
}

/* ---- life ---- */

static int start_worker(struct media *m, unsigned index)
{
	const struct media_config *config = &m->config;
	struct worker_config c = {.index = index,
		.active_level = m->config.active_level ? m->config.active_level : ACTIVE_LEVEL,
		.stats_every_ms = m->config.stats_every_ms ? m->config.stats_every_ms : MEDIA_STATS_EVERY_MS,
		.levels_every_ms = m->config.levels_every_ms ? m->config.levels_every_ms : LEVELS_EVERY_MS,
		.loop = config->workers ? NULL : m->loop,
		.binds = config->rtc_binds,
		.bind_count = config->rtc_bind_count,
		.port = config->rtc_port ? (uint16_t)(config->rtc_port + index) : 0,
		.places = m->places,
		.identity = m->identity,
		.reports = m->reports,
		.payloads = &m->payloads};
	int r = worker_new(&m->workers[index], &c);
	if (r == 0)
		++m->worker_count;
	return r;
}

/* ---- ICE over TCP ---- */

/* Of RFC 8839's ice-char: one for each worker there can be. */
static const char worker_letters[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
_Static_assert(sizeof worker_letters == WORKERS_MAX + 1, "a letter names one of all workers");

void media_ice_make(struct media_ice *ret, unsigned worker)
{
	assert(worker < WORKERS_MAX);
	rng_token(ret->ufrag, sizeof ret->ufrag);
	rng_token(ret->pwd, sizeof ret->pwd);
	ret->ufrag[0] = worker_letters[worker];
}

static void on_stream(void *owner, int fd, int place, struct span ufrag, struct span read)
{
	struct media *m = owner;
	struct order_stream o = {.fd = fd, .place = place};
	const char *letter = ufrag.size ? strchr(worker_letters, ufrag.data[0]) : NULL;
	size_t worker = letter && *letter ? (size_t)(letter - worker_letters) : WORKERS_MAX;

	memcpy(o.read, read.data, read.size);
	if (worker < m->worker_count &&
		order(m, (struct order){.kind = ORDER_STREAM, .id = new_id(m, (unsigned)worker)},
			&o, offsetof(struct order_stream, read) + read.size) == 0)
		return;
	tcp_places_leave(m->places, place);
	close(fd);
}

static int open_door(struct media *m)
{
	if (!m->config.rtc_tcp)
		return 0;
	return rtc_door_new(&m->door, &(struct rtc_door_config){.loop = m->loop,
					      .binds = m->config.rtc_binds,
					      .bind_count = m->config.rtc_bind_count,
					      .port = m->config.rtc_tcp_port,
					      .places = m->places,
					      .patience_ms = LIMIT_ICE_TCP_FIRST_S * 1000,
					      .arrived = on_stream,
					      .owner = m});
}

uint16_t media_rtc_tcp_port(const struct media *m)
{
	return m->door ? rtc_door_port(m->door) : 0;
}

static int build(struct media *m)
{
	unsigned workers = m->config.workers ? m->config.workers : 1;

	if (workers > WORKERS_MAX)
		return err_new(-EINVAL);
	int r = payloads_init(&m->payloads);
	if (r == 0)
		r = dtls_identity_new(&m->identity);
	if (r == 0)
		r = mailbox_new(
			&m->reports, m->loop, sizeof(struct report), REPORTS_MAX, on_report, m);
	if (r == 0)
		r = tcp_places_new(&m->places);
	for (unsigned i = 0; r == 0 && i < workers; ++i)
		r = start_worker(m, i);
	return r == 0 ? open_door(m) : r;
}

int media_new(struct media **ret, struct loop *l, const struct media_config *config,
	const struct media_events *events, void *owner)
{
	assert(events->transport_state && events->transport_sctp && events->levels);
	assert(events->leg_event && events->leg_digit && events->leg_digits_done);

	struct media *m = mem_zalloc(sizeof *m);
	if (!m)
		return err_new(-ENOMEM);
	m->loop = l;
	m->config = *config;
	m->events = events;
	m->owner = owner;
	m->ports = (struct rtp_ports){
		.ip = config->rtp_ip, .min = config->rtp_port_min, .max = config->rtp_port_max};
	m->ports6 = m->ports;
	m->ports6.ip = config->rtp_ip6;
	int r = build(m);
	if (r < 0) {
		media_free(m);
		return r;
	}
	*ret = m;
	return 0;
}

struct media *media_free(struct media *m)
{
	if (!m)
		return NULL;
	rtc_door_free(m->door);
	for (unsigned i = 0; i < m->worker_count; ++i)
		worker_free(m->workers[i]);
	tcp_places_free(m->places);
	mailbox_free(m->reports);
	payloads_fini(&m->payloads);
	dtls_identity_free(m->identity);
	while (m->open.count)
		remove_member(
			m, map_entry(map_next(&m->open, NULL), struct member, by_id)->id);
	map_fini(&m->open);
	mem_free(m);
	return NULL;
}

unsigned media_worker_count(const struct media *m)
{
	return m->worker_count;
}

unsigned media_pick_worker(struct media *m)
{
	unsigned best = 0;

	for (unsigned i = 1; i < m->worker_count; ++i)
		if (m->members[i] < m->members[best])
			best = i;
	return best;
}

uint16_t media_rtc_port(const struct media *m, unsigned worker)
{
	assert(worker < m->worker_count);
	return worker_port(m->workers[worker]);
}

const char *media_fingerprint(const struct media *m)
{
	return dtls_identity_fingerprint(m->identity);
}

struct media_traffic media_traffic(const struct media *m)
{
	struct media_traffic sum = {0};

	for (unsigned i = 0; i < m->worker_count; ++i) {
		struct media_traffic t = worker_traffic(m->workers[i]);
		sum.packets_in += t.packets_in;
		sum.bytes_in += t.bytes_in;
		sum.packets_out += t.packets_out;
		sum.bytes_out += t.bytes_out;
	}
	return sum;
}

uint64_t media_drops(const struct media *m, enum media_drop why)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < m->worker_count; ++i)
		sum += worker_drops(m->workers[i], why);
	return sum;
}

const char *media_drop_name(enum media_drop why)
{
	static const char *const names[MEDIA_DROP__COUNT] = {
		[MEDIA_DROP_SIZE] = "size",
		[MEDIA_DROP_KIND] = "kind",
		[MEDIA_DROP_STUN] = "stun",
		[MEDIA_DROP_STRANGER] = "stranger",
		[MEDIA_DROP_CHECK] = "check",
		[MEDIA_DROP_EARLY] = "early",
		[MEDIA_DROP_CRYPTO] = "crypto",
		[MEDIA_DROP_RTP] = "rtp",
		[MEDIA_DROP_SOURCE] = "source",
		[MEDIA_DROP_PAYLOAD] = "payload",
		[MEDIA_DROP_SEND] = "send",
	};
	assert(why < MEDIA_DROP__COUNT);
	return names[why];
}

/* ---- transports ---- */

/* Opens with an order; a failed order leaves nothing behind. */
static int open_member(
	struct media *m, media_id id, enum order_kind kind, const void *config, size_t size)
{
	int r = add_member(m, id);
	if (r < 0)
		return r;
	r = order(m, (struct order){.kind = kind, .id = id}, config, size);
	if (r < 0)
		remove_member(m, id);
	return r;
}

int media_transport_open(
	media_id *ret, struct media *m, unsigned worker, const struct media_ice *ice)
{
	assert(worker < m->worker_count);

	media_id id = new_id(m, worker);
	int r = open_member(m, id, ORDER_TRANSPORT_OPEN, ice, sizeof *ice);
	if (r == 0)
		*ret = id;
	return r;
}

void media_transport_remote(struct media *m, media_id transport, const struct media_remote *remote,
	const struct media_ice *ice)
{
	struct order_remote r = {.remote = *remote, .restart = ice != NULL};
	if (ice)
		r.ice = *ice;
	tell(m, (struct order){.kind = ORDER_TRANSPORT_REMOTE, .id = transport}, &r, sizeof r);
}

void media_transport_sctp(struct media *m, media_id transport, struct span packet)
{
	tell(m, (struct order){.kind = ORDER_TRANSPORT_SCTP, .id = transport}, packet.data,
		packet.size);
}

void media_transport_close(struct media *m, media_id transport)
{
	if (remove_member(m, transport))
		tell(m, (struct order){.kind = ORDER_TRANSPORT_CLOSE, .id = transport}, NULL, 0);
}

size_t media_transport_stats(
	const struct media_voice_stats **ret, const struct media *m, media_id transport)
{
	const struct member *x = member_of(m, transport);

	*ret = x ? x->voices : NULL;
	return x ? x->voice_count : 0;
}

/* ---- sources and sinks ---- */

int media_source_open(media_id *ret, struct media *m, const struct media_source_config *c)
{
	media_id id = new_id(m, worker_of(c->transport));
	int r = order(m, (struct order){.kind = ORDER_SOURCE_OPEN, .id = id}, c, sizeof *c);
	if (r == 0)
		*ret = id;
	return r;
}

void media_source_mute(struct media *m, media_id source, bool muted)
{
	tell(m, (struct order){.kind = ORDER_SOURCE_MUTE, .id = source, .value = muted}, NULL, 0);
}

void media_source_close(struct media *m, media_id source)
{
	tell(m, (struct order){.kind = ORDER_SOURCE_CLOSE, .id = source}, NULL, 0);
}

int media_sink_open(media_id *ret, struct media *m, const struct media_sink_config *c)
{
	assert(worker_of(c->transport) == worker_of(c->source));

	media_id id = new_id(m, worker_of(c->transport));
	int r = order(m, (struct order){.kind = ORDER_SINK_OPEN, .id = id}, c, sizeof *c);
	if (r == 0)
		*ret = id;
	return r;
}

void media_sink_pause(struct media *m, media_id sink, bool paused)
{
	tell(m, (struct order){.kind = ORDER_SINK_PAUSE, .id = sink, .value = paused}, NULL, 0);
}

void media_sink_close(struct media *m, media_id sink)
{
	tell(m, (struct order){.kind = ORDER_SINK_CLOSE, .id = sink}, NULL, 0);
}

/* ---- phone legs ---- */

int media_leg_open(media_id *ret, struct media_leg_local *local, struct media *m, unsigned worker,
	const struct media_leg_config *c)
{
	assert(worker < m->worker_count);

	struct order_leg o = {.config = *c};
	uint16_t port;
	int r = rtp_ports_open(&m->ports, &o.rtp_fd, &o.rtcp_fd, &port);
	if (r < 0)
		return r;
	media_id id = new_id(m, worker);
	r = open_member(m, id, ORDER_LEG_OPEN, &o, sizeof o);
	if (r < 0) {
		close(o.rtp_fd);
		close(o.rtcp_fd);
		return r;
	}
	local->rtp_port = port;
	*ret = id;
	return 0;
}

static struct rtp_ports *ports_of(struct media *m, int family)
{
	struct rtp_ports *all[] = {&m->ports, &m->ports6};
	struct sockaddr_storage a;

	for (size_t i = 0; i < COUNT_OF(all); ++i)
		if (all[i]->ip && address_parse(&a, all[i]->ip, 0) == 0 && a.ss_family == family)
			return all[i];
	return NULL;
}

int media_leg_move(struct media_leg_local *local, struct media *m, media_id leg, int family)
{
	struct rtp_ports *ports = ports_of(m, family);
	struct order_leg_sockets o;
	uint16_t port;

	if (!ports)
		return MEDIA_LEG_E_FAMILY;
	int r = rtp_ports_open(ports, &o.rtp_fd, &o.rtcp_fd, &port);
	if (r < 0)
		return r;
	r = order(m, (struct order){.kind = ORDER_LEG_MOVE, .id = leg}, &o, sizeof o);
	if (r < 0) {
		close(o.rtp_fd);
		close(o.rtcp_fd);
		return r;
	}
	local->rtp_port = port;
	return 0;
}

void media_leg_connect(struct media *m, media_id leg, const struct media_leg_remote *remote)
{
	tell(m, (struct order){.kind = ORDER_LEG_CONNECT, .id = leg}, remote, sizeof *remote);
}

void media_leg_hear(struct media *m, media_id leg, media_id source)
{
	tell(m, (struct order){.kind = ORDER_LEG_HEAR, .id = leg, .other = source}, NULL, 0);
}

void media_leg_unhear(struct media *m, media_id leg, media_id source)
{
	tell(m, (struct order){.kind = ORDER_LEG_UNHEAR, .id = leg, .other = source}, NULL, 0);
}

void media_leg_digits(struct media *m, media_id leg, const char *digits)
{
	tell(m, (struct order){.kind = ORDER_LEG_DIGITS, .id = leg}, digits, strlen(digits) + 1);
}

void media_leg_ringback(struct media *m, media_id leg, const struct media_ringback *tone)
{
	tell(m, (struct order){.kind = ORDER_LEG_RINGBACK, .id = leg}, tone, sizeof *tone);
}

void media_leg_ring(struct media *m, media_id leg, const struct media_ringback *tone)
{
	static const struct media_ringback off;
	tell(m, (struct order){.kind = ORDER_LEG_RING, .id = leg}, tone ? tone : &off, sizeof off);
}

void media_leg_drain(struct media *m, media_id leg, uint32_t voice_ms, uint32_t digits_ms)
{
	tell(m, (struct order){.kind = ORDER_LEG_DRAIN, .id = leg, .value = voice_ms, .other = digits_ms}, NULL, 0);
}

void media_leg_close(struct media *m, media_id leg)
{
	if (remove_member(m, leg))
		tell(m, (struct order){.kind = ORDER_LEG_CLOSE, .id = leg}, NULL, 0);
}

void media_leg_stats(struct media *m, media_id leg, struct media_leg_stats *ret)
{
	struct member *x = member_of(m, leg);
	*ret = x ? x->stats : (struct media_leg_stats){0};
}
