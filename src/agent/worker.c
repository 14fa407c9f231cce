/* One connection at /agent. */
#include "agent/inside.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "wire/proto_json.h"

#include <errno.h>

enum {
	PROTOCOL = 17,      /* of the signalling, as sessions are told */
	AGENT_PROTOCOL = 1, /* of this conversation */
	CLOSE_NORMAL = 1000,
	CLOSE_PROTOCOL_ERROR = 1002,
	CLOSE_POLICY = 1008,
};

/* ---- sending ---- */

void agent_worker_send(struct agent_worker *w, const Livekit__ServerMessage *m)
{
	struct buf *frame = &w->agents->frame;
	if (w->state == WORKER_GONE)
		return;
	frame->size = 0;
	int r = w->json ? proto_json_write(frame, &m->base, PROTO_JSON_SHORT) : proto_pack(frame, &m->base);
	if (r)
		log_error(w->id, "a message to this worker could not be written");
	else
		websocket_send(w->socket, w->json, buf_span(frame));
}

static void send_pong(struct agent_worker *w, const Livekit__WorkerPing *ping)
{
	Livekit__ServerMessage m = LIVEKIT__SERVER_MESSAGE__INIT;
	Livekit__WorkerPong pong = LIVEKIT__WORKER_PONG__INIT;
	pong.last_timestamp = ping->timestamp;
	pong.timestamp = clock_unix_ms();
	m.message_case = LIVEKIT__SERVER_MESSAGE__MESSAGE_PONG;
	m.pong = &pong;
	agent_worker_send(w, &m);
}

static void send_registered(struct agent_worker *w)
{
	const struct agents_config *c = &w->agents->config;
	Livekit__ServerMessage m = LIVEKIT__SERVER_MESSAGE__INIT;
	Livekit__RegisterWorkerResponse response = LIVEKIT__REGISTER_WORKER_RESPONSE__INIT;
	Livekit__ServerInfo server = LIVEKIT__SERVER_INFO__INIT;
	server.version = (char *)c->version;
	server.protocol = PROTOCOL;
	server.agent_protocol = AGENT_PROTOCOL;
	if (c->node_id)
		server.node_id = (char *)c->node_id;
	if (c->region)
		server.region = (char *)c->region;
	response.worker_id = w->id;
	response.server_info = &server;
	m.message_case = LIVEKIT__SERVER_MESSAGE__MESSAGE_REGISTER;
	m.register_ = &response;
	agent_worker_send(w, &m);
}

/* ---- the end ---- */

void agent_worker_free(struct agent_worker *w)
{
	--w->agents->connection_count;
	timer_fini(&w->deadline);
	list_remove(&w->link);
	mem_free(w->key);
	mem_free(w->name);
	mem_free(w->space);
	mem_free(w->deployment);
	mem_free(w);
}

static void on_reap(struct deferred *d)
{
	agent_worker_free(container_of(d, struct agent_worker, reap));
}

static void leave_jobs(struct agent_worker *w)
{
	while (!list_empty(&w->jobs)) {
		struct job *j = list_first(&w->jobs, struct job, worker_link);
		job_detach(j);
		if (j->state == JOB_ASKED || !j->dispatch)
			job_ask_next(j);
		/* Else its agent may be in the room still: the worker's process is not its connection. */
	}
}

static void gone(struct agent_worker *w)
{
	if (w->state == WORKER_REGISTERED)
		log_info(w->id, "worker \"%s\" has left", w->name);
	w->state = WORKER_GONE;
	w->socket = NULL;
	timer_stop(&w->deadline);
	leave_jobs(w);
	loop_defer(w->agents->config.loop, &w->reap, on_reap);
}

static void close_with(struct agent_worker *w, uint16_t code)
{
	if (w->state == WORKER_GONE)
		return;
	websocket_close(w->socket, code);
	gone(w);
}

void agent_worker_end(struct agent_worker *w)
{
	close_with(w, CLOSE_NORMAL);
}

static void on_closed(void *owner)
{
	gone(owner);
}

static void on_deadline(void *owner)
{
	close_with(owner, CLOSE_POLICY);
}

/* ---- registering ---- */

static void keep_permissions(struct agent_worker *w, const Livekit__ParticipantPermission *allowed)
{
	Livekit__ParticipantPermission *p = &w->permissions;
	livekit__participant_permission__init(p);
	if (!allowed) {
		p->can_subscribe = p->can_publish = p->can_publish_data = p->can_update_metadata = true;
		return;
	}
	p->can_subscribe = allowed->can_subscribe;
	p->can_publish = allowed->can_publish;
	p->can_publish_data = allowed->can_publish_data;
	p->can_update_metadata = allowed->can_update_metadata;
	p->can_subscribe_metrics = allowed->can_subscribe_metrics;
	p->hidden = allowed->hidden;
}

static void on_register(struct agent_worker *w, const Livekit__RegisterWorkerRequest *in)
{
	char why[AGENTS_WHY_SIZE];
	bool has_space = in->_namespace_case == LIVEKIT__REGISTER_WORKER_REQUEST___NAMESPACE_NAMESPACE;
	if (w->state != WORKER_CONNECTED || in->type > LIVEKIT__JOB_TYPE__JT_PARTICIPANT ||
		!agents_deployment_ok(in->deployment, why)) {
		close_with(w, CLOSE_POLICY);
		return;
	}
	w->name = mem_strdup(in->agent_name);
	w->space = mem_strdup(has_space ? in->namespace_ : "");
	w->deployment = mem_strdup(in->deployment);
	if (!w->name || !w->space || !w->deployment) {
		agent_worker_end(w);
		return;
	}
	w->type = in->type;
	w->available = true;
	keep_permissions(w, in->allowed_permissions);
	w->state = WORKER_REGISTERED;
	timer_stop(&w->deadline);
	log_info(w->id, "worker \"%s\" has registered (version %.40s)", w->name, in->version);
	send_registered(w);
}

