/* base/mem.h - malloc with a leak counter and a switch that makes it fail.
 *
 * Thread: any. The counter is atomic; the failing switch is for single-threaded tests.
 */
#pragma once

#include "base/base.h"

MUST_USE void *mem_zalloc(size_t size);
MUST_USE void *mem_realloc(void *p, size_t size); /* new bytes are not zeroed */
MUST_USE char *mem_strdup(const char *text);
MUST_USE char *mem_strndup(const char *text, size_t size);
MUST_USE char *mem_format(const char *format, ...) PRINTF(1, 2);
void mem_free(void *p); /* NULL is fine */
/* Zeroed first: there may be keys in its `size` bytes. */
void mem_free_wiped(void *p, size_t size);

/* For tests: blocks alive now; and let the next `count` allocations succeed, then fail
 * (negative: never fail). */
size_t mem_live(void);
void mem_fail_after(int count);
