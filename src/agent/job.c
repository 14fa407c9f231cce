/* A job from the offer to its end. */
#include "agent/inside.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>

/* ---- making, keeping ---- */

void job_attach(struct job *j, struct agent_worker *w)
{
	j->worker = w;
	memcpy(j->worker_id, w->id, sizeof j->worker_id);
	list_add(&w->jobs, &j->worker_link);
}

void job_detach(struct job *j)
{
	j->worker = NULL;
	list_remove(&j->worker_link);
	timer_stop(&j->answer);
}

void job_free(struct job *j)
{
	struct agents *a = j->agents;
	list_remove(&j->link);
	list_remove(&j->worker_link);
	if (j->by_id.key)
		map_remove(&a->jobs, &j->by_id);
	a->job_bytes -= j->packed.size;
	timer_fini(&j->answer);
	buf_fini(&j->packed);
	mem_free(j->space);
	mem_free(j->identity);
	mem_free(j->error);
	mem_free(j->asked);
	mem_free(j);
}

struct job *job_find(struct agents *a, const char *id)
{
	return map_entry(map_get(&a->jobs, id), struct job, by_id);
}

static void on_silence(void *owner)
{
	struct job *j = owner;
	log_warn(j->worker_id, "the worker does not say whether it takes job %s", j->id);
	job_detach(j);
	job_ask_next(j);
}

static int job_fill(struct job *j, const Livekit__Job *info)
{
	int r = timer_init(&j->answer, j->agents->config.loop, on_silence, j);
	if (r < 0)
		return r;
	j->space = mem_strdup(info->namespace_);
	if (!j->space)
		return err_new(-ENOMEM);
	r = proto_pack(&j->packed, &info->base);
	j->agents->job_bytes += j->packed.size;
	return r ? r : map_put(&j->agents->jobs, &j->by_id, j->id);
}

/* `info`: without an id. `list`: where it is kept. NULL: it cannot be (said in the log). */
static struct job *job_new(struct agents *a, struct dispatch *d, struct list *list, Livekit__Job *info)
{
	if (a->jobs.count >= LIMIT_AGENT_JOBS || a->job_bytes > LIMIT_AGENT_JOB_BYTES) {
		log_warn("agents", "no more jobs: there are %zu, of %zu bytes", a->jobs.count, a->job_bytes);
		return NULL;
	}
	struct job *j = mem_zalloc(sizeof *j);
	if (!j)
		return NULL;
	list_init(&j->worker_link);
	list_add(list, &j->link);
	j->agents = a;
	j->dispatch = d;
	j->type = info->type;
	rng_id(j->id, "AJ_");
	info->id = j->id;
	if (job_fill(j, info)) {
		log_error("agents", "a job could not be kept");
		job_free(j);
		return NULL;
	}
	return j;
}

static bool is_ended(Livekit__JobStatus s)
{
	return s >= LIVEKIT__JOB_STATUS__JS_SUCCESS;
}

/* ---- as LiveKit's message ---- */

static Livekit__JobState *state_info(struct proto_arena *arena, const struct job *j)
{
	Livekit__JobState *s =
		(Livekit__JobState *)proto_new(arena, &livekit__job_state__descriptor);
	if (!s)
		return NULL;
	s->status = j->status;
	s->error = j->error ? j->error : s->error;
	s->started_at = j->started_ns;
	s->ended_at = j->ended_ns;
	s->updated_at = j->updated_ns;
	s->participant_identity = j->identity ? j->identity : s->participant_identity;
	s->worker_id = (char *)j->worker_id;
	return s;
}

Livekit__Job *job_info(struct proto_arena *arena, const struct job *j)
{
	ProtobufCMessage *m = NULL;
	if (proto_unpack(&m, arena, &livekit__job__descriptor, buf_span(&j->packed)))
		return NULL;
	Livekit__Job *info = (Livekit__Job *)m;
	info->state = state_info(arena, j);
	return info->state ? info : NULL;
}

/* Who ended needs no large room to be told of. */
static void shrink(struct job *j)
{
	struct proto_arena arena = {0};
	if (j->packed.size <= LIMIT_AGENT_ENDED_JOB_BYTES)
		return;
	Livekit__Job *info = job_info(&arena, j);
	size_t before = j->packed.size;
	buf_fini(&j->packed);
	if (info) {
		info->state = NULL;
		info->room = NULL;
		info->metadata = (char *)"";
		info->n_attributes = 0;
		info->_participant_case = LIVEKIT__JOB___PARTICIPANT__NOT_SET;
		if (proto_pack(&j->packed, &info->base)) /* then nothing is left but its state */
			log_warn("agents", "job %s is remembered without what it was about", j->id);
	}
	j->agents->job_bytes -= before - j->packed.size;
	proto_arena_fini(&arena);
}

