#include "simulator/simulator.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "simulator/far_end.h"
#include "simulator/numbers.h"
#include "sip/digest.h"
#include "wire/sip_uri.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#define REALM "sip.twilio.com"

enum { CALLS_MAX = 500 };

struct simulator {
	struct loop *loop;
	struct sip_agent *agent;
	struct list calls; /* struct far_end.link */
	char *ip, *username, *password;
	char nonce[33]; /* one for our life: what it protects is a simulation */
};

static void refuse(struct sip_incoming *in, unsigned status, const char *reason, const char *name, const char *value)
{
	const struct sip_extra headers[] = {
		{"Server", "Twilio"},
		{"Contact", "<sip:172.25.10.20:5060>"},
		{name, value},
	};
	int r = sip_incoming_respond(in, &(struct sip_response){
						 .status = status,
						 .reason = reason,
						 .headers = headers,
						 .header_count = name ? 3 : 2,
					 });
	if (r < 0)
		log_warn("simulator", "refusal %u could not be sent", status);
}

static void challenge(struct simulator *s, struct sip_incoming *in)
{
	char value[256];
	/* As Twilio does: no algorithm (so MD5), no stale. */
	snprintf(value, sizeof value, "Digest realm=\"" REALM "\",qop=\"auth\",nonce=\"%s\",opaque=\"%.16s\"",
		s->nonce, s->nonce + 8);
	refuse(in, 407, "Proxy Authentication required", "Proxy-Authenticate", value);
}

/* False when the call was answered here already. */
static bool is_allowed(struct simulator *s, struct sip_incoming *in, const struct sip_message *invite)
{
	if (!s->username)
		return true;
	int r = sip_digest_verify(
		invite, SIP_H_PROXY_AUTHORIZATION, REALM, s->nonce, s->username, s->password);
	if (r == SIP_VERIFY_E_NONE || r == SIP_VERIFY_E_NONCE)
		challenge(s, in);
	else if (r)
		refuse(in, 403, "Forbidden", "X-Twilio-Error", "32202 Authentication failure - bad user credentials");
	return r == 0;
}

static void on_incoming(void *owner, struct sip_incoming *in, const struct sip_message *invite)
{
	struct simulator *s = owner;
	struct sip_uri uri;
	if (!is_allowed(s, in, invite))
		return;
	if (sip_uri_parse(&uri, invite->uri) || !uri.user.size || uri.user.data[0] != '+') {
		refuse(in, 400, "Invalid Phone Number", "X-Twilio-Error", "32101 Invalid phone number");
		return;
	}
	const struct number *number = number_find(uri.user);
	if (!number) {
		refuse(in, 404, "Not Found", NULL, NULL);
		return;
	}
	if (sip_agent_calls(s->agent) > CALLS_MAX) {
		refuse(in, 503, "Trunk concurrent call limit exceeded", NULL, NULL);
		return;
	}
	log_info("simulator", "call for %s, which %s", number->number, number->what);
	int r = far_end_new(&s->calls, s->loop, in, invite,
		&(struct far_end_config){number, s->ip, sip_agent_port(s->agent)});
	if (r < 0)
		refuse(in, 500, "Server Internal Error", NULL, NULL);
}

static const struct sip_agent_events agent_events = {.incoming = on_incoming};

static int build(struct simulator *s, struct dns *d, const struct simulator_config *config)
{
	s->ip = mem_strdup(config->ip);
	s->username = config->username ? mem_strdup(config->username) : NULL;
	s->password = config->password ? mem_strdup(config->password) : NULL;
	if (!s->ip || (config->username && !s->username) || (config->password && !s->password))
		return err_new(-ENOMEM);
	return sip_agent_new(&s->agent, s->loop, d,
		&(struct sip_agent_config){
			.binds = {s->ip},
			.port = config->sip_port,
			.user_agent = NULL,
			.open_to_all = true,
		},
		&agent_events, s);
}

int simulator_new(struct simulator **ret, struct loop *l, struct dns *d, const struct simulator_config *config)
{
	assert(ret && config->ip);
	struct simulator *s = mem_zalloc(sizeof *s);
	if (!s)
		return err_new(-ENOMEM);
	s->loop = l;
	list_init(&s->calls);
	rng_token(s->nonce, sizeof s->nonce);
	int r = build(s, d, config);
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
	sip_agent_free(s->agent);
	far_end_free_all(&s->calls);
	mem_free(s->ip);
	mem_free(s->username);
	mem_free(s->password);
	mem_free(s);
	return NULL;
}

uint16_t simulator_port(const struct simulator *s)
{
	return sip_agent_port(s->agent);
}

size_t simulator_calls(const struct simulator *s)
{
	return sip_agent_calls(s->agent);
}
