/* config/config.h - all that an operator may set, in one struct: defaults, then LiveKit's YAML, then
 * the environment and `.env`.
 *
 * Owner:   main. Zeroed memory is valid for config_fini().
 * Owns:    every text in it.
 * Thread:  any, one at a time; never changes after config_load().
 * Words:   keys are LiveKit's where LiveKit has them, livekit-sip's under `sip`, ours otherwise.
 */
#pragma once

#include "config/env_file.h"

#include "base/buf.h"
#include "wire/proto.h"

struct config_texts {
	char **items;
	size_t count;
};

enum { CONFIG_KEY_NAME_MAX = 200 /* bytes */, CONFIG_BINDS_MAX = 8 };
struct config_key {
	char *name, *secret;
};
struct config_keys {
	struct config_key *items;
	size_t count;
};

struct config_bank {
	char *id, *name, *phone_number;
};
struct config_banks {
	struct config_bank *items;
	size_t count;
};

/* `rtc.turn_servers` */
struct config_turn {
	char *host, *protocol; /* "udp", "tcp" or "tls" */
	uint16_t port;
	char *username, *credential; /* or NULL twice: */
	char *secret;                /* of which credentials are made that are good for `ttl_s` */
	uint32_t ttl_s;
};
struct config_turns {
	struct config_turn *items;
	size_t count;
};

/* What is taken, of what is left what is not. */
struct config_filter {
	struct config_texts includes, excludes;
};

struct config_ports {
	uint16_t first, last; /* one port: both the same */
};

/* `room.room_configurations`: what a token or CreateRoom names as room preset. */
struct config_preset {
	const char *name;
	const struct Livekit__RoomConfiguration *settings;
};
struct config_presets {
	struct config_preset *items;
	size_t count;
	struct proto_arena arena; /* names and settings */
};

/* All times in milliseconds, but for the rooms', which LiveKit has in seconds. */
struct config {
	bool dev, development;         /* --dev; `development: true` */
	uint16_t port;                 /* 7880 */
	struct config_texts bind_addresses; /* empty: every address; --dev: 127.0.0.1 and ::1 */
	bool binds_chosen; /* bind_addresses are the operator's: each must be there */
	struct config_keys keys;       /* all of them; --dev without any: devkey, secret */
	struct config_keys own_keys;   /* those that key_file did not bring */
	char *key_file;                /* more keys, in a YAML file of their own; or NULL */

