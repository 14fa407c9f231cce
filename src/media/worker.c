#include "media/worker.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "media/gather.h"
#include "media/leg.h"
#include "media/metronome.h"
#include "media/order.h"
#include "media/payload.h"
#include "media/rtc_edge.h"
#include "media/sink.h"
#include "media/transport.h"
#include "net/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum {
	TICK_MS = 50,
	LEVEL_SILENT = 127,
	LEVELS_MAX = 4096, /* in one report */
};

struct worker {
	struct worker_config config;
	struct loop own_loop;
	struct loop *loop;
	bool threaded;
	uv_thread_t thread;

	struct mailbox *orders;
	struct rtc_edge *edge;
	struct gather *gather; /* NULL without a thread of our own */
	struct metronome *metronome;
	struct timer tick, levels_timer;
	struct deferred stop;

	struct map transports, by_ufrag, by_address, sources, sinks, legs;
	struct list noted; /* struct source.noted: heard in this window */
	uint64_t address_secret;
	uint64_t drops[MEDIA_DROP__COUNT];
	struct media_traffic traffic;
	bool reports_full;
};

/* The worker does not look into a leg. */
struct leg_entry {
	struct map_node by_id;
	struct leg *leg;
};

/* ---- packets ---- */

static struct transport *transport_at(const struct worker *w, const struct peer_address *from)
{
	struct path_node *n =
		map_entry(map_get_id(&w->by_address, peer_address_key(from, w->address_secret)),
			struct path_node, by_address);
	return n && peer_address_equal(&n->address, from) ? n->transport : NULL;
}

static void input_stun(
	struct worker *w, struct span packet, const struct peer_address *from, uint64_t now_us)
{
	struct stun_view v;
	struct ufrag_node *n = NULL;

	if (stun_parse(&v, packet) == STUN_OK)
		n = map_entry(map_get_span(&w->by_ufrag, ice_local_part(v.username)),
			struct ufrag_node, by_ufrag);
	/* A connection stays with the transport that it was made for. */
	struct transport *former = n && from->stream ? transport_at(w, from) : NULL;
	if (n && (!former || former == n->transport))
		transport_check(n->transport, &v, packet, from, now_us);
	else
		worker_count_drop(w, MEDIA_DROP_STUN);
}

/* Only this thread writes, so that no locked instruction is needed; others may read. */
static void add(uint64_t *count, uint64_t more)
{
	__atomic_store_n(count, *count + more, __ATOMIC_RELAXED);
}

static void on_packet(void *owner, uint8_t *packet, size_t size, const struct peer_address *from,
	uint64_t now_us)
{
	struct worker *w = owner;

	add(&w->traffic.packets_in, 1);
	add(&w->traffic.bytes_in, size);
	if (packet[0] < 4) {
		input_stun(w, span_of(packet, size), from, now_us);
		return;
	}
	struct transport *t = transport_at(w, from);
	if (t)
		transport_input(t, packet, size, from, now_us);
	else
		worker_count_drop(w, MEDIA_DROP_STRANGER);
}

static bool on_first_packet(void *owner, uint8_t *packet, size_t size,
	const struct peer_address *from, uint64_t now_us)
{
	on_packet(owner, packet, size, from, now_us);
	return transport_at(owner, from) != NULL;
}

static void on_dropped(void *owner, bool sending)
{
	struct worker *w = owner;
	worker_count_drop(w, sending ? MEDIA_DROP_SEND : MEDIA_DROP_SIZE);
}

static void on_stream_ended(void *owner, const struct peer_address *from)
{
	struct transport *t = transport_at(owner, from);
	if (t)
		transport_path_gone(t, from);
}

static const struct rtc_edge_events edge_events = {
	.datagram = on_packet,
	.streams = {.packet = on_packet,
		.first = on_first_packet,
		.dropped = on_dropped,
		.ended = on_stream_ended},
};

uint8_t *worker_out(struct worker *w, const struct peer_address *to)
{
	return rtc_edge_out(w->edge, to);
}

