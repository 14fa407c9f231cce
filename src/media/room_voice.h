/* media/room_voice.h - one voice of the room on its way to the phone: packets in as they come, 20 ms
 * of sound at 8 kHz out at each beat.
 *
 *   packet -> jitter buffer -> Opus at 8 kHz, or G.711 by table -> shortened when it lags -> beat
 *
 * Owner:   the leg that hears it.
 * Owns:    jitter buffer, decoder.
 * Thread:  its worker's. Allocates in _init only (about 32 KB altogether).
 */
#pragma once

#include "media/jitter.h"
#include "media/opus_voice.h"
#include "media/plc.h"
#include "media/worker.h"

enum {
	ROOM_VOICE_FRAME = 160,
	/* What a beat may leave, what a cut needs, and the longest packet on top. */
	ROOM_VOICE_SAMPLES = 2 * 160 + OPUS_VOICE_SAMPLES_MAX + 160,
};

struct room_voice {
	struct jitter jitter;
	struct opus_voice_decoder *decoder;
	struct plc plc;
	enum codec codec;   /* OPUS, PCMU or PCMA: what is being heard; RED counts as Opus */
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

MUST_USE int room_voice_init(struct room_voice *v);
void room_voice_fini(struct room_voice *v);

/* Packets of other codecs, or malformed ones, are dropped. */
void room_voice_put(struct room_voice *v, const struct media_packet *p);
/* Something came that was not played yet. */
static inline bool room_voice_holds(const struct room_voice *v)
{
	return v->jitter.held || (v->audible && v->count);
}
/* The next 20 ms. False when there is nothing to hear; `out` is then untouched. */
MUST_USE bool room_voice_take(
	struct room_voice *v, int16_t out[ROOM_VOICE_FRAME], uint64_t now_us);
