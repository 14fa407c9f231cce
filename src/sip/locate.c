#include "sip/locate.h"

#include "base/err.h"
#include "base/mem.h"
#include "net/address.h"

#include <errno.h>
#include <stdio.h>

enum {
	HOST_ADDRESSES_MAX = 4,
	LATE_MS = 2500, /* a name server that drops what it does not know must not cost a call */
};

/*
 *   ASKING (NAPTR, SRV of each protocol, the host's addresses: all at once)
 *      -> POINTED (SRV of a name that only NAPTR told) -> LOOKING (addresses of the services) -> told
 *      \_______________________________________________________________________________________^
 */
enum stage {
	STAGE_ASKING,
	STAGE_POINTED,
	STAGE_LOOKING,
};

/* One question under way. */
struct ask {
	struct sip_location *location;
	struct dns_query *query;
	size_t index;
};

struct host {
	struct ask ask;
	uint16_t port;
	struct sockaddr_storage addresses[HOST_ADDRESSES_MAX];
	size_t count;
};

struct services {
	struct ask ask;
	struct dns_service found[DNS_SERVICES_MAX];
	size_t count;
	bool refused; /* the domain says that there are none */
};

struct sip_location {
	struct loop *loop;
	struct dns *dns;
	char name[SIP_HOST_SIZE];
	uint16_t port; /* 0 = not given */
	bool any_protocol;
	enum sip_protocol wished, protocol; /* the second is the one being tried */
	sip_located_fn *found;
	void *owner;

	enum stage stage;
	size_t waiting; /* questions under way, and one while more are being asked */
	bool late;
	struct timer timer;
	struct host host; /* the name itself */
	struct ask pointers_ask;
	struct dns_pointer pointers[DNS_POINTERS_MAX];
	size_t pointer_count, pointer;
	struct services services[SIP_PROTOCOL__COUNT];
	struct host hosts[SIP_LOCATE_HOSTS_MAX]; /* of the services that were chosen */
	size_t host_count;
	char why[128];
};

static void step_done(struct sip_location *s);

/* --- the end ------------------------------------------------------------------------------ */

static void cancel_ask(struct ask *a)
{
	dns_cancel(a->query);
	a->query = NULL;
}

static void location_free(struct sip_location *s)
{
	cancel_ask(&s->host.ask);
	cancel_ask(&s->pointers_ask);
	for (size_t i = 0; i < SIP_PROTOCOL__COUNT; ++i)
		cancel_ask(&s->services[i].ask);
	for (size_t i = 0; i < SIP_LOCATE_HOSTS_MAX; ++i)
		cancel_ask(&s->hosts[i].ask);
	timer_fini(&s->timer);
	mem_free(s);
}

void sip_locate_cancel(struct sip_location *s)
{
	if (s)
		location_free(s);
}

static size_t add_host(struct sip_target *targets, size_t count, const struct host *h, enum sip_protocol protocol)
{
	for (size_t i = 0; i < h->count && count < SIP_TARGETS_MAX; ++i) {
		targets[count] = (struct sip_target){.protocol = protocol, .address = h->addresses[i]};
		if (h->port)
			address_set_port((struct sockaddr_storage *)&targets[count].address, h->port);
		++count;
	}
	return count;
}

static void tell(struct sip_location *s, const struct sip_target *targets, size_t count)
{
	sip_located_fn *found = s->found;
	void *owner = s->owner;
	char why[sizeof s->why];

	memcpy(why, s->why, sizeof why);
	location_free(s);
	found(owner, targets, count, count ? NULL : why);
}

/* What the name itself is, when it has no services. */
static void tell_host(struct sip_location *s)
{
	struct sip_target targets[SIP_TARGETS_MAX];
	bool refused = s->services[s->protocol].refused;

	if (refused)
		snprintf(s->why, sizeof s->why, "says in its SRV records that it takes no calls by %s",
			sip_protocol_text(s->protocol));
	s->host.port = s->port ? s->port : sip_protocol_port(s->protocol);
	tell(s, targets, refused ? 0 : add_host(targets, 0, &s->host, s->protocol));
}

static void tell_services(struct sip_location *s)
{
	struct sip_target targets[SIP_TARGETS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < s->host_count; ++i)
		count = add_host(targets, count, &s->hosts[i], s->protocol);
	if (count)
		tell(s, targets, count);
	else
		tell_host(s); /* its SRV records lead nowhere: the name itself may */
}

/* --- the questions ------------------------------------------------------------------------ */

static void answered(struct ask *a)
{
	a->query = NULL;
	--a->location->waiting;
	step_done(a->location);
}