void worker_send(struct worker *w, size_t size, const struct peer_address *to)
{
	add(&w->traffic.packets_out, 1);
	add(&w->traffic.bytes_out, size);
	rtc_edge_send(w->edge, size, to);
}

void worker_count_drop(struct worker *w, enum media_drop why)
{
	add(&w->drops[why], 1);
}

struct media_traffic worker_traffic(const struct worker *w)
{
	const struct media_traffic *t = &w->traffic;
	return (struct media_traffic){
		.packets_in = __atomic_load_n(&t->packets_in, __ATOMIC_RELAXED),
		.bytes_in = __atomic_load_n(&t->bytes_in, __ATOMIC_RELAXED),
		.packets_out = __atomic_load_n(&t->packets_out, __ATOMIC_RELAXED),
		.bytes_out = __atomic_load_n(&t->bytes_out, __ATOMIC_RELAXED),
	};
}

uint64_t worker_drops(const struct worker *w, enum media_drop why)
{
	return __atomic_load_n(&w->drops[why], __ATOMIC_RELAXED);
}

/* ---- tables ---- */

int worker_add_ufrag(
	struct worker *w, struct ufrag_node *n, struct transport *t, const char *ufrag)
{
	int r = map_put(&w->by_ufrag, &n->by_ufrag, ufrag);
	if (r != 0)
		return r < 0 ? r : err_new(-EEXIST);
	n->transport = t;
	return 0;
}

void worker_remove_ufrag(struct worker *w, struct ufrag_node *n)
{
	if (!n->transport)
		return;
	map_remove(&w->by_ufrag, &n->by_ufrag);
	n->transport = NULL;
}

int worker_claim_path(struct worker *w, struct path_node *n, struct transport *t,
	const struct peer_address *address)
{
	uint64_t key = peer_address_key(address, w->address_secret);

	worker_release_path(w, n);
	struct path_node *former =
		map_entry(map_get_id(&w->by_address, key), struct path_node, by_address);
	if (former)
		worker_release_path(w, former);
	int r = map_put_id(&w->by_address, &n->by_address, key);
	assert(r <= 0);
	if (r < 0)
		return r;
	n->address = *address;
	n->transport = t;
	return 0;
}

void worker_release_path(struct worker *w, struct path_node *n)
{
	if (!n->transport)
		return;
	map_remove(&w->by_address, &n->by_address);
	n->transport = NULL;
	if (n->address.stream)
		rtc_edge_hang_up(w->edge, n->address.stream);
}

struct map *worker_sinks(struct worker *w)
{
	return &w->sinks;
}

struct source *worker_source(struct worker *w, media_id id)
{
	return map_entry(map_get_id(&w->sources, id), struct source, by_id);
}

int worker_add_source(struct worker *w, struct source *s)
{
	int r = map_put_id(&w->sources, &s->by_id, s->id);
	return r <= 0 ? r : err_new(-EEXIST);
}

void worker_remove_source(struct worker *w, struct source *s)
{
	map_remove(&w->sources, &s->by_id);
}

struct loop *worker_loop(struct worker *w)
{
	return w->loop;
}

unsigned worker_index(const struct worker *w)
{
	return w->config.index;
}

uint32_t worker_stats_every_ms(const struct worker *w)
{
	return w->config.stats_every_ms;
}

const struct dtls_identity *worker_identity(const struct worker *w)
{
	return w->config.identity;
}

void worker_add_beat(struct worker *w, struct beat *b)
{
	metronome_add(w->metronome, b);
}

uint16_t worker_port(const struct worker *w)
{
	return rtc_edge_port(w->edge);
}

struct mailbox *worker_orders(struct worker *w)
{
	return w->orders;
}

/* ---- reports ---- */

static void post(struct worker *w, struct report r, const void *bytes, size_t size)
{
	if (size) {
		r.payload = payload_new(w->config.payloads, bytes, size);
		r.size = size;
		if (!r.payload)
			return;
	}
	if (mailbox_post(w->config.reports, &r) == 0) {
		w->reports_full = false;
		return;
	}
	payload_free(w->config.payloads, r.payload);
	if (!w->reports_full) /* once for each time that it fills */
		log_warn("media", "worker %u: the control thread does not read its reports",
			w->config.index);
	w->reports_full = true;
}

