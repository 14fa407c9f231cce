#include "simulator/voice_sound.h"

#include "media/g711.h"
#include "simulator/prompts.h"

#include <math.h>

enum {
	RATE = 8000,
	RING_ON = 2 * RATE,
	RING_PERIOD = 6 * RATE,
};

static void make_tones(struct voice_sound *s)
{
	int16_t tone[SOUND_TABLE], ring[SOUND_TABLE];
	for (int i = 0; i < SOUND_TABLE; ++i) {
		tone[i] = (int16_t)(10000 * sin(2 * M_PI * 1000 * i / RATE));
		ring[i] = (int16_t)(5000 * (sin(2 * M_PI * 440 * i / RATE) + sin(2 * M_PI * 480 * i / RATE)));
	}
	g711_encode(s->tone, tone, SOUND_TABLE, G711_ULAW);
	g711_encode(s->ringback, ring, SOUND_TABLE, G711_ULAW);
}

void voice_sound_init(struct voice_sound *s)
{
	make_tones(s);
	s->mode = SOUND_SILENT;
}

void voice_sound_set(struct voice_sound *s, enum sound_mode mode, uint32_t ms)
{
	s->mode = mode;
	s->left_ms = ms;
	s->phase = 0;
	s->echo_count = 0;
	s->played = 0;
	if (mode == SOUND_RECORD)
		s->recorded_count = 0;
}

void voice_sound_prompt(struct voice_sound *s, const char *name)
{
	const struct prompt *p = prompts;
	while (p->name && strcmp(p->name, name))
		++p;
	voice_sound_set(s, p->name ? SOUND_PROMPT : SOUND_SILENT, 0);
	s->prompt = p->sound;
	s->left = p->size;
}

static void put_wave(struct voice_sound *s, const uint8_t *table, uint8_t *out, size_t size)
{
	for (size_t i = 0; i < size; ++i)
		out[i] = table[(s->phase + i) % SOUND_TABLE];
}

static void put_echo(struct voice_sound *s, uint8_t *out, size_t size)
{
	for (size_t i = 0; i < size && s->echo_count; ++i) {
		out[i] = s->echo[s->echo_head];
		s->echo_head = (s->echo_head + 1) % SOUND_ECHO_BYTES;
		--s->echo_count;
	}
}

/* Some bytes of a longer sound. True at its end. */
static bool put_part(uint8_t *out, size_t size, const uint8_t *from, size_t left)
{
	size_t count = left < size ? left : size;
	if (count)
		memcpy(out, from, count);
	return left <= size;
}

bool voice_sound_next(struct voice_sound *s, uint8_t *out, size_t size, bool *raw)
{
	bool ended;
	memset(out, G711_ULAW_SILENCE, size);
	*raw = false;
	switch (s->mode) {
	case SOUND_PROMPT:
		ended = put_part(out, size, s->prompt, s->left);
		s->prompt += s->left < size ? s->left : size;
		s->left -= s->left < size ? s->left : size;
		return ended;
	case SOUND_PLAY_BACK:
		*raw = s->played + size <= s->recorded_count; /* the last piece is silence */
		ended = *raw ? put_part(out, size, s->recorded + s->played, s->recorded_count - s->played) : true;
		s->played += size;
		return ended;
	case SOUND_ECHO:
		*raw = s->echo_count >= size;
		if (*raw)
			put_echo(s, out, size);
		return false;
	case SOUND_TONE:
		put_wave(s, s->tone, out, size);
		break;
	case SOUND_RINGBACK:
		if (s->phase % RING_PERIOD < RING_ON)
			put_wave(s, s->ringback, out, size);
		break;
	default:
		break;
	}
	s->phase += size;
	if (!s->left_ms)
		return false;
	s->left_ms -= s->left_ms < size / 8 ? s->left_ms : (uint32_t)size / 8;
	return s->left_ms == 0;
}

void voice_sound_heard(struct voice_sound *s, struct span payload)
{
	if (s->mode == SOUND_RECORD && s->recorded_count + payload.size <= SOUND_RECORD_BYTES) {
		memcpy(s->recorded + s->recorded_count, payload.data, payload.size);
		s->recorded_count += payload.size;
	}
	for (size_t i = 0; s->mode == SOUND_ECHO && i < payload.size; ++i) {
		if (s->echo_count == SOUND_ECHO_BYTES) {
			s->echo_head = (s->echo_head + 1) % SOUND_ECHO_BYTES;
			--s->echo_count;
		}
		s->echo[(s->echo_head + s->echo_count++) % SOUND_ECHO_BYTES] = payload.data[i];
	}
}