static void on_host(void *owner, const struct sockaddr_storage *addresses, size_t count, const char *why)
{
	struct ask *a = owner;
	struct sip_location *s = a->location;
	struct host *h = container_of(a, struct host, ask);

	h->count = count < HOST_ADDRESSES_MAX ? count : HOST_ADDRESSES_MAX;
	memcpy(h->addresses, addresses, h->count * sizeof *addresses);
	if (h == &s->host && why)
		snprintf(s->why, sizeof s->why, "has no address: %s", why);
	answered(a);
}

static void on_services(void *owner, const struct dns_service *services, size_t count, const char *why)
{
	struct ask *a = owner;
	struct services *to = container_of(a, struct services, ask);

	to->count = count;
	to->refused = why == DNS_REFUSED;
	memcpy(to->found, services, count * sizeof *services);
	answered(a);
}

static void on_pointers(void *owner, const struct dns_pointer *pointers, size_t count, const char *why)
{
	struct ask *a = owner;
	struct sip_location *s = a->location;

	s->pointer_count = count;
	memcpy(s->pointers, pointers, count * sizeof *pointers);
	answered(a);
}

/* A question that cannot be asked has no answer. */
static void asked(struct sip_location *s, int r)
{
	if (r < 0)
		--s->waiting;
}

static void ask_host(struct sip_location *s, struct host *h, const char *name)
{
	h->ask.location = s;
	++s->waiting;
	asked(s, dns_resolve(&h->ask.query, s->dns, name, h->port, on_host, &h->ask));
}

static void ask_services(struct sip_location *s, enum sip_protocol p, const char *name)
{
	struct ask *a = &s->services[p].ask;

	a->location = s;
	++s->waiting;
	asked(s, dns_find_services(&a->query, s->dns, name, on_services, a));
}

static const char *service_name(char out[SIP_HOST_SIZE + 16], enum sip_protocol p, const char *domain)
{
	static const char *const prefixes[SIP_PROTOCOL__COUNT] = {
		[SIP_UDP] = "_sip._udp", [SIP_TCP] = "_sip._tcp", [SIP_TLS] = "_sips._tcp"};
	snprintf(out, SIP_HOST_SIZE + 16, "%s.%s", prefixes[p], domain);
	return out;
}

static void ask_all(struct sip_location *s)
{
	char name[SIP_HOST_SIZE + 16];

	ask_host(s, &s->host, s->name);
	/* Section 4.2: who names a port wants that host. RFC 6761: nobody else knows what is local. */
	if (s->port || !strcasecmp(s->name, "localhost"))
		return;
	if (s->any_protocol) {
		++s->waiting;
		s->pointers_ask.location = s;
		asked(s, dns_find_pointers(&s->pointers_ask.query, s->dns, s->name, on_pointers, &s->pointers_ask));
	}
	for (unsigned p = 0; p < SIP_PROTOCOL__COUNT; ++p)
		if (s->any_protocol || p == s->protocol)
			ask_services(s, (enum sip_protocol)p, service_name(name, (enum sip_protocol)p, s->name));
}

/* --- the choice --------------------------------------------------------------------------- */

static void enter(struct sip_location *s, enum stage stage)
{
	s->stage = stage;
	s->late = false;
	timer_start(&s->timer, LATE_MS, 0);
}

static void look_up(struct sip_location *s, enum sip_protocol p)
{
	const struct services *from = &s->services[p];

	s->protocol = p;
	enter(s, STAGE_LOOKING);
	s->host_count = from->count < SIP_LOCATE_HOSTS_MAX ? from->count : SIP_LOCATE_HOSTS_MAX;
	++s->waiting; /* until all are asked: a literal answers at once */
	for (size_t i = 0; i < s->host_count; ++i) {
		s->hosts[i].port = from->found[i].port;
		ask_host(s, &s->hosts[i], from->found[i].host);
	}
	--s->waiting;
	step_done(s);
}

static bool pointer_protocol(const struct dns_pointer *p, enum sip_protocol *ret)
{
	static const char *const services[SIP_PROTOCOL__COUNT] = {
		[SIP_UDP] = "SIP+D2U", [SIP_TCP] = "SIP+D2T", [SIP_TLS] = "SIPS+D2T"};
	for (unsigned i = 0; i < SIP_PROTOCOL__COUNT; ++i)
		if (!strcasecmp(p->service, services[i])) {
			*ret = (enum sip_protocol)i;
			return true;
		}
	return false;
}

static bool same_name(const char *a, const char *b)
{
	size_t x = strlen(a), y = strlen(b);
	x -= x && a[x - 1] == '.';
	y -= y && b[y - 1] == '.';
	return x == y && !strncasecmp(a, b, x);
}

