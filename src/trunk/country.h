/* trunk/country.h - which country a number belongs to, and which numbers nobody should dial by
 * program: emergency, premium, satellite. Pure.
 *
 * Owner, owns: nothing. Thread: any.
 */
#pragma once

#include "base/base.h"

struct country {
	const char *prefix; /* "+49", "+1876" */
	const char *name;   /* "Germany", "Jamaica" */
	const char *iso;    /* "DE", "JM": ISO 3166-1; of "+1" the larger one, "US" */
};
/* The longest prefix that fits; `number` is '+' and digits. NULL = no such country code. */
const struct country *country_of(const char *number);

enum { COUNTRY_PREFIXES_MAX = 4 };
/* Of a country by its ISO code ("DO" has three): how many; 0 = no such country. */
size_t country_prefixes(const char *ret[COUNTRY_PREFIXES_MAX], const char *iso);

/* A short number for help that is the same nearly everywhere: 112, 911, 999... What else helps
 * somewhere (100, 101) is an extension elsewhere. */
bool country_is_help(const char *digits);

/* Why a number is never dialled, as the middle of a sentence ("an emergency number"), or NULL.
 * `number` is digits with or without '+'. */
const char *country_blocked(const char *number);
