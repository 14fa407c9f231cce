/* cli/doctor_reach.c - is the trunk there: its name, its ports, its certificate, its answer to OPTIONS. */
#include "cli/doctor.h"

#include "base/clock.h"
#include "net/address.h"
#include "net/tls_probe.h"
#include "wire/sip_uri.h"

#include <stdio.h>

enum { ANSWER_MS = 4000, TLS_MS = 5000, CERTIFICATE_SOON_DAYS = 14 };

static bool wants_tls(const struct doctor *d)
{
	return d->trunk->transport == LIVEKIT__SIPTRANSPORT__SIP_TRANSPORT_TLS;
}

/* Where the first packet goes: the proxy, else the trunk. */
static bool split_address(struct doctor *d)
{
	char text[300];
	struct sip_uri uri;
	const char *address = *d->options.outbound_proxy ? d->options.outbound_proxy : d->trunk->address;
	if ((size_t)snprintf(text, sizeof text, "sip:%s", address) >= sizeof text || sip_uri_parse(&uri, span_text(text)))
		return false;
	snprintf(d->host, sizeof d->host, "%.*s", (int)uri.host.size, (const char *)uri.host.data);
	d->port = uri.port ? uri.port : wants_tls(d) ? 5061 : 5060;
	return true;
}

void doctor_settings(struct doctor *d)
{
	static const char *const transports[] = {"UDP, TCP for large requests", "UDP", "TCP", "TLS"};
	const Livekit__SIPOutboundTrunkInfo *t = d->trunk;
	if (!split_address(d)) {
		doctor_found(d, "settings", DOCTOR_BAD, "Set the trunk's address to host or host:port.",
			"The trunk's address \"%s\" is none.", t->address);
		d->over = true;
	} else {
		doctor_found(d, "settings", DOCTOR_GOOD, NULL, "%s:%u by %s%s%s; %zu number%s, %s.", d->host, d->port,
			transports[(unsigned)t->transport % COUNT_OF(transports)],
			*d->options.outbound_proxy ? " through its proxy, for " : "",
			*d->options.outbound_proxy ? t->address : "", t->n_numbers, t->n_numbers == 1 ? "" : "s",
			*t->auth_username ? "with a user name" : "without a user name: the carrier must know our address");
	}
	doctor_next(d);
}

/* --- DNS ----------------------------------------------------------------------------------- */

static void on_addresses(void *owner, const struct sockaddr_storage *addresses, size_t count, const char *why)
{
	struct doctor *d = owner;
	char all[400] = "", one[ADDRESS_TEXT_SIZE];
	size_t used = 0;

	d->query = NULL;
	d->target_count = count < DOCTOR_TARGETS_MAX ? count : DOCTOR_TARGETS_MAX;
	memcpy(d->targets, addresses, d->target_count * sizeof *addresses);
	for (size_t i = 0; i < d->target_count; ++i)
		used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "",
			address_ip_text(one, (const struct sockaddr *)&addresses[i]));
	if (count) {
		doctor_found(d, "dns", DOCTOR_GOOD, NULL, "%s is %s.", d->host, all);
	} else {
		char fix[DOCTOR_TEXT_SIZE];
		snprintf(fix, sizeof fix, "Correct the trunk's address, or this machine's DNS: %s must have an A or AAAA record.",
			d->host);
		doctor_found(d, "dns", DOCTOR_BAD, fix, "%s has no address: %s.", d->host, why ? why : "not found");
		d->over = true;
	}
	doctor_next(d);
}

