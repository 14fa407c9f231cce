/* media/g722.h - G.722 at 64 kbit/s, 16 kHz (ITU-T G.722, mode 1): two sub-bands, each an adaptive
 * differential coder. Its RTP clock is 8000 (RFC 3551, 4.5.2), one byte is two samples.
 *
 * Our own: the only library in Debian that has it (spandsp) wants libtiff and libjpeg with it. The
 * bits are those of the recommendation: test/unit/media_g722.c has the sums of spandsp's.
 *
 * Owner:   the leg or voice that embeds it. Owns: nothing. Thread: its owner's. Pure.
 */
#pragma once

#include "base/base.h"

enum { G722_SAMPLES_PER_BYTE = 2, G722_TAPS = 24 };

/* One sub-band's predictor and step size; the names are the recommendation's. */
struct g722_band {
	int s, sz;        /* the predicted signal, and what the zeros add to it */
	int nb, det;      /* step size: its logarithm, and itself */
	int a[2], b[6];   /* two poles, six zeros */
	int r[2], p[2];   /* reconstructed signals, and their part without the poles */
	int d[6];         /* quantised differences, the newest first */
};

struct g722_coder {
	struct g722_band low, high;
	int x[G722_TAPS]; /* of the filter that splits, or joins, the bands */
};

void g722_init(struct g722_coder *c); /* encoder or decoder */
/* `count` samples, even; count / 2 bytes. */
void g722_encode(struct g722_coder *c, uint8_t *out, const int16_t *in, size_t count);
/* 2 * `size` samples. */
void g722_decode(struct g722_coder *c, int16_t *out, const uint8_t *in, size_t size);