void worker_post_transport_state(struct worker *w, media_id t, enum media_transport_state state)
{
	post(w, (struct report){.kind = REPORT_TRANSPORT_STATE, .id = t, .value = state}, NULL, 0);
}

void worker_post_sctp(struct worker *w, media_id t, struct span packet)
{
	post(w, (struct report){.kind = REPORT_TRANSPORT_SCTP, .id = t}, packet.data, packet.size);
}

void worker_post_stats(
	struct worker *w, media_id t, const struct media_voice_stats *stats, size_t count)
{
	post(w, (struct report){.kind = REPORT_TRANSPORT_STATS, .id = t}, stats,
		count * sizeof *stats);
}

void worker_post_leg_event(struct worker *w, media_id leg, enum media_leg_event e)
{
	post(w, (struct report){.kind = REPORT_LEG_EVENT, .id = leg, .value = e}, NULL, 0);
}

void worker_post_leg_digit(struct worker *w, media_id leg, char digit)
{
	uint32_t value = (uint8_t)digit;
	post(w, (struct report){.kind = REPORT_LEG_DIGIT, .id = leg, .value = value}, NULL, 0);
}

void worker_post_leg_key(struct worker *w, media_id leg, char digit)
{
	uint32_t value = (uint8_t)digit;
	post(w, (struct report){.kind = REPORT_LEG_KEY, .id = leg, .value = value}, NULL, 0);
}

void worker_post_leg_digits_done(struct worker *w, media_id leg)
{
	post(w, (struct report){.kind = REPORT_LEG_DIGITS_DONE, .id = leg}, NULL, 0);
}

void worker_post_leg_stats(struct worker *w, media_id leg, const struct media_leg_stats *s)
{
	post(w, (struct report){.kind = REPORT_LEG_STATS, .id = leg}, s, sizeof *s);
}

/* ---- levels ---- */

static uint16_t add_capped(uint16_t sum, unsigned more)
{
	return sum + more > UINT16_MAX ? UINT16_MAX : (uint16_t)(sum + more);
}

void worker_note_level(struct worker *w, struct source *s, uint8_t level, unsigned duration_ms)
{
	if (list_empty(&s->noted))
		list_add(&w->noted, &s->noted);
	if (level < s->loudest)
		s->loudest = level;
	if (level <= w->config.active_level)
		s->active_ms = add_capped(s->active_ms, duration_ms);
	s->observed_ms = add_capped(s->observed_ms, duration_ms);
	if (!timer_running(&w->levels_timer))
		timer_start(&w->levels_timer, w->config.levels_every_ms, w->config.levels_every_ms);
}

static void on_levels(void *owner)
{
	struct worker *w = owner;
	struct media_level *levels;
	size_t count = 0, room = 0;

	if (list_empty(&w->noted))
		timer_stop(&w->levels_timer);
	list_each (it, &w->noted)
		++room;
	if (room > LEVELS_MAX)
		room = LEVELS_MAX;
	levels = room ? mem_zalloc(room * sizeof *levels) : NULL;
	while (!list_empty(&w->noted)) {
		struct source *s = list_first(&w->noted, struct source, noted);
		list_remove(&s->noted);
		if (levels && count < room)
			levels[count++] = (struct media_level){.source = s->id,
				.level = s->loudest,
				.active_ms = s->active_ms,
				.observed_ms = s->observed_ms};
		s->loudest = LEVEL_SILENT;
		s->active_ms = s->observed_ms = 0;
	}
	if (count)
		post(w, (struct report){.kind = REPORT_LEVELS}, levels, count * sizeof *levels);
	mem_free(levels);
}

static void on_tick(void *owner)
{
	struct worker *w = owner;
	uint64_t now_us = clock_us();

	for (struct map_node *n = NULL; (n = map_next(&w->transports, n));)
		transport_tick(map_entry(n, struct transport, by_id), now_us);
}

/* ---- orders: each handler may find that its object is gone ---- */

