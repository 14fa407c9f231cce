#include "base/writer.h"

#include <stdarg.h>
#include <stdio.h>

void write_format(struct writer *w, const char *format, ...)
{
	if (w->bad)
		return;

	size_t left = w->size - w->used;
	va_list args;
	va_start(args, format);
	int n = vsnprintf((char *)w->data + w->used, left, format, args);
	va_end(args);
	/* vsnprintf needs room for its zero, which stays behind `used` and is not counted. */
	if (n < 0 || (size_t)n >= left) {
		w->bad = true;
		return;
	}
	w->used += (size_t)n;
}