	struct {
		struct config_ports udp_port; /* 7882; one for each worker */
		uint16_t port_range_start, port_range_end; /* older way to say udp_port; 0 = not set */
		uint16_t tcp_port;            /* 7881; 0 = none */
		struct config_texts node_ip;  /* empty: found out */
		bool use_external_ip, advertise_internal_ip, external_ip_only;
		bool enable_loopback_candidate;
		bool force_tcp, allow_tcp_fallback;
		struct config_filter interfaces, ips; /* names; "10.0.0.0/8", "192.0.2.1" */
		struct config_texts stun_servers;     /* "host:port" */
		struct config_turns turn_servers;
	} rtc;
	struct {
		uint16_t port; /* 0: nobody is told */
		char *username, *password; /* NULL: not asked for */
	} prometheus;
	struct {
		struct config_texts urls;
		char *api_key; /* NULL: the first key */
	} webhook;
	struct {
		bool auto_create, enable_remote_unmute;
		uint32_t empty_timeout_s, departure_timeout_s, max_participants;
		/* Older names of three of `limit`; 0 = not set. */
		uint32_t max_metadata_size, max_room_name_length, max_participant_identity_length;
		struct config_texts enabled_codecs; /* mime types; none: all that we have */
		struct config_presets presets;
	} room;
	struct { /* 0 = none, but for what base/limits.h bounds */
		uint32_t num_tracks, bytes_per_sec, subscription_limit_audio;
		uint32_t max_metadata_size, max_attributes_size; /* bytes */
		uint32_t max_room_name_length, max_participant_identity_length, max_participant_name_length;
	} limit;
	struct { /* who speaks: room/speakers.h */
		uint32_t active_level, min_percentile, update_interval_ms, smooth_intervals;
	} audio;
	struct {
		bool enable_user_data_recording, enable_user_data_redaction; /* told with each job */
	} agents;
	struct {
		char *cert_file, *key_file; /* PEM; NULL twice: no TLS */
	} tls;
	int log_level; /* older name of logging.level, which it overrules; -1 = not set */
	struct {
		int level; /* enum log_level */
		bool json;
	} logging;
	struct {
		uint16_t sip_port;          /* 5060 */
		struct config_ports rtp_port; /* 10000-20000 */
		char *sip_hostname, *nat_1_to_1_ip, *nat_1_to_1_ipv6, *listen_ip; /* NULL: not set */
		bool symmetric_rtp;
		uint32_t media_timeout_ms, media_timeout_initial_ms; /* 15 s, 30 s */
		struct config_texts allowed_countries; /* "+1", "+44", "*" */
		struct config_texts blocked_prefixes;  /* "+4420": never, whatever is allowed */
		double calls_per_second;               /* of one trunk; 0 = no limit */
		uint32_t call_queue_wait_ms;           /* 10 s: for its turn in those */
		uint32_t max_active_calls, max_calls_per_trunk, max_calls_per_identity; /* 0 = no limit */
		uint32_t minutes_per_day;              /* of one API key; 0 = no limit */
		uint32_t max_call_duration_ms;         /* 0 = no limit */
		struct {                               /* what is kept of calls */
			bool enabled, ladder;
			uint32_t max_age_s, max_size_mb; /* 0 = no limit */
		} records;
		char *trunk;                           /* LIVEKIT_SIP_TRUNK: name or id, or NULL */
		uint32_t udp_keepalive_ms; /* 0 = none */
		struct config_sip_tls {
			char *cert_file, *key_file; /* PEM; NULL twice: nobody can call us by TLS */
			char *ca_file; /* authorities of trunks, besides the system's; or NULL */
			uint16_t port; /* 5061 */
		} tls;
	} sip;
	struct {
		uint16_t port;      /* 8000 */
		char *bind_address; /* NULL: as bind_addresses; --dev: 127.0.0.1 */
		char *web_dir;      /* the page's files; NULL: found beside the program */
		char *server_url;   /* told to apps; NULL: made from `port` */
	} backend;
	struct {
		bool enabled;
		uint16_t sip_port;         /* 5070 */
		char *username, *password; /* what its trunk must present: "simulator" twice */
	} simulator;
	struct config_banks banks;
	struct config_texts dns_servers; /* "192.0.2.53:53"; empty: the system's */
	char *region;     /* told to clients; or NULL */
	char *data_dir;   /* "./data"; holds ringdown.db */
	uint32_t workers; /* media workers; 0 = one for each core */

	bool lenient; /* unknown keys are noted, not refused */

	/* What was read and does nothing here, one sentence each: to be said at the start. */
	struct config_texts notes;
};

struct config_flag; /* config/flags.h */

struct config_source {
	const char *path; /* --config, or NULL */
	const char *body; /* --config-body, or NULL; wins over the path */
	bool dev;
	bool lenient; /* --disable-strict-config */
	const struct config_flag *flags;
	size_t flag_count;
	const struct env *env; /* LIVEKIT_CONFIG, LIVEKIT_CONFIG_BODY, LIVEKIT_KEYS, ... */
};

enum {
	CONFIG_E_INVALID = 1, /* `problems` has a line for each mistake */
};
/* Zeroes *ret first. Returns 0, CONFIG_E_INVALID or a negative error. */
MUST_USE int config_load(struct config *ret, const struct config_source *from, struct buf *problems);
/* Reads key_file anew. On any failure `keys` stays as it was. Outcomes as above. */
MUST_USE int config_reload_keys(struct config *c, struct buf *problems);
void config_fini(struct config *c);

/* The pure middle of it, for tests and fuzzing: YAML into a struct that holds defaults already.
 * `name` is what problems call the text ("config.yaml"). */
MUST_USE int config_defaults(struct config *c, bool dev);
MUST_USE int config_parse(struct config *c, struct span yaml, const char *name, struct buf *problems);
/* What must hold between keys; also after the environment was read. */
MUST_USE int config_check(const struct config *c, struct buf *problems);
