/* config/schema.h - every key of the configuration file: its kind and where its value goes. Private
 * to config/.
 *
 * Owner, owns: nothing; all of it is constant. Thread: any.
 */
#pragma once

#include "config/config.h"

enum schema_kind {
	SCHEMA_BOOL,
	SCHEMA_PORT,     /* uint16_t */
	SCHEMA_PORTS,    /* struct config_ports: 7882 or 10000-20000 */
	SCHEMA_COUNT,    /* uint32_t */
	SCHEMA_LIMIT,    /* uint32_t; a negative number is 0, no limit */
	SCHEMA_RATE,     /* double, not negative */
	SCHEMA_SECONDS,  /* uint32_t seconds: 300 or "5m" */
	SCHEMA_TIME,     /* uint32_t milliseconds: "15s", "500ms"; a bare number is seconds */
	SCHEMA_TEXT,     /* char *; "" is NULL */
	SCHEMA_IP,       /* char *, a literal IPv4 or IPv6 address */
	SCHEMA_IPS,      /* struct config_texts: "a,b", a list, or {v4, v6} */
	SCHEMA_TEXTS,    /* struct config_texts */
	SCHEMA_NETS,     /* struct config_texts of "10.0.0.0/8" or "192.0.2.1" */
	SCHEMA_PREFIXES, /* struct config_texts of "+49" or "*" */
	SCHEMA_LEVEL,    /* int, enum log_level by name */
	SCHEMA_KEYS,     /* struct config_keys: {name: secret} */
	SCHEMA_BANKS,    /* struct config_banks: [{id, name, phone_number}] */
	SCHEMA_CODECS,   /* struct config_texts of mime types: [{mime, fmtp_line}] */
	SCHEMA_TURNS,    /* struct config_turns: [{host, port, protocol, ...}] */
	SCHEMA_CERTS,    /* the first two texts of config.sip.tls: [{cert_file, key_file}], one of them */
	SCHEMA_PRESETS,  /* struct config_presets: {name: RoomConfiguration} */
	SCHEMA_UNUSED,   /* LiveKit's, without meaning here: `note` says why; of what is below it only the names are looked at */
};

struct schema_key {
	const char *path; /* "rtc.udp_port" */
	enum schema_kind kind;
	size_t offset;    /* in struct config */
	const char *note;
};

extern const struct schema_key schema_keys[];
extern const size_t schema_count;

/* NULL when there is none. */
const struct schema_key *schema_find(const char *path);
bool schema_is_group(const char *path); /* "rtc" */
/* The known name that `name` was probably meant to be, among those in the group `under` ("" = top);
 * NULL when none is near. Writes into `out`. */
const char *schema_suggest(char *out, size_t size, const char *under, const char *name);
/* The same for a whole path ("rtc.udp_prt") or one of `more`, which ends with NULL. */
const char *schema_suggest_path(char *out, size_t size, const char *path, const char *const *more);
/* Below a key without effect: one of LiveKit's names there, or nobody knows what is there. */
bool schema_is_known_below(const char *path, const char *name);
/* The i-th key that exists only below a key without effect ("redis.address"); false past the last. */
bool schema_below_at(size_t i, char *path, size_t size);
