/* trunk/explain_table.h - the table of endings, in five parts. Private to trunk/ and its test.
 *
 * Owner, owns: nothing; all of it is constant. Thread: any. Pure.
 */
#pragma once

#include "trunk/explain.h"

enum ending_sign {
	ENDING_STATUS,  /* number: the SIP status */
	ENDING_CLASS,   /* number: from here up, statuses without a row of their own */
	ENDING_TWILIO,  /* number: at the start of X-Twilio-Error */
	ENDING_TELNYX,  /* text: last word of the reason phrase */
	ENDING_WORDS,   /* text: anywhere in the far end's words; case does not count */
	ENDING_Q850,    /* number: cause of the Reason header */
	ENDING_WARNING, /* number: code of the Warning header */
	ENDING_FAULT,   /* number: enum call_failure_kind */
	ENDING_LOGIN,   /* number: enum ending_login */
	ENDING_NORMAL,  /* number: enum call_end */
	ENDING_SIGN__COUNT,
};

/* What a refusal means that has to do with our credentials. */
enum ending_login { LOGIN_MISSING, LOGIN_WRONG, LOGIN_WRONG_403, LOGIN_UNKNOWN, LOGIN__COUNT };

/* Blanks of a sentence: {address} {trunk} {number} {caller} {country} {seen} {media} {reason} {cause}
 * {when}. One that is not known goes, and the blank before it, but for those that have a word instead. */
struct ending {
	enum ending_sign sign;
	int number;
	const char *text; /* the sign itself, or what the number is called */
	const char *code;
	/* NULL and 0: as the SIP status says (signs of carriers only refine it). */
	const char *twirp;
	Livekit__DisconnectReason reason;
	unsigned q850;
	enum ended_by by;
	enum call_retry retry;
	uint32_t retry_s;
	bool vague; /* a status that says little: Q.850 and Warning say more */
	const char *sentence;
};

struct ending_part {
	const struct ending *rows;
	size_t count;
};
struct ending_part endings_by_status(void);  /* STATUS, CLASS */
struct ending_part endings_by_carrier(void); /* TWILIO, TELNYX, WORDS */
struct ending_part endings_by_network(void); /* Q850, WARNING */
struct ending_part endings_of_ours(void);    /* FAULT, LOGIN, NORMAL */

/* The row that a carrier's words name, or NULL. `code` gets its code ("32201", "D35") or "". */
const struct ending *ending_of_carrier(char code[16], const char *provider, const char *words, const char *phrase);
const struct ending *ending_of(struct ending_part part, enum ending_sign sign, int number); /* or NULL */

/* explain_fill.c: the sentence with its blanks filled. */
void explain_fill(char *out, size_t size, const char *sentence, const struct call_failure *f, uint32_t retry_s);
