/* media/room_voice.h - one voice of the room on its way to the phone: packets in as they come, 20 ms
 * of sound at the leg's rate out at each beat.
 *
 *   packet -> jitter buffer -> Opus at 8 or 16 kHz; G.711 or G.722, twice or half the samples if the
 *   leg's rate is not theirs -> shortened when it lags -> beat
 *
 * Owner:   the leg that hears it.
 * Owns:    jitter buffer, decoder.
 * Thread:  its worker's. Allocates in _init only (about 40 KB altogether).
 */
#pragma once

#include "media/halfband.h"
#include "media/jitter.h"
#include "media/line_codec.h"
#include "media/opus_voice.h"
#include "media/plc.h"
#include "media/worker.h"

enum {
	ROOM_VOICE_FRAME_MAX = 320, /* 20 ms at 16 kHz */
	/* What a beat may leave, what a cut needs, and the longest packet on top. */
	ROOM_VOICE_SAMPLES = 3 * ROOM_VOICE_FRAME_MAX + OPUS_VOICE_SAMPLES_MAX,
};

struct room_voice {
	struct jitter jitter;
	uint32_t hz;        /* of the sound that leaves: the leg's, 8000 or 16000 */
	uint32_t opus_hz;   /* of the decoder: another one between room_voice_rate() and the next pause */
	struct opus_voice_decoder *decoder;
	struct line_codec line;
	struct plc plc;     /* at the line codec's own rate */
	struct halfband halfband;
	enum codec codec;   /* OPUS, or one of line_codec.h: what is being heard; RED counts as Opus */
	uint64_t heard_us;  /* when a packet of that codec came last */
	bool levels_known;  /* this sender names levels, so 127 means silence */
	bool silent;        /* the latest sound was silence by its level */
	bool talking;       /* sound came lately: a hole is to be concealed */
	bool cut;           /* the next beat shortens the sound */
	unsigned made_up;   /* beats in a row without a packet */
	uint64_t concealed; /* beats that were made up, in part or altogether */
	size_t count;       /* decoded and not yet played */
	size_t audible;     /* up to here there is something to hear */
	int16_t pcm[ROOM_VOICE_SAMPLES];
};

MUST_USE int room_voice_init(struct room_voice *v, uint32_t hz);
/* The leg works at another rate from now on, without a gap. */
void room_voice_rate(struct room_voice *v, uint32_t hz);
static inline size_t room_voice_frame(const struct room_voice *v)
{
	return v->hz / 50;
}
void room_voice_fini(struct room_voice *v);

/* Packets of other codecs, or malformed ones, are dropped. */
void room_voice_put(struct room_voice *v, const struct media_packet *p);
/* Something came that was not played yet. */
static inline bool room_voice_holds(const struct room_voice *v)
{
	return v->jitter.held || (v->audible && v->count);
}
/* The next 20 ms: room_voice_frame() samples. False when there is nothing to hear; `out` is then untouched. */
MUST_USE bool room_voice_take(struct room_voice *v, int16_t *out, uint64_t now_us);
