/* cli/calls.h - what `ringdown calls` and `ringdown calls show` share.
 *
 * Owner, owns: nothing. Thread: the main thread.
 */
#pragma once

#include "base/base.h"

#include <jansson.h>

/* Local time, "2026-01-31 18:30:02"; "" for 0. */
enum { CALLS_TIME_SIZE = 24 };
const char *calls_time(char out[CALLS_TIME_SIZE], int64_t unix_ms);
/* A text at a path of names, "trunk", "name"; "" when it is not there. */
const char *calls_text(const json_t *call, const char *name, const char *inner);
int64_t calls_number(const json_t *call, const char *name, const char *inner); /* 0 likewise */
/* "busy (486)", "active": how it stands with a call. */
const char *calls_outcome(char *out, size_t size, const json_t *call);
/* "1:05" of the time spoken; "" when it was never answered. */
const char *calls_talk(char *out, size_t size, const json_t *call);
