/* cli/doctor_reach.c - is the trunk there: its name, its ports, its certificate, its answer to OPTIONS. */
#include "cli/doctor.h"

#include "base/clock.h"
#include "net/address.h"
#include "net/tls_probe.h"
#include "wire/sip_uri.h"

#include <stdarg.h>
#include <stdio.h>

enum { ANSWER_MS = 4000, TLS_MS = 5000, CERTIFICATE_SOON_DAYS = 14 };

/* Where the first packet goes: the proxy, else the trunk. */
static bool aim_at(struct doctor *d)
{
	char uri[IDENTITY_URI_SIZE];
	snprintf(uri, sizeof uri, "sip:%.300s%s", d->trunk->address, identity_transport(d->trunk));
	return sip_aim_read(&d->aim, uri, identity_protocol(d->trunk), d->options.outbound_proxy, NULL) == 0;
}

void doctor_settings(struct doctor *d)
{
	static const char *const transports[] = {"UDP, TCP for large requests, or what its DNS says", "UDP", "TCP", "TLS"};
	const Livekit__SIPOutboundTrunkInfo *t = d->trunk;
	if (!aim_at(d)) {
		doctor_found(d, "settings", DOCTOR_BAD, "Set the trunk's address, and its outbound_proxy, to host or host:port.",
			"The trunk's address \"%s\" is none, or its proxy \"%s\".", t->address, d->options.outbound_proxy);
		d->over = true;
	} else {
		doctor_found(d, "settings", DOCTOR_GOOD, NULL, "%s by %s%s%s; %zu number%s, %s.", t->address,
			transports[(unsigned)t->transport % COUNT_OF(transports)],
			*d->options.outbound_proxy ? ", through " : "", d->options.outbound_proxy, t->n_numbers,
			t->n_numbers == 1 ? "" : "s",
			trunk_options_login(&d->options, t) ? "with a user name" : "without a user name: the carrier must know our address");
	}
	doctor_next(d);
}

/* --- DNS ----------------------------------------------------------------------------------- */

static const char *const services[] = {"_sip._udp.", "_sip._tcp.", "_sips._tcp."};

PRINTF(2, 3) static void add_record(struct doctor *d, const char *format, ...)
{
	va_list args;
	size_t used = strlen(d->records);
	va_start(args, format);
	vsnprintf(d->records + used, sizeof d->records - used, format, args);
	va_end(args);
}

static void ask_service(struct doctor *d);

static void on_services(void *owner, const struct dns_service *found, size_t count, const char *why)
{
	struct doctor *d = owner;
	d->query = NULL;
	if (count)
		add_record(d, "%sSRV %s", *d->records ? "; " : "", services[d->service]);
	for (size_t i = 0; i < count; ++i)
		add_record(d, "%s%s:%u (%u)", i ? ", " : " ", found[i].host, found[i].port, found[i].priority);
	++d->service;
	ask_service(d);
}

static void ask_service(struct doctor *d)
{
	char name[SIP_HOST_SIZE + 16];
	for (; d->service < COUNT_OF(services); ++d->service) {
		snprintf(name, sizeof name, "%s%s", services[d->service], d->aim.host);
		if (dns_find_services(&d->query, d->dns, name, on_services, d) == 0)
			return;
	}
	doctor_found(d, "dns", DOCTOR_GOOD, NULL, "%s has %s.", d->aim.host,
		*d->records ? d->records : "no NAPTR and no SRV records: A and AAAA count");
	doctor_next(d);
}

static void on_pointers(void *owner, const struct dns_pointer *found, size_t count, const char *why)
{
	struct doctor *d = owner;
	d->query = NULL;
	for (size_t i = 0; i < count; ++i)
		add_record(d, "%s%s to %s", i ? ", " : "NAPTR ", found[i].service, found[i].replacement);
	ask_service(d);
}

/* What the domain says of itself (RFC 3263), for the reader. A literal address, or a name with a port, has no say. */
void doctor_records(struct doctor *d)
{
	struct sockaddr_storage literal;
	if (d->aim.port || address_parse(&literal, d->aim.host, 0) == 0)
		doctor_next(d);
	else if (dns_find_pointers(&d->query, d->dns, d->aim.host, on_pointers, d) < 0)
		ask_service(d);
}

