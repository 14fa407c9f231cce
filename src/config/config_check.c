/* What must hold between keys. */
#include "config/config.h"

#include "config/value.h"

#include "base/limits.h"
#include "wire/e164.h"

#include <stdio.h>

static int complain(struct buf *problems, int *result, const char *text)
{
	*result = CONFIG_E_INVALID;
	int r = buf_add_text(problems, text);
	return r < 0 ? r : 0;
}

static bool is_web(const char *url)
{
	size_t scheme = !strncmp(url, "https://", 8) ? 8 : !strncmp(url, "http://", 7) ? 7 : 0;
	return scheme && url[scheme] && !strchr("/?#:", url[scheme]);
}

/* The URL itself is not repeated: its query may be a secret. */
static int check_webhooks(const struct config *c, struct buf *problems, int *result)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < c->webhook.urls.count; ++i)
		if (!is_web(c->webhook.urls.items[i]))
			r = complain(problems, result,
				"webhook.urls: each must be http://HOST... or https://HOST...\n");
	return r;
}

static int check_keys(const struct config *c, struct buf *problems, int *result)
{
	if (c->keys.count == 0)
		return complain(problems, result, "no API key: set `keys: {NAME: SECRET}` in the file, "
			"LIVEKIT_API_KEY and LIVEKIT_API_SECRET, or start with --dev\n");
	for (size_t i = 0; i < c->keys.count; ++i)
		if (strlen(c->keys.items[i].name) > CONFIG_KEY_NAME_MAX)
			return complain(problems, result, "keys: the name of a key has at most 200 bytes\n");
	if (!c->webhook.api_key)
		return 0;
	for (size_t i = 0; i < c->keys.count; ++i)
		if (!strcmp(c->keys.items[i].name, c->webhook.api_key))
			return 0;
	return complain(problems, result, "webhook.api_key is not one of keys\n");
}

static int check_binds(const struct config *c, struct buf *problems, int *result)
{
	char text[160];
	for (size_t i = 0; i < c->bind_addresses.count; ++i) {
		const char *ip = c->bind_addresses.items[i];
		if (value_is_ip(ip))
			continue;
		snprintf(text, sizeof text, "bind_addresses: expected IP addresses, read \"%.60s\"\n", ip);
		return complain(problems, result, text);
	}
	return c->bind_addresses.count > CONFIG_BINDS_MAX
		? complain(problems, result, "bind_addresses: there are more than 8\n") : 0;
}

static int check_ports(const struct config *c, struct buf *problems, int *result)
{
	int r = 0;
	if (c->port && c->port == c->backend.port)
		r = complain(problems, result, "port and backend.port must differ\n");
	if (r == 0 && c->port && c->port == c->rtc.tcp_port)
		r = complain(problems, result, "port and rtc.tcp_port must differ\n");
	if (r == 0 && c->simulator.enabled && c->sip.sip_port && c->sip.sip_port == c->simulator.sip_port)
		r = complain(problems, result, "sip.sip_port and simulator.sip_port must differ\n");
	if (r == 0 && c->sip.rtp_port.last - c->sip.rtp_port.first < 1)
		r = complain(problems, result, "sip.rtp_port: expected a range such as 10000-20000\n");
	if (r == 0 && c->sip.rtp_port.first < 1024)
		r = complain(problems, result, "sip.rtp_port: ports under 1024 are not for this\n");
	if (r == 0 && c->sip.nat_1_to_1_ipv6 && !strchr(c->sip.nat_1_to_1_ipv6, ':'))
		r = complain(problems, result, "sip.nat_1_to_1_ipv6: expected an IPv6 address\n");
	return r;
}

static int check_rtc(const struct config *c, struct buf *problems, int *result)
{
	unsigned ports = c->rtc.udp_port.last - c->rtc.udp_port.first + 1u;
	int r = 0;
	if (c->rtc.force_tcp && !c->rtc.tcp_port)
		r = complain(problems, result, "rtc.force_tcp needs an rtc.tcp_port\n");
	if (r == 0 && c->rtc.udp_port.last < c->rtc.udp_port.first)
		r = complain(problems, result, "rtc.port_range_end is less than rtc.port_range_start\n");
	else if (r == 0 && ports > 1 && c->workers > ports)
		r = complain(problems, result, "workers: each needs a port of rtc.udp_port\n");
	return r;
}

