#include "simulator/simulator.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "simulator/carrier.h"

#include <errno.h>
#include <stdio.h>

struct simulator {
	struct carrier *carrier;
};

static int set_text(struct simulator *s, const char *name, const char *value)
{
	char setting[QUIRK_TEXT_SIZE + 32];
	snprintf(setting, sizeof setting, "%s=%s", name, value);
	return carrier_set(s->carrier, setting) ? err_new(-EINVAL) : 0;
}

/* Its own host names are for `ringdown simulate`: here every trunk has these credentials. */
static int set_credentials(struct simulator *s, const struct simulator_config *config)
{
	int r = config->username ? set_text(s, "auth", "password") : 0;
	if (r == 0 && config->username)
		r = set_text(s, "username", config->username);
	if (r == 0 && config->password)
		r = set_text(s, "password", config->password);
	return r;
}

int simulator_new(struct simulator **ret, struct loop *l, const struct simulator_config *config)
{
	struct simulator *s = mem_zalloc(sizeof *s);
	if (!s)
		return err_new(-ENOMEM);
	int r = carrier_new(&s->carrier, l, &(struct carrier_config){
		.wire = {.ips = {config->ip}, .ip_count = 1, .port = config->sip_port},
		.profile = carrier_profile_find("bank"),
		.seed = rng_u64(),
	});
	if (r == 0)
		r = set_credentials(s, config);
	if (r < 0) {
		simulator_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

struct simulator *simulator_free(struct simulator *s)
{
	if (!s)
		return NULL;
	carrier_free(s->carrier);
	mem_free(s);
	return NULL;
}

uint16_t simulator_port(const struct simulator *s)
{
	return carrier_port(s->carrier, CARRIER_UDP);
}
