#include "media/ice.h"

#include <stdio.h>

void ice_init(struct ice *i, const struct media_ice *local)
{
	*i = (struct ice){.now.local = *local, .selected = -1};
}

void ice_restart(struct ice *i, const struct media_ice *local, uint64_t now_ms)
{
	i->restarted_ms = now_ms;
	i->before = i->now;
	i->now = (struct ice_generation){.local = *local};
}

void ice_remote(struct ice *i, const char *remote_ufrag)
{
	snprintf(i->now.remote_ufrag, sizeof i->now.remote_ufrag, "%s", remote_ufrag);
}

struct span ice_local_part(struct span username)
{
	const uint8_t *colon = username.size ? memchr(username.data, ':', username.size) : NULL;
	return span_of(username.data, colon ? (size_t)(colon - username.data) : 0);
}

static bool is_for(const struct ice_generation *g, struct span username)
{
	struct span local = ice_local_part(username);

	if (!g->local.ufrag[0] || !span_is(local, g->local.ufrag))
		return false;
	struct span remote = span_of(
		username.data + local.size + 1, username.size - local.size - 1);
	/* A check may come before the answer that names the peer's part. */
	return !g->remote_ufrag[0] || span_is(remote, g->remote_ufrag);
}

static void finish(struct writer *reply, const struct ice_generation *g)
{
	stun_write_integrity(reply, span_text(g->local.pwd));
	stun_write_fingerprint(reply);
}

static void answer(struct writer *reply, const struct ice_generation *g, const struct stun_view *v,
	const struct peer_address *from)
{
	stun_write_header(reply, STUN_BINDING_SUCCESS, v->transaction);
	stun_write_mapped(reply, &from->any);
	finish(reply, g);
}

static void refuse_unknown(
	struct writer *reply, const struct ice_generation *g, const struct stun_view *v)
{
	uint8_t types[2 * STUN_UNKNOWN_MAX];
	struct writer list = writer_of(types, sizeof types);

	for (size_t n = 0; n < v->unknown_count; ++n)
		write_u16(&list, v->unknown[n]);
	stun_write_header(reply, STUN_BINDING_ERROR, v->transaction);
	stun_write_error(reply, 420, "Unknown Attribute");
	stun_write_attribute(reply, STUN_UNKNOWN_ATTRIBUTES, writer_span(&list));
	finish(reply, g);
}

/* Only the peer can lead: it must take the controlling role (RFC 8445, 7.3.1.1). */
static void refuse_role(
	struct writer *reply, const struct ice_generation *g, const struct stun_view *v)
{
	stun_write_header(reply, STUN_BINDING_ERROR, v->transaction);
	stun_write_error(reply, 487, "Role Conflict");
	finish(reply, g);
}

static int find_path(const struct ice *i, const struct peer_address *from)
{
	for (unsigned n = 0; n < i->path_count; ++n)
		if (peer_address_equal(&i->paths[n], from))
			return (int)n;
	return -1;
}

static int place_for_path(struct ice *i)
{
	if (i->path_count < ICE_PATHS_MAX)
		return (int)i->path_count++;

	int oldest = -1;
	for (int n = 0; n < ICE_PATHS_MAX; ++n)
		if (n != i->selected &&
			(oldest < 0 || i->path_used_ms[n] < i->path_used_ms[oldest]))
			oldest = n;
	return oldest;
}

static void note_path(struct ice *i, const struct peer_address *from, bool nominate,
	uint64_t now_ms, struct ice_result *result)
{
	int n = find_path(i, from);
	if (n < 0) {
		n = place_for_path(i);
		result->fresh = true;
	}
	i->paths[n] = *from; /* our end of it may have changed */
	i->path_used_ms[n] = now_ms ? now_ms : 1;
	result->path = n;

	if (nominate || !i->nominated) {
		result->selected = i->selected != n;
		i->selected = n;
		i->nominated |= nominate;
	}
}

enum ice_verdict ice_input(struct ice *i, const struct stun_view *v, struct span packet,
	const struct peer_address *from, uint64_t now_ms, struct writer *reply,
	struct ice_result *result)
{
	*result = (struct ice_result){.path = -1};

	if (v->type == STUN_BINDING_INDICATION) {
		if (find_path(i, from) < 0)
			return ICE_DROP_KIND;
		return ICE_NOTED; /* not authenticated: no sign of life */
	}
	if (v->type != STUN_BINDING_REQUEST || !v->has_fingerprint)
		return ICE_DROP_KIND;

	bool old = !is_for(&i->now, v->username);
	const struct ice_generation *g = old ? &i->before : &i->now;
	if (old && !is_for(g, v->username))
		return ICE_DROP_USERNAME;
	if (!stun_integrity_ok(v, packet, span_text(g->local.pwd)))
		return ICE_DROP_INTEGRITY;

	if (v->unknown_count) {
		refuse_unknown(reply, g, v);
		return ICE_REFUSED;
	}
	if (v->controlled) {
		refuse_role(reply, g, v);
		return ICE_REFUSED;
	}

	answer(reply, g, v, from);
	note_path(i, from, v->use_candidate, now_ms, result);
	ice_heard(i, now_ms);
	if (!old && v->use_candidate)
		i->before = (struct ice_generation){0};
	return ICE_ANSWERED;
}

void ice_heard(struct ice *i, uint64_t now_ms)
{
	i->heard_ms = now_ms ? now_ms : 1;
}

enum ice_life ice_life(const struct ice *i, uint64_t now_ms)
{
	if (!i->heard_ms)
		return ICE_NEVER_HEARD;
	uint64_t silent_ms = now_ms > i->heard_ms ? now_ms - i->heard_ms : 0;
	if (silent_ms >= ICE_FAILED_MS && now_ms >= i->restarted_ms + ICE_FAILED_MS)
		return ICE_FAILED;
	return silent_ms >= ICE_DISCONNECTED_MS ? ICE_DISCONNECTED : ICE_ALIVE;
}

const struct peer_address *ice_path(const struct ice *i)
{
	return i->selected < 0 ? NULL : &i->paths[i->selected];
}

bool ice_knows(const struct ice *i, const struct peer_address *from)
{
	return find_path(i, from) >= 0;
}

/* What was heard last is the best guess until the peer nominates another. */
static int freshest_path(const struct ice *i)
{
	int best = -1;
	for (int n = 0; n < (int)i->path_count; ++n)
		if (i->path_used_ms[n] && (best < 0 || i->path_used_ms[n] > i->path_used_ms[best]))
			best = n;
	return best;
}

int ice_forget(struct ice *i, const struct peer_address *path)
{
	int n = find_path(i, path);
	if (n < 0)
		return -1;
	i->paths[n] = (struct peer_address){0};
	i->path_used_ms[n] = 0; /* the first to make room */
	if (i->selected == n) {
		i->selected = freshest_path(i);
		i->nominated = false;
	}
	return n;
}

void ice_prefer(struct ice *i, const struct peer_address *from)
{
	int n = find_path(i, from);
	if (n >= 0 && !i->nominated)
		i->selected = n;
}
