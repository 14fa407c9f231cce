/* cli/options.h - `--name VALUE`, `--name=VALUE`, `--flag` and words, by a table that is the help too.
 *
 * Owner:   the command. Owns: nothing; values point into argv. Thread: the main thread.
 */
#pragma once

#include "base/base.h"

struct option {
	const char *name;  /* "--room" */
	const char *value; /* what the help calls its value; NULL: a flag */
	const char *help;
	const char **text; /* where the value goes, or ... */
	bool *flag;        /* ... that the flag came */
};

struct options {
	const char *usage; /* "ringdown sip outbound list [options]" */
	const char *about; /* a paragraph */
	const struct option *list;
	size_t count;
	const char **words; /* what is no option */
	size_t words_max;   /* room for so many; more is a complaint */
	size_t word_count;
};

/* Outcomes of options_read(); both were said on stdout or stderr. */
enum {
	OPTIONS_E_HELP = 1,
	OPTIONS_E_USAGE,
};
MUST_USE int options_read(struct options *o, int argc, char **argv);
/* The exit status for an outcome. */
int options_status(int outcome);
/* "ringdown: ...", then how it is used. Answers CLI_USAGE. */
int options_complain(const struct options *o, const char *format, ...) PRINTF(2, 3);
