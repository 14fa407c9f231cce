#include "media/dtmf_sender.h"

static bool is_pause(char c)
{
	return c == 'w' || c == 'W';
}

size_t dtmf_sender_queue(struct dtmf_sender *s, const char *digits)
{
	size_t queued = 0;
	for (; *digits && s->count < LIMIT_DTMF_QUEUE; ++digits) {
		if (!is_pause(*digits) && dtmf_event_of_digit(*digits) < 0)
			continue;
		s->queue[(s->first + s->count++) % LIMIT_DTMF_QUEUE] = *digits;
		++queued;
	}
	return queued;
}

static enum dtmf_step step_digit(const struct dtmf_sender *s, struct dtmf_packet *ret, char digit,
	uint32_t clock_hz)
{
	if (s->beat >= DTMF_TONE_BEATS - 1 + DTMF_END_BEATS)
		return DTMF_STEP_QUIET;

	bool end = s->beat >= DTMF_TONE_BEATS - 1;
	unsigned beats = end ? DTMF_TONE_BEATS : s->beat + 1;
	*ret = (struct dtmf_packet){
		.event.event = (uint8_t)dtmf_event_of_digit(digit),
		.event.end = end,
		.event.volume = DTMF_VOLUME,
		.event.duration = (uint16_t)(beats * dtmf_beat_ticks(clock_hz)),
		.timestamp = s->timestamp,
		.marker = s->beat == 0,
	};
	return DTMF_STEP_EVENT;
}

enum dtmf_step dtmf_sender_step(
	struct dtmf_sender *s, struct dtmf_packet *ret, bool *done, uint32_t now_ticks,
	uint32_t clock_hz)
{
	*done = false;
	if (!s->count)
		return DTMF_STEP_IDLE;

	char digit = s->queue[s->first];
	if (s->beat == 0)
		s->timestamp = now_ticks;
	enum dtmf_step step = is_pause(digit) ? DTMF_STEP_IDLE : step_digit(s, ret, digit, clock_hz);

	if (++s->beat >= (is_pause(digit) ? DTMF_PAUSE_BEATS : DTMF_DIGIT_BEATS)) {
		s->beat = 0;
		s->first = (s->first + 1) % LIMIT_DTMF_QUEUE;
		*done = --s->count == 0;
	}
	return step;
}
