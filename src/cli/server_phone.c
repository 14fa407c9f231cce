/* cli/server_phone.c - the phone side of a server: its store and records, SIP, the policy, calls. */
#include "cli/server_build.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

static int build_records(struct server *s)
{
	char path[1024];
	const struct config *c = &s->config;
	if (!c->sip.records.enabled)
		return 0;
	snprintf(path, sizeof path, "%s/calls.db", c->data_dir);
	int r = records_open(&s->records, &(const struct records_config){
						  .path = path,
						  .max_age_ms = (uint64_t)c->sip.records.max_age_s * 1000,
						  .max_bytes = (uint64_t)c->sip.records.max_size_mb << 20,
					  });
	/* A call matters more than its record. */
	if (r < 0)
		log_error("serve", "the records of calls, %s, cannot be opened, so none are kept. Move the file away and start "
				   "again: a new one is made.", path);
	return 0;
}

int server_build_store(struct server *s)
{
	char path[1024];
	if (mkdir(s->config.data_dir, 0700) < 0 && errno != EEXIST) {
		log_error("serve", "data_dir %s cannot be made: %s", s->config.data_dir, strerror(errno));
		return -errno;
	}
	snprintf(path, sizeof path, "%s/ringdown.db", s->config.data_dir);
	int r = store_open(&s->store, path);
	if (r < 0) {
		log_error("serve", "the store %s cannot be opened", path);
		return r;
	}
	r = build_records(s);
	return r < 0 ? r : trunks_new(&s->trunks, s->store);
}

static void on_sip_message(void *owner, const struct sip_traced *t)
{
	struct server *s = owner;
	if (s->calls)
		calls_sip_message(s->calls, t);
}

static const struct sip_agent_events sip_events = {.message = on_sip_message};

int server_build_sip(struct server *s)
{
	const char *own = s->config.sip.listen_ip;
	const struct sip_agent_config config = {
		.binds = {own ? own : s->loopback ? "127.0.0.1" : "0.0.0.0", own ? NULL : s->loopback ? "::1" : "::"},
		.bind_optional = !own,
		.port = s->config.sip.sip_port,
		.advertised = s->sip_host,
		.tls_server = s->sip_tls_server,
		.tls_client = s->sip_tls_client,
		.tls_port = s->config.sip.tls.port,
		.datagram_ping_ms = s->config.sip.udp_keepalive_ms,
		.user_agent = "Ringdown/" RINGDOWN_VERSION,
	};
	int r = sip_agent_new(&s->sip, &s->loop, s->dns, &config, s->records ? &sip_events : NULL, s);
	return r < 0 ? server_cannot("sip", s->config.sip.sip_port, r) : 0;
}

struct policy_config server_policy_config(const struct config *c)
{
	return (struct policy_config){
		.allowed_prefixes = (const char *const *)c->sip.allowed_countries.items,
		.allowed_count = c->sip.allowed_countries.count,
		.blocked_prefixes = (const char *const *)c->sip.blocked_prefixes.items,
		.blocked_count = c->sip.blocked_prefixes.count,
		.calls_per_second = c->sip.calls_per_second,
		.queue_wait_ms = c->sip.call_queue_wait_ms,
		.max_calls = c->sip.max_active_calls,
		.max_calls_per_trunk = c->sip.max_calls_per_trunk,
		.max_calls_per_identity = c->sip.max_calls_per_identity,
		.minutes_per_day = c->sip.minutes_per_day,
		.max_duration_ms = c->sip.max_call_duration_ms,
	};
}

int server_build_calls(struct server *s)
{
	struct policy_config policy = server_policy_config(&s->config);
	policy.store = s->store;
	int r = policy_new(&s->policy, &policy, clock_unix_s());
	if (r < 0)
		return r;
	return calls_new(&s->calls, &s->loop,
		&(struct calls_config){
			.media = s->media,
			.rooms = s->rooms,
			.sip = s->sip,
			.policy = s->policy,
			.lines = s->lines,
			.media_ip = s->media_ip,
			.media_ip6 = *s->media_ip6 ? s->media_ip6 : NULL,
			.sip_host = s->sip_host,
			.symmetric_rtp = s->config.sip.symmetric_rtp,
			.media_timeout_ms = s->config.sip.media_timeout_ms,
			.media_timeout_initial_ms = s->config.sip.media_timeout_initial_ms,
			.records = s->records,
			.keep_ladder = s->config.sip.records.ladder,
		});
}