static const char *target_text(char out[ADDRESS_TEXT_SIZE + 8], const struct sip_target *t)
{
	char address[ADDRESS_TEXT_SIZE];
	snprintf(out, ADDRESS_TEXT_SIZE + 8, "%s %s", sip_protocol_text(t->protocol),
		address_text(address, (const struct sockaddr *)&t->address));
	return out;
}

/* The way that calls go: every address, in the order in which they are tried. */
static void on_located(void *owner, const struct sip_target *targets, size_t count, const char *why)
{
	struct doctor *d = owner;
	char one[ADDRESS_TEXT_SIZE + 8];

	d->location = NULL;
	d->target_count = count;
	memcpy(d->targets, targets, count * sizeof *targets);
	d->records[0] = 0;
	for (size_t i = 0; i < count; ++i)
		add_record(d, "%s%s", i ? ", then " : "", target_text(one, &targets[i]));
	if (count) {
		doctor_found(d, "dns", DOCTOR_GOOD, NULL, "%s is called at %s.", d->aim.host, d->records);
	} else {
		char fix[DOCTOR_TEXT_SIZE];
		snprintf(fix, sizeof fix,
			"Correct the trunk's address, or this machine's DNS: %s must have an A, AAAA or SRV record.", d->aim.host);
		doctor_found(d, "dns", DOCTOR_BAD, fix, "%s %s.", d->aim.host, why);
		d->over = true;
	}
	doctor_next(d);
}

void doctor_dns(struct doctor *d)
{
	if (sip_aim_locate(&d->location, d->agent, &d->aim, on_located, d) < 0) {
		doctor_found(d, "dns", DOCTOR_BAD, NULL, "%s cannot be looked up: an error of our own.", d->aim.host);
		d->over = true;
		doctor_next(d);
	}
}

/* --- TLS ----------------------------------------------------------------------------------- */

static void tell_probe(struct doctor *d, const char *where, const struct tls_probe *p)
{
	char fix[DOCTOR_TEXT_SIZE];
	if (!p->connected) {
		snprintf(fix, sizeof fix, "Let TCP to %s out of the firewall, or correct the trunk's address and port.", where);
		doctor_found(d, "tls", DOCTOR_BAD, fix, "%s: no TCP connection: %s.", where, p->why);
	} else if (!p->shaken) {
		snprintf(fix, sizeof fix, "Use the carrier's TLS port (5061 mostly) in the trunk's address.");
		doctor_found(d, "tls", DOCTOR_BAD, fix, "%s: TCP connects, TLS does not: %s.", where, p->why);
	} else if (!p->named) {
		snprintf(fix, sizeof fix, "Set the trunk's address to a name that the certificate has (%s).", p->subject);
		doctor_found(d, "tls", DOCTOR_BAD, fix, "%s: the certificate is for %s, not for %s.", where, p->subject, d->aim.host);
	} else if (!p->trusted) {
		snprintf(fix, sizeof fix, "Ask the carrier for its authority, and name the file as sip.tls.ca_file (here --ca-file).");
		doctor_found(d, "tls", DOCTOR_BAD, p->days_left < 0 ? "The carrier must renew its certificate." : fix,
			"%s: the certificate of %s is not to be believed: %s.", where, p->issuer, p->why);
	} else {
		doctor_found(d, "tls", p->days_left < CERTIFICATE_SOON_DAYS ? DOCTOR_NOTE : DOCTOR_GOOD, NULL,
			"%s: %s, certificate for %s by %s, %d days left.", where, p->version, p->subject, p->issuer, p->days_left);
	}
}

void doctor_tls(struct doctor *d)
{
	for (size_t i = 0; i < d->target_count; ++i) {
		const struct sockaddr *to = (const struct sockaddr *)&d->targets[i].address;
		struct tls_probe p;
		char where[ADDRESS_TEXT_SIZE];
		if (d->targets[i].protocol == SIP_TLS && tls_probe(&p, to, d->aim.host, d->ca_file, TLS_MS) == 0)
			tell_probe(d, address_text(where, to), &p);
	}
	doctor_next(d);
}

/* --- OPTIONS ------------------------------------------------------------------------------- */

