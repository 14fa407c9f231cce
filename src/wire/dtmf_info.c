#include "wire/dtmf_info.h"

#include "wire/dtmf_event.h"
#include "wire/sip_uri.h"

static bool next_line(struct span *rest, struct span *ret)
{
	if (!rest->size)
		return false;
	const uint8_t *end = memchr(rest->data, '\n', rest->size);
	size_t size = end ? (size_t)(end - rest->data) : rest->size;
	*ret = sip_trim(span_of(rest->data, size));
	size += end != NULL;
	*rest = span_of(rest->data + size, rest->size - size);
	return true;
}

/* "10" and "11" are what some gateways call '*' and '#': the numbers of RFC 4733. */
static void add_number(struct dtmf_info *d, struct span value)
{
	uint32_t event;
	if (sip_number(value, 15, &event) && event >= 10)
		d->digits[0] = dtmf_event_digit((uint8_t)event);
}

static void add_digits(struct dtmf_info *d, struct span value)
{
	size_t used = strlen(d->digits);

	for (size_t i = 0; i < value.size && used < DTMF_INFO_DIGITS_MAX; ++i) {
		int event = dtmf_event_of_digit((char)value.data[i]);
		if (event >= 0)
			d->digits[used++] = dtmf_event_digit((uint8_t)event);
	}
}

/* A signal is one key. */
static void read_signal(struct dtmf_info *d, struct span value)
{
	if (value.size == 1)
		add_digits(d, value);
	else
		add_number(d, value);
}

static bool read_field(struct dtmf_info *d, struct span line)
{
	const uint8_t *at = memchr(line.data, '=', line.size);
	uint32_t ms;

	if (!at)
		return false;
	size_t size = (size_t)(at - line.data);
	struct span name = sip_trim(span_of(line.data, size));
	struct span value = sip_trim(span_of(at + 1, line.size - size - 1));
	if (span_is_nocase(name, "signal"))
		read_signal(d, value);
	else if (span_is_nocase(name, "duration") && sip_number(value, UINT32_MAX, &ms))
		d->duration_ms = ms < DTMF_INFO_MS_MAX ? ms : DTMF_INFO_MS_MAX;
	return true;
}

bool dtmf_info_parse(struct dtmf_info *ret, struct span body)
{
	struct dtmf_info d = {0};
	struct span line;
	bool fields = false;

	while (next_line(&body, &line)) {
		if (!line.size)
			continue;
		if (read_field(&d, line))
			fields = true;
		else if (!fields)
			add_digits(&d, line);
	}
	*ret = d;
	return d.digits[0] != 0;
}

void dtmf_info_write(struct writer *w, char digit, unsigned duration_ms)
{
	write_format(w, "Signal=%c\r\nDuration=%u\r\n", digit, duration_ms);
}
