/* cli/server_build.c - builds the tree of a server, each part on those before it. */
#include "cli/server_build.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>

enum { TICK_MS = 400 }; /* timeouts, and speakers of whom nothing is heard any more */

static void on_tick(void *owner)
{
	struct server *s = owner;
	rooms_tick(s->rooms);
	server_learn_peers(s);
	lines_look(s->lines);
	server_look_at_files(s);
	server_weigh_traffic(s);
	policy_tick(s->policy, clock_ms(), clock_unix_s());
}

static uint64_t now_ms(void *owner)
{
	return clock_ms();
}

static unsigned pick_worker(void *owner)
{
	struct server *s = owner;
	return media_pick_worker(s->media);
}

const char *server_secret(void *owner, const char *key)
{
	const struct server *s = owner;
	for (size_t i = 0; i < s->config.keys.count; ++i)
		if (!strcmp(s->config.keys.items[i].name, key))
			return s->config.keys.items[i].secret;
	return NULL;
}

int server_cannot(const char *what, uint16_t port, int r)
{
	if (r == -EADDRINUSE)
		log_error("serve", "%s: port %u is in use. Stop what uses it, or choose another port in the configuration.",
			what, port);
	else if (r == -EACCES)
		log_error("serve", "%s: no permission to use port %u. Choose one above 1023.", what, port);
	else
		log_error("serve", "%s (port %u): %s", what, port, strerror(-r));
	return r;
}

static void on_rpc_answer(void *owner, struct room *r, const struct data_packet *d)
{
	struct server *s = owner;
	if (s->api)
		api_rpc_answer(s->api, d);
}

static const struct rooms_events rooms_events = {.rpc_answer = on_rpc_answer};

static uint32_t or_max(uint32_t value, uint32_t max)
{
	return value ? value : max;
}

/* LiveKit's 0 is "no limit"; ours has an end. */
static struct room_limits limits_of(const struct config *c)
{
	return (struct room_limits){
		.room_name = or_max(c->limit.max_room_name_length, LIMIT_NAME_BYTES_MAX),
		.identity = or_max(c->limit.max_participant_identity_length, LIMIT_NAME_BYTES_MAX),
		.name = or_max(c->limit.max_participant_name_length, LIMIT_NAME_BYTES_MAX),
		.metadata = or_max(c->limit.max_metadata_size, LIMIT_METADATA_BYTES_MAX),
		.attributes = or_max(c->limit.max_attributes_size, LIMIT_ATTRIBUTES_BYTES_MAX),
		.tracks = c->limit.num_tracks,
		.subscriptions = c->limit.subscription_limit_audio,
	};
}

static size_t collect_presets(struct server *s)
{
	const struct config_presets *list = &s->config.room.presets;
	for (size_t i = 0; i < list->count; ++i)
		s->presets[i] = (struct room_preset){list->items[i].name, list->items[i].settings};
	return list->count;
}

static int build_rooms(struct server *s)
{
	const struct rooms_config config = {
		.codecs = (const char *const *)s->config.room.enabled_codecs.items,
		.codec_count = s->config.room.enabled_codecs.count,
		.limits = limits_of(&s->config),
		.speakers = {.active_level = (uint8_t)s->config.audio.active_level,
			.min_percentile = (uint8_t)s->config.audio.min_percentile,
			.interval_ms = s->config.audio.update_interval_ms,
			.smooth_intervals = s->config.audio.smooth_intervals},
		.presets = s->presets,
		.preset_count = collect_presets(s),
		.empty_timeout_s = s->config.room.empty_timeout_s,
		.departure_timeout_s = s->config.room.departure_timeout_s,
		.max_participants = s->config.room.max_participants,
		.auto_create = s->config.room.auto_create,
		.now_ms = now_ms,
		.pick_worker = pick_worker,
		.worker_owner = s,
	};
	int r = rooms_new(&s->rooms, &config, &rooms_events, s);
	if (r == 0)
		r = timer_init(&s->tick, &s->loop, on_tick, s);
	if (r == 0)
		timer_start(&s->tick, TICK_MS, TICK_MS);
	return r;
}

static int build_agents(struct server *s)
{
	return agents_new(&s->agents, &(struct agents_config){
					      .loop = &s->loop,
					      .rooms = s->rooms,
					      .secret_of = server_secret,
					      .secret_owner = s,
					      .version = RINGDOWN_LIVEKIT_VERSION,
					      .node_id = s->node_id,
					      .enable_recording = s->config.agents.enable_user_data_recording,
					      .enable_redaction = s->config.agents.enable_user_data_redaction,
				      });
}