static struct transport *transport_of(struct worker *w, media_id id)
{
	return map_entry(map_get_id(&w->transports, id), struct transport, by_id);
}

static struct leg *leg_of(struct worker *w, media_id id)
{
	struct leg_entry *e = map_entry(map_get_id(&w->legs, id), struct leg_entry, by_id);
	return e ? e->leg : NULL;
}

static struct rtp_source *rtp_source_of(struct worker *w, media_id id)
{
	/* A leg is a source too, but it is not ours to close. */
	if (map_get_id(&w->legs, id))
		return NULL;
	struct source *s = worker_source(w, id);
	return s ? container_of(s, struct rtp_source, base) : NULL;
}

static struct sink *sink_of(struct worker *w, media_id id)
{
	return map_entry(map_get_id(&w->sinks, id), struct sink, by_id);
}

static void close_transport(struct worker *w, struct transport *t)
{
	map_remove(&w->transports, &t->by_id);
	transport_free(t);
	if (!w->transports.count)
		timer_stop(&w->tick);
}

static void order_transport_open(struct worker *w, const struct order *o)
{
	struct transport *t;

	int r = w->transports.count < LIMIT_TRANSPORTS ? transport_new(&t, w, o->id, o->payload)
						       : err_new(-ENOBUFS);
	if (r == 0) {
		r = map_put_id(&w->transports, &t->by_id, o->id);
		if (r != 0)
			transport_free(t);
	}
	if (r != 0) {
		worker_post_transport_state(w, o->id, MEDIA_TRANSPORT_FAILED);
		return;
	}
	if (!timer_running(&w->tick))
		timer_start(&w->tick, TICK_MS, TICK_MS);
}

static void order_transport_remote(struct worker *w, const struct order *o)
{
	struct transport *t = transport_of(w, o->id);
	const struct order_remote *r = o->payload;

	if (t)
		transport_remote(t, &r->remote, r->restart ? &r->ice : NULL);
}

static void order_transport_sctp(struct worker *w, const struct order *o)
{
	struct transport *t = transport_of(w, o->id);
	if (t)
		transport_send_sctp(t, span_of(o->payload, o->size));
}

static void order_transport_close(struct worker *w, const struct order *o)
{
	struct transport *t = transport_of(w, o->id);
	if (t)
		close_transport(w, t);
}

static void order_stream(struct worker *w, const struct order *o)
{
	const struct order_stream *c = o->payload;
	rtc_edge_adopt(w->edge, c->fd, c->place,
		span_of(c->read, o->size - offsetof(struct order_stream, read)));
}

static void order_source_open(struct worker *w, const struct order *o)
{
	const struct media_source_config *c = o->payload;
	struct transport *t = transport_of(w, c->transport);
	struct rtp_source *s;

	if (t && rtp_source_new(&s, t, o->id, c) < 0)
		log_error("media", "source %u could not be opened", o->id);
}

static void order_source_mute(struct worker *w, const struct order *o)
{
	struct source *s = worker_source(w, o->id);
	if (s)
		source_mute(s, o->value);
}

static void order_source_close(struct worker *w, const struct order *o)
{
	rtp_source_free(rtp_source_of(w, o->id));
}

static void order_sink_open(struct worker *w, const struct order *o)
{
	const struct media_sink_config *c = o->payload;
	struct transport *t = transport_of(w, c->transport);
	struct source *source = worker_source(w, c->source);
	struct sink *s;

	if (t && source && sink_new(&s, t, source, o->id, c) < 0)
		log_error("media", "sink %u could not be opened", o->id);
}

static void order_sink_pause(struct worker *w, const struct order *o)
{
	struct sink *s = sink_of(w, o->id);
	if (s)
		sink_pause(s, o->value);
}

static void order_sink_close(struct worker *w, const struct order *o)
{
	sink_free(sink_of(w, o->id));
}

