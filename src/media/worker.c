#include "media/worker_private.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "media/packet_kind.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>

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
	if (packet_is_stun(span_of(packet, size))) {
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

/* ---- life ---- */

void worker_close_everything(struct worker *w)
{
	while (w->legs.count)
		worker_close_leg(w, map_entry(map_next(&w->legs, NULL), struct leg_entry, by_id));
	while (w->transports.count)
		worker_close_transport(
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

static void on_tick(void *owner)
{
	struct worker *w = owner;
	uint64_t now_us = clock_us();

	for (struct map_node *n = NULL; (n = map_next(&w->transports, n));)
		transport_tick(map_entry(n, struct transport, by_id), now_us);
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
		r = timer_init(&w->levels_timer, w->loop, worker_tell_levels, w);
	if (r == 0)
		r = metronome_new(&w->metronome, w->loop);
	if (r == 0 && !w->config.loop)
		r = gather_new(&w->gather, w->loop);
	if (r == 0)
		r = rtc_edge_new(&w->edge, &edge, &edge_events, w);
	if (r == 0)
		r = mailbox_new(&w->orders, w->loop, sizeof(struct order), ORDERS_MAX, worker_obey, w);
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
		worker_close_everything(w);
	}
	if (w->loop == &w->own_loop)
		loop_fini(&w->own_loop);
	mem_free(w);
	return NULL;
}