/* ---- the end ---- */

static void send_termination(struct job *j)
{
	Livekit__ServerMessage m = LIVEKIT__SERVER_MESSAGE__INIT;
	Livekit__JobTermination end = LIVEKIT__JOB_TERMINATION__INIT;
	end.job_id = j->id;
	m.message_case = LIVEKIT__SERVER_MESSAGE__MESSAGE_TERMINATION;
	m.termination = &end;
	agent_worker_send(j->worker, &m);
}

/* What is only told is kept short; whole characters of it. */
static char *keep_short(const char *text)
{
	size_t size = strnlen(text, LIMIT_NAME_BYTES);
	while (size && text[size] && ((uint8_t)text[size] & 0xc0) == 0x80)
		--size;
	return size ? mem_strndup(text, size) : NULL;
}

static void become(struct job *j, Livekit__JobStatus status, const char *error)
{
	j->status = status;
	mem_free(j->error);
	j->error = error ? keep_short(error) : NULL;
	j->updated_ns = clock_unix_ns();
}

void job_end(struct job *j, Livekit__JobStatus status, const char *error, bool tell)
{
	if (j->state == JOB_ENDED)
		return;
	if (tell && j->worker)
		send_termination(j);
	j->state = JOB_ENDED;
	job_detach(j);
	become(j, status, error);
	j->ended_ns = j->updated_ns;
	log_info(j->worker_id, "job %s has ended%s%s", j->id, j->error ? ": " : "", j->error ? j->error : "");
	if (j->dispatch)
		shrink(j);
	else
		job_free(j);
}

void job_update(struct job *j, const Livekit__UpdateJobStatus *in)
{
	if (j->state == JOB_RUNNING && is_ended(in->status))
		job_end(j, in->status, in->error, false);
	else if (j->state == JOB_RUNNING || (j->state == JOB_ENDED && is_ended(in->status)))
		become(j, in->status, in->error); /* how it ended is the worker's to say, even late */
}

/* ---- asking ---- */

static int note_asked(struct job *j, const struct agent_worker *w)
{
	uint64_t *asked = mem_realloc(j->asked, (j->asked_count + 1) * sizeof *asked);
	if (!asked)
		return err_new(-ENOMEM);
	j->asked = asked;
	asked[j->asked_count++] = w->serial;
	return 0;
}

static void send_offer(struct job *j)
{
	struct proto_arena arena = {0};
	Livekit__ServerMessage m = LIVEKIT__SERVER_MESSAGE__INIT;
	Livekit__AvailabilityRequest offer = LIVEKIT__AVAILABILITY_REQUEST__INIT;
	offer.job = job_info(&arena, j);
	m.message_case = LIVEKIT__SERVER_MESSAGE__MESSAGE_AVAILABILITY;
	m.availability = &offer;
	if (offer.job)
		agent_worker_send(j->worker, &m);
	proto_arena_fini(&arena);
}

static void ask(struct job *j, struct agent_worker *w)
{
	if (note_asked(j, w)) {
		job_free(j);
		return;
	}
	j->state = JOB_ASKED;
	job_attach(j, w);
	become(j, LIVEKIT__JOB_STATUS__JS_RUNNING, NULL);
	j->started_ns = j->updated_ns;
	timer_start(&j->answer, j->agents->config.answer_ms, 0);
	send_offer(j);
}

void job_ask_next(struct job *j)
{
	const Livekit__AgentDispatch *d = j->dispatch ? j->dispatch->info : NULL;
	struct agent_worker *w = d ? choose_worker(j, d->agent_name, d->deployment) : NULL;
	if (w) {
		ask(j, w);
		return;
	}
	if (d)
		log_warn(d->room, "no worker takes the job of agent \"%s\"", d->agent_name);
	job_free(j);
}

/* ---- the worker's answer ---- */

static void send_assignment(struct job *j, Livekit__Job *info, char *token)
{
	Livekit__ServerMessage m = LIVEKIT__SERVER_MESSAGE__INIT;
	Livekit__JobAssignment assignment = LIVEKIT__JOB_ASSIGNMENT__INIT;
	assignment.job = info;
	assignment.token = token;
	m.message_case = LIVEKIT__SERVER_MESSAGE__MESSAGE_ASSIGNMENT;
	m.assignment = &assignment;
	agent_worker_send(j->worker, &m);
}

