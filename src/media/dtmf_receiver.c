#include "media/dtmf_receiver.h"

enum {
	OLD_TICKS = 8000 * 10,  /* a timestamp this much behind is a clock that was reset */
	SLACK_TICKS = 8 * 20,   /* one packet between what was said and what comes next */
};

static bool same_tone(const struct dtmf_receiver *r, const struct dtmf_event *e, uint32_t timestamp,
	bool marker)
{
	int32_t ahead = (int32_t)(timestamp - r->timestamp);
	if (ahead == 0)
		return true;
	/* A long tone goes on in segments of 0xffff ticks (section 2.5.1.3), and some senders move
	 * the timestamp with every packet: either way it goes on where it stopped. */
	return !marker && !r->ended && e->event == r->event && ahead > 0 &&
		ahead <= r->duration + SLACK_TICKS;
}

static bool stale(const struct dtmf_receiver *r, uint32_t timestamp)
{
	int32_t ahead = (int32_t)(timestamp - r->timestamp);
	return ahead < 0 && ahead > -OLD_TICKS;
}

char dtmf_receiver_put(struct dtmf_receiver *r, const struct dtmf_event *e, uint32_t ssrc,
	uint32_t timestamp, bool marker)
{
	bool known = r->heard && r->ssrc == ssrc;
	if (known && stale(r, timestamp))
		return 0; /* a straggler of an earlier tone */

	bool same = known && same_tone(r, e, timestamp, marker);
	bool longer = !same || timestamp != r->timestamp || e->duration > r->duration;
	*r = (struct dtmf_receiver){
		.heard = true,
		.ended = e->end || (same && r->ended),
		.event = same ? r->event : e->event,
		.duration = longer ? e->duration : r->duration,
		.ssrc = ssrc,
		.timestamp = timestamp,
	};
	return same ? 0 : dtmf_event_digit(e->event);
}
