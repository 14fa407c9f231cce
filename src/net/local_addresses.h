/* net/local_addresses.h - the addresses of this machine, by interface. Thread: any. */
#pragma once

#include "net/address.h"

struct local_names {
	const char *const *items;
	size_t count;
};

/* LiveKit's `rtc.interfaces` and `rtc.ips`: empty includes take all, then excludes take away. */
struct local_filter {
	struct local_names interfaces, interfaces_not; /* "eth0" */
	struct local_names nets, nets_not;             /* "10.0.0.0/8", "2001:db8::1" */
	bool loopback;
};

/* The pure middle: is it wanted? Link-local IPv6 never is: it means nothing without an interface. */
bool local_filter_takes(const struct local_filter *f, const char *interface, const struct sockaddr *a);

/* Into `out`, port 0, IPv4 first, each once. Returns how many, at most `max`, or a negative error. */
MUST_USE int local_addresses(struct sockaddr_storage *out, size_t max, const struct local_filter *f);
