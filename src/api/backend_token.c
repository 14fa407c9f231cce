/* api/backend_token.c - /livekit/token: what an app needs to join a room, in the shape that LiveKit's
 * starter apps expect of a token server. */
#include "api/backend.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/rng.h"

#include <errno.h>
#include <stdio.h>

enum { TOKEN_LIFE_S = 6 * 3600 };

struct wanted {
	const char *room, *identity, *name, *metadata, *number;
	const json_t *attributes, *room_config;
	char number_text[17], made_room[RNG_ID_SIZE + 8], made_identity[RNG_ID_SIZE + 8];
};

/* ---- the request ---- */

/* GET: the same names in the query. */
static bool body_from_query(struct backend *b)
{
	static const char *const names[] = {"room_name", "room", "participant_identity", "identity",
		"participant_name", "participant_metadata", "phone_number"};
	b->body = json_object();
	for (size_t i = 0; b->body && i < COUNT_OF(names); ++i) {
		const char *value = http_query(b->x, names[i]);
		if (value)
			json_object_set_new(b->body, names[i], json_string(value));
	}
	return b->body;
}

static bool read_body(struct backend *b)
{
	bool empty = !http_body(b->x).size;
	return !strcmp(http_method(b->x), "GET") || empty ? body_from_query(b) : backend_read(b);
}

/* `name`, or the shorter one that some apps use. */
static bool either(struct backend *b, const char *name, const char *shorter, const char **value)
{
	if (!backend_name(b, name, value))
		return false;
	return *value && **value ? true : backend_name(b, shorter, value);
}

static bool read_wanted(struct backend *b, struct wanted *w)
{
	const json_t *room_config = json_object_get(b->body, "room_config");
	if (!either(b, "room_name", "room", &w->room) ||
		!either(b, "participant_identity", "identity", &w->identity) ||
		!backend_name(b, "participant_name", &w->name) ||
		!backend_text(b, "participant_metadata", &w->metadata) ||
		!backend_texts(b, "participant_attributes", &w->attributes) ||
		!backend_text(b, "phone_number", &w->number))
		return false;
	if (room_config && !json_is_null(room_config) && !json_is_object(room_config)) {
		backend_fail(b, 400, "invalid_field", "room_config must be an object.");
		return false;
	}
	w->room_config = json_is_object(room_config) ? room_config : NULL;
	if (w->metadata && strlen(w->metadata) > rooms_limits(b->api->config.rooms)->metadata) {
		backend_fail(b, 400, "invalid_field", "participant_metadata is too large.");
		return false;
	}
	return !w->number || !*w->number || backend_number(b, w->number, w->number_text);
}

/* ---- who may ---- */

/* What was not said: from the token that asks, else made up. */
static void fill_in(const struct backend *b, struct wanted *w)
{
	char id[RNG_ID_SIZE];
	if (!w->room || !*w->room) {
		w->room = b->grants.video.room && *b->grants.video.room ? b->grants.video.room : w->made_room;
		rng_id(id, "");
		snprintf(w->made_room, sizeof w->made_room, "room-%s", id);
	}
	if (!w->identity || !*w->identity) {
		w->identity = b->grants.identity && *b->grants.identity ? b->grants.identity : w->made_identity;
		rng_id(id, "");
		snprintf(w->made_identity, sizeof w->made_identity, "user-%s", id);
	}
}

/* Nobody gets more by asking than the token that asks has: its room, its identity (unless it may
 * administrate the room). */
static bool is_allowed(struct backend *b, const struct wanted *w)
{
	const struct grants *g = &b->grants;
	if (b->open)
		return true;
	if (!g->video.room_join || strcmp(g->video.room, w->room)) {
		backend_denied(b, "The token lacks the permission roomJoin for this room.");
		return false;
	}
	if (*g->identity && strcmp(g->identity, w->identity) && !g->video.room_admin) {
		backend_fail(b, 403, "identity_not_allowed", "The token is for the identity \"%.100s\" and cannot "
			"ask for another one without roomAdmin.", g->identity);
		return false;
	}
	return true;
}

/* ---- the token ---- */

static void copy_claim(json_t *to, const json_t *from, const char *name)
{
	json_t *value = json_object_get(from, name);
	if (value)
		json_object_set(to, name, value);
}

static json_t *video_claim(const struct backend *b, const struct wanted *w)
{
	static const char *const limits[] = {"canPublish", "canSubscribe", "canPublishData",
		"canPublishSources", "canUpdateOwnMetadata", "hidden"};
	json_t *video = json_pack("{s:s, s:b}", "room", w->room, "roomJoin", 1);
	if (b->open) {
		json_object_set_new(video, "canUpdateOwnMetadata", json_true());
		return video;
	}
	const json_t *own = json_object_get(b->grants.claims, "video");
	for (size_t i = 0; i < COUNT_OF(limits); ++i)
		copy_claim(video, own, limits[i]);
	return video;
}

static json_t *claims_of(const struct backend *b, const struct wanted *w)
{
	int64_t now = clock_unix_s(), end = now + TOKEN_LIFE_S;
	if (!b->open && b->grants.expires_s && b->grants.expires_s < end)
		end = b->grants.expires_s;
	json_t *claims = json_pack("{s:s, s:s, s:I, s:I, s:o*}", "iss", b->api->config.sign_key, "sub",
		w->identity, "nbf", (json_int_t)now, "exp", (json_int_t)end, "video", video_claim(b, w));
	if (!claims)
		return NULL;
	if (w->name && *w->name)
		json_object_set_new(claims, "name", json_string(w->name));
	if (w->metadata && *w->metadata)
		json_object_set_new(claims, "metadata", json_string(w->metadata));
	if (w->attributes)
		json_object_set(claims, "attributes", (json_t *)w->attributes);
	if (w->room_config)
		json_object_set(claims, "roomConfig", (json_t *)w->room_config);
	return claims;
}

static int sign(char **token, const struct backend *b, const struct wanted *w)
{
	const struct api_config *c = &b->api->config;
	const char *secret = c->secret_of(c->secret_owner, c->sign_key);
	json_t *claims = claims_of(b, w);
	int r = claims && secret ? jwt_sign(token, claims, secret) : err_new(-ENOMEM);
	json_decref(claims);
	return r;
}

void backend_token(struct backend *b)
{
	struct wanted w = {0};
	char url[API_URL_SIZE], *token = NULL;

	if (!b->open && !b->grants.video.room_join) {
		backend_denied(b, "The token lacks the permission roomJoin.");
		return;
	}
	if (!read_body(b) || !read_wanted(b, &w))
		return;
	fill_in(b, &w);
	if (!is_allowed(b, &w))
		return;
	if (sign(&token, b, &w)) {
		backend_fail(b, 500, "internal", "Something is broken here; the log says what.");
		return;
	}
	json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "server_url", api_server_url(url, b->api, b->x),
		"participant_token", token, "room_name", w.room, "participant_identity", w.identity);
	if (body && *w.number_text)
		json_object_set_new(body, "phone_number", json_string(w.number_text));
	mem_free(token);
	backend_answer(b->x, 201, body);
}
