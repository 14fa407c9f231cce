/* cli/serve.c - `ringdown serve`: builds the tree of a server, wires its doors to its planes, runs it,
 * and takes it down in order.
 *
 *   config -> loop, dns -> media, rooms, agents, store, trunks, policy -> sip, calls -> signal, api -> http
 */
#include "cli/server.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "config/flags.h"
#include "net/address.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TICK_MS = 400 }; /* timeouts, and speakers of whom nothing is heard any more */

/* ---- events of the planes, brought to their doors; while stopping, letters still come when the door
 * of signalling has gone ---- */

static void on_transport_state(void *owner, media_id transport, enum media_transport_state state)
{
	struct server *s = owner;
	if (s->signal)
		signal_transport_state(s->signal, transport, state);
}

static void on_transport_sctp(void *owner, media_id transport, struct span packet)
{
	struct server *s = owner;
	if (s->signal)
		signal_transport_sctp(s->signal, transport, packet);
}

static void on_transport_stats(void *owner, media_id transport,
	const struct media_voice_stats *stats, size_t count)
{
	struct server *s = owner;
	if (s->signal)
		signal_transport_stats(s->signal, transport, stats, count);
}

static void on_levels(void *owner, const struct media_level *levels, size_t count)
{
	struct server *s = owner;
	if (s->signal)
		signal_levels(s->signal, levels, count);
	calls_levels(s->calls, levels, count);
	rooms_levels_came(s->rooms);
}

static void on_leg_event(void *owner, media_id leg, enum media_leg_event event)
{
	struct server *s = owner;
	calls_leg_event(s->calls, leg, event);
}

static void on_leg_digit(void *owner, media_id leg, char digit)
{
	struct server *s = owner;
	calls_leg_digit(s->calls, leg, digit);
}

static void on_leg_digits_done(void *owner, media_id leg)
{
	struct server *s = owner;
	calls_leg_digits_done(s->calls, leg);
}

static void on_leg_key(void *owner, media_id leg, char digit)
{
	struct server *s = owner;
	calls_leg_key(s->calls, leg, digit);
}

static void on_leg_stats(void *owner, media_id leg, const struct media_leg_stats *stats)
{
	struct server *s = owner;
	calls_leg_stats(s->calls, leg, stats);
}

static const struct media_events media_events = {
	.transport_state = on_transport_state,
	.transport_sctp = on_transport_sctp,
	.transport_stats = on_transport_stats,
	.levels = on_levels,
	.leg_event = on_leg_event,
	.leg_digit = on_leg_digit,
	.leg_digits_done = on_leg_digits_done,
	.leg_key = on_leg_key,
	.leg_stats = on_leg_stats,
};

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

/* ---- building ---- */

/* Says what could not be opened and why, in the operator's words. */
static int cannot(const char *what, uint16_t port, int r)
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

/* One for each core, as many as there may be. */
static unsigned default_workers(void)
{
	unsigned cores = uv_available_parallelism();
	return cores < MEDIA_WORKERS_MAX ? cores : MEDIA_WORKERS_MAX;
}

/* As many as the operator says, or one for each core; a range of ports may be shorter. */
static unsigned count_workers(const struct config *c)
{
	unsigned ports = c->rtc.udp_port.last - c->rtc.udp_port.first + 1u;
	unsigned workers = c->workers ? c->workers : default_workers();
	return ports > 1 && workers > ports ? ports : workers;
}