/* Follows the next pointer. False: there is none left that can be followed. */
static bool follow_pointer(struct sip_location *s)
{
	char usual[SIP_HOST_SIZE + 16];
	enum sip_protocol p;

	while (s->pointer < s->pointer_count) {
		const struct dns_pointer *to = &s->pointers[s->pointer++];
		if (!pointer_protocol(to, &p))
			continue;
		s->protocol = p;
		if (to->is_service && same_name(to->replacement, service_name(usual, p, s->name))) {
			if (!s->services[p].count)
				continue;
			look_up(s, p);
			return true;
		}
		s->services[p] = (struct services){.count = !to->is_service};
		if (!to->is_service) { /* flag "a": a host, at the usual port */
			memcpy(s->services[p].found[0].host, to->replacement, sizeof to->replacement);
			s->services[p].found[0].port = sip_protocol_port(p);
			look_up(s, p);
			return true;
		}
		enter(s, STAGE_POINTED);
		ask_services(s, p, to->replacement);
		if (s->services[p].ask.query)
			return true;
	}
	return false;
}

/* Section 4.1: without NAPTR, what SRV knows; UDP first, which everybody speaks. */
static void choose(struct sip_location *s)
{
	if (s->any_protocol && follow_pointer(s))
		return;
	s->protocol = s->wished;
	for (unsigned p = 0; p < SIP_PROTOCOL__COUNT; ++p)
		if (s->services[p].count && (s->any_protocol || p == s->wished)) {
			look_up(s, (enum sip_protocol)p);
			return;
		}
	tell_host(s);
}

static bool has_something(const struct sip_location *s)
{
	bool any = s->host.count;
	for (size_t i = 0; i < SIP_PROTOCOL__COUNT; ++i)
		any |= s->stage != STAGE_LOOKING && s->services[i].count > 0;
	for (size_t i = 0; i < s->host_count; ++i)
		any |= s->hosts[i].count > 0;
	return any;
}

/* It is late: the place is the next question's, and the answer nobody's. */
static void give_up(struct ask *a)
{
	if (!a->query)
		return;
	cancel_ask(a);
	--a->location->waiting;
}

/* Goes on when all is known that was asked for, or enough and it is late. */
static void step_done(struct sip_location *s)
{
	if (s->waiting && !(s->late && has_something(s)))
		return;
	switch (s->stage) {
	case STAGE_ASKING:
		cancel_ask(&s->pointers_ask);
		for (size_t i = 0; i < SIP_PROTOCOL__COUNT; ++i)
			cancel_ask(&s->services[i].ask);
		s->waiting = s->host.ask.query != NULL;
		choose(s);
		return;
	case STAGE_POINTED:
		if (s->services[s->protocol].count) {
			look_up(s, s->protocol);
			return;
		}
		give_up(&s->services[s->protocol].ask);
		choose(s);
		return;
	case STAGE_LOOKING:
		tell_services(s);
		return;
	}
}

static void on_late(void *owner)
{
	struct sip_location *s = owner;
	s->late = true;
	step_done(s);
}

/* --- the beginning ------------------------------------------------------------------------ */

static bool parse_literal(struct sip_target *ret, const struct sip_locate_wish *wish)
{
	char bare[ADDRESS_TEXT_SIZE];
	size_t size = strlen(wish->host);
	bool brackets = size > 2 && wish->host[0] == '[' && wish->host[size - 1] == ']';

	if (size >= sizeof bare)
		return false;
	snprintf(bare, sizeof bare, "%.*s", (int)(brackets ? size - 2 : size), wish->host + brackets);
	ret->protocol = wish->protocol;
	return address_parse(&ret->address, bare, wish->port ? wish->port : sip_protocol_port(wish->protocol)) == 0;
}

int sip_locate(struct sip_location **ret, struct loop *l, struct dns *d, const struct sip_locate_wish *wish,
	sip_located_fn *found, void *owner)
{
	struct sip_target literal;

	*ret = NULL;
	if (parse_literal(&literal, wish)) {
		found(owner, &literal, 1, NULL);
		return 0;
	}
	if (strlen(wish->host) >= SIP_HOST_SIZE)
		return -EINVAL;
	struct sip_location *s = mem_zalloc(sizeof *s);
	if (!s)
		return err_new(-ENOMEM);
	s->loop = l;
	s->dns = d;
	s->any_protocol = wish->any_protocol && !wish->port;
	s->wished = s->protocol = wish->protocol;
	s->port = wish->port;
	s->found = found;
	s->owner = owner;
	snprintf(s->name, sizeof s->name, "%s", wish->host);
	snprintf(s->why, sizeof s->why, "has no address");
	int r = timer_init(&s->timer, l, on_late, s);
	if (r < 0) {
		mem_free(s);
		return r;
	}
	ask_all(s);
	/* If nothing could be asked, that is the answer; it comes later like any other. */
	timer_start(&s->timer, s->waiting ? LATE_MS : 0, 0);
	*ret = s;
	return 0;
}