static void assign(struct job *j, const Livekit__AvailabilityResponse *in)
{
	struct proto_arena arena = {0};
	char *token = NULL;
	j->identity = mem_strdup(*in->participant_identity ? in->participant_identity : j->id);
	Livekit__Job *info = job_info(&arena, j);
	int r = info && j->identity && info->room
		? agent_token(&token, j->worker, info->room->name, j->identity, in)
		: err_new(-ENOMEM);
	if (r) {
		log_error(j->worker_id, "job %s: its token cannot be made", j->id);
		job_free(j);
	} else {
		j->state = JOB_RUNNING;
		log_info(j->worker_id, "job %s of agent \"%s\" in room \"%s\"", j->id, j->worker->name,
			info->room->name);
		send_assignment(j, info, token);
	}
	mem_free(token);
	proto_arena_fini(&arena);
}

void job_answer(struct job *j, const Livekit__AvailabilityResponse *in)
{
	timer_stop(&j->answer);
	if (in->terminate) {
		job_end(j, LIVEKIT__JOB_STATUS__JS_SUCCESS, NULL, false);
	} else if (in->available) {
		assign(j, in);
	} else {
		job_detach(j);
		job_ask_next(j);
	}
}

/* ---- launching ---- */

static void forget_old(struct dispatch *d)
{
	struct job *oldest = NULL;
	size_t ended = 0;
	list_each(it, &d->jobs)
	{
		struct job *j = container_of(it, struct job, link);
		ended += j->state == JOB_ENDED;
		if (!oldest && j->state == JOB_ENDED)
			oldest = j;
	}
	if (ended >= LIMIT_AGENT_ENDED_JOBS)
		job_free(oldest);
}

static void launch(struct dispatch *d, Livekit__JobType type, struct participant *p, char *space)
{
	const struct agents_config *c = &d->room->agents->config;
	struct info_arena arena = {0};
	Livekit__Job info = LIVEKIT__JOB__INIT;
	info.dispatch_id = d->info->id;
	info.type = type;
	info.room = room_info(&arena, d->room->room);
	if (p) {
		info._participant_case = LIVEKIT__JOB___PARTICIPANT_PARTICIPANT;
		info.participant = participant_info(&arena, p);
	}
	info.namespace_ = space;
	info.metadata = d->info->metadata;
	info.agent_name = d->info->agent_name;
	info.deployment = d->info->deployment;
	info.attributes = (Livekit__Job__AttributesEntry **)d->info->attributes;
	info.n_attributes = d->info->n_attributes;
	info.enable_recording = c->enable_recording;
	info.enable_redaction = c->enable_redaction;
	forget_old(d);
	struct job *j = info.room && (!p || info.participant)
		? job_new(d->room->agents, d, &d->jobs, &info)
		: NULL;
	info_arena_fini(&arena);
	if (j)
		job_ask_next(j);
}

/* Is there a worker before `last` in the list that w speaks for, too? */
static bool is_first_of_space(
	const struct agents *a, const struct agent_worker *last, const struct dispatch *d)
{
	list_each(it, &a->workers)
	{
		const struct agent_worker *w = container_of(it, struct agent_worker, link);
		if (w == last)
			break;
		if (agent_worker_fits(w, d->info->agent_name, d->info->deployment, last->type) &&
			!strcmp(w->space, last->space))
			return false;
	}
	return true;
}

void jobs_launch(struct dispatch *d, Livekit__JobType type, struct participant *p)
{
	struct agents *a = d->room->agents;
	bool any = false;
	list_each(it, &a->workers)
	{
		struct agent_worker *w = container_of(it, struct agent_worker, link);
		if (!agent_worker_fits(w, d->info->agent_name, d->info->deployment, type) ||
			!is_first_of_space(a, w, d))
			continue;
		any = true;
		launch(d, type, p, w->space); /* one for each namespace, as LiveKit does */
	}
	if (!any && !p && *d->info->agent_name)
		log_info(d->info->room, "there is no worker for agent \"%s\"", d->info->agent_name);
}

void job_simulate(struct agent_worker *w, const Livekit__SimulateJobRequest *in)
{
	Livekit__Job info = LIVEKIT__JOB__INIT;
	if (!in->room)
		return;
	info.type = LIVEKIT__JOB_TYPE__JT_ROOM;
	info.room = in->room;
	if (in->participant) {
		info.type = LIVEKIT__JOB_TYPE__JT_PUBLISHER;
		info._participant_case = LIVEKIT__JOB___PARTICIPANT_PARTICIPANT;
		info.participant = in->participant;
	}
	info.namespace_ = w->space;
	info.agent_name = w->name;
	struct job *j = job_new(w->agents, NULL, &w->agents->simulated, &info);
	if (j)
		ask(j, w);
}
