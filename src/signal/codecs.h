/* signal/codecs.h - which codec travels in a section, and what its lines in the SDP say: Opus
 * always (RFC 7587); RED around it (RFC 2198) for a publisher that may and a listener that can; a
 * phone's own codec for those who take it.
 *
 * Pure: decides and writes down. End-to-end encrypted sound never travels as RED, since nobody here
 * could take the Opus out of it.
 *
 * Owner:   the caller. Owns: nothing. Thread: any.
 */
#pragma once

#include "media/codec.h"
#include "room/room.h"
#include "signal/describe.h"

struct codec_choice {
	enum codec codec; /* CODEC_NONE: nothing that we have */
	uint8_t pt;
	uint8_t opus_pt; /* with CODEC_RED: of what is inside */
	bool nack;       /* lost packets may be asked for (RFC 4585); never of RED, which has copies */
};

/* The format of `codec` in a section, or NULL. RED only around that section's Opus. */
MUST_USE const struct sdp_format *codecs_find(const struct sdp_media *m, enum codec codec);

/* Lost packets may be asked for, in the formats of `offer` that say so (NULL: we offer), unless the
 * section is one of RED. After its codecs are written. */
void codecs_add_nack(struct describe_section *d, const struct sdp_media *offer);

/* ---- what a client publishes ---- */
/* May this track come as RED? */
MUST_USE bool codecs_may_be_red(const Livekit__AddTrackRequest *a);
/* What its encoder shall do (RFC 7587, 6.1); zeroed: nothing in particular. */
struct codec_wish {
	bool dtx, stereo;
};
struct codec_wish codecs_wish(const Livekit__AudioTrackFeature *features, size_t count);
/* `red_pt` 0: no RED. */
void codecs_from_client(
	struct describe_section *d, struct codec_wish wish, uint8_t opus_pt, uint8_t red_pt);

/* ---- what a client hears ---- */
/* Our offer, in payload types of our own. `t` NULL: a section that waits. */
void codecs_offer(struct describe_section *d, const struct track *t);
/* Our answer, in the client's payload types. */
void codecs_answer(struct describe_section *d, const struct track *t, const struct sdp_media *m);
/* What we send when we answered: the best that the client offered. */
MUST_USE struct codec_choice codecs_best(const struct track *t, const struct sdp_media *offer);
/* What we send when we offered: what the client put first. */
MUST_USE struct codec_choice codecs_first(const struct track *t, const struct sdp_media *answer);
