#include "net/dns.h"

#include "base/err.h"
#include "base/mem.h"
#include "net/address.h"
#include "net/dns_inside.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

enum { TICK_MS = 250, ASK_MS = 2000, TRIES = 2 };

/* One of c-ares' sockets. */
struct dns_socket {
	uv_poll_t poll; /* first: libuv hands it back */
	struct dns *dns;
	ares_socket_t fd;
	struct list link;
};

struct address_query {
	struct dns_query q; /* first */
	dns_answer_fn *answer;
	uint16_t port;
	struct sockaddr_storage found[DNS_ADDRESSES_MAX];
};

/* ---- c-ares' sockets on the loop ---- */

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct dns_socket *s = (struct dns_socket *)poll;
	/* An error (ICMP) is found by reading. */
	bool readable = status < 0 || events & UV_READABLE;
	ares_process_fd(s->dns->channel, readable ? s->fd : ARES_SOCKET_BAD,
		events & UV_WRITABLE ? s->fd : ARES_SOCKET_BAD);
}

static void on_poll_closed(uv_handle_t *h)
{
	mem_free(h);
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

/* Called by c-ares; neither readable nor writable = it is about to close the socket. */
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
	/* Without memory for it the query runs into its timeout. */
	if (s)
		uv_poll_start(&s->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0),
			on_poll);
}

