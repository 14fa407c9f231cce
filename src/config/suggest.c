/* What is known below the groups that have no effect, and the nearest known name to a mistyped one. */
#include "config/schema.h"

#include <stdio.h>

/* LiveKit's keys below a key without effect: a mistake in them is told all the same. */
static const struct {
	const char *path, *names;
} below[] = {
	{"api", "execution_timeout check_interval max_check_interval enable_psrpc_for_get_list_participants"},
	{"debug_handler", "port"},
	{"ingress", "rtmp_base_url whip_base_url"},
	{"metric", "timestamper_config collector reporter"},
	{"node_selector", "kind sort_by algorithm cpu_load_limit sysload_limit regions"},
	{"node_stats", "stats_update_interval stats_rate_measurement_intervals stats_max_delay"},
	{"psrpc", "max_attempts timeout backoff buffer_size"},
	{"redis", "address username password db use_tls tls sentinel_master_name sentinel_username "
		  "sentinel_password sentinel_addresses cluster_addresses dial_timeout read_timeout "
		  "write_timeout max_redirects pool_timeout pool_size"},
	{"room.playout_delay", "enabled min max"},
	{"rtc.batch_io", "batch_size max_flush_interval"},
	{"rtc.congestion_control", "enabled allow_pause stream_allocator remote_bwe "
				   "use_send_side_bwe_interceptor use_send_side_bwe send_side_bwe_pacer send_side_bwe"},
	{"rtc.forward_stats", "summary_interval report_interval report_window"},
	{"rtc.pli_throttle", "low_quality mid_quality high_quality"},
	{"signal_relay", "retry_timeout min_retry_interval max_retry_interval stream_buffer_size connect_attempts"},
	{"trace", "jaeger_url"},
	{"turn", "enabled domain cert_file key_file tls_port udp_port relay_range_start relay_range_end external_tls "
		 "bind_addresses ttl_seconds allow_restricted_peer_cidrs deny_peer_cidrs"},
	{"video", "dynacast_pause_delay stream_tracker_manager codec_regression_threshold"},
	{"webhook.filter_params", "include_events exclude_events"},
	{"webhook.resource_url_notifier", "max_age max_depth"},
	{"webhook.url_notifier", "num_workers queue_size"},
};

static const char *names_below(const char *path)
{
	for (size_t i = 0; i < COUNT_OF(below); ++i)
		if (!strcmp(below[i].path, path))
			return below[i].names;
	return NULL;
}

bool schema_is_known_below(const char *path, const char *name)
{
	const char *names = names_below(path);
	size_t size = strlen(name);
	for (const char *at = names; at && *at; at += strspn(at, " ")) {
		size_t word = strcspn(at, " ");
		if (word == size && !memcmp(at, name, size))
			return true;
		at += word;
	}
	return !names;
}

bool schema_below_at(size_t i, char *path, size_t size)
{
	for (size_t k = 0; k < COUNT_OF(below); ++k)
		for (const char *at = below[k].names; *at; at += strspn(at, " ")) {
			int word = (int)strcspn(at, " ");
			if (i-- == 0) {
				snprintf(path, size, "%s.%.*s", below[k].path, word, at);
				return true;
			}
			at += word;
		}
	return false;
}

/* ---- likeness ---- */

enum { DISTANCE_NAME_MAX = 64 };

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

/* The best so far of many. */
struct likeness {
	char *out;
	size_t size;
	const char *name;
	unsigned best; /* that far is another word */
	bool found;
};

static struct likeness likeness_of(char *out, size_t size, const char *name)
{
	size_t n = strlen(name);
	return (struct likeness){out, size, name, n < 4 ? 2 : n < 8 ? 3 : 4, false};
}

static void consider(struct likeness *l, const char *known, size_t known_size)
{
	unsigned d = distance(l->name, strlen(l->name), known, known_size);
	if (d >= l->best || known_size >= l->size)
		return;
	l->best = d;
	l->found = true;
	memcpy(l->out, known, known_size);
	l->out[known_size] = 0;
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

const char *schema_suggest(char *out, size_t size, const char *under, const char *name)
{
	struct likeness l = likeness_of(out, size, name);
	for (size_t i = 0; i < schema_count; ++i) {
		size_t known_size;
		const char *known = child(schema_keys[i].path, under, &known_size);
		if (known)
			consider(&l, known, known_size);
	}
	const char *names = schema_find(under) ? names_below(under) : NULL;
	for (const char *at = names; at && *at; at += strspn(at, " ")) {
		consider(&l, at, strcspn(at, " "));
		at += strcspn(at, " ");
	}
	return l.found ? out : NULL;
}

const char *schema_suggest_path(char *out, size_t size, const char *path, const char *const *more)
{
	struct likeness l = likeness_of(out, size, path);
	for (size_t i = 0; i < schema_count; ++i)
		consider(&l, schema_keys[i].path, strlen(schema_keys[i].path));
	for (size_t i = 0; more[i]; ++i)
		consider(&l, more[i], strlen(more[i]));
	return l.found ? out : NULL;
}
