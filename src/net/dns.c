#include "net/dns.h"

#include "base/err.h"
#include "base/list.h"
#include "base/mem.h"
#include "net/address.h"

#include <ares.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>

enum { SOCKETS_MAX = 16, TICK_MS = 500 };

struct dns_socket {
	struct dns *dns;
	uv_poll_t poll;
	ares_socket_t fd;
	struct list link;
};

struct dns {
	struct loop *loop;
	ares_channel channel;
	struct timer tick; /* c-ares' own timeouts */
	struct list sockets;
	size_t waiting;
	bool closing;
};

struct dns_query {
	struct dns *dns;
	dns_answer_fn *answer; /* NULL: cancelled */
	void *owner;
	uint16_t port;
};

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct dns_socket *s = container_of(poll, struct dns_socket, poll);
	ares_process_fd(s->dns->channel, events & UV_READABLE || status < 0 ? s->fd : ARES_SOCKET_BAD,
		events & UV_WRITABLE ? s->fd : ARES_SOCKET_BAD);
}

static void on_poll_closed(uv_handle_t *h)
{
	mem_free(container_of((uv_poll_t *)h, struct dns_socket, poll));
}

static struct dns_socket *find_socket(struct dns *d, ares_socket_t fd)
{
	list_each(it, &d->sockets)
	{
		struct dns_socket *s = container_of(it, struct dns_socket, link);
		if (s->fd == fd)
			return s;
	}
	return NULL;
}

static struct dns_socket *add_socket(struct dns *d, ares_socket_t fd)
{
	struct dns_socket *s = mem_zalloc(sizeof *s);
	if (!s)
		return NULL;
	s->dns = d;
	s->fd = fd;
	if (uv_poll_init_socket(&d->loop->uv, &s->poll, fd) < 0) {
		mem_free(s);
		return NULL;
	}
	list_add(&d->sockets, &s->link);
	return s;
}

static void on_socket(void *owner, ares_socket_t fd, int readable, int writable)
{
	struct dns *d = owner;
	struct dns_socket *s = find_socket(d, fd);
	if (!readable && !writable) {
		if (!s)
			return;
		list_remove(&s->link);
		uv_close((uv_handle_t *)&s->poll, on_poll_closed);
		return;
	}
	if (!s)
		s = add_socket(d, fd);
	if (s)
		uv_poll_start(&s->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0), on_poll);
}

static void on_tick(void *owner)
{
	struct dns *d = owner;
	ares_process_fd(d->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	if (!d->waiting)
		timer_stop(&d->tick);
}

int dns_new(struct dns **ret, struct loop *l)
{
	struct dns *d = mem_zalloc(sizeof *d);
	if (!d)
		return err_new(-ENOMEM);
	d->loop = l;
	list_init(&d->sockets);
	struct ares_options options = {.sock_state_cb = on_socket, .sock_state_cb_data = d, .timeout = 2000, .tries = 2};
	int r = timer_init(&d->tick, l, on_tick, d);
	if (r == 0 && (ares_library_init(ARES_LIB_INIT_ALL) ||
			      ares_init_options(&d->channel, &options, ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES)))
		r = err_new(-ENOMEM);
	if (r < 0) {
		timer_fini(&d->tick);
		mem_free(d);
		return r;
	}
	*ret = d;
	return 0;
}

struct dns *dns_free(struct dns *d)
{
	if (!d)
		return NULL;
	d->closing = true;
	ares_destroy(d->channel); /* ends every query: their answers are not passed on any more */
	timer_fini(&d->tick);
	ares_library_cleanup();
	mem_free(d);
	return NULL;
}

/* A first, as most trunks are IPv4; the order within a family is the resolver's. */
static size_t collect(struct sockaddr_storage *out, const struct ares_addrinfo *info, uint16_t port)
{
	size_t n = 0;
	for (int pass = 0; pass < 2; ++pass) {
		int family = pass == 0 ? AF_INET : AF_INET6;
		for (const struct ares_addrinfo_node *node = info->nodes; node && n < DNS_ADDRESSES_MAX; node = node->ai_next) {
			if (node->ai_family != family)
				continue;
			memcpy(&out[n], node->ai_addr, node->ai_addrlen);
			address_set_port(&out[n++], port);
		}
	}
	return n;
}

static void on_answer(void *owner, int status, int timeouts, struct ares_addrinfo *info)
{
	struct dns_query *q = owner;
	struct dns *d = q->dns;
	struct sockaddr_storage found[DNS_ADDRESSES_MAX];
	size_t count = status == ARES_SUCCESS && info ? collect(found, info, q->port) : 0;
	if (info)
		ares_freeaddrinfo(info);
	--d->waiting;
	dns_answer_fn *answer = d->closing ? NULL : q->answer;
	void *answer_owner = q->owner;
	mem_free(q);
	if (answer)
		answer(answer_owner, found, count, count ? NULL : ares_strerror(status));
}

int dns_resolve(struct dns_query **ret, struct dns *d, const char *host, uint16_t port, dns_answer_fn *answer,
	void *owner)
{
	struct sockaddr_storage literal;
	*ret = NULL;
	if (address_parse(&literal, host, port) == 0) {
		answer(owner, &literal, 1, NULL);
		return 0;
	}
	struct dns_query *q = mem_zalloc(sizeof *q);
	if (!q)
		return err_new(-ENOMEM);
	*q = (struct dns_query){.dns = d, .answer = answer, .owner = owner, .port = port};
	++d->waiting;
	if (!timer_running(&d->tick))
		timer_start(&d->tick, TICK_MS, TICK_MS);
	*ret = q;
	/* Answers from the hosts file come before this returns: then *ret is dead, which the caller
	 * notices by its own `answer` having run. */
	struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_flags = ARES_AI_NOSORT};
	ares_getaddrinfo(d->channel, host, NULL, &hints, on_answer, q);
	return 0;
}

void dns_cancel(struct dns_query *q)
{
	if (q)
		q->answer = NULL;
}