static void on_tick(void *owner)
{
	struct dns *d = owner;
	ares_process_fd(d->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	if (list_empty(&d->queries))
		timer_stop(&d->tick);
}

/* ---- life ---- */

static int open_channel(struct dns *d)
{
	struct ares_options options = {
		.sock_state_cb = on_socket,
		.sock_state_cb_data = d,
		.timeout = ASK_MS,
		.tries = TRIES,
	};
	int r = ares_library_init(ARES_LIB_INIT_ALL);
	if (r != ARES_SUCCESS)
		return err_new(-ENOMEM);
	r = ares_init_options(&d->channel, &options,
		ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
	if (r == ARES_SUCCESS)
		return 0;
	ares_library_cleanup();
	return err_new(r == ARES_ENOMEM ? -ENOMEM : -EIO);
}

int dns_new(struct dns **ret, struct loop *l)
{
	struct dns *d = mem_zalloc(sizeof *d);
	if (!d)
		return err_new(-ENOMEM);
	d->loop = l;
	list_init(&d->sockets);
	list_init(&d->queries);
	dns_cache_init(&d->cache);
	int r = timer_init(&d->tick, l, on_tick, d);
	if (r == 0)
		r = open_channel(d);
	if (r < 0) {
		timer_fini(&d->tick);
		mem_free(d);
		return r;
	}
	*ret = d;
	return 0;
}

static void unlink_query(struct dns_query *q)
{
	list_remove(&q->link);
	deferred_cancel(&q->deliver);
	--q->dns->query_count;
}

struct dns *dns_free(struct dns *d)
{
	if (!d)
		return NULL;
	d->closing = true;
	ares_destroy(d->channel); /* ends what it still asks by on_answer(), and its sockets */
	ares_library_cleanup();
	while (!list_empty(&d->queries)) {
		struct dns_query *q = list_first(&d->queries, struct dns_query, link);
		unlink_query(q);
		mem_free(q);
	}
	assert(list_empty(&d->sockets));
	timer_fini(&d->tick);
	dns_cache_fini(&d->cache);
	mem_free(d);
	return NULL;
}

void dns_forget(struct dns *d)
{
	dns_cache_clear(&d->cache);
}

int dns_set_servers(struct dns *d, const char *servers)
{
	dns_forget(d);
	return ares_set_servers_ports_csv(d->channel, servers) == ARES_SUCCESS ? 0 : -EINVAL;
}

/* ---- queries ---- */

int dns_query_new(struct dns_query **ret, size_t size, struct dns *d, int type, const char *name,
	void (*tell)(struct dns_query *q), void *owner)
{
	if (d->query_count >= DNS_QUERIES_MAX)
		return -EBUSY;
	struct dns_query *q = mem_zalloc(size);
	if (!q)
		return err_new(-ENOMEM);
	q->dns = d;
	q->tell = tell;
	q->owner = owner;
	q->type = type;
	if (strlen(name) < sizeof q->name)
		memcpy(q->name, name, strlen(name));
	list_add(&d->queries, &q->link);
	++d->query_count;
	if (!timer_running(&d->tick))
		timer_start(&d->tick, TICK_MS, TICK_MS);
	*ret = q;
	return 0;
}

static void deliver(struct deferred *deferred)
{
	struct dns_query *q = container_of(deferred, struct dns_query, deliver);
	unlink_query(q); /* first: the answer may well free the whole resolver */
	if (q->tell)
		q->tell(q);
	mem_free(q);
}

void dns_query_end(struct dns_query *q, int status)
{
	q->why = ares_strerror(status == ARES_SUCCESS ? ARES_ENODATA : status);
	if (!q->dns->closing)
		loop_defer(q->dns->loop, &q->deliver, deliver);
}

const struct dns_cached *dns_query_known(struct dns_query *q)
{
	return !*q->name ? NULL : dns_cache_get(&q->dns->cache, q->type, q->name, loop_now_ms(q->dns->loop));
}

void dns_query_keep(struct dns_query *q, int status, struct span bytes, uint32_t ttl_s)
{
	uint64_t now = loop_now_ms(q->dns->loop);

	if (q->dns->closing || !*q->name)
		return;
	if (status == ARES_SUCCESS)
		dns_cache_put(&q->dns->cache, q->type, q->name, status, bytes, ttl_s, now);
	else if (status == ARES_ENOTFOUND || status == ARES_ENODATA)
		dns_cache_put_none(&q->dns->cache, q->type, q->name, status, now);
}

/* The order within a family is the resolver's: it spreads load by it. */
static void collect_family(struct address_query *a, const struct ares_addrinfo *info, int family)
{
	const struct ares_addrinfo_node *node = info->nodes;
	for (; node && a->q.count < DNS_ADDRESSES_MAX; node = node->ai_next) {
		if (node->ai_family != family || node->ai_addrlen > sizeof a->found[0])
			continue;
		memcpy(&a->found[a->q.count++], node->ai_addr, node->ai_addrlen);
	}
}

/* The shortest of those that lead there. */
static uint32_t least_ttl(const struct ares_addrinfo *info)
{
	int least = INT32_MAX;

	for (const struct ares_addrinfo_node *n = info->nodes; n; n = n->ai_next)
		least = n->ai_ttl < least ? n->ai_ttl : least;
	for (const struct ares_addrinfo_cname *n = info->cnames; n; n = n->next)
		least = n->ttl < least ? n->ttl : least;
	return least < 0 ? 0 : (uint32_t)least;
}

static void tell_addresses(struct dns_query *q)
{
	struct address_query *a = (struct address_query *)q;
	for (size_t i = 0; i < q->count; ++i)
		address_set_port(&a->found[i], a->port);
	a->answer(q->owner, a->found, q->count, q->count ? NULL : q->why);
}

/* From c-ares, perhaps even before dns_resolve() returns: the owner hears of it later. */
static void on_answer(void *owner, int status, int timeouts, struct ares_addrinfo *info)
{
	struct address_query *a = owner;
	if (status == ARES_SUCCESS && info) {
		collect_family(a, info, AF_INET);
		collect_family(a, info, AF_INET6);
	}
	if (status != ARES_SUCCESS || a->q.count)
		dns_query_keep(&a->q, status, span_of(a->found, a->q.count * sizeof a->found[0]), info ? least_ttl(info) : 0);
	if (info)
		ares_freeaddrinfo(info);
	dns_query_end(&a->q, status);
}

static int parse_literal(struct sockaddr_storage *ret, const char *host, uint16_t port)
{
	char bare[ADDRESS_TEXT_SIZE];
	size_t size = strlen(host);
	if (size < 2 || size > sizeof bare || host[0] != '[' || host[size - 1] != ']')
		return address_parse(ret, host, port);
	snprintf(bare, sizeof bare, "%.*s", (int)size - 2, host + 1);
	return address_parse(ret, bare, port);
}

/* RFC 6761 section 6.3: names under .localhost are this machine, and no server is asked for them. */
static const char *asked_name(const char *host)
{
	static const char suffix[] = ".localhost";
	size_t size = strlen(host), tail = sizeof suffix - 1;
	return size > tail && !strcasecmp(host + size - tail, suffix) ? suffix + 1 : host;
}

static bool answer_from_cache(struct address_query *a)
{
	const struct dns_cached *known = dns_query_known(&a->q);

	if (!known)
		return false;
	a->q.count = known->size / sizeof a->found[0];
	memcpy(a->found, known->bytes, known->size);
	dns_query_end(&a->q, known->status);
	return true;
}

int dns_resolve(struct dns_query **ret, struct dns *d, const char *host, uint16_t port,
	dns_answer_fn *answer, void *owner)
{
	struct sockaddr_storage literal;
	*ret = NULL;
	if (parse_literal(&literal, host, port) == 0) {
		answer(owner, &literal, 1, NULL);
		return 0;
	}
	struct dns_query *q;
	int r = dns_query_new(
		&q, sizeof(struct address_query), d, DNS_ADDRESSES, asked_name(host), tell_addresses, owner);
	if (r < 0)
		return r;
	struct address_query *a = (struct address_query *)q;
	a->answer = answer;
	a->port = port;
	*ret = q;

	struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_flags = ARES_AI_NOSORT};
	if (!answer_from_cache(a))
		ares_getaddrinfo(d->channel, asked_name(host), NULL, &hints, on_answer, a);
	return 0;
}

void dns_cancel(struct dns_query *q)
{
	if (q)
		q->tell = NULL;
}
