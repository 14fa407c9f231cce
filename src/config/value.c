#include "config/value.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "wire/e164.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

PRINTF(2, 3) static int no(char why[VALUE_WHY_SIZE], const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(why, VALUE_WHY_SIZE, format, args);
	va_end(args);
	return VALUE_E_INVALID;
}

int value_text(char **slot, const char *text)
{
	char *copy = *text ? mem_strdup(text) : NULL;
	if (*text && !copy)
		return err_new(-ENOMEM);
	mem_free(*slot);
	*slot = copy;
	return 0;
}

int value_add_text(struct config_texts *list, const char *text)
{
	char *copy = mem_strdup(text);
	char **grown = copy ? mem_realloc(list->items, (list->count + 1) * sizeof *grown) : NULL;
	if (!grown) {
		mem_free(copy);
		return err_new(-ENOMEM);
	}
	list->items = grown;
	list->items[list->count++] = copy;
	return 0;
}

void value_clear_texts(struct config_texts *list)
{
	for (size_t i = 0; i < list->count; ++i)
		mem_free(list->items[i]);
	mem_free(list->items);
	memset(list, 0, sizeof *list);
}

int value_add_key(struct config_keys *keys, const char *name, const char *secret)
{
	for (size_t i = 0; i < keys->count; ++i)
		if (!strcmp(keys->items[i].name, name))
			return value_text(&keys->items[i].secret, secret);
	struct config_key key = {.name = mem_strdup(name), .secret = mem_strdup(secret)};
	struct config_key *grown = NULL;
	if (key.name && key.secret)
		grown = mem_realloc(keys->items, (keys->count + 1) * sizeof *grown);
	if (!grown) {
		mem_free(key.name);
		mem_free(key.secret);
		return err_new(-ENOMEM);
	}
	keys->items = grown;
	keys->items[keys->count++] = key;
	return 0;
}

bool value_is_prefix(const char *text)
{
	return !strcmp(text, "*") || e164_is_prefix(text);
}

bool value_is_ip(const char *text)
{
	uint8_t address[16];
	return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

/* Digits only, so neither sign nor blank nor hexadecimal; YAML's 1_000_000 may have them in groups. */
static bool whole_number(const char *text, uint64_t max, uint64_t *value)
{
	char digits[16];
	size_t size = 0;
	for (const char *at = text; *at; ++at) {
		if (*at == '_' && size)
			continue;
		if (*at < '0' || *at > '9' || size + 1 >= sizeof digits)
			return false;
		digits[size++] = *at;
	}
	digits[size] = 0;
	*value = strtoull(digits, NULL, 10);
	return size && *value <= max;
}

bool value_is_net(const char *text)
{
	char ip[64];
	size_t size = strcspn(text, "/");
	if (size >= sizeof ip)
		return false;
	memcpy(ip, text, size);
	ip[size] = 0;
	if (!text[size] || !value_is_ip(ip))
		return !text[size] && value_is_ip(ip);
	uint64_t bits;
	return whole_number(text + size + 1, strchr(ip, ':') ? 128 : 32, &bits);
}

static int set_bool(bool *slot, const char *text, char why[VALUE_WHY_SIZE])
{
	bool yes = !strcasecmp(text, "true") || !strcasecmp(text, "yes") || !strcasecmp(text, "on");
	bool not = !strcasecmp(text, "false") || !strcasecmp(text, "no") || !strcasecmp(text, "off");
	if (!yes && !not)
		return no(why, "expected true or false, read \"%.40s\"", text);
	*slot = yes;
	return 0;
}

int value_port(uint16_t *slot, const char *text, char why[VALUE_WHY_SIZE])
{
	uint64_t value;
	if (!whole_number(text, 65535, &value))
		return no(why, "expected a port from 0 to 65535, read \"%.40s\"", text);
	*slot = (uint16_t)value;
	return 0;
}

static int set_ports(struct config_ports *slot, const char *text, char why[VALUE_WHY_SIZE])
{
	char first[16] = "", last[16] = "";
	uint64_t low = 0, high = 0;
	const char *dash = strchr(text, '-');
	size_t size = dash ? (size_t)(dash - text) : strlen(text);

	while (size && text[size - 1] == ' ')
		--size;
	snprintf(first, sizeof first, "%.*s", (int)(size < sizeof first ? size : sizeof first - 1), text);
	snprintf(last, sizeof last, "%s", dash ? dash + 1 + strspn(dash + 1, " ") : first);
	if (!whole_number(first, 65535, &low) || !whole_number(last, 65535, &high) || low > high)
		return no(why, "expected a port or a range such as 10000-20000, read \"%.40s\"", text);
	slot->first = (uint16_t)low;
	slot->last = (uint16_t)high;
	return 0;
}

static int set_count(uint32_t *slot, const char *text, char why[VALUE_WHY_SIZE])
{
	uint64_t value;
	if (!whole_number(text, UINT32_MAX, &value))
		return no(why, "expected a whole number, read \"%.40s\"", text);
	*slot = (uint32_t)value;
	return 0;
}

/* 12, 1.5: digits and at most one point. */
static bool decimal(const char *text, double *value, const char **rest)
{
	size_t size = strspn(text, "0123456789"), points = text[size] == '.';
	if (!size || size > 8)
		return false;
	size += points + (points ? strspn(text + size + 1, "0123456789") : 0);
	char digits[32];
	if (size >= sizeof digits)
		return false;
	memcpy(digits, text, size);
	digits[size] = 0;
	*value = strtod(digits, NULL);
	*rest = text + size;
	return true;
}

static int set_rate(double *slot, const char *text, char why[VALUE_WHY_SIZE])
{
	double value;
	const char *rest;
	if (!decimal(text, &value, &rest) || *rest || value > 1e6)
		return no(why, "expected a number that is not negative, read \"%.40s\"", text);
	*slot = value;
	return 0;
}

/* A number without a unit is in seconds. */
static int set_time(uint32_t *slot, const char *text, double units_per_second, char why[VALUE_WHY_SIZE])
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = {{"", 1}, {"s", 1}, {"ms", 0.001}, {"m", 60}, {"h", 3600}};
	double value, seconds = -1;
	const char *rest;

	if (decimal(text, &value, &rest))
		for (size_t i = 0; i < COUNT_OF(units); ++i)
			if (!strcmp(rest, units[i].name))
				seconds = value * units[i].seconds;
	if (seconds < 0 || seconds * units_per_second > UINT32_MAX)
		return no(why, "expected a time such as 15s, 500ms or 5m, read \"%.40s\"", text);
	*slot = (uint32_t)llround(seconds * units_per_second);
	return 0;
}

