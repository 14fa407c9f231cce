#include "trunk/target.h"

#include "wire/sip_uri.h"

#include <stdarg.h>
#include <stdio.h>

enum { SHORT_DIGITS_MAX = 6 }; /* extensions, and services of a PBX */

/* ---- the URI's user ---- */

static bool is_separator(char c)
{
	return c && strchr(" -.()/", c);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int hex_value(uint8_t c)
{
	uint8_t lower = c | 0x20;

	if (c >= '0' && c <= '9')
		return c - '0';
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Without its escapes. False: too long, or with what no user has. */
static bool unescape(char out[TARGET_TEXT_SIZE], struct span s)
{
	size_t used = 0;

	for (size_t i = 0; i < s.size; ++i) {
		uint8_t c = s.data[i];
		if (c == '%') {
			int high = i + 2 < s.size ? hex_value(s.data[i + 1]) : -1;
			int low = i + 2 < s.size ? hex_value(s.data[i + 2]) : -1;
			if (high < 0 || low < 0)
				return false;
			c = (uint8_t)(high << 4 | low);
			i += 2;
		}
		if (c < ' ' || c == 0x7f || used + 1 >= TARGET_TEXT_SIZE)
			return false;
		out[used++] = (char)c;
	}
	out[used] = 0;
	return true;
}

/* The URI's user, or a tel URI's number, and the parameters behind either. */
static bool read_user(struct target *ret, char params[TARGET_TEXT_SIZE], const char *uri)
{
	struct span text = span_text(uri);
	struct sip_uri u;

	if (text.size > 2 && text.data[0] == '<' && text.data[text.size - 1] == '>')
		text = span_of(text.data + 1, text.size - 2);
	if (sip_uri_parse(&u, text) || u.scheme == SIP_SCHEME_OTHER)
		return false;
	bool is_tel = u.scheme == SIP_SCHEME_TEL;
	if (!unescape(ret->user, is_tel ? u.host : u.user) || !unescape(params, is_tel ? u.params : (struct span){0}))
		return false;
	/* RFC 3261, 19.1.6: a number in a SIP URI has a tel URI's parameters in front of the '@'. */
	char *semicolon = strchr(ret->user, ';');
	if (semicolon) {
		snprintf(params, TARGET_TEXT_SIZE, "%s", semicolon + 1);
		*semicolon = 0;
	}
	return true;
}

bool target_routes_elsewhere(const char *params)
{
	static const char *const names[] = {"rn", "cic", "tgrp", "trunk-context"};

	for (size_t i = 0; i < COUNT_OF(names); ++i)
		if (sip_param_get(span_text(params), names[i], NULL))
			return true;
	return false;
}

/* ---- its readings ---- */

PRINTF(2, 3) static void add(struct target *t, const char *format, ...)
{
	va_list args;

	if (t->count == TARGET_READINGS_MAX)
		return;
	va_start(args, format);
	vsnprintf(t->readings[t->count++], TARGET_TEXT_SIZE, format, args);
	va_end(args);
}

/* With the prefix of international calls, as it is dialled in most of the world, in North America, and in
 * Australia. */
static bool read_international(struct target *t, const char *digits)
{
	static const char *const prefixes[] = {"0011", "011", "00"};
	size_t before = t->count;

	for (size_t i = 0; i < COUNT_OF(prefixes); ++i) {
		size_t size = strlen(prefixes[i]);
		if (!strncmp(digits, prefixes[i], size) && digits[size] != '0')
			add(t, "+%s", digits + size);
	}
	return t->count > before;
}

/* As a call within the country, with and without the digit that stands for "long distance", and behind the
 * digit for an outside line. */
static void read_national(struct target *t, const char *digits, const char *const *own, size_t own_count)
{
	for (size_t i = 0; i < own_count; ++i) {
		if (digits[0] == '0' || digits[0] == '8')
			add(t, "%s%s", own[i], digits + 1);
		if (digits[0] != '0')
			add(t, "%s%s", own[i], digits);
	}
	if (digits[0] == '9' || digits[0] == '0')
		add(t, "+%s", digits + 1);
}

static enum target_kind read_digits(struct target *t, const char *digits, const char *const *own, size_t own_count)
{
	bool abroad = read_international(t, digits);

	if (!abroad && digits[0] != '0')
		add(t, "+%s", digits);
	read_national(t, digits, own, own_count);
	/* Who dials at home says "0" for that; where home is not known, it is anybody's. */
	return digits[0] == '0' && !abroad && !own_count ? TARGET_E_NUMBER : TARGET_NUMBER;
}

/* A tel URI's number that is local to "+1" or "+49211" (RFC 3966, 5.1.5). */
static bool read_context(struct target *t, const char *params, const char *digits)
{
	struct span context;

	if (!sip_param_get(span_text(params), "phone-context", &context) || !context.size || context.data[0] != '+')
		return false;
	add(t, "%.*s%s", (int)context.size, (const char *)context.data, digits);
	return true;
}

/* Digits, and how many bytes of `user` they and their separators are. */
static size_t leading_digits(char out[TARGET_TEXT_SIZE], const char *user)
{
	size_t used = 0, at = 0;

	for (; is_digit(user[at]) || is_separator(user[at]); ++at)
		if (is_digit(user[at]))
			out[used++] = user[at];
	out[used] = 0;
	return at;
}

static bool has_letter(const char *text)
{
	for (; *text; ++text)
		if ((*text | 0x20) >= 'a' && (*text | 0x20) <= 'z')
			return true;
	return false;
}

static enum target_kind read_number(struct target *t, const char *params, const char *const *own, size_t own_count)
{
	char digits[TARGET_TEXT_SIZE];
	size_t first = strspn(t->user, " -.()/"), end = leading_digits(digits, t->user);
	bool is_whole = !t->user[end];

	if (t->user[first] == '+') {
		add(t, "%s", t->user + first);
		return TARGET_NUMBER;
	}
	if (is_whole && read_context(t, params, digits))
		return TARGET_NUMBER;
	/* "*6719005550123", and digits of other scripts, are no names. */
	if (!is_whole && !has_letter(t->user))
		return strlen(t->user) > SHORT_DIGITS_MAX ? TARGET_E_NUMBER : TARGET_NAME;
	if (strlen(digits) <= SHORT_DIGITS_MAX) {
		if (is_whole)
			snprintf(t->user, sizeof t->user, "%s", digits);
		return TARGET_NAME;
	}
	return is_whole ? read_digits(t, digits, own, own_count) : TARGET_E_NUMBER;
}

void target_read(struct target *ret, const char *uri, const char *const *own, size_t own_count)
{
	char params[TARGET_TEXT_SIZE];

	memset(ret, 0, sizeof *ret);
	if (!read_user(ret, params, uri))
		ret->kind = TARGET_E_URI;
	else if (target_routes_elsewhere(params))
		ret->kind = TARGET_E_NUMBER;
	else
		ret->kind = read_number(ret, params, own, own_count);
}

void target_read_user(struct target *ret, const char *user, const char *const *own, size_t own_count)
{
	char uri[2 * TARGET_TEXT_SIZE];

	snprintf(uri, sizeof uri, "sip:%.*s@localhost", TARGET_TEXT_SIZE, user);
	target_read(ret, uri, own, own_count);
}