static void remember(struct doctor *d, const struct sip_message *m, bool by_udp)
{
	struct span date = sip_message_value_named(m, "Date"), seen = m->via.received;
	d->reached = true;
	snprintf(d->local_ip, sizeof d->local_ip, "%.*s", (int)m->via.host.size, (const char *)m->via.host.data);
	snprintf(d->seen_ip, sizeof d->seen_ip, "%.*s", (int)seen.size, (const char *)seen.data);
	/* Of a stream it is the connection's own, which says nothing. */
	if (by_udp)
		d->seen_port = m->via.rport;
	snprintf(d->date, sizeof d->date, "%.*s", (int)date.size, (const char *)date.data);
	d->date_at_s = clock_unix_s();
}

/* The present question: the target's own protocol, then TCP for requests that are too large for UDP. */
static struct sip_target present(const struct doctor *d)
{
	struct sip_target t = d->targets[d->target];
	if (d->by_tcp)
		t.protocol = SIP_TCP;
	return t;
}

static void tell_silence(struct doctor *d, const struct sip_request_end *e, const char *where)
{
	char fix[DOCTOR_TEXT_SIZE];
	snprintf(fix, sizeof fix,
		"Check the trunk's address and port, and that the firewall lets %s out and the answers back in. Where the carrier "
		"knows its customers by address, ours must be on its list.", where);
	/* By TCP only for large requests: its silence breaks few calls. */
	doctor_found(d, "options", d->by_tcp ? DOCTOR_NOTE : DOCTOR_BAD, d->by_tcp ? NULL : fix, "%s: %s%s", where,
		e->why == SIP_WHY_TIMEOUT ? "no answer to OPTIONS."
		: e->why == SIP_WHY_TLS	  ? e->sentence
					  : "refuses connections, or no way leads there.",
		d->by_tcp ? " UDP is what calls use; a request that is too large for it would fail." : "");
}

static void ask(struct doctor *d);

static void ask_next(struct doctor *d)
{
	if (d->aim.any_protocol && !d->by_tcp && d->targets[d->target].protocol == SIP_UDP) {
		d->by_tcp = true;
	} else {
		d->by_tcp = false;
		++d->target;
	}
	ask(d);
}

static void on_options(void *owner, struct sip_request *r, const struct sip_request_end *e)
{
	struct doctor *d = owner;
	struct sip_target t = present(d);
	char where[ADDRESS_TEXT_SIZE + 8];
	target_text(where, &t);
	if (e->response) {
		bool well = e->status < 500 && e->status != 408;
		remember(d, e->response, t.protocol == SIP_UDP);
		doctor_found(d, "options", well ? DOCTOR_GOOD : DOCTOR_BAD,
			well ? NULL : "The carrier says that it takes no calls there now: ask it, or use another of its addresses.",
			"%s answers OPTIONS with %u %.*s after %u ms.", where, e->status,
			(int)(e->response->reason.size < 60 ? e->response->reason.size : 60),
			(const char *)e->response->reason.data, e->rtt_ms);
	} else {
		tell_silence(d, e, where);
	}
	d->request = sip_request_free(d->request);
	ask_next(d);
}

static void ask(struct doctor *d)
{
	char target[IDENTITY_URI_SIZE], from[300], where[ADDRESS_TEXT_SIZE + 8];
	if (d->target == d->target_count) {
		doctor_next(d);
		return;
	}
	struct sip_target t = present(d);
	snprintf(target, sizeof target, "sip:%.300s%s", d->trunk->address, identity_transport(d->trunk));
	snprintf(from, sizeof from, "sip:%s", *d->sip_host ? d->sip_host : "localhost");
	int r = sip_request_start(&d->request, d->agent,
		&(struct sip_request_config){
			.method = SIP_OPTIONS,
			.request_uri = target,
			.from_uri = from,
			.proxy = d->options.outbound_proxy,
			.at = &t,
			.contact_user = "",
			.timeout_ms = ANSWER_MS,
		},
		on_options, d);
	if (r < 0) {
		doctor_found(d, "options", DOCTOR_SKIPPED, NULL, "%s could not be asked with OPTIONS.", target_text(where, &t));
		ask_next(d);
	}
}

void doctor_options(struct doctor *d)
{
	d->target = 0;
	ask(d);
}
