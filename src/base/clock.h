/* base/clock.h - what time it is. Engines that are tested with a clock of their own are given
 * the time instead of asking here. Thread: any. */
#pragma once

#include "base/base.h"

uint64_t clock_us(void);      /* monotonic, from an arbitrary start */
uint64_t clock_ms(void);      /* monotonic */
int64_t clock_unix_ns(void);  /* wall clock */
int64_t clock_unix_ms(void);
int64_t clock_unix_s(void);
