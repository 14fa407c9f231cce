#include "media/rtc_door.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"
#include "media/ice.h"
#include "net/address.h"
#include "net/tcp.h"
#include "wire/frame.h"

#include <errno.h>
#include <unistd.h>

enum {
	LISTENERS_MAX = 2, /* one of each family */
	PORT_TRIES = 16,
};

struct rtc_door {
	struct rtc_door_config config;
	struct tcp_listener *listeners[LISTENERS_MAX];
	size_t listener_count;
	struct list visitors; /* oldest first */
	struct timer patience; /* with the oldest */
};

/* A connection that has not said yet whom it is for. */
struct visitor {
	struct list link; /* rtc_door.visitors; alone when it is on its way out */
	struct rtc_door *door;
	struct tcp *tcp;
	int place; /* -1: given away */
	uint64_t until_ms;
	size_t used;
	uint8_t read[LIMIT_ICE_TCP_FIRST_BYTES];
};

/* ---- the end of a visit ---- */

static void send_away(struct visitor *v)
{
	list_remove(&v->link);
	if (v->place >= 0)
		tcp_places_leave(v->door->config.places, v->place);
	v->place = -1;
	tcp_abort(v->tcp);
}

/* Never inside a call of ours; the door may be gone by now. */
static void on_closed(void *owner, int error)
{
	struct visitor *v = owner;
	if (!list_empty(&v->link)) { /* it went by itself */
		list_remove(&v->link);
		tcp_places_leave(v->door->config.places, v->place);
	}
	mem_free(v);
}

static void give_away(struct visitor *v, struct span ufrag)
{
	const struct rtc_door_config *c = &v->door->config;
	int fd = tcp_take_fd(v->tcp), place = v->place;

	if (fd < 0) {
		send_away(v);
		return;
	}
	list_remove(&v->link);
	v->place = -1;
	c->arrived(c->owner, fd, place, ufrag, span_of(v->read, v->used));
}

/* ---- the first packet ---- */

static void on_data(void *owner, struct span bytes)
{
	struct visitor *v = owner;
	struct span in, packet;
	struct stun_view stun;

	if (bytes.size > sizeof v->read - v->used) {
		send_away(v);
		return;
	}
	memcpy(v->read + v->used, bytes.data, bytes.size);
	v->used += bytes.size;
	in = span_of(v->read, v->used);
	enum frame_result r =
		frame_take(&packet, &in, sizeof v->read - FRAME_HEADER_BYTES);
	if (r == FRAME_MORE)
		return;
	if (r == FRAME_OK && stun_parse(&stun, packet) == STUN_OK &&
		stun.type == STUN_BINDING_REQUEST)
		give_away(v, ice_local_part(stun.username));
	else
		send_away(v);
}

static const struct tcp_events events = {.data = on_data, .closed = on_closed};

static void on_impatient(void *owner)
{
	struct rtc_door *d = owner;
	uint64_t now = loop_now_ms(d->config.loop);

	while (!list_empty(&d->visitors)) {
		struct visitor *v = list_first(&d->visitors, struct visitor, link);
		if (v->until_ms > now) {
			timer_start(&d->patience, v->until_ms - now, 0);
			return;
		}
		send_away(v);
	}
}

static void on_accepted(void *owner, struct tcp *t)
{
	struct rtc_door *d = owner;
	struct sockaddr_storage from;

	tcp_peer(t, &from);
	int place = tcp_places_take(d->config.places, (struct sockaddr *)&from);
	struct visitor *v = place < 0 ? NULL : mem_zalloc(sizeof *v);
	if (!v) {
		if (place >= 0)
			tcp_places_leave(d->config.places, place);
		return; /* not adopted: closed */
	}
	v->door = d;
	v->tcp = t;
	v->place = place;
	v->until_ms = loop_now_ms(d->config.loop) + d->config.patience_ms;
	list_add(&d->visitors, &v->link);
	tcp_adopt(t, &events, v, 0); /* nothing is said here */
	if (!timer_running(&d->patience))
		timer_start(&d->patience, d->config.patience_ms, 0);
}

/* ---- life ---- */

static void close_listeners(struct rtc_door *d)
{
	while (d->listener_count)
		tcp_listener_close(d->listeners[--d->listener_count]);
}

static int listen_on(struct rtc_door *d, uint16_t port)
{
	for (size_t i = 0; i < d->config.bind_count && i < LISTENERS_MAX; ++i) {
		struct sockaddr_storage at = d->config.binds[i];
		address_set_port(&at, port);
		int r = tcp_listen(&d->listeners[i], d->config.loop, (struct sockaddr *)&at,
			on_accepted, d);
		if (r < 0)
			return r;
		++d->listener_count;
		port = rtc_door_port(d);
	}
	return 0;
}

static int open_listeners(struct rtc_door *d)
{
	int r = -EADDRINUSE;
	for (int i = 0; r == -EADDRINUSE && i < (d->config.port ? 1 : PORT_TRIES); ++i) {
		close_listeners(d);
		r = listen_on(d, d->config.port);
	}
	return r;
}

int rtc_door_new(struct rtc_door **ret, const struct rtc_door_config *c)
{
	struct rtc_door *d = mem_zalloc(sizeof *d);
	if (!d)
		return err_new(-ENOMEM);
	d->config = *c;
	list_init(&d->visitors);
	int r = timer_init(&d->patience, c->loop, on_impatient, d);
	if (r == 0)
		r = open_listeners(d);
	d->config.binds = NULL; /* need not outlive this call */
	if (r < 0) {
		rtc_door_free(d);
		return r;
	}
	*ret = d;
	return 0;
}

struct rtc_door *rtc_door_free(struct rtc_door *d)
{
	if (!d)
		return NULL;
	close_listeners(d);
	timer_fini(&d->patience);
	while (!list_empty(&d->visitors))
		send_away(list_first(&d->visitors, struct visitor, link));
	mem_free(d);
	return NULL;
}

uint16_t rtc_door_port(const struct rtc_door *d)
{
	struct sockaddr_storage at;
	tcp_listener_local(d->listeners[0], &at);
	return address_port((struct sockaddr *)&at);
}