static int build_media(struct server *s)
{
	const char *ip = s->loopback ? "127.0.0.1" : "0.0.0.0";
	struct media_config config = {
		.workers = count_workers(&s->config),
		.rtc_bind_count = s->rtc_bind_count,
		.rtc_port = s->config.rtc.udp_port.first,
		.rtc_tcp = s->config.rtc.tcp_port != 0,
		.rtc_tcp_port = s->config.rtc.tcp_port,
		.rtp_ip = s->config.sip.listen_ip ? s->config.sip.listen_ip : ip,
		.rtp_ip6 = !*s->media_ip6 ? NULL : s->loopback ? "::1" : "::",
		.active_level = (uint8_t)s->config.audio.active_level,
		.levels_every_ms = s->config.audio.update_interval_ms,
		.rtp_port_min = s->config.sip.rtp_port.first,
		.rtp_port_max = s->config.sip.rtp_port.last,
	};
	memcpy(config.rtc_binds, s->rtc_binds, sizeof config.rtc_binds);
	int r = media_new(&s->media, &s->loop, &config, &media_events, s);
	if (r == -EADDRINUSE)
		log_error("serve", "media: UDP port %u, one of the next %u, or TCP port %u is in use. Stop what uses it, or choose others: rtc.udp_port, rtc.tcp_port.",
			config.rtc_port, config.workers, config.rtc_tcp_port);
	else if (r < 0)
		cannot("media", config.rtc_port, r);
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

static int build_store(struct server *s)
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

static int build_sip(struct server *s)
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
	return r < 0 ? cannot("sip", s->config.sip.sip_port, r) : 0;
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

static int build_calls(struct server *s)
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
	return r < 0 ? cannot("simulator", s->config.simulator.sip_port, r) : server_offer_simulator(s);
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

static int build(struct server *s)
{
	static int (*const steps[])(struct server *) = {
		server_find_addresses,
		server_read_files,
		build_media,
		build_rooms,
		build_webhooks,
		build_metrics,
		build_agents,
		build_store,
		build_sip,
		server_build_lines,
		build_calls,
		build_signal,
		build_simulator,
		server_open_doors,
	};
	int r = build_dns(s);
	for (size_t i = 0; r == 0 && i < COUNT_OF(steps); ++i)
		r = steps[i](s);
	return r;
}

/* Children before what they stand on; NULL is fine everywhere, so a half-built tree goes too. */
static void end_rooms(struct server *s)
{
	timer_fini(&s->tick);
	server_stop_learning(s);
	s->lines = lines_free(s->lines);
	s->sip = sip_agent_free(s->sip);
	s->calls = calls_free(s->calls);
	s->signal = signal_free(s->signal);
	server_free_api(s);
	s->simulator = simulator_free(s->simulator);
	s->rooms = rooms_free(s->rooms);
	s->agents = agents_free(s->agents);
}

static void take_down(struct server *s)
{
	end_rooms(s);
	s->metrics = metrics_free(s->metrics);
	s->webhooks = webhooks_free(s->webhooks);
	s->media = media_free(s->media);
	s->policy = policy_free(s->policy);
	s->trunks = trunks_free(s->trunks);
	s->store = store_close(s->store);
	s->records = records_close(s->records);
	s->dns = dns_free(s->dns);
	s->tls = tls_context_free(s->tls);
}

/* ---- stopping: calls say BYE, people are sent away, connections are flushed, the operator's servers
 * are told, then all goes ---- */

static void on_all_told(void *owner)
{
	struct server *s = owner;
	uv_close((uv_handle_t *)&s->on_term, NULL);
	uv_close((uv_handle_t *)&s->on_int, NULL);
	uv_close((uv_handle_t *)&s->on_hup, NULL);
	take_down(s);
}

static void on_doors_closed(struct server *s)
{
	end_rooms(s);
	if (s->webhooks)
		webhooks_close(s->webhooks, on_all_told, s);
	else
		on_all_told(s);
}

static void on_lines_stopped(void *owner)
{
	struct server *s = owner;
	s->signal = signal_free(s->signal);
	server_close_doors(s, on_doors_closed);
}

static void on_calls_closed(void *owner)
{
	struct server *s = owner;
	lines_stop(s->lines, on_lines_stopped, s);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct server *s = handle->data;
	if (s->stopping)
		_exit(128 + number); /* asked twice: at once */
	s->stopping = true;
	log_info("serve", "stopping: %zu calls, %zu people", calls_count(s->calls), signal_session_count(s->signal));
	calls_close(s->calls, on_calls_closed, s);
}

static void watch_signals(struct server *s)
{
	uv_signal_init(&s->loop.uv, &s->on_term);
	uv_signal_init(&s->loop.uv, &s->on_int);
	s->on_term.data = s->on_int.data = s;
	uv_signal_start(&s->on_term, on_signal, SIGTERM);
	uv_signal_start(&s->on_int, on_signal, SIGINT);
	server_watch_hangup(s);
}

int server_run(struct server *s)
{
	signal(SIGPIPE, SIG_IGN);
	int r = loop_init(&s->loop);
	if (r < 0)
		return r;
	r = build(s);
	if (r == 0) {
		watch_signals(s);
		server_announce(s);
		loop_run(&s->loop);
	} else if (s->doors_open) {
		server_close_doors(s, take_down);
		loop_run(&s->loop);
	} else {
		take_down(s);
	}
	loop_fini(&s->loop);
	server_close_files(s);
	return r;
}

/* ---- the command ---- */

static const char usage[] =
	"usage: ringdown serve [--dev] [--config FILE] [--config-body YAML] [--KEY VALUE ...]\n"
	"\n"
	"  --dev               loopback only, key devkey/secret, the simulator as trunk, backend without token\n"
	"  --config FILE       LiveKit's YAML keys and ours: see docs/configuration.md\n"
	"  --config-body YAML  the same as text\n"
	"  --KEY VALUE         one setting, such as --rtc.tcp_port 7881; wins over the file\n"
	"  --bind IP, --keys \"NAME: SECRET\", --key-file FILE, --node-ip IP, --udp-port PORT\n"
	"                      as livekit-server has them; --bind may be there several times\n"
	"  --disable-strict-config\n"
	"                      unknown keys of the file are told and ignored\n";

/* 0, or a positive status that was explained on stderr. */
static int load(struct server *s, struct config_source *from)
{
	unsigned line = 0;
	struct buf problems = {0};
	int r = env_load(&s->env, ".env", &line);
	if (r > 0) {
		fprintf(stderr, ".env, line %u: not NAME=value\n", line);
		return 1;
	}
	from->env = &s->env;
	if (r == 0)
		r = config_load(&s->config, from, &problems);
	if (r)
		fprintf(stderr, "%s", problems.data ? (char *)problems.data : "the configuration cannot be read\n");
	buf_fini(&problems);
	return r;
}

/* 0, or the status to exit with; `*done` when there is nothing to run. */
static int read_arguments(struct config_source *from, struct config_flag *flags, int argc, char **argv, bool *done)
{
	struct buf problems = {0};
	int r = flags_read(from, flags, argc, argv, &problems);
	*done = r != 0;
	if (r == FLAGS_E_HELP)
		fputs(usage, stdout);
	else if (r)
		fprintf(stderr, "%s\n%s", problems.data ? (char *)problems.data : "out of memory\n", usage);
	buf_fini(&problems);
	return r == 0 || r == FLAGS_E_HELP ? 0 : 2;
}

int cli_serve(int argc, char **argv)
{
	static struct server server; /* large, and one for the process */
	static struct config_flag flags[CONFIG_FLAGS_MAX];
	struct config_source from = {0};
	bool done;
	int r = read_arguments(&from, flags, argc, argv, &done);
	if (done)
		return r;
	r = load(&server, &from);
	if (r == 0) {
		log_configure((enum log_level)server.config.logging.level, server.config.logging.json);
		r = server_run(&server);
	}
	config_fini(&server.config);
	env_fini(&server.env);
	return r ? 1 : 0;
}
