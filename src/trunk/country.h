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
};
/* The longest prefix that fits; `number` is '+' and digits. NULL = no such country code. */
const struct country *country_of(const char *number);

/* Why a number is never dialled, as the middle of a sentence ("an emergency number"), or NULL.
 * `number` is digits with or without '+'. */
const char *country_blocked(const char *number);
