/* config/read_file.h - a whole small file at once. Thread: any. Owns nothing. */
#pragma once

#include "base/buf.h"

/* Outcomes; anything else that goes wrong is a negative error. */
enum {
	READ_FILE_E_MISSING = 1,
	READ_FILE_E_DENIED, /* not ours to read, or no file */
	READ_FILE_E_FULL,   /* larger than b->max */
};
/* Appends to `b`; "-" is standard input. */
MUST_USE int read_file(struct buf *b, const char *path);
