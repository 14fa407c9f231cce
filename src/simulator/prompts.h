/* simulator/prompts.h - what the bank says, as 8 kHz mu-law; rendered at build time. Thread: any. */
#pragma once

#include "base/base.h"

struct prompt {
	const char *name; /* NULL ends the table */
	const uint8_t *sound;
	size_t size; /* bytes = samples */
};
extern const struct prompt prompts[];
