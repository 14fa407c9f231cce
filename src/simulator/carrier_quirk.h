/* simulator/carrier_quirk.h - how a carrier differs from the others, as a table of named settings. A
 * profile is a list of them; `--quirk name=value` changes one.
 *
 * Owner:   a trunk of the carrier embeds a struct quirks. Owns: nothing on the heap. Pure.
 * Thread:  any.
 */
#pragma once

#include "base/base.h"

enum quirk {
	/* Who may call. */
	Q_STRICT_HOST,
	Q_AUTH,
	Q_ACL,
	Q_USERNAME,
	Q_PASSWORD,
	Q_CHALLENGE,
	Q_REALM,
	Q_QOP,
	Q_ALGORITHM,
	Q_STALE,
	Q_NONCE_S,
	Q_ACCOUNT,
	Q_VERIFIED,
	/* Which numbers. */
	Q_E164,
	Q_OWNED,
	Q_FROM_USER,
	Q_GEO,
	Q_BLOCKED,
	Q_BLOCK_STATUS,
	Q_MAX_FORWARDS,
	/* How many. */
	Q_CPS,
	Q_CONCURRENCY,
	Q_MAX_DURATION_S,
	Q_RATE_BAN_S,
	/* Media. */
	Q_SECURE,
	Q_CODECS,
	Q_ANSWER,
	Q_MEDIA_STATUS,
	Q_LATE_OFFER,
	Q_PTIME,
	Q_PRIVATE_SDP,
	Q_SYMMETRIC,
	Q_LOSS,
	Q_JITTER_MS,
	Q_REORDER,
	Q_DUPLICATE,
	/* The dialog. */
	Q_SERVER,
	Q_GATEWAY,
	Q_TRYING,
	Q_CONTACT,
	Q_ALLOW,
	Q_RECORD_ROUTE,
	Q_TWNAT,
	Q_CHECK_DIALOG,
	Q_SAME_CONNECTION,
	Q_SESSION_S,
	Q_REFRESHER,
	Q_MIN_SE,
	Q_FQDN_CONTACT,
	Q_OPTIONS_FIRST,
	Q_REFER,
	Q_T1_MS,
	/* Nuisance. */
	Q_COMPACT,
	Q_FOLDED,
	Q_JOINED,
	Q_LONG_HEADER,
	Q_UNKNOWN_HEADERS,
	Q_MALFORMED_HEADER,
	Q_LOWER_ALLOW,
	Q_NO_LENGTH,
	Q_DOUBLE_LENGTH,
	Q_SLOW_TCP_MS,
	/* Registration. */
	Q_REGISTER,
	Q_EXPIRES,
	Q_EXPIRES_MIN,
	Q_UNKNOWN_NUMBER,
	Q__COUNT,
};

enum { QUIRK_TEXT_SIZE = 160 };

struct quirk_value {
	long number; /* flags are 0 or 1; choices are the index of the word in the table */
	char text[QUIRK_TEXT_SIZE];
};

struct quirks {
	struct quirk_value values[Q__COUNT];
};

/* The words of the choices, in the order of their numbers. */
enum { AUTH_NONE, AUTH_ACL, AUTH_PASSWORD, AUTH_BOTH };
enum { ACCOUNT_GOOD, ACCOUNT_SUSPENDED, ACCOUNT_INACTIVE, ACCOUNT_TRIAL_LEGACY, ACCOUNT_TRIAL_2026 };
enum { E164_PLUS, E164_BARE, E164_EITHER };
enum { SECURE_OFF, SECURE_ON, SECURE_EITHER };
enum { ANSWER_FIRST, ANSWER_ALL };
enum { REFRESHER_UAC, REFRESHER_UAS };

void quirks_init(struct quirks *q); /* a plain, friendly carrier */

/* Outcomes of quirks_set(). */
enum {
	QUIRK_E_NAME = 1, /* there is none of that name */
	QUIRK_E_VALUE,    /* not a value it can have */
};
/* "name=value"; a bare name switches a flag on. */
MUST_USE int quirks_set(struct quirks *q, const char *setting);

static inline long quirk(const struct quirks *q, enum quirk which)
{
	return q->values[which].number;
}

static inline const char *quirk_text(const struct quirks *q, enum quirk which)
{
	return q->values[which].text;
}

/* For the help: false at the end of the table. */
bool quirk_describe(size_t i, const char **name, const char **values, const char **standard, const char **about);

/* Whether a comma list holds the word, or (for numbers) a beginning of it. "any" holds everything. */
bool quirk_list_has(const char *list, struct span word, bool by_prefix);