void doctor_dns(struct doctor *d)
{
	if (dns_resolve(&d->query, d->dns, d->host, d->port, on_addresses, d) < 0) {
		doctor_found(d, "dns", DOCTOR_BAD, NULL, "%s cannot be looked up: an error of our own.", d->host);
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
		doctor_found(d, "tls", DOCTOR_BAD, fix, "%s: the certificate is for %s, not for %s.", where, p->subject, d->host);
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
	for (size_t i = 0; wants_tls(d) && i < d->target_count; ++i) {
		struct tls_probe p;
		char where[ADDRESS_TEXT_SIZE];
		if (tls_probe(&p, (const struct sockaddr *)&d->targets[i], d->host, d->ca_file, TLS_MS) == 0)
			tell_probe(d, address_text(where, (const struct sockaddr *)&d->targets[i]), &p);
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

static const char *protocol_text(enum sip_protocol_choice p)
{
	return p == SIP_PROTOCOL_UDP ? "UDP" : p == SIP_PROTOCOL_TCP ? "TCP" : "TLS";
}

/* By TCP only for large requests: its silence breaks few calls. */
static void tell_silence(struct doctor *d, const struct sip_request_end *e, const char *where)
{
	bool spare = d->trunk->transport == LIVEKIT__SIPTRANSPORT__SIP_TRANSPORT_AUTO && e->protocol == SIP_PROTOCOL_TCP;
	const char *how = protocol_text(e->protocol);
	char fix[DOCTOR_TEXT_SIZE];
	snprintf(fix, sizeof fix,
		"Check the trunk's address and port, and that the firewall lets %s to %s out and the answers back in. Where the "
		"carrier knows its customers by address, ours must be on its list.", how, where);
	doctor_found(d, "options", spare ? DOCTOR_NOTE : DOCTOR_BAD, spare ? NULL : fix, "%s %s: %s%s", how, where,
		e->why == SIP_WHY_TIMEOUT ? "no answer to OPTIONS."
		: e->why == SIP_WHY_TLS	  ? e->sentence
					  : "refuses connections, or no way leads there.",
		spare ? " UDP is what calls use; a request that is too large for it would fail." : "");
}

static void ask(struct doctor *d);

static void ask_next(struct doctor *d)
{
	bool both = d->trunk->transport == LIVEKIT__SIPTRANSPORT__SIP_TRANSPORT_AUTO;
	if (both && !d->by_tcp) {
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
	char where[ADDRESS_TEXT_SIZE];
	address_text(where, (const struct sockaddr *)&d->targets[d->target]);
	if (e->response) {
		bool well = e->status < 500 && e->status != 408;
		remember(d, e->response, e->protocol == SIP_PROTOCOL_UDP);
		doctor_found(d, "options", well ? DOCTOR_GOOD : DOCTOR_BAD,
			well ? NULL : "The carrier says that it takes no calls there now: ask it, or use another of its addresses.",
			"%s %s answers OPTIONS with %u %.*s after %u ms.", protocol_text(e->protocol), where, e->status,
			(int)(e->response->reason.size < 60 ? e->response->reason.size : 60),
			(const char *)e->response->reason.data, e->rtt_ms);
	} else {
		tell_silence(d, e, where);
	}
	d->request = sip_request_free(d->request);
	ask_next(d);
}

static enum sip_protocol_choice protocol_now(const struct doctor *d)
{
	enum sip_protocol_choice wish = identity_protocol(d->trunk);
	if (wish != SIP_PROTOCOL_AUTO)
		return wish;
	return d->by_tcp ? SIP_PROTOCOL_TCP : SIP_PROTOCOL_UDP;
}

static void ask(struct doctor *d)
{
	char target[IDENTITY_URI_SIZE], proxy[ADDRESS_TEXT_SIZE], from[300];
	if (d->target == d->target_count) {
		doctor_next(d);
		return;
	}
	address_text(proxy, (const struct sockaddr *)&d->targets[d->target]);
	snprintf(target, sizeof target, "sip:%s%s", d->trunk->address, identity_transport(d->trunk));
	snprintf(from, sizeof from, "sip:%s", *d->sip_host ? d->sip_host : "localhost");
	int r = sip_request_start(&d->request, d->agent,
		&(struct sip_request_config){
			.method = SIP_OPTIONS,
			.request_uri = target,
			.from_uri = from,
			.protocol = protocol_now(d),
			.proxy = proxy,
			.tls_name = d->host,
			.contact_user = "",
			.timeout_ms = ANSWER_MS,
		},
		on_options, d);
	if (r < 0) {
		doctor_found(d, "options", DOCTOR_SKIPPED, NULL, "%s could not be asked with OPTIONS.", proxy);
		ask_next(d);
	}
}

void doctor_options(struct doctor *d)
{
	d->target = 0;
	ask(d);
}
