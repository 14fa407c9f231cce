/* base/buf.h - bytes that grow, up to a maximum that the owner names.
 *
 * Owner:   whoever embeds it. Zeroed memory plus `max` is a valid empty buffer.
 * Owns:    its memory.
 * Thread:  its owner's.
 */
#pragma once

#include "base/base.h"

struct buf {
	uint8_t *data; /* always followed by a zero byte when not NULL */
	size_t size;
	size_t capacity;
	size_t max; /* 0 = no maximum */
};

/* Outcomes of buf_add(). */
enum {
	BUF_E_FULL = 1, /* it would pass `max`; nothing was added */
};

/* Returns 0, BUF_E_FULL or a negative error. */
MUST_USE int buf_add(struct buf *b, const void *bytes, size_t size);
MUST_USE int buf_add_text(struct buf *b, const char *text);
MUST_USE int buf_format(struct buf *b, const char *format, ...) PRINTF(2, 3);
void buf_drop_front(struct buf *b, size_t size);
void buf_fini(struct buf *b);

static inline struct span buf_span(const struct buf *b)
{
	return (struct span){.data = b->data, .size = b->size};
}
