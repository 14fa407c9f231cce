/* media/ice.h - the answering half of ICE (RFC 8445 section 2.5, "lite"): the peer checks, we
 * answer, and remember which of its addresses have proven that they know our password.
 *
 * Pure: it is told the time and what arrived, and writes the answer into the caller's buffer.
 *
 * Owner:   a transport; embedded.
 * Owns:    no memory.
 * Thread:  its owner's.
 * Words:   path     = an address of the peer that passed a check with our password;
 *          a path that ended leaves a hole in the array: an address of no family;
 *          selected = the path that media goes to: the last one nominated, before that the last
 *                     one that passed (the first DTLS flight may overtake the nomination).
 */
#pragma once

#include "media/media.h"
#include "media/peer_address.h"
#include "wire/stun.h"

enum {
	ICE_PATHS_MAX = 8, /* the oldest unselected one makes room */
	ICE_DISCONNECTED_MS = 10000,
	ICE_FAILED_MS = 15000,
};

/* One set of credentials, ours and theirs. A restart makes a new one; the old one stays good
 * until the peer has nominated a path with the new one, so that media never pauses. */
struct ice_generation {
	struct media_ice local;
	char remote_ufrag[sizeof((struct media_remote *)0)->ufrag]; /* "" = not known yet */
};

struct ice {
	struct ice_generation now, before; /* before.local.ufrag "" = none */
	struct peer_address paths[ICE_PATHS_MAX];
	uint64_t path_used_ms[ICE_PATHS_MAX];
	unsigned path_count;
	int selected; /* -1 = none */
	bool nominated;
	uint64_t heard_ms; /* 0 = never */
	uint64_t restarted_ms; /* a restart gives the peer another 15 s */
};

enum ice_verdict {
	ICE_ANSWERED,       /* `reply` is to be sent back; the path is good */
	ICE_REFUSED,        /* `reply` is an error response to be sent back */
	ICE_NOTED,          /* an indication: nothing to send */
	ICE_DROP_USERNAME,  /* none, or not for these credentials */
	ICE_DROP_INTEGRITY, /* the password is wrong */
	ICE_DROP_KIND,      /* responses, other methods, no FINGERPRINT */
	ICE_VERDICT__COUNT,
};

struct ice_result {
	int path;      /* index of the path that the check came by; -1 when not ICE_ANSWERED */
	bool fresh;    /* that index now holds another address than before */
	bool selected; /* ice_path() changed */
};

enum ice_life {
	ICE_NEVER_HEARD,
	ICE_ALIVE,
	ICE_DISCONNECTED,
	ICE_FAILED,
};

void ice_init(struct ice *i, const struct media_ice *local);
void ice_restart(struct ice *i, const struct media_ice *local, uint64_t now_ms);
void ice_remote(struct ice *i, const char *remote_ufrag);

/* `v` was parsed from `packet`. */
MUST_USE enum ice_verdict ice_input(struct ice *i, const struct stun_view *v, struct span packet,
	const struct peer_address *from, uint64_t now_ms, struct writer *reply,
	struct ice_result *result);

/* Authenticated traffic (SRTP, DTLS) is a sign of life like a check. */
void ice_heard(struct ice *i, uint64_t now_ms);
enum ice_life ice_life(const struct ice *i, uint64_t now_ms);
const struct peer_address *ice_path(const struct ice *i); /* selected; NULL = none yet */
bool ice_knows(const struct ice *i, const struct peer_address *from);
/* This path is no more: a connection that ended. Returns its index, -1 when it was not known. */
int ice_forget(struct ice *i, const struct peer_address *path);
/* A datagram from this known path is the best guess until the peer nominates one. */
void ice_prefer(struct ice *i, const struct peer_address *from);

/* The local part of "local:remote", the demux key of a check; empty when there is no colon. */
struct span ice_local_part(struct span username);
