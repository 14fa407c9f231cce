/* agent/agents.h - agents in rooms: programs made with livekit-agents register here as workers, rooms
 * ask for agents, and each wish becomes a job that some worker takes.
 *
 * Owner:   the server. Owns: workers (with their WebSockets), dispatches, jobs.
 * Thread:  the control thread.
 * Words:   as in the LiveKit protocol. A "worker" is one connection to /agent; a "dispatch" is a
 *          room's wish to have the agent of a certain name; a "job" is one agent for one room (or for
 *          one of its participants), taken by one worker.
 *
 * A job is offered once: when the room opens, or when somebody becomes a participant or a publisher, or
 * when the dispatch is made. With no worker of that name it comes to nothing, as with LiveKit; who
 * refuses or does not answer is followed by the next worker. A dispatch lives as long as its room.
 */
#pragma once

#include "net/http_server.h"
#include "room/info.h"
#include "room/room.h"
#include "wire/jwt.h"

#include "livekit_agent_dispatch.pb-c.h"

struct agents;

struct agents_config { /* texts are borrowed */
	struct loop *loop;
	struct rooms *rooms;
	jwt_secret_fn *secret_of; /* a worker's jobs get tokens of the worker's own key */
	void *secret_owner;
	const char *version, *node_id, *region; /* what workers are told */
	bool enable_recording, enable_redaction; /* ... of each job, when they record by themselves */
	/* 0: LIMIT_AGENT_REGISTER_S, LIMIT_AGENT_ANSWER_S, LIMIT_AGENT_LEAVE_S. */
	unsigned register_ms, answer_ms, leave_ms;
};

MUST_USE int agents_new(struct agents **ret, const struct agents_config *config);
/* After rooms_free(), and after the HTTP server that brought the workers has closed. */
struct agents *agents_free(struct agents *a);

/* Outcomes of agents_accept(). */
enum {
	AGENTS_E_FULL = 1, /* LIMIT_AGENT_WORKERS */
};
/* A worker comes: ends the exchange by a WebSocket. The token was checked; `key` is its API key. On
 * failure the exchange is still owed a reply. */
MUST_USE int agents_accept(struct agents *a, struct http_exchange *x, const char *key);

/* Outcomes of agents_dispatch(). */
enum {
	AGENTS_E_DISPATCHES = 1, /* LIMIT_AGENT_DISPATCHES */
};
/* Asks for an agent. `id`: of the new dispatch. */
MUST_USE int agents_dispatch(
	char id[RNG_ID_SIZE], struct agents *a, struct room *r, const Livekit__RoomAgentDispatch *wish);
/* Its jobs are ended; an agent that does not leave within LIMIT_AGENT_LEAVE_S is removed. False: there
 * is no such dispatch. */
bool agents_withdraw(struct agents *a, struct room *r, const char *id);
/* Every dispatch of the room, or the one of that `id`, with its jobs. NULL when out of memory. */
Livekit__ListAgentDispatchResponse *agents_list(
	struct info_arena *arena, struct agents *a, struct room *r, const char *id);

/* May a deployment be called that? If not, `why` is LiveKit's sentence. */
enum { AGENTS_WHY_SIZE = 80 };
bool agents_deployment_ok(const char *deployment, char why[AGENTS_WHY_SIZE]);

size_t agents_worker_count(const struct agents *a); /* those who registered */
