#include "base/mem.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_size_t live;
static _Thread_local int fail_after = -1;

static bool must_fail(void)
{
	if (fail_after == 0)
		return true;
	if (fail_after > 0)
		--fail_after;
	return false;
}

void *mem_zalloc(size_t size)
{
	void *p = must_fail() ? NULL : calloc(1, size);
	if (p)
		atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
	return p;
}

void *mem_realloc(void *p, size_t size)
{
	if (!p)
		return mem_zalloc(size);
	return must_fail() ? NULL : realloc(p, size);
}

char *mem_strndup(const char *text, size_t size)
{
	char *copy = mem_zalloc(size + 1);
	if (copy && size)
		memcpy(copy, text, size);
	return copy;
}

char *mem_strdup(const char *text)
{
	return mem_strndup(text, strlen(text));
}

char *mem_format(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int size = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (size < 0)
		return NULL;

	char *text = mem_zalloc((size_t)size + 1);
	if (!text)
		return NULL;
	va_start(args, format);
	vsnprintf(text, (size_t)size + 1, format, args);
	va_end(args);
	return text;
}

void mem_free(void *p)
{
	if (!p)
		return;
	atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
	free(p);
}

size_t mem_live(void)
{
	return atomic_load_explicit(&live, memory_order_relaxed);
}

void mem_fail_after(int count)
{
	fail_after = count;
}

void mem_free_wiped(void *p, size_t size)
{
	if (p)
		explicit_bzero(p, size);
	mem_free(p);
}