int value_seconds(uint32_t *slot, const char *text, char why[VALUE_WHY_SIZE])
{
	return set_time(slot, text, 1, why);
}

/* "192.0.2.1" or "192.0.2.1,2001:db8::1" */
static int set_ips(struct config_texts *list, const char *text, char why[VALUE_WHY_SIZE])
{
	value_clear_texts(list);
	while (*text) {
		char ip[64];
		size_t size = strcspn(text, ", ");
		snprintf(ip, sizeof ip, "%.*s", (int)size, text);
		if (!value_is_ip(ip))
			return no(why, "expected an IP address, or two such as "
				       "192.0.2.1,2001:db8::1, read \"%.40s\"", text);
		int r = value_add_text(list, ip);
		if (r)
			return r;
		text += size;
		text += strspn(text, ", ");
	}
	return 0;
}

static int set_level(int *slot, const char *text, char why[VALUE_WHY_SIZE])
{
	/* LiveKit's library knows three more that are worse than an error. */
	static const char *const names[] = {"debug", "info", "warn", "error", "dpanic", "panic", "fatal"};
	for (size_t i = 0; i < COUNT_OF(names); ++i)
		if (!strcasecmp(text, names[i])) {
			*slot = i < LOG_ERROR ? (int)i : LOG_ERROR;
			return 0;
		}
	return no(why, "expected debug, info, warn or error, read \"%.40s\"", text);
}

int value_set(struct config *c, const struct schema_key *key, const char *text, char why[VALUE_WHY_SIZE])
{
	void *slot = (char *)c + key->offset;
	switch (key->kind) {
	case SCHEMA_BOOL:
		return set_bool(slot, text, why);
	case SCHEMA_PORT:
		return value_port(slot, text, why);
	case SCHEMA_PORTS:
		return set_ports(slot, text, why);
	case SCHEMA_COUNT:
		return set_count(slot, text, why);
	case SCHEMA_LIMIT:
		return set_count(slot, *text == '-' ? "0" : text, why);
	case SCHEMA_RATE:
		return set_rate(slot, text, why);
	case SCHEMA_SECONDS:
		return value_seconds(slot, text, why);
	case SCHEMA_TIME:
		return set_time(slot, text, 1000, why);
	case SCHEMA_TEXT:
		return value_text(slot, text);
	case SCHEMA_IP:
		if (*text && !value_is_ip(text))
			return no(why, "expected an IP address, read \"%.40s\"", text);
		return value_text(slot, text);
	case SCHEMA_IPS:
		return set_ips(slot, text, why);
	case SCHEMA_LEVEL:
		return set_level(slot, text, why);
	case SCHEMA_TEXTS:
	case SCHEMA_PREFIXES:
	case SCHEMA_NETS:
		return no(why, "expected a list such as [\"a\", \"b\"], read \"%.40s\"", text);
	case SCHEMA_KEYS:
		return no(why, "expected a mapping of key names to secrets");
	case SCHEMA_BANKS:
		return no(why, "expected a list of {id, name, phone_number}, read \"%.40s\"", text);
	case SCHEMA_CODECS:
		return no(why, "expected a list of {mime}, read \"%.40s\"", text);
	case SCHEMA_TURNS:
		return no(why, "expected a list of {host, port, protocol, username, credential}");
	case SCHEMA_CERTS:
		return no(why, "expected a list of one {cert_file, key_file}");
	case SCHEMA_PRESETS:
		return no(why, "expected a mapping of names to settings of rooms");
	case SCHEMA_UNUSED:
		break;
	}
	return 0;
}