static int build_webhooks(struct server *s)
{
	const struct config *c = &s->config;
	if (!c->webhook.urls.count)
		return 0;
	int r = webhooks_new(&s->webhooks,
		&(struct webhooks_config){
			.loop = &s->loop,
			.urls = (const char *const *)c->webhook.urls.items,
			.url_count = c->webhook.urls.count,
			.key = c->webhook.api_key ? c->webhook.api_key : c->keys.items[0].name,
			.secret_of = server_secret,
			.secret_owner = s,
		});
	if (r == 0)
		webhook_events_start(&s->webhook_events, s->rooms, s->webhooks);
	return r;
}

static int build_metrics(struct server *s)
{
	const struct config *c = &s->config;
	if (!c->prometheus.port)
		return 0;
	return metrics_new(&s->metrics, &(struct metrics_config){
						.loop = &s->loop,
						.rooms = s->rooms,
						.media = s->media,
						.webhooks = s->webhooks,
						.more = server_write_trunks,
						.more_owner = s,
						.node_id = s->node_id,
						.username = c->prometheus.username,
						.password = c->prometheus.password,
					});
}

static size_t collect_turns(struct server *s)
{
	const struct config_turns *list = &s->config.rtc.turn_servers;
	for (size_t i = 0; i < list->count; ++i) {
		const struct config_turn *t = &list->items[i];
		s->turns[i] = (struct signal_turn_server){t->host, t->protocol, t->port, t->username,
			t->credential, t->secret, t->ttl_s};
	}
	return list->count;
}

static int build_signal(struct server *s)
{
	const struct config *c = &s->config;
	const char *ips[SIGNAL_IPS_MAX];
	for (size_t i = 0; i < s->node_ip_count; ++i)
		ips[i] = s->node_ips[i];
	return signal_new(&s->signal, &(struct signal_config){
					      .loop = &s->loop,
					      .rooms = s->rooms,
					      .media = s->media,
					      .secret = server_secret,
					      .secret_owner = s,
					      .sign_key = s->sign_key,
					      .node_ips = ips,
					      .node_ip_count = s->node_ip_count,
					      .turn_servers = s->turns,
					      .turn_server_count = collect_turns(s),
					      .stun_servers = (const char *const *)c->rtc.stun_servers.items,
					      .stun_server_count = c->rtc.stun_servers.count,
					      .force_tcp = c->rtc.force_tcp,
					      .tcp_fallback = c->rtc.allow_tcp_fallback,
					      .version = RINGDOWN_LIVEKIT_VERSION,
					      .node_id = s->node_id,
					      .region = s->config.region ? s->config.region : "",
				      });
}

static int build_simulator(struct server *s)
{
	if (!s->config.simulator.enabled)
		return 0;
	int r = simulator_new(&s->simulator, &s->loop,
		&(struct simulator_config){
			.ip = "127.0.0.1",
			.sip_port = s->config.simulator.sip_port,
			.username = s->config.simulator.username,
			.password = s->config.simulator.password,
		});
	return r < 0 ? server_cannot("simulator", s->config.simulator.sip_port, r) : server_offer_simulator(s);
}

static int build_dns(struct server *s)
{
	char servers[1024] = "";
	const struct config_texts *own = &s->config.dns_servers;
	int r = dns_new(&s->dns, &s->loop);
	for (size_t i = 0, used = 0; i < own->count && used < sizeof servers; ++i)
		used += (size_t)snprintf(servers + used, sizeof servers - used, "%s%s", i ? "," : "",
			own->items[i]);
	if (r == 0 && own->count)
		r = dns_set_servers(s->dns, servers);
	if (r == -EINVAL)
		log_error("serve", "dns_servers: \"%s\" are no addresses such as 192.0.2.53 or 192.0.2.53:5353",
			servers);
	return r;
}

int server_build(struct server *s)
{
	static int (*const steps[])(struct server *) = {
		server_find_addresses,
		server_read_files,
		server_build_media,
		build_rooms,
		build_webhooks,
		build_metrics,
		build_agents,
		server_build_store,
		server_build_sip,
		server_build_lines,
		server_build_calls,
		build_signal,
		build_simulator,
		server_open_doors,
	};
	int r = build_dns(s);
	for (size_t i = 0; r == 0 && i < COUNT_OF(steps); ++i)
		r = steps[i](s);
	return r;
}