static int check_banks(const struct config *c, struct buf *problems, int *result)
{
	char number[E164_SIZE], text[256];
	for (size_t i = 0; i < c->banks.count; ++i) {
		const struct config_bank *b = &c->banks.items[i];
		bool twice = false;
		for (size_t j = 0; j < i; ++j)
			twice |= !strcmp(b->id, c->banks.items[j].id);
		bool bad = e164_parse(number, span_text(b->phone_number), NULL) != E164_OK;
		if (!twice && !bad)
			continue;
		snprintf(text, sizeof text,
			twice ? "banks: the id %.40s is there twice%.0s\n"
			      : "banks: %.40s: \"%.40s\" is no E.164 number such as +14155550123\n",
			b->id, b->phone_number);
		int r = complain(problems, result, text);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What we can be made to hold has an end, whatever the file says. 0 is that end. */
static int check_limits(const struct config *c, struct buf *problems, int *result)
{
	const struct {
		const char *name;
		uint32_t value, max;
	} limits[] = {
		{"limit.max_room_name_length", c->limit.max_room_name_length, LIMIT_NAME_BYTES_MAX},
		{"limit.max_participant_identity_length", c->limit.max_participant_identity_length, LIMIT_NAME_BYTES_MAX},
		{"limit.max_participant_name_length", c->limit.max_participant_name_length, LIMIT_NAME_BYTES_MAX},
		{"limit.max_metadata_size", c->limit.max_metadata_size, LIMIT_METADATA_BYTES_MAX},
		{"limit.max_attributes_size", c->limit.max_attributes_size, LIMIT_ATTRIBUTES_BYTES_MAX},
	};
	for (size_t i = 0; i < COUNT_OF(limits); ++i) {
		char text[160];
		if (limits[i].value <= limits[i].max)
			continue;
		snprintf(text, sizeof text, "%s: at most %u\n", limits[i].name, limits[i].max);
		int r = complain(problems, result, text);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_audio(const struct config *c, struct buf *problems, int *result)
{
	int r = 0;
	if (c->audio.active_level < 1 || c->audio.active_level > 127)
		r = complain(problems, result, "audio.active_level: 1 (loud) to 127 (silent)\n");
	if (r == 0 && c->audio.min_percentile > 100)
		r = complain(problems, result, "audio.min_percentile: at most 100\n");
	if (r == 0 && (c->audio.update_interval_ms < 50 || c->audio.update_interval_ms > 10000))
		r = complain(problems, result, "audio.update_interval: 50 to 10000 ms\n");
	if (r == 0 && c->audio.smooth_intervals > 100)
		r = complain(problems, result, "audio.smooth_intervals: at most 100\n");
	return r;
}

static int check_tls(const struct config *c, struct buf *problems, int *result)
{
	int r = 0;
	if (!c->tls.cert_file != !c->tls.key_file)
		r = complain(problems, result, "tls.cert_file and tls.key_file belong together\n");
	if (r == 0 && !c->sip.tls.cert_file != !c->sip.tls.key_file)
		r = complain(problems, result, "sip.tls.cert_file and sip.tls.key_file belong together\n");
	if (r == 0 && c->sip.tls.cert_file && c->sip.tls.port && c->sip.tls.port == c->sip.sip_port)
		r = complain(problems, result, "sip.sip_port and sip.tls.port must differ\n");
	return r;
}

int config_check(const struct config *c, struct buf *problems)
{
	int result = 0;
	int r = check_keys(c, problems, &result);
	if (r == 0)
		r = check_ports(c, problems, &result);
	if (r == 0)
		r = check_binds(c, problems, &result);
	if (r == 0)
		r = check_rtc(c, problems, &result);
	if (r == 0)
		r = check_banks(c, problems, &result);
	if (r == 0)
		r = check_limits(c, problems, &result);
	if (r == 0)
		r = check_audio(c, problems, &result);
	if (r == 0)
		r = check_tls(c, problems, &result);
	if (r == 0)
		r = check_webhooks(c, problems, &result);
	return r < 0 ? r : result;
}
