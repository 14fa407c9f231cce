/* trunk/trunk.h - outbound trunks: made, listed, found by name or id, kept in the store.
 *
 * Owner:   the server. Owns: every trunk; the store is borrowed.
 * Thread:  the control thread.
 * Words:   LiveKit's SIPOutboundTrunkInfo is the trunk; ids are "ST_...".
 */
#pragma once

#include "base/base.h"

#include "livekit_sip.pb-c.h"

struct store;
struct trunks;

/* Outcomes. `why` (a sentence that says what to fix) is filled for each. */
enum {
	TRUNK_E_INVALID = 1,
	TRUNK_E_NOT_FOUND,
	TRUNK_E_CONFLICT,
};
enum { TRUNK_WHY_SIZE = 256 };

MUST_USE int trunks_new(struct trunks **ret, struct store *store); /* loads what is kept */
struct trunks *trunks_free(struct trunks *ts);

/* Validates as LiveKit does, gives it an id, keeps it. *ret lives until the trunk changes. */
MUST_USE int trunks_create_outbound(const Livekit__SIPOutboundTrunkInfo **ret, struct trunks *ts,
	const Livekit__SIPOutboundTrunkInfo *wanted, char why[TRUNK_WHY_SIZE]);
MUST_USE int trunks_replace_outbound(const Livekit__SIPOutboundTrunkInfo **ret, struct trunks *ts,
	const char *id, const Livekit__SIPOutboundTrunkInfo *wanted, char why[TRUNK_WHY_SIZE]);
MUST_USE int trunks_delete(struct trunks *ts, const char *id); /* TRUNK_E_NOT_FOUND is fine to ignore */
const Livekit__SIPOutboundTrunkInfo *trunks_find_id(struct trunks *ts, const char *id);
/* Whether "host[:port]" has the host of the trunk's address, whatever the ports; and one of which it is true, or
 * NULL. */
bool trunk_is_at(const Livekit__SIPOutboundTrunkInfo *trunk, const char *address);
const Livekit__SIPOutboundTrunkInfo *trunks_find_host(struct trunks *ts, const char *address);
/* By id, else by name; TRUNK_E_NOT_FOUND with a `why` that names those that exist, TRUNK_E_CONFLICT
 * when two have the name. `name` NULL or "": the only one there is. */
MUST_USE int trunks_choose(const Livekit__SIPOutboundTrunkInfo **ret, struct trunks *ts, const char *name,
	char why[TRUNK_WHY_SIZE]);
/* Of two fields that are one setting: the newer one wins. */
Livekit__SIPMediaEncryption trunk_media_encryption(const Livekit__SIPOutboundTrunkInfo *trunk);
/* Another number than before = something has changed. */
uint64_t trunks_version(const struct trunks *ts);
size_t trunks_count(const struct trunks *ts);
const Livekit__SIPOutboundTrunkInfo *trunks_at(struct trunks *ts, size_t i); /* sorted by id */
