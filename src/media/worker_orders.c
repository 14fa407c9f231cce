/* media/worker_orders.c - what the control thread wants done. Each handler may find that its object is
 * gone: then there is nothing to do. */
#include "media/worker_private.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "media/payload.h"
#include "media/sink.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <unistd.h>

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

void worker_close_transport(struct worker *w, struct transport *t)
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
		timer_start(&w->tick, WORKER_TICK_MS, WORKER_TICK_MS);
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
		worker_close_transport(w, t);
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

void worker_close_leg(struct worker *w, struct leg_entry *e)
{
	map_remove(&w->legs, &e->by_id);
	leg_free(e->leg);
	mem_free(e);
}

static void order_leg_close(struct worker *w, const struct order *o)
{
	struct leg_entry *e = map_entry(map_get_id(&w->legs, o->id), struct leg_entry, by_id);
	if (e)
		worker_close_leg(w, e);
}

static void on_stop(struct deferred *d)
{
	struct worker *w = container_of(d, struct worker, stop);
	worker_close_everything(w);
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

void worker_obey(void *owner, void *letter)
{
	struct worker *w = owner;
	struct order *o = letter;

	assert(o->kind < ORDER__COUNT);
	handlers[o->kind](w, o);
	payload_free(w->config.payloads, o->payload);
}
