/* trunk/target.h - the number that a URI would make a telephone switch dial, however it is spelled. A call
 * is dialled from E.164 alone; a transfer's target is a URI that others read: with or without '+', with the
 * prefixes that are dialled at home, escaped, with parameters that route elsewhere. Pure.
 *
 * Owner:   the caller. Owns: nothing. Thread: any.
 */
#pragma once

#include "base/base.h"

enum { TARGET_TEXT_SIZE = 64, TARGET_READINGS_MAX = 20 };

enum target_kind {
	TARGET_NAME,     /* no telephone number: somebody's name, or a short number in `user` */
	TARGET_NUMBER,   /* see `readings` */
	TARGET_E_URI,    /* no SIP or tel URI that can stand in Refer-To */
	TARGET_E_NUMBER, /* digits that are to be written as E.164 first: nobody knows what they lead to */
};

struct target {
	enum target_kind kind;
	char user[TARGET_TEXT_SIZE]; /* without escapes and parameters */
	/* '+' and more, not checked: first what it stands for, then what a switch at home might make of it. */
	char readings[TARGET_READINGS_MAX][TARGET_TEXT_SIZE];
	size_t count;
};
/* `uri` perhaps in angle brackets. `own`: the country codes that are home ("+1"), may be none. */
void target_read(struct target *ret, const char *uri, const char *const *own, size_t own_count);
/* The same of a user alone, as it stands before the '@'. */
void target_read_user(struct target *ret, const char *user, const char *const *own, size_t own_count);
/* Parameters that a carrier routes by, in place of the number before them (RFC 4694, RFC 4904): "rn=+1..". */
bool target_routes_elsewhere(const char *params);
