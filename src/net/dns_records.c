/* net/dns_records.c - SRV and NAPTR records, put in the order to try them in. */
#include "base/mem.h"
#include "base/rng.h"
#include "net/dns_inside.h"

#include "wire/dns_ttl.h"

#include <arpa/nameser.h>
#include <stdio.h>
#include <stdlib.h>

/* What is read of one answer; the best of them are kept. */
enum { RECORDS_READ_MAX = 128 };

const char DNS_REFUSED[] = "it says that there is no such service";

struct service_query {
	struct dns_query q; /* first */
	dns_services_fn *answer;
	bool refused;
	struct dns_service found[DNS_SERVICES_MAX];
};

struct pointer_query {
	struct dns_query q; /* first */
	dns_pointers_fn *answer;
	struct dns_pointer found[DNS_POINTERS_MAX];
};

/* ---- SRV ---- */

static int by_priority(const void *a, const void *b)
{
	const struct dns_service *x = a, *y = b;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return (x->weight > 0) - (y->weight > 0); /* RFC 2782: those of weight 0 first, then the draw */
}

/* RFC 2782: one of the first `count`, the heavier the likelier; weight 0 is seldom, not never. */
static size_t draw(const struct dns_service *s, size_t count)
{
	uint32_t sum = 0, at = 0;
	for (size_t i = 0; i < count; ++i)
		sum += s[i].weight;
	if (!sum)
		return rng_u32() % count;
	uint32_t mark = (uint32_t)(rng_u64() % ((uint64_t)sum + 1));
	for (size_t i = 0; i < count; ++i)
		if ((at += s[i].weight) >= mark)
			return i;
	return 0;
}

static void order_services(struct dns_service *s, size_t count)
{
	qsort(s, count, sizeof *s, by_priority);
	for (size_t first = 0; first < count; ++first) {
		size_t same = first;
		while (same < count && s[same].priority == s[first].priority)
			++same;
		size_t chosen = first + draw(s + first, same - first);
		struct dns_service winner = s[chosen];
		memmove(s + first + 1, s + first, (chosen - first) * sizeof *s);
		s[first] = winner;
	}
}

static bool is_known(const struct dns_service *s, size_t count, const struct ares_srv_reply *one)
{
	for (size_t i = 0; i < count; ++i)
		if (!strcasecmp(s[i].host, one->host) && s[i].port == one->port)
			return true;
	return false;
}

static void collect_services(struct service_query *s, const struct ares_srv_reply *reply)
{
	static _Thread_local struct dns_service all[RECORDS_READ_MAX];
	size_t count = 0;
	for (; reply && count < RECORDS_READ_MAX; reply = reply->next) {
		bool none = !*reply->host || !strcmp(reply->host, ".");
		s->refused |= none;
		if (none || !reply->port || strlen(reply->host) >= sizeof all->host || is_known(all, count, reply))
			continue;
		struct dns_service *to = &all[count++];
		*to = (struct dns_service){
			.port = reply->port, .priority = reply->priority, .weight = reply->weight};
		snprintf(to->host, sizeof to->host, "%s", reply->host);
	}
	order_services(all, count);
	s->q.count = count < DNS_SERVICES_MAX ? count : DNS_SERVICES_MAX;
	memcpy(s->found, all, s->q.count * sizeof *all);
}

/* Returns what became of it. */
static int read_services(struct service_query *s, int status, const uint8_t *bytes, int size)
{
	struct ares_srv_reply *reply = NULL;
	if (status == ARES_SUCCESS)
		status = ares_parse_srv_reply(bytes, size, &reply);
	if (status == ARES_SUCCESS)
		collect_services(s, reply);
	if (reply)
		ares_free_data(reply);
	return status;
}

/* The whole message is kept: read again, its services are drawn anew by their weights. */
static void keep(struct dns_query *q, int status, const uint8_t *bytes, int size)
{
	struct span message = span_of(bytes, bytes ? (size_t)size : 0);
	uint32_t ttl_s = 0;
	if (status != ARES_SUCCESS || dns_ttl_read(message, &ttl_s))
		dns_query_keep(q, status, message, ttl_s);
}

static void on_services(void *owner, int status, int timeouts, unsigned char *bytes, int size)
{
	struct service_query *s = owner;
	status = read_services(s, status, bytes, size);
	keep(&s->q, status, bytes, size);
	dns_query_end(&s->q, status);
}

