#include "net/stun_probe.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "net/address.h"
#include "net/udp.h"
#include "wire/stun.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	STUN_PORT = 3478,
	AGAIN_MS = 500, /* RFC 8489, 6.2.1 */
	TRIES = 6,
	HOST_SIZE = 256,
};

struct server {
	struct stun_probe *probe;
	struct dns_query *query;
	struct sockaddr_storage at; /* ss_family AF_UNSPEC: not known (yet) */
};

struct stun_probe {
	struct stun_probe_config config;
	struct udp *udp;
	struct timer again;
	unsigned tries;
	bool done;
	uint8_t transaction[STUN_TRANSACTION_BYTES];
	struct server servers[STUN_PROBE_SERVERS_MAX];
	size_t server_count;
};

static void finish(struct stun_probe *p, const struct sockaddr_storage *mapped)
{
	if (p->done)
		return;
	p->done = true;
	timer_stop(&p->again);
	p->config.done(p->config.owner, mapped);
}

static void ask(struct server *s)
{
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof bytes);

	if (s->at.ss_family == AF_UNSPEC)
		return;
	stun_write_header(&w, STUN_BINDING_REQUEST, s->probe->transaction);
	stun_write_fingerprint(&w);
	/* What does not go now goes the next time. */
	(void)!udp_send(s->probe->udp, (struct sockaddr *)&s->at, writer_span(&w));
}

static void on_again(void *owner)
{
	struct stun_probe *p = owner;

	if (++p->tries >= TRIES) {
		finish(p, NULL);
		return;
	}
	for (size_t i = 0; i < p->server_count; ++i)
		ask(&p->servers[i]);
}

/* Only from whom we asked, and with our transaction: nobody else can know that. */
static void on_datagram(void *owner, const struct sockaddr *from, struct span bytes)
{
	struct stun_probe *p = owner;
	struct stun_view v;
	bool asked = false;

	for (size_t i = 0; i < p->server_count; ++i)
		asked |= address_equal(from, (struct sockaddr *)&p->servers[i].at);
	if (asked && stun_parse(&v, bytes) == STUN_OK && v.type == STUN_BINDING_SUCCESS &&
		!memcmp(v.transaction, p->transaction, sizeof v.transaction) &&
		v.mapped.ss_family == p->config.local->ss_family)
		finish(p, &v.mapped);
}

static const struct udp_events events = {.datagram = on_datagram};

static void on_resolved(
	void *owner, const struct sockaddr_storage *addresses, size_t count, const char *why)
{
	struct server *s = owner;

	s->query = NULL;
	for (size_t i = 0; i < count; ++i) {
		if (addresses[i].ss_family != s->probe->config.local->ss_family)
			continue;
		s->at = addresses[i];
		ask(s);
		return;
	}
}

/* "host", "host:port", "[v6]", "[v6]:port" */
static bool split(char host[HOST_SIZE], uint16_t *port, const char *text)
{
	const char *end = *text == '[' ? strchr(text, ']') : NULL;
	const char *colon = strchr(end ? end : text, ':');
	size_t size = colon ? (size_t)(colon - text) : strlen(text);
	long number = colon ? strtol(colon + 1, NULL, 10) : STUN_PORT;

	*port = (uint16_t)number;
	snprintf(host, HOST_SIZE, "%.*s", (int)size, text);
	return size && size < HOST_SIZE && number > 0 && number < 65536;
}

static int resolve(struct stun_probe *p, const char *text)
{
	struct server *s = &p->servers[p->server_count];
	char host[HOST_SIZE];
	uint16_t port;

	if (!split(host, &port, text))
		return 0; /* as one that does not answer */
	++p->server_count;
	s->probe = p;
	return dns_resolve(&s->query, p->config.dns, host, port, on_resolved, s);
}

int stun_probe_start(struct stun_probe **ret, const struct stun_probe_config *c)
{
	struct sockaddr_storage at = *c->local;
	struct stun_probe *p = mem_zalloc(sizeof *p);
	if (!p)
		return err_new(-ENOMEM);
	p->config = *c;
	rng_bytes(p->transaction, sizeof p->transaction);
	address_set_port(&at, 0);
	int r = timer_init(&p->again, c->loop, on_again, p);
	if (r == 0)
		r = udp_open(&p->udp, c->loop, (struct sockaddr *)&at, &events, p);
	for (size_t i = 0; r == 0 && i < c->server_count && i < STUN_PROBE_SERVERS_MAX; ++i)
		r = resolve(p, c->servers[i]);
	if (r < 0) {
		stun_probe_free(p);
		return r;
	}
	timer_start(&p->again, AGAIN_MS, AGAIN_MS);
	*ret = p;
	return 0;
}

struct stun_probe *stun_probe_free(struct stun_probe *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < p->server_count; ++i)
		dns_cancel(p->servers[i].query);
	timer_fini(&p->again);
	udp_close(p->udp);
	mem_free(p);
	return NULL;
}
