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

/* 118 and up to three digits, as dialled at home: all over Europe a directory service, dearer than any call. */
bool country_is_directory(const char *digits);

/* What is wrong behind the country code of a '+' number, as the middle of a sentence, or NULL: a prefix that is
 * dialled at home only. A switch that takes the country code off would dial by it: "+49 0 900..." a premium
 * number, "+1 011 44..." another country. */
const char *country_misdialled(const char *number);

/* Why a number is never dialled, as the middle of a sentence ("an emergency number"), or NULL.
 * `number` is digits with or without '+'. */
const char *country_blocked(const char *number);
