/* agent/inside.h - what the files of this folder share.
 *
 * Owner:   struct agents owns workers and agent_rooms; an agent_room its dispatches; a dispatch its
 *          jobs. Jobs that a worker simulates belong to struct agents.
 * Owns:    see there.
 * Thread:  the control thread.
 */
#pragma once

#include "agent/agents.h"

#include "base/limits.h"

struct agents {
	struct agents_config config;
	struct rooms_listener listener;
	struct list workers;
	size_t connection_count;
	uint64_t serials; /* of workers */
	struct map rooms, jobs;
	size_t job_bytes;
	struct list simulated; /* jobs */
	struct buf frame;
};

/* One room's wishes. */
struct agent_room {
	struct map_node by_name;
	struct agents *agents;
	struct room *room;
	struct list dispatches;
	size_t dispatch_count; /* those that are not withdrawn */
};

struct dispatch {
	struct list link;
	struct agent_room *room;
	struct proto_arena arena;
	Livekit__AgentDispatch *info; /* in the arena; without jobs */
	struct list jobs;
	struct timer leave; /* running: withdrawn, its agents are on their way out */
	bool withdrawn;
};

/*      offer        takes it           the worker says so, the agent left,
 *   NEW -----> ASKED -------> RUNNING ------------------------------------> ENDED
 *               | ^  |                  the dispatch is withdrawn, the room closed
 *               +-+  +-> (freed: nobody took it)
 *     refused, silent, gone: the next worker
 */
enum job_state {
	JOB_NEW,
	JOB_ASKED,
	JOB_RUNNING,
	JOB_ENDED,
};

struct job {
	struct list link; /* of its dispatch, or of the simulated ones */
	struct list worker_link;
	struct map_node by_id;
	struct agents *agents;
	struct dispatch *dispatch; /* NULL: simulated */
	struct agent_worker *worker;     /* ASKED, RUNNING (NULL when its worker went) */
	enum job_state state;
	char id[RNG_ID_SIZE];
	char worker_id[RNG_ID_SIZE];
	struct buf packed; /* livekit.Job as of the offer, without its state */
	Livekit__JobType type;
	char *space; /* the workers' namespace */
	Livekit__JobStatus status;
	char *identity, *error; /* NULL: none */
	int64_t started_ns, ended_ns, updated_ns;
	struct timer answer;
	uint64_t *asked; /* serials of those who were asked */
	size_t asked_count;
};

/*   CONNECTED --register--> REGISTERED --closed, broken--> GONE (freed at the end of the turn) */
enum worker_state {
	WORKER_CONNECTED,
	WORKER_REGISTERED,
	WORKER_GONE,
};

struct agent_worker {
	struct list link;
	struct agents *agents;
	struct websocket *socket;
	enum worker_state state;
	struct timer deadline; /* to register */
	struct deferred reap;
	struct list jobs; /* ASKED, RUNNING */
	uint64_t serial;
	bool json; /* it speaks JSON: so do we */
	char id[RNG_ID_SIZE];
	char *key, *name, *space, *deployment;
	Livekit__JobType type;
	Livekit__ParticipantPermission permissions; /* of its agents; no lists */
	bool available;
	float load; /* 0..1 */
};

/* ---- worker.c ---- */
void agent_worker_end(struct agent_worker *w); /* from anywhere; its jobs go to others, or run on */
void agent_worker_free(struct agent_worker *w);
void agent_worker_send(struct agent_worker *w, const Livekit__ServerMessage *m);
bool agent_worker_fits(
	const struct agent_worker *w, const char *name, const char *deployment, Livekit__JobType type);

/* ---- job.c ---- */
/* `p`: NULL for the room itself. Nothing happens when there is no worker for it. */
void jobs_launch(struct dispatch *d, Livekit__JobType type, struct participant *p);
void job_simulate(struct agent_worker *w, const Livekit__SimulateJobRequest *in);
void job_answer(struct job *j, const Livekit__AvailabilityResponse *in);
void job_update(struct job *j, const Livekit__UpdateJobStatus *in);
void job_ask_next(struct job *j); /* may free it */
/* The worker is told when `tell`. */
void job_end(struct job *j, Livekit__JobStatus status, const char *error, bool tell);
void job_attach(struct job *j, struct agent_worker *w); /* w asks for it, or takes it over */
void job_detach(struct job *j);
void job_free(struct job *j);
struct job *job_find(struct agents *a, const char *id);
/* NULL when out of memory. */
Livekit__Job *job_info(struct proto_arena *arena, const struct job *j);

/* ---- choose.c ---- */
/* Among those who have room and were not asked, at random, the idler the likelier. NULL: nobody. */
struct agent_worker *choose_worker(const struct job *j, const char *name, const char *deployment);

/* ---- token.c ---- */
/* For the agent that takes a job, from its worker's answer; a mem_ text. Outcomes: jwt_outcome. */
MUST_USE int agent_token(char **ret, const struct agent_worker *w, const char *room,
	const char *identity, const Livekit__AvailabilityResponse *in);

/* ---- dispatch.c ---- */
void dispatch_free(struct dispatch *d);
void agent_room_free(struct agent_room *r);
extern const struct rooms_events agents_rooms_events;
