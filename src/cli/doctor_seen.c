/* cli/doctor_seen.c - what the carrier's answer tells of us: our address from outside, our clock; and what
 * the server says of its registration. */
#include "cli/doctor.h"

#include "base/clock.h"
#include "net/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CLOCK_NOTE_S = 5, CLOCK_BAD_S = 60 };

static bool is_private(const char *ip)
{
	static const char *const nets[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
		"127.0.0.0/8", "fc00::/7", "fe80::/10", "::1"};
	struct sockaddr_storage a;
	if (address_parse(&a, ip, 0) < 0)
		return false;
	for (size_t i = 0; i < COUNT_OF(nets); ++i)
		if (address_in_net((const struct sockaddr *)&a, nets[i]))
			return true;
	return false;
}

/* Where the trunk is; "" = not known. */
static const char *target_ip(const struct doctor *d, char out[ADDRESS_TEXT_SIZE])
{
	return d->target_count ? address_ip_text(out, (const struct sockaddr *)&d->targets[0].address) : "";
}

static bool is_ip6(const char *ip)
{
	return strchr(ip, ':') != NULL;
}

/* What the server's SDP says to who is reached by this IP version. */
static const char *told(const struct doctor *d, bool ip6)
{
	return ip6 ? d->media_ip6 : d->media_ip;
}

static const char *setting(bool ip6)
{
	return ip6 ? "sip.nat_1_to_1_ipv6" : "sip.nat_1_to_1_ip";
}

/* False: it is a name, of the other IP version, or the same address. */
static bool differs(const char *ours, const char *seen)
{
	struct sockaddr_storage a;
	return *ours && address_parse(&a, ours, 0) == 0 && is_ip6(ours) == is_ip6(seen) && strcmp(ours, seen) != 0;
}

/* The addresses that the server puts into its messages, beside the one that the carrier sees. */
static void compare(struct doctor *d, const char *seen)
{
	char fix[DOCTOR_TEXT_SIZE];
	const char *media_ip = told(d, is_ip6(seen));
	bool sip = differs(d->sip_host, seen), media = differs(media_ip, seen);
	if (!sip && !media) {
		doctor_found(d, "address", DOCTOR_GOOD, NULL, "The carrier sees us as %s, which is what the server says of itself.", seen);
		return;
	}
	snprintf(fix, sizeof fix, "Set %s to %s, and let the RTP ports in for it.", setting(is_ip6(seen)), seen);
	doctor_found(d, "address", d->beside ? DOCTOR_BAD : DOCTOR_NOTE, d->beside ? fix : NULL,
		"The carrier sees this machine as %s; the server says %s%s%s in its %s.%s", seen, sip ? d->sip_host : media_ip,
		sip && media && strcmp(d->sip_host, media_ip) != 0 ? " and " : "",
		sip && media && strcmp(d->sip_host, media_ip) != 0 ? media_ip : "",
		media ? "SDP: sound will not find it" : "Via and Contact",
		d->beside ? "" : " It is another machine perhaps: run doctor beside the server.");
}

/* Out there nobody finds a private address. */
static void look_from_far(struct doctor *d)
{
	char ip[ADDRESS_TEXT_SIZE], fix[DOCTOR_TEXT_SIZE];
	const char *target = target_ip(d, ip), *ours = told(d, is_ip6(target));
	if (!*target || is_private(target) || !is_private(ours))
		return;
	snprintf(fix, sizeof fix, "Set %s to the public address, and let the RTP ports in for it.", setting(is_ip6(target)));
	doctor_found(d, "address", DOCTOR_BAD, fix, "The server's SDP says %s, which no carrier can send sound to.", ours);
}

void doctor_outside(struct doctor *d)
{
	const char *seen = *d->seen_ip ? d->seen_ip : d->local_ip;
	look_from_far(d);
	if (!d->reached) {
		doctor_found(d, "address", DOCTOR_SKIPPED, NULL, "Nobody answered who could say how we are seen.");
	} else if (!*d->media_ip && !*d->sip_host) {
		doctor_found(d, "address", DOCTOR_NOTE, NULL, "The carrier sees us as %s; this server does not tell what it says itself.",
			seen);
	} else {
		compare(d, seen);
		if (d->seen_port && d->seen_port != d->own_port)
			doctor_found(d, "address", DOCTOR_NOTE, NULL,
				"A NAT changes our port (%u becomes %u): only what we began comes back in. Registrations and OPTIONS "
				"keep the way open.", d->own_port, d->seen_port);
	}
	if (d->reached)
		doctor_found(d, "address", DOCTOR_NOTE, NULL, "Asked from port %u of this program's own, not from the server's %u.",
			d->own_port, d->sip_port);
	doctor_next(d);
}

/* RFC 3261, 20.17: an RFC 1123 date in GMT. */
void doctor_clock(struct doctor *d)
{
	struct tm tm = {0};
	if (!*d->date || !strptime(d->date, "%a, %d %b %Y %H:%M:%S", &tm)) {
		doctor_found(d, "clock", DOCTOR_SKIPPED, NULL, "The far end did not say what time it is.");
	} else {
		long long off = (long long)d->date_at_s - (long long)timegm(&tm), by = llabs(off);
		doctor_found(d, "clock", by > CLOCK_BAD_S ? DOCTOR_BAD : by > CLOCK_NOTE_S ? DOCTOR_NOTE : DOCTOR_GOOD,
			by > CLOCK_BAD_S ? "Set this machine's clock by NTP: certificates and tokens depend on it." : NULL,
			by <= CLOCK_NOTE_S ? "Our clock and the carrier's agree, by %lld s." : "Our clock is %lld s %s the carrier's.", by,
			off > 0 ? "ahead of" : "behind");
	}
	doctor_next(d);
}

void doctor_registration(struct doctor *d)
{
	const json_t *r = json_object_get(d->health, "registration");
	if (trunk_options_register(&d->options) && json_is_object(r)) {
		const char *problem = json_string_value(json_object_get(r, "problem"));
		const char *address = json_string_value(json_object_get(r, "address"));
		bool held = json_is_true(json_object_get(r, "registered"));
		doctor_found(d, "registration", held && !problem ? DOCTOR_GOOD : held ? DOCTOR_NOTE : DOCTOR_BAD,
			held ? NULL : "Set the trunk's auth_username, auth_password and register options as the carrier gave them.",
			"The server %s registered as %s%s%s", held ? "is" : "is not", address ? address : "?",
			problem ? ": " : ".", problem ? problem : "");
	}
	doctor_next(d);
}
