#include "wire/dtmf_event.h"

#include "base/reader.h"

static const char digits[] = "0123456789*#ABCD";

bool dtmf_event_parse(struct dtmf_event *ret, struct span payload)
{
	struct reader r = reader_of(payload);
	uint8_t event = read_u8(&r);
	uint8_t flags = read_u8(&r);
	uint16_t duration = read_u16(&r);

	if (r.bad)
		return false;
	*ret = (struct dtmf_event){
		.event = event,
		.end = flags >> 7,
		.volume = flags & 0x3f,
		.duration = duration,
	};
	return true;
}

void dtmf_event_write(struct writer *w, const struct dtmf_event *e)
{
	write_u8(w, e->event);
	write_u8(w, (uint8_t)(e->end << 7 | (e->volume & 0x3f)));
	write_u16(w, e->duration);
}

char dtmf_event_digit(uint8_t event)
{
	return event < sizeof digits - 1 ? digits[event] : 0;
}

int dtmf_event_of_digit(char digit)
{
	if (digit >= 'a' && digit <= 'd')
		digit = (char)(digit - 'a' + 'A');
	const char *at = digit ? strchr(digits, digit) : NULL;
	return at ? (int)(at - digits) : -1;
}