static void order_leg_open(struct worker *w, const struct order *o)
{
	const struct order_leg *c = o->payload;
	struct leg_entry *e = mem_zalloc(sizeof *e);

	if (!e) {
		close(c->rtp_fd);
		close(c->rtcp_fd);
		return;
	}
	int r = leg_new(&e->leg, w, o->id, c->rtp_fd, c->rtcp_fd, &c->config);
	if (r == 0)
		r = map_put_id(&w->legs, &e->by_id, o->id);
	if (r != 0) {
		leg_free(e->leg);
		mem_free(e);
		worker_post_leg_event(w, o->id, MEDIA_LEG_SILENT);
	}
}

static void order_leg_move(struct worker *w, const struct order *o)
{
	const struct order_leg_sockets *s = o->payload;
	struct leg *l = leg_of(w, o->id);

	if (!l) {
		close(s->rtp_fd);
		close(s->rtcp_fd);
	} else if (leg_move(l, s->rtp_fd, s->rtcp_fd) < 0) {
		worker_post_leg_event(w, o->id, MEDIA_LEG_SILENT);
	}
}

static void order_leg_connect(struct worker *w, const struct order *o)
{
	struct leg *l = leg_of(w, o->id);
	if (l)
		leg_connect(l, o->payload);
	OPENSSL_cleanse(o->payload, sizeof(struct media_leg_remote)); /* there may be keys in it */
}

static void order_leg_hear(struct worker *w, const struct order *o)
{
	struct leg *l = leg_of(w, o->id);
	struct source *s = worker_source(w, o->other);
	if (l && s)
		leg_hear(l, s);
}

static void order_leg_unhear(struct worker *w, const struct order *o)
{
	struct leg *l = leg_of(w, o->id);
	if (l)
		leg_unhear(l, o->other);
}

static void order_leg_digits(struct worker *w, const struct order *o)
{
	struct leg *l = leg_of(w, o->id);
	if (l)
		leg_digits(l, o->payload);
}

static void order_leg_ringback(struct worker *w, const struct order *o)
{
	struct leg *l = leg_of(w, o->id);
	if (l)
		leg_ringback(l, o->payload);
}

static void order_leg_ring(struct worker *w, const struct order *o)
{
	struct leg *l = leg_of(w, o->id);
	if (l)
		leg_ring(l, o->payload);
}

static void order_leg_drain(struct worker *w, const struct order *o)
{
	struct leg *l = leg_of(w, o->id);
	if (l)
		leg_drain(l, o->value, o->other);
}

static void close_leg(struct worker *w, struct leg_entry *e)
{
	map_remove(&w->legs, &e->by_id);
	leg_free(e->leg);
	mem_free(e);
}

static void order_leg_close(struct worker *w, const struct order *o)
{
	struct leg_entry *e = map_entry(map_get_id(&w->legs, o->id), struct leg_entry, by_id);
	if (e)
		close_leg(w, e);
}

static void close_everything(struct worker *w);

static void on_stop(struct deferred *d)
{
	struct worker *w = container_of(d, struct worker, stop);
	close_everything(w);
	loop_stop(w->loop);
}

static void order_stop(struct worker *w, const struct order *o)
{
	/* Later: the mailbox that brought this is among what goes. */
	loop_defer(w->loop, &w->stop, on_stop);
}

static void (*const handlers[ORDER__COUNT])(struct worker *w, const struct order *o) = {
	[ORDER_STOP] = order_stop,
	[ORDER_TRANSPORT_OPEN] = order_transport_open,
	[ORDER_TRANSPORT_REMOTE] = order_transport_remote,
	[ORDER_TRANSPORT_SCTP] = order_transport_sctp,
	[ORDER_TRANSPORT_CLOSE] = order_transport_close,
	[ORDER_STREAM] = order_stream,
	[ORDER_SOURCE_OPEN] = order_source_open,
	[ORDER_SOURCE_MUTE] = order_source_mute,
	[ORDER_SOURCE_CLOSE] = order_source_close,
	[ORDER_SINK_OPEN] = order_sink_open,
	[ORDER_SINK_PAUSE] = order_sink_pause,
	[ORDER_SINK_CLOSE] = order_sink_close,
	[ORDER_LEG_OPEN] = order_leg_open,
	[ORDER_LEG_MOVE] = order_leg_move,
	[ORDER_LEG_CONNECT] = order_leg_connect,
	[ORDER_LEG_HEAR] = order_leg_hear,
	[ORDER_LEG_UNHEAR] = order_leg_unhear,
	[ORDER_LEG_DIGITS] = order_leg_digits,
	[ORDER_LEG_RINGBACK] = order_leg_ringback,
	[ORDER_LEG_RING] = order_leg_ring,
	[ORDER_LEG_DRAIN] = order_leg_drain,
	[ORDER_LEG_CLOSE] = order_leg_close,
};