static void tell_services(struct dns_query *q)
{
	struct service_query *s = (struct service_query *)q;
	s->answer(q->owner, s->found, q->count, q->count ? NULL : s->refused ? DNS_REFUSED : q->why);
}

int dns_find_services(
	struct dns_query **ret, struct dns *d, const char *name, dns_services_fn *answer, void *owner)
{
	struct dns_query *q = *ret = NULL;
	int r = dns_query_new(&q, sizeof(struct service_query), d, ns_t_srv, name, tell_services, owner);
	if (r < 0)
		return r;
	*ret = q;
	struct service_query *s = (struct service_query *)q;
	s->answer = answer;
	const struct dns_cached *known = dns_query_known(q);
	if (known)
		dns_query_end(q, read_services(s, known->status, known->bytes, (int)known->size));
	else
		ares_query(d->channel, name, ns_c_in, ns_t_srv, on_services, q);
	return 0;
}

/* ---- NAPTR ---- */

static int by_order(const void *a, const void *b)
{
	const struct dns_pointer *x = a, *y = b;
	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return x->preference < y->preference ? -1 : x->preference > y->preference;
}

/* One that rewrites by a regular expression is a telephone number's (RFC 6116), not a domain's. */
static bool take_pointer(struct dns_pointer *to, const struct ares_naptr_reply *from)
{
	const char *flags = (const char *)from->flags, *service = (const char *)from->service;
	bool leads_on = !strcasecmp(flags, "s") || !strcasecmp(flags, "a");
	if (!leads_on || *from->regexp || !*from->replacement || !strcmp(from->replacement, ".") ||
		strlen(service) >= sizeof to->service || strlen(from->replacement) >= sizeof to->replacement)
		return false;
	*to = (struct dns_pointer){.is_service = !strcasecmp(flags, "s"),
		.order = from->order, .preference = from->preference};
	snprintf(to->service, sizeof to->service, "%s", service);
	snprintf(to->replacement, sizeof to->replacement, "%s", from->replacement);
	return true;
}

static void collect_pointers(struct pointer_query *p, const struct ares_naptr_reply *reply)
{
	static _Thread_local struct dns_pointer all[RECORDS_READ_MAX];
	size_t count = 0;
	for (; reply && count < RECORDS_READ_MAX; reply = reply->next)
		count += take_pointer(&all[count], reply);
	qsort(all, count, sizeof *all, by_order);
	p->q.count = count < DNS_POINTERS_MAX ? count : DNS_POINTERS_MAX;
	memcpy(p->found, all, p->q.count * sizeof *all);
}

static int read_pointers(struct pointer_query *p, int status, const uint8_t *bytes, int size)
{
	struct ares_naptr_reply *reply = NULL;
	if (status == ARES_SUCCESS)
		status = ares_parse_naptr_reply(bytes, size, &reply);
	if (status == ARES_SUCCESS)
		collect_pointers(p, reply);
	if (reply)
		ares_free_data(reply);
	return status;
}

static void on_pointers(void *owner, int status, int timeouts, unsigned char *bytes, int size)
{
	struct pointer_query *p = owner;
	status = read_pointers(p, status, bytes, size);
	keep(&p->q, status, bytes, size);
	dns_query_end(&p->q, status);
}

static void tell_pointers(struct dns_query *q)
{
	struct pointer_query *p = (struct pointer_query *)q;
	p->answer(q->owner, p->found, q->count, q->count ? NULL : q->why);
}

int dns_find_pointers(
	struct dns_query **ret, struct dns *d, const char *name, dns_pointers_fn *answer, void *owner)
{
	struct dns_query *q = *ret = NULL;
	int r = dns_query_new(&q, sizeof(struct pointer_query), d, ns_t_naptr, name, tell_pointers, owner);
	if (r < 0)
		return r;
	*ret = q;
	struct pointer_query *p = (struct pointer_query *)q;
	p->answer = answer;
	const struct dns_cached *known = dns_query_known(q);
	if (known)
		dns_query_end(q, read_pointers(p, known->status, known->bytes, (int)known->size));
	else
		ares_query(d->channel, name, ns_c_in, ns_t_naptr, on_pointers, q);
	return 0;
}
