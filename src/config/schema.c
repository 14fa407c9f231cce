#include "config/schema.h"

#define AT(field) offsetof(struct config, field)
#define UNUSED(key, why) {key, SCHEMA_UNUSED, 0, why}

static const char one_process[] = "everything runs in this one process";
static const char built_in[] = "the limits are built in";
static const char always_lite[] = "ICE is always lite";
static const char no_video[] = "there is nothing to set: sound is forwarded, video is not mixed";
static const char not_yet[] = "not supported yet";

const struct schema_key schema_keys[] = {
	{"port", SCHEMA_PORT, AT(port), NULL},
	{"bind_addresses", SCHEMA_TEXTS, AT(bind_addresses), NULL},
	{"keys", SCHEMA_KEYS, AT(keys), NULL},
	{"key_file", SCHEMA_TEXT, AT(key_file), NULL},
	{"development", SCHEMA_BOOL, AT(development), NULL},
	{"data_dir", SCHEMA_TEXT, AT(data_dir), NULL},
	{"workers", SCHEMA_COUNT, AT(workers), NULL},
	{"banks", SCHEMA_BANKS, AT(banks), NULL},
	{"rtc.udp_port", SCHEMA_PORTS, AT(rtc.udp_port), NULL},
	{"rtc.tcp_port", SCHEMA_PORT, AT(rtc.tcp_port), NULL},
	{"rtc.node_ip", SCHEMA_IP, AT(rtc.node_ip), NULL},
	{"rtc.use_external_ip", SCHEMA_BOOL, AT(rtc.use_external_ip), NULL},
	{"rtc.enable_loopback_candidate", SCHEMA_BOOL, AT(rtc.enable_loopback_candidate), NULL},
	{"webhook.urls", SCHEMA_TEXTS, AT(webhook.urls), NULL},
	{"webhook.api_key", SCHEMA_TEXT, AT(webhook.api_key), NULL},
	{"room.auto_create", SCHEMA_BOOL, AT(room.auto_create), NULL},
	{"room.empty_timeout", SCHEMA_SECONDS, AT(room.empty_timeout_s), NULL},
	{"room.departure_timeout", SCHEMA_SECONDS, AT(room.departure_timeout_s), NULL},
	{"room.max_participants", SCHEMA_COUNT, AT(room.max_participants), NULL},
	{"room.enable_remote_unmute", SCHEMA_BOOL, AT(room.enable_remote_unmute), NULL},
	{"logging.level", SCHEMA_LEVEL, AT(logging.level), NULL},
	{"logging.json", SCHEMA_BOOL, AT(logging.json), NULL},
	{"sip.sip_port", SCHEMA_PORT, AT(sip.sip_port), NULL},
	{"sip.rtp_port", SCHEMA_PORTS, AT(sip.rtp_port), NULL},
	{"sip.sip_hostname", SCHEMA_TEXT, AT(sip.sip_hostname), NULL},
	{"sip.nat_1_to_1_ip", SCHEMA_IP, AT(sip.nat_1_to_1_ip), NULL},
	{"sip.listen_ip", SCHEMA_IP, AT(sip.listen_ip), NULL},
	{"sip.symmetric_rtp", SCHEMA_BOOL, AT(sip.symmetric_rtp), NULL},
	{"sip.media_timeout", SCHEMA_TIME, AT(sip.media_timeout_ms), NULL},
	{"sip.media_timeout_initial", SCHEMA_TIME, AT(sip.media_timeout_initial_ms), NULL},
	{"sip.allowed_countries", SCHEMA_PREFIXES, AT(sip.allowed_countries), NULL},
	{"sip.calls_per_second", SCHEMA_RATE, AT(sip.calls_per_second), NULL},
	{"sip.trunk", SCHEMA_TEXT, AT(sip.trunk), NULL},
	{"backend.port", SCHEMA_PORT, AT(backend.port), NULL},
	{"backend.bind_address", SCHEMA_IP, AT(backend.bind_address), NULL},
	{"backend.web_dir", SCHEMA_TEXT, AT(backend.web_dir), NULL},
	{"backend.server_url", SCHEMA_TEXT, AT(backend.server_url), NULL},
	{"simulator.enabled", SCHEMA_BOOL, AT(simulator.enabled), NULL},
	{"simulator.sip_port", SCHEMA_PORT, AT(simulator.sip_port), NULL},
	{"simulator.username", SCHEMA_TEXT, AT(simulator.username), NULL},
	{"simulator.password", SCHEMA_TEXT, AT(simulator.password), NULL},

	/* LiveKit's and livekit-sip's other keys: known, so that their files can be used as they are. */
	UNUSED("agents", "agents are not dispatched"),
	UNUSED("api", one_process),
	UNUSED("audio", not_yet),
	UNUSED("debug_handler", "there is no such handler here"),
	UNUSED("debug_handler_port", not_yet),
	UNUSED("enable_data_tracks", not_yet),
	UNUSED("enable_participant_data_blob", "data blobs are refused as without it"),
	UNUSED("ingress", "there is no ingress service"),
	UNUSED("limit", built_in),
	UNUSED("log_level", "use logging.level"),
	UNUSED("metric", not_yet),
	UNUSED("node_selector", one_process),
	UNUSED("node_stats", one_process),
	UNUSED("prometheus", not_yet),
	UNUSED("prometheus_port", not_yet),
	UNUSED("psrpc", one_process),
	UNUSED("redis", one_process),
	UNUSED("region", one_process),
	UNUSED("signal_relay", one_process),
	UNUSED("trace", not_yet),
	UNUSED("turn", not_yet),
	UNUSED("video", no_video),
	UNUSED("logging.component_levels", "use logging.level"),
	UNUSED("logging.item_sample_initial", not_yet),
	UNUSED("logging.item_sample_interval", not_yet),
	UNUSED("logging.item_sample_seconds", not_yet),
	UNUSED("logging.pion_level", "there is no pion here"),
	UNUSED("logging.sample", not_yet),
	UNUSED("logging.sample_initial", not_yet),
	UNUSED("logging.sample_interval", not_yet),
	UNUSED("room.create_room_attempts", not_yet),
	UNUSED("room.create_room_enabled", not_yet),
	UNUSED("room.create_room_timeout", not_yet),
	UNUSED("room.enabled_codecs", "the codecs are Opus, PCMU, PCMA and G722"),
	UNUSED("room.max_metadata_size", built_in),
	UNUSED("room.max_participant_identity_length", built_in),
	UNUSED("room.max_room_name_length", built_in),
	UNUSED("room.playout_delay", no_video),
	UNUSED("room.room_configurations", not_yet),
	UNUSED("room.sync_streams", no_video),
	UNUSED("room.update_batch_target_size", built_in),
	UNUSED("rtc.advertise_internal_ip", not_yet),
	UNUSED("rtc.allow_tcp_fallback", not_yet),
	UNUSED("rtc.allow_udp_unstable_fallback", not_yet),
	UNUSED("rtc.batch_io", "datagrams are always batched"),
	UNUSED("rtc.congestion_control", no_video),
	UNUSED("rtc.data_channel_max_buffered_amount", built_in),
	UNUSED("rtc.datachannel_data_track_target_latency", built_in),
	UNUSED("rtc.datachannel_lossy_target_latency", built_in),
	UNUSED("rtc.datachannel_slow_threshold", built_in),
	UNUSED("rtc.enable_rtp_stream_restart_detection", no_video),
	UNUSED("rtc.external_ip_only", not_yet),
	UNUSED("rtc.force_tcp", not_yet),
	UNUSED("rtc.forward_stats", not_yet),
	UNUSED("rtc.host_acceptance_min_wait", always_lite),
	UNUSED("rtc.interfaces", "rtc.node_ip says which address is told"),
	UNUSED("rtc.ips", "rtc.node_ip says which address is told"),
	UNUSED("rtc.packet_buffer_size", no_video),
	UNUSED("rtc.packet_buffer_size_audio", no_video),
	UNUSED("rtc.packet_buffer_size_video", no_video),
	UNUSED("rtc.pli_throttle", no_video),
	UNUSED("rtc.port_range_end", "each media worker has one UDP port: rtc.udp_port"),
	UNUSED("rtc.port_range_start", "each media worker has one UDP port: rtc.udp_port"),
	UNUSED("rtc.prflx_acceptance_min_wait", always_lite),
	UNUSED("rtc.reconnect_on_data_channel_error", not_yet),
	UNUSED("rtc.reconnect_on_publication_error", not_yet),
	UNUSED("rtc.reconnect_on_subscription_error", not_yet),
	UNUSED("rtc.relay_acceptance_min_wait", always_lite),
	UNUSED("rtc.sctp_cwnd_ca_step", built_in),
	UNUSED("rtc.sctp_fast_rtx_wnd", built_in),
	UNUSED("rtc.sctp_min_cwnd", built_in),
	UNUSED("rtc.skip_external_ip_validation", not_yet),
	UNUSED("rtc.srflx_acceptance_min_wait", always_lite),
	UNUSED("rtc.strict_acks", no_video),
	UNUSED("rtc.stun_servers", not_yet),
	UNUSED("rtc.tcp_fallback_rtt_threshold", not_yet),
	UNUSED("rtc.turn_servers", not_yet),
	UNUSED("rtc.use_ice_lite", always_lite),
	UNUSED("rtc.use_mdns", not_yet),
	UNUSED("rtc.use_stun_port_as_ice", not_yet),
	UNUSED("sip.add_record_route", "calls come in later"),
	UNUSED("sip.audio_dtmf", not_yet),
	UNUSED("sip.codecs", not_yet),
	UNUSED("sip.disable_rejected_invite_cache", "calls come in later"),
	UNUSED("sip.enable_jitter_buffer", "the jitter buffer is always on"),
	UNUSED("sip.enable_jitter_buffer_prob", "the jitter buffer is always on"),
	UNUSED("sip.health_port", "GET / on `port` is the health check"),
	UNUSED("sip.hide_inbound_port", "calls come in later"),
	UNUSED("sip.ignore_local_addr_in_sdp", "use sip.symmetric_rtp"),
	UNUSED("sip.local_net", not_yet),
	UNUSED("sip.max_active_calls", built_in),
	UNUSED("sip.max_cpu_utilization", not_yet),
	UNUSED("sip.media_nat_1_to_1_ip", "set sip.nat_1_to_1_ip"),
	UNUSED("sip.media_use_external_ip", "set sip.nat_1_to_1_ip"),
	UNUSED("sip.outbound_route_headers", not_yet),
	UNUSED("sip.prometheus_port", not_yet),
	UNUSED("sip.rtp_draining_duration", not_yet),
	UNUSED("sip.rtp_draining_idle_timeout", not_yet),
	UNUSED("sip.sip_port_listen", "the SIP port is one: sip.sip_port"),
	UNUSED("sip.sip_ringing_interval", "calls come in later"),
	UNUSED("sip.tcp", not_yet),
	UNUSED("sip.tls", not_yet),
	UNUSED("sip.udp_max_payload", not_yet),
	UNUSED("sip.use_external_ip", "set sip.nat_1_to_1_ip"),
	UNUSED("webhook.filter_params", not_yet),
	UNUSED("webhook.resource_url_notifier", not_yet),
	UNUSED("webhook.url_notifier", not_yet),
};
const size_t schema_count = COUNT_OF(schema_keys);

