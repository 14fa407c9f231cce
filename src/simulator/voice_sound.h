/* simulator/voice_sound.h - what a far end's next frame of sound is: a prompt, a tone, ringback, what it heard.
 * Everything is mu-law but what was heard, which goes back as it came.
 *
 * Owner:   a voice embeds it; voice_sound_init() first. Owns: nothing. Pure. Thread: its owner's.
 */
#pragma once

#include "base/base.h"

enum sound_mode {
	SOUND_SILENT,
	SOUND_PROMPT,
	SOUND_TONE,
	SOUND_RINGBACK,
	SOUND_ECHO,
	SOUND_RECORD, /* silent outside */
	SOUND_PLAY_BACK,
	SOUND_NOISE,   /* comfort noise packets: no samples */
	SOUND_NOTHING, /* no packets */
};

enum {
	SOUND_FRAME_MAX = 480,  /* 60 ms */
	SOUND_ECHO_BYTES = 1280, /* 160 ms of the caller kept, so that its jitter does not tear the echo */
	SOUND_RECORD_BYTES = 40000, /* 5 s */
	SOUND_TABLE = 400, /* a whole number of periods of 440, 480 and 1000 Hz */
};

struct voice_sound {
	enum sound_mode mode;
	const uint8_t *prompt;
	size_t left;      /* bytes of the prompt not yet sent */
	uint32_t left_ms; /* of a tone or pause; 0 = for ever */
	uint8_t tone[SOUND_TABLE], ringback[SOUND_TABLE];
	size_t phase;     /* samples since the tone began */
	uint8_t echo[SOUND_ECHO_BYTES];
	size_t echo_head, echo_count;
	uint8_t recorded[SOUND_RECORD_BYTES];
	size_t recorded_count, played;
};

void voice_sound_init(struct voice_sound *s);
void voice_sound_set(struct voice_sound *s, enum sound_mode mode, uint32_t ms);
void voice_sound_prompt(struct voice_sound *s, const char *name);
/* Fills the next `size` bytes; *raw: they are in the caller's own codec. True when it has just ended. */
bool voice_sound_next(struct voice_sound *s, uint8_t *out, size_t size, bool *raw);
void voice_sound_heard(struct voice_sound *s, struct span payload);
