/* wire/e164.h - telephone numbers as ITU-T E.164 writes them: '+', country code, at most 15 digits.
 *
 * Owner, owns: nothing. Pure. Thread: any.
 */
#pragma once

#include "base/base.h"

enum { E164_DIGITS_MIN = 7, E164_DIGITS_MAX = 15, E164_SIZE = E164_DIGITS_MAX + 2 };

/* Outcomes of e164_parse(). */
enum e164_outcome {
	E164_OK,
	E164_E_EMPTY,       /* nothing, or nothing but separators */
	E164_E_CHARACTER,   /* something that is no digit and no separator; *bad_at says where */
	E164_E_NO_PLUS,     /* digits without '+': the country is anybody's guess */
	E164_E_DOUBLE_ZERO, /* 0049...: a dialling prefix instead of '+' */
	E164_E_ZERO,        /* +0...: no country code begins with 0 */
	E164_E_SHORT,       /* fewer than E164_DIGITS_MIN digits */
	E164_E_LONG,        /* more than E164_DIGITS_MAX digits */
};

/* Blanks, dashes, dots, slashes and brackets are separators and left out. On E164_OK `out` is '+'
 * and digits. On every other outcome `out` holds the digits as far as they fit (with '+' when it was
 * there), for a short code such as 911 or a suggestion. `bad_at` may be NULL. */
MUST_USE enum e164_outcome e164_parse(char out[E164_SIZE], struct span text, size_t *bad_at);

/* The beginning of numbers: '+', country code, perhaps more digits: "+49", "+49211". */
bool e164_is_prefix(const char *text);

/* Where `number` stands in `text` its middle becomes '*': "+1202*****01". For logs, in place. */
void e164_hide(char *text, const char *number);
