/* wire/grants.h - what a token allows: LiveKit's claims as one struct (reference: protocol
 * auth/grants). Pure.
 *
 * Owner:   the caller. Owns: its own copy of the claims; every text points into it.
 * Thread:  any.
 */
#pragma once

#include "base/base.h"

#include <jansson.h>

enum grant { GRANT_ABSENT, GRANT_NO, GRANT_YES };
enum { GRANT_SOURCES_MAX = 8 };

struct grants {
	json_t *claims;
	const char *issuer;   /* API key */
	const char *identity; /* sub, else jti; "" when neither */
	const char *name, *kind, *metadata; /* "" when absent */
	const json_t *attributes; /* object or NULL */
	const json_t *room_config; /* roomConfig, object or NULL */
	int64_t expires_s; /* 0 = never */

	bool has_video;
	struct {
		const char *room, *destination_room; /* "" when absent */
		bool room_join, room_create, room_list, room_admin, room_record, ingress_admin;
		bool hidden, recorder, agent;
		enum grant can_publish, can_subscribe, can_publish_data, can_update_own_metadata;
		enum grant can_subscribe_metrics, can_manage_agent_session;
		const char *sources[GRANT_SOURCES_MAX]; /* "microphone" ...; "" = none of them */
		size_t source_count; /* 0 = all */
	} video;
	struct {
		bool admin, call;
	} sip;
};

/* Takes the reference to `claims` over. Whatever has the wrong type counts as absent. */
void grants_init(struct grants *g, json_t *claims);
void grants_fini(struct grants *g); /* safe on zeroed memory */

/* Absent means yes for these three (publishing data follows publishing). */
bool grants_can_publish(const struct grants *g);
bool grants_can_subscribe(const struct grants *g);
bool grants_can_publish_data(const struct grants *g);
