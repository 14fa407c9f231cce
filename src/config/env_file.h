/* config/env_file.h - a `.env` file: NAME=value lines. Parsing is pure.
 *
 * Owner:   whoever embeds struct env; zeroed memory is a valid empty one.
 * Owns:    the names and values it read.
 * Thread:  any, one at a time.
 * Words:   the process's environment wins over the file.
 */
#pragma once

#include "base/base.h"

struct env {
	struct env_entry *entries;
	size_t count;
	bool ignore_process; /* for tests: only the file counts */
};

/* NAME=value, optionally after `export`. A value may be 'as it is', "with \n \" \\ \$", or bare (to
 * the end of the line or a blank and '#', trimmed). Nothing is expanded. Of two lines with one name
 * the later wins. Outcomes: ENV_E_SYNTAX, *line says where (from 1). */
enum {
	ENV_E_SYNTAX = 1,
	ENV_E_LIMIT, /* more than ENV_ENTRIES_MAX names */
};
enum { ENV_ENTRIES_MAX = 1000 };
MUST_USE int env_parse(struct env *e, struct span text, unsigned *line);
/* A file that is not there is an empty one. Outcomes as above. */
MUST_USE int env_load(struct env *e, const char *path, unsigned *line);
/* NULL = set nowhere; "" counts as set nowhere. */
const char *env_get(const struct env *e, const char *name);
void env_fini(struct env *e);
