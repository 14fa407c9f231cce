#include "media/rtc_edge.h"

#include "base/err.h"
#include "base/mem.h"
#include "media/rtc_socket.h"
#include "net/address.h"

#include <errno.h>

enum {
	FAMILIES = 2,
	PORT_TRIES = 16, /* for a port that is free for both families */
};

struct rtc_edge {
	const struct rtc_edge_events *events;
	void *owner;
	struct rtc_socket *v4, *v6; /* NULL: we have no address of this family */
	struct rtc_socket_events socket_events;
	struct rtc_streams *streams;
	uint8_t out[RTC_SOCKET_OUT_BYTES]; /* the next packet of a stream */
};

static struct rtc_socket **socket_for(struct rtc_edge *e, int family)
{
	return family == AF_INET6 ? &e->v6 : &e->v4;
}

static int open_sockets(struct rtc_edge *e, const struct rtc_edge_config *c, uint16_t port)
{
	for (size_t i = 0; i < c->bind_count; ++i) {
		struct sockaddr_storage at = c->binds[i];
		address_set_port(&at, port);
		struct rtc_socket **s = socket_for(e, at.ss_family);
		int r = *s ? err_new(-EINVAL)
			   : rtc_socket_new(s, c->loop, &at, c->bind_count > 1, &e->socket_events,
				     e->owner);
		if (r < 0)
			return r;
		port = rtc_socket_port(*s);
	}
	return 0;
}

static void close_sockets(struct rtc_edge *e)
{
	e->v4 = rtc_socket_free(e->v4);
	e->v6 = rtc_socket_free(e->v6);
}

static int open_ports(struct rtc_edge *e, const struct rtc_edge_config *c)
{
	int r = -EADDRINUSE;
	for (int i = 0; r == -EADDRINUSE && i < (c->port ? 1 : PORT_TRIES); ++i) {
		close_sockets(e);
		r = open_sockets(e, c, c->port);
	}
	return r;
}

int rtc_edge_new(struct rtc_edge **ret, const struct rtc_edge_config *c,
	const struct rtc_edge_events *events, void *owner)
{
	struct rtc_edge *e = mem_zalloc(sizeof *e);
	if (!e)
		return err_new(-ENOMEM);
	e->events = events;
	e->owner = owner;
	e->socket_events = (struct rtc_socket_events){
		.datagram = events->datagram, .dropped = events->streams.dropped};
	int r = c->bind_count ? open_ports(e, c) : err_new(-EINVAL);
	if (r == 0)
		r = rtc_streams_new(&e->streams, c->loop, c->places, &events->streams, owner);
	if (r < 0) {
		rtc_edge_free(e);
		return r;
	}
	*ret = e;
	return 0;
}

struct rtc_edge *rtc_edge_free(struct rtc_edge *e)
{
	if (!e)
		return NULL;
	rtc_streams_free(e->streams);
	close_sockets(e);
	mem_free(e);
	return NULL;
}

uint16_t rtc_edge_port(const struct rtc_edge *e)
{
	return rtc_socket_port(e->v4 ? e->v4 : e->v6);
}

/* Packets come only from families that we have, so there is a socket for every `to`. */
uint8_t *rtc_edge_out(struct rtc_edge *e, const struct peer_address *to)
{
	return to->stream ? e->out : rtc_socket_out(*socket_for(e, to->any.sa_family));
}

void rtc_edge_send(struct rtc_edge *e, size_t size, const struct peer_address *to)
{
	if (to->stream)
		rtc_streams_send(e->streams, span_of(e->out, size), to);
	else
		rtc_socket_send(*socket_for(e, to->any.sa_family), size, to);
}

void rtc_edge_adopt(struct rtc_edge *e, int fd, int place, struct span read)
{
	rtc_streams_adopt(e->streams, fd, place, read);
}

void rtc_edge_hang_up(struct rtc_edge *e, uint32_t stream)
{
	rtc_streams_close(e->streams, stream);
}