static void on_order(void *owner, void *letter)
{
	struct worker *w = owner;
	struct order *o = letter;

	assert(o->kind < ORDER__COUNT);
	handlers[o->kind](w, o);
	payload_free(w->config.payloads, o->payload);
}

/* ---- life ---- */

/* On the worker's own thread, or with no thread at all. */
static void close_everything(struct worker *w)
{
	while (w->legs.count)
		close_leg(w, map_entry(map_next(&w->legs, NULL), struct leg_entry, by_id));
	while (w->transports.count)
		close_transport(
			w, map_entry(map_next(&w->transports, NULL), struct transport, by_id));
	timer_fini(&w->tick);
	timer_fini(&w->levels_timer);
	w->metronome = metronome_free(w->metronome);
	w->gather = gather_free(w->gather);
	w->edge = rtc_edge_free(w->edge);
	w->orders = mailbox_free(w->orders);
	map_fini(&w->transports);
	map_fini(&w->by_ufrag);
	map_fini(&w->by_address);
	map_fini(&w->sources);
	map_fini(&w->sinks);
	map_fini(&w->legs);
}

static void run(void *argument)
{
	struct worker *w = argument;
	char name[16];

	snprintf(name, sizeof name, "media-%u", w->config.index);
	(void)pthread_setname_np(pthread_self(), name);
	loop_run(w->loop);
}

static int build(struct worker *w)
{
	const struct rtc_edge_config edge = {.loop = w->loop,
		.binds = w->config.binds,
		.bind_count = w->config.bind_count,
		.port = w->config.port,
		.places = w->config.places};
	int r = timer_init(&w->tick, w->loop, on_tick, w);
	if (r == 0)
		r = timer_init(&w->levels_timer, w->loop, on_levels, w);
	if (r == 0)
		r = metronome_new(&w->metronome, w->loop);
	if (r == 0 && !w->config.loop)
		r = gather_new(&w->gather, w->loop);
	if (r == 0)
		r = rtc_edge_new(&w->edge, &edge, &edge_events, w);
	if (r == 0)
		r = mailbox_new(&w->orders, w->loop, sizeof(struct order), ORDERS_MAX, on_order, w);
	return r;
}

static int start_thread(struct worker *w)
{
	int r = uv_thread_create(&w->thread, run, w);
	if (r < 0)
		return err_new(r);
	w->threaded = true;
	return 0;
}

int worker_new(struct worker **ret, const struct worker_config *c)
{
	struct worker *w = mem_zalloc(sizeof *w);
	if (!w)
		return err_new(-ENOMEM);
	w->config = *c;
	w->loop = c->loop ? c->loop : &w->own_loop;
	list_init(&w->noted);
	list_init(&w->stop.link);
	w->address_secret = rng_u64();

	int r = c->loop ? 0 : loop_init(&w->own_loop);
	if (r < 0) {
		mem_free(w);
		return r;
	}
	r = build(w);
	if (r == 0 && !c->loop)
		r = start_thread(w);
	if (r < 0) {
		worker_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

struct worker *worker_free(struct worker *w)
{
	if (!w)
		return NULL;
	if (w->threaded) {
		struct order stop = {.kind = ORDER_STOP};
		while (mailbox_post(w->orders, &stop) < 0)
			uv_sleep(1); /* full: it is reading */
		uv_thread_join(&w->thread);
	} else {
		close_everything(w);
	}
	if (w->loop == &w->own_loop)
		loop_fini(&w->own_loop);
	mem_free(w);
	return NULL;
}
