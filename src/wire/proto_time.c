#include "wire/proto_time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define DURATION_MAX_S  INT64_C(315576000000)
#define TIMESTAMP_MIN_S INT64_C(-62135596800) /* 0001-01-01 */
#define TIMESTAMP_MAX_S INT64_C(253402300799) /* 9999-12-31 */

enum {
	NANO = 1000000000,
	DAY_S = 86400
};

/* Up to `max` digits; how many there were. */
static int read_digits(int64_t *value, const char **at, int max)
{
	int n = 0;
	for (*value = 0; n < max && **at >= '0' && **at <= '9'; ++n, ++*at)
		*value = *value * 10 + (**at - '0');
	return n;
}

/* ".5" -> 500000000; nothing when there is no point. */
static bool read_fraction(int32_t *nanos, const char **at)
{
	*nanos = 0;
	if (**at != '.')
		return true;
	++*at;
	int64_t value;
	int n = read_digits(&value, at, 9);
	for (int i = n; i < 9; ++i)
		value *= 10;
	*nanos = (int32_t)value;
	return n > 0;
}

/* No digits, or 3, 6, 9. */
static void write_fraction(char out[16], int32_t nanos)
{
	out[0] = 0;
	if (nanos == 0)
		return;
	int size = snprintf(out, 16, ".%09d", nanos);
	while (size > 4 && memcmp(out + size - 3, "000", 3) == 0)
		out[size -= 3] = 0;
}

bool proto_duration_read(int64_t *seconds, int32_t *nanos, const char *text)
{
	bool negative = *text == '-';
	text += negative || *text == '+';
	int digits = read_digits(seconds, &text, 13);
	bool point = *text == '.';
	if (!read_fraction(nanos, &text) || (digits == 0 && !point) || strcmp(text, "s"))
		return false;
	if (*seconds > DURATION_MAX_S)
		return false;
	if (negative) {
		*seconds = -*seconds;
		*nanos = -*nanos;
	}
	return true;
}

bool proto_duration_write(char out[PROTO_TIME_BYTES], int64_t seconds, int32_t nanos)
{
	if (seconds > DURATION_MAX_S || seconds < -DURATION_MAX_S || nanos >= NANO ||
		nanos <= -NANO || (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0))
		return false;
	bool negative = seconds < 0 || nanos < 0;
	char fraction[16];
	write_fraction(fraction, abs(nanos));
	snprintf(out, PROTO_TIME_BYTES, "%s%" PRId64 "%ss", negative ? "-" : "",
		seconds < 0 ? -seconds : seconds, fraction);
	return true;
}

static bool is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int64_t year, int64_t month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to the first of January of `year` (1 or later). */
static int64_t days_before(int64_t year)
{
	int64_t y = year - 1;
	return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static bool read_part(int64_t *value, const char **at, int digits, char after)
{
	if (read_digits(value, at, digits) != digits)
		return false;
	if (after && **at != after)
		return false;
	*at += after != 0;
	return true;
}

static bool read_offset(int64_t *offset_s, const char *at)
{
	*offset_s = 0;
	if (*at == 'Z' || *at == 'z')
		return at[1] == 0;
	if (*at != '+' && *at != '-')
		return false;
	int64_t sign = *at++ == '-' ? -1 : 1, hours, minutes;
	if (!read_part(&hours, &at, 2, ':') || !read_part(&minutes, &at, 2, 0))
		return false;
	*offset_s = sign * (hours * 3600 + minutes * 60);
	return *at == 0 && hours < 24 && minutes < 60;
}

bool proto_timestamp_read(int64_t *seconds, int32_t *nanos, const char *text)
{
	int64_t year, month, day, hour, minute, second, offset;
	if (!read_part(&year, &text, 4, '-') || !read_part(&month, &text, 2, '-') ||
		!read_part(&day, &text, 2, 0) || (*text != 'T' && *text != 't'))
		return false;
	++text;
	if (!read_part(&hour, &text, 2, ':') || !read_part(&minute, &text, 2, ':') ||
		!read_part(&second, &text, 2, 0) || !read_fraction(nanos, &text) ||
		!read_offset(&offset, text))
		return false;
	if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_days(year, month) ||
		hour > 23 || minute > 59 || second > 59)
		return false;

	int64_t days = days_before(year) + day - 1;
	for (int64_t m = 1; m < month; ++m)
		days += month_days(year, m);
	*seconds = days * DAY_S + hour * 3600 + minute * 60 + second - offset;
	return *seconds >= TIMESTAMP_MIN_S && *seconds <= TIMESTAMP_MAX_S;
}

bool proto_timestamp_write(char out[PROTO_TIME_BYTES], int64_t seconds, int32_t nanos)
{
	if (seconds < TIMESTAMP_MIN_S || seconds > TIMESTAMP_MAX_S || nanos < 0 || nanos >= NANO)
		return false;
	int64_t since = seconds - TIMESTAMP_MIN_S, days = since / DAY_S, rest = since % DAY_S;
	int64_t year = 1 + days / 366; /* too early at most, never too late */
	int64_t first = days_before(1);
	while (days_before(year + 1) - first <= days)
		++year;
	days -= days_before(year) - first;
	int64_t month = 1;
	for (; days >= month_days(year, month); ++month)
		days -= month_days(year, month);

	char fraction[16];
	write_fraction(fraction, nanos);
	snprintf(out, PROTO_TIME_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", (int)year, (int)month,
		(int)days + 1, (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60),
		fraction);
	return true;
}
