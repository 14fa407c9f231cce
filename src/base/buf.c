#include "base/buf.h"

#include "base/err.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static int grow(struct buf *b, size_t size)
{
	if (b->capacity >= size + 1)
		return 0;
	size_t capacity = (size + 1) * 2;
	uint8_t *data = mem_realloc(b->data, capacity);
	if (!data)
		return err_new(-ENOMEM);
	b->data = data;
	b->capacity = capacity;
	return 0;
}

int buf_add(struct buf *b, const void *bytes, size_t size)
{
	if (b->max && (b->size > b->max || size > b->max - b->size))
		return BUF_E_FULL;
	int r = grow(b, b->size + size);
	if (r < 0)
		return r;
	if (size)
		memcpy(b->data + b->size, bytes, size);
	b->size += size;
	b->data[b->size] = 0;
	return 0;
}

int buf_add_text(struct buf *b, const char *text)
{
	return buf_add(b, text, strlen(text));
}

int buf_format(struct buf *b, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = NULL;
	int n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		return err_new(-ENOMEM);
	int r = buf_add(b, text, (size_t)n);
	/* vasprintf's own memory: not one of ours. */
	free(text);
	return r;
}

void buf_drop_front(struct buf *b, size_t size)
{
	assert(size <= b->size);
	if (!b->data)
		return; /* nothing was ever in it */
	memmove(b->data, b->data + size, b->size - size);
	b->size -= size;
	b->data[b->size] = 0;
}

void buf_fini(struct buf *b)
{
	mem_free(b->data);
	*b = (struct buf){.max = b->max};
}
