#include "media/dtmf_receiver.h"

#include "wire/dtmf_event.h"

enum {
	OLD_TICKS = 8000 * 10, /* a timestamp further behind is a clock that was reset */
	SLACK_TICKS = 8 * 20,  /* one packet between what was said and what comes next */
};

/* A long tone goes on in segments of 0xffff ticks (section 2.5.1.3), and some senders move the
 * timestamp with every packet: either way it goes on where it stopped. */
static bool goes_on(const struct dtmf_receiver *r, const struct dtmf_event *e, int32_t ahead)
{
	return ahead == 0 ||
		(!r->ended && e->event == r->event && ahead <= r->duration + SLACK_TICKS);
}

bool dtmf_receiver_packet(
	struct dtmf_receiver *r, struct span payload, uint32_t timestamp, char *digit)
{
	struct dtmf_event e;
	if (!dtmf_event_parse(&e, payload))
		return false;

	int32_t ahead = (int32_t)(timestamp - r->timestamp);
	if (r->heard && ahead < 0 && ahead > -OLD_TICKS)
		return false; /* a straggler of an earlier tone */

	bool same = r->heard && ahead >= 0 && goes_on(r, &e, ahead);
	if (same && ahead == 0) {
		r->ended |= e.end;
		if (e.duration > r->duration)
			r->duration = e.duration;
		return false;
	}
	*r = (struct dtmf_receiver){
		.heard = true,
		.ended = e.end,
		.event = e.event,
		.duration = e.duration,
		.timestamp = timestamp,
	};
	char pressed = same ? 0 : dtmf_event_digit(e.event);
	if (pressed)
		*digit = pressed;
	return pressed != 0;
}