const struct schema_key *schema_find(const char *path)
{
	for (size_t i = 0; i < schema_count; ++i)
		if (!strcmp(schema_keys[i].path, path))
			return &schema_keys[i];
	return NULL;
}

/* The part of `path` right below `under`, and its size; NULL when it is not there. */
static const char *child(const char *path, const char *under, size_t *size)
{
	size_t skip = strlen(under);
	if (skip && (strncmp(path, under, skip) || path[skip] != '.'))
		return NULL;
	const char *name = skip ? path + skip + 1 : path;
	*size = strcspn(name, ".");
	return name;
}

bool schema_is_group(const char *path)
{
	size_t size = strlen(path);
	for (size_t i = 0; i < schema_count; ++i)
		if (!strncmp(schema_keys[i].path, path, size) && schema_keys[i].path[size] == '.')
			return true;
	return false;
}

enum { DISTANCE_NAME_MAX = 48 };

/* Levenshtein: how many letters must change, come or go. */
static unsigned distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
	unsigned row[DISTANCE_NAME_MAX + 1];
	if (a_size > DISTANCE_NAME_MAX || b_size > DISTANCE_NAME_MAX)
		return DISTANCE_NAME_MAX;
	for (unsigned j = 0; j <= b_size; ++j)
		row[j] = j;
	for (unsigned i = 1; i <= a_size; ++i) {
		unsigned corner = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= b_size; ++j) {
			unsigned best = corner + (a[i - 1] != b[j - 1]);
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			corner = row[j];
			row[j] = best;
		}
	}
	return row[b_size];
}

const char *schema_suggest(char *out, size_t size, const char *under, const char *name)
{
	size_t name_size = strlen(name);
	unsigned best = name_size < 4 ? 2 : name_size < 8 ? 3 : 4; /* that far is another word */
	bool found = false;

	for (size_t i = 0; i < schema_count; ++i) {
		size_t known_size;
		const char *known = child(schema_keys[i].path, under, &known_size);
		if (!known || known_size >= size)
			continue;
		unsigned d = distance(name, name_size, known, known_size);
		if (d >= best)
			continue;
		best = d;
		found = true;
		memcpy(out, known, known_size);
		out[known_size] = 0;
	}
	return found ? out : NULL;
}
