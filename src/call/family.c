/* call/family.c - IPv4 or IPv6: the leg and the offer follow the INVITE. */
#include "call/call_private.h"

#include "base/err.h"
#include "base/log.h"
#include "trunk/options.h"

#include <sys/socket.h>

static int family_of(const char *ip)
{
	return strchr(ip, ':') ? AF_INET6 : AF_INET;
}

static const char *name_of(int family)
{
	return family == AF_INET6 ? "IPv6" : "IPv4";
}

/* NULL: we have none of that family. */
static const char *our_ip(const struct calls_config *config, int family)
{
	if (family_of(config->media_ip) == family)
		return config->media_ip;
	return family == AF_INET6 ? config->media_ip6 : NULL;
}

struct span call_on_aimed(void *owner, int family)
{
	struct call *c = owner;
	struct media_leg_local local;

	family = trunk_media_family(c->media_family, family);
	if (!c->leg || family_of(c->talk.ours.ip) == family)
		return (struct span){0};
	const char *ip = our_ip(&c->calls->config, family);
	int r = ip ? media_leg_move(&local, c->calls->config.media, c->leg, family) : MEDIA_LEG_E_FAMILY;
	if (r == 0)
		return negotiation_move(&c->talk, ip, local.rtp_port);
	log_warn(c->id, "no sound by %s: %s. Offered %s instead", name_of(family),
		r > 0 ? "the server has no such address" : strerror(-r), c->talk.ours.ip);
	return (struct span){0};
}
