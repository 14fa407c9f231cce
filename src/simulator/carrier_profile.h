/* simulator/carrier_profile.h - the carriers that can be played: a list of quirks each, and the domains
 * under which they are found. Pure. Thread: any. */
#pragma once

#include "simulator/carrier_quirk.h"
#include "simulator/carrier_refusal.h"

struct carrier_profile {
	const char *name, *about;
	enum refusal_speech speech;
	const char *quirks; /* settings, separated by ';' */
};
const struct carrier_profile *carrier_profile_find(const char *name);
const struct carrier_profile *carrier_profile_at(size_t i); /* NULL at the end */

/* Every domain that is served, whatever the profile: tests choose a behaviour by the trunk's host. */
struct carrier_domain {
	const char *host; /* ends in .test; the same name under .localhost is served as well */
	const char *profile;
	const char *quirks; /* on top of the profile's; NULL = none */
	const char *about;
};
const struct carrier_domain *carrier_domain_at(size_t i); /* NULL at the end */

/* One customer's trunk: a host, and how the carrier treats what is sent there. */
struct carrier_trunk {
	char host[128]; /* "" = every host that is no other trunk's */
	const struct carrier_profile *profile;
	struct quirks quirks;
	struct refusal_statuses statuses;
	double tokens;        /* of the calls per second */
	uint64_t tokens_ms;   /* when they were counted */
	unsigned calls;
};
/* Outcomes of carrier_trunk_set(). */
enum {
	TRUNK_E_SETTING = 1, /* one of them is not understood; *bad says which */
};
/* "a=b;c=d" - quirks and statuses. `bad` may be NULL. */
MUST_USE int carrier_trunk_set(struct carrier_trunk *t, const char *settings, const char **bad);
MUST_USE int carrier_trunk_init(
	struct carrier_trunk *t, const char *host, const struct carrier_profile *profile, const char *settings);

/* Whether a Request-URI's host is this trunk's: the name itself, a name under it, with Twilio's edge or
 * region after "pstn.", and the same under .localhost (RFC 6761: every resolver knows where that is). */
bool carrier_trunk_is_at(const struct carrier_trunk *t, struct span host);
