/* base/writer.h - fill a buffer of fixed size without ever writing past its end.
 *
 * A write that does not fit writes nothing and sets `bad`; so does every write after it. The
 * caller asks once, at the end. The mirror of base/reader.h.
 */
#pragma once

#include "base/base.h"

struct writer {
	uint8_t *data;
	size_t size; /* capacity */
	size_t used;
	bool bad;
};

static inline struct writer writer_of(void *data, size_t size)
{
	return (struct writer){.data = data, .size = size};
}

static inline struct span writer_span(const struct writer *w)
{
	return (struct span){.data = w->data, .size = w->bad ? 0 : w->used};
}

static inline void write_bytes(struct writer *w, const void *bytes, size_t size)
{
	if (w->bad || w->size - w->used < size) {
		w->bad = true;
		return;
	}
	if (size)
		memcpy(w->data + w->used, bytes, size);
	w->used += size;
}

static inline void write_u8(struct writer *w, uint8_t value)
{
	write_bytes(w, &value, 1);
}

static inline void write_u16(struct writer *w, uint16_t value)
{
	uint8_t b[2] = {(uint8_t)(value >> 8), (uint8_t)value};
	write_bytes(w, b, sizeof b);
}

static inline void write_u32(struct writer *w, uint32_t value)
{
	write_u16(w, (uint16_t)(value >> 16));
	write_u16(w, (uint16_t)value);
}

static inline void write_span(struct writer *w, struct span s)
{
	write_bytes(w, s.data, s.size);
}

static inline void write_text(struct writer *w, const char *text)
{
	write_bytes(w, text, strlen(text));
}

/* printf into the buffer; no terminating zero is counted. */
void write_format(struct writer *w, const char *format, ...) PRINTF(2, 3);