bool agent_worker_fits(
	const struct agent_worker *w, const char *name, const char *deployment, Livekit__JobType type)
{
	return w->state == WORKER_REGISTERED && w->type == type && !strcmp(w->name, name) &&
		!strcmp(w->deployment, deployment);
}

/* ---- what it says later ---- */

static void on_status(struct agent_worker *w, const Livekit__UpdateWorkerStatus *in)
{
	if (in->_status_case == LIVEKIT__UPDATE_WORKER_STATUS___STATUS_STATUS)
		w->available = in->status == LIVEKIT__WORKER_STATUS__WS_AVAILABLE;
	if (in->draining)
		w->available = false;
	w->load = in->load >= 0 && in->load <= 1 ? in->load : 1; /* also when it is no number */
}

static void on_answer(struct agent_worker *w, const Livekit__AvailabilityResponse *in)
{
	struct job *j = job_find(w->agents, in->job_id);
	if (j && j->worker == w && j->state == JOB_ASKED)
		job_answer(j, in);
}

static void on_job(struct agent_worker *w, const Livekit__UpdateJobStatus *in)
{
	struct job *j = job_find(w->agents, in->job_id);
	if (j && !strcmp(j->worker_id, w->id))
		job_update(j, in);
}

/* It was away for a moment, and its agents have gone on meanwhile. */
static void on_migrate(struct agent_worker *w, const Livekit__MigrateJobRequest *in)
{
	for (size_t i = 0; i < in->n_job_ids; ++i) {
		struct job *j = job_find(w->agents, in->job_ids[i]);
		if (j && j->state == JOB_RUNNING && !j->worker && j->dispatch &&
			agent_worker_fits(w, j->dispatch->info->agent_name, j->dispatch->info->deployment, j->type))
			job_attach(j, w);
	}
}

static void on_registered(struct agent_worker *w, const Livekit__WorkerMessage *m)
{
	switch (m->message_case) {
	case LIVEKIT__WORKER_MESSAGE__MESSAGE_UPDATE_WORKER:
		on_status(w, m->update_worker);
		break;
	case LIVEKIT__WORKER_MESSAGE__MESSAGE_AVAILABILITY:
		on_answer(w, m->availability);
		break;
	case LIVEKIT__WORKER_MESSAGE__MESSAGE_UPDATE_JOB:
		on_job(w, m->update_job);
		break;
	case LIVEKIT__WORKER_MESSAGE__MESSAGE_SIMULATE_JOB:
		job_simulate(w, m->simulate_job);
		break;
	case LIVEKIT__WORKER_MESSAGE__MESSAGE_MIGRATE_JOB:
		on_migrate(w, m->migrate_job);
		break;
	default:
		break; /* of a newer protocol */
	}
}

static void on_worker_message(struct agent_worker *w, const Livekit__WorkerMessage *m)
{
	if (m->message_case == LIVEKIT__WORKER_MESSAGE__MESSAGE_PING)
		send_pong(w, m->ping);
	else if (m->message_case == LIVEKIT__WORKER_MESSAGE__MESSAGE_REGISTER)
		on_register(w, m->register_);
	else if (w->state == WORKER_REGISTERED)
		on_registered(w, m);
	else
		close_with(w, CLOSE_POLICY);
}

static void on_message(void *owner, bool text, struct span message)
{
	struct agent_worker *w = owner;
	const ProtobufCMessageDescriptor *type = &livekit__worker_message__descriptor;
	struct proto_arena arena = {0};
	ProtobufCMessage *m = NULL;
	int r = text ? proto_json_read(&m, &arena, type, message, 0, NULL)
		     : proto_unpack(&m, &arena, type, message);
	w->json = text; /* it is answered as it speaks */
	if (r)
		close_with(w, CLOSE_PROTOCOL_ERROR);
	else
		on_worker_message(w, (const Livekit__WorkerMessage *)m);
	proto_arena_fini(&arena);
}

/* ---- the beginning ---- */

static const struct websocket_events socket_events = {.message = on_message, .closed = on_closed};

static int agent_worker_new(struct agent_worker **ret, struct agents *a, const char *key)
{
	struct agent_worker *w = mem_zalloc(sizeof *w);
	if (!w)
		return err_new(-ENOMEM);
	list_init(&w->jobs);
	list_init(&w->link);
	++a->connection_count;
	w->agents = a;
	w->serial = ++a->serials;
	rng_id(w->id, "AW_");
	w->key = mem_strdup(key);
	int r = w->key ? timer_init(&w->deadline, a->config.loop, on_deadline, w) : err_new(-ENOMEM);
	if (r < 0) {
		agent_worker_free(w);
		return r;
	}
	list_add(&a->workers, &w->link);
	*ret = w;
	return 0;
}

int agents_accept(struct agents *a, struct http_exchange *x, const char *key)
{
	struct agent_worker *w = NULL;
	if (a->connection_count >= LIMIT_AGENT_WORKERS)
		return AGENTS_E_FULL;
	int r = agent_worker_new(&w, a, key);
	if (r)
		return r;
	r = websocket_accept(&w->socket, x, &socket_events, w);
	if (r) {
		agent_worker_free(w);
		return r < 0 ? r : err_new(-EINVAL);
	}
	timer_start(&w->deadline, a->config.register_ms, 0);
	return 0;
}
