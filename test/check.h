/* test/check.h - the whole unit test framework. Each file is its own program, so a failed check
 * may simply end it, a crash cannot take other tests along, and gdb needs no flags. */
#pragma once

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond);       \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

#define CHECK_EQ(got, want)                                                                        \
	do {                                                                                       \
		intmax_t g_ = (intmax_t)(got), w_ = (intmax_t)(want);                              \
		if (g_ != w_) {                                                                    \
			fprintf(stderr, "%s:%d: %s is %" PRIdMAX ", not %" PRIdMAX "\n", __FILE__, \
				__LINE__, #got, g_, w_);                                           \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

#define CHECK_STR(got, want)                                                                       \
	do {                                                                                       \
		const char *g_ = (got), *w_ = (want);                                              \
		if (!g_ || strcmp(g_, w_)) {                                                       \
			fprintf(stderr, "%s:%d: %s is \"%s\", not \"%s\"\n", __FILE__, __LINE__,   \
				#got, g_ ? g_ : "(null)", w_);                                     \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)
