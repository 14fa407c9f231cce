#include "agent/agents.h"

#include "base/limits.h"
#include "http_talk.h"

#include <jansson.h>

#define KEY "testkey"
#define SECRET "a secret of thirty-two characters"

static const char *secret_of(void *owner, const char *key)
{
	return !strcmp(key, KEY) ? SECRET : NULL;
}

static uint64_t now_ms(void *owner)
{
	return clock_ms();
}

/* ---- a server ---- */

static struct rooms *rooms;
static struct agents *agents;
static int accept_result;

static void on_worker(void *owner, struct http_exchange *x)
{
	accept_result = agents_accept(agents, x, KEY);
	if (accept_result)
		http_reply(x, 503, NULL, NULL, (struct span){0});
}

static void start(void)
{
	static const struct http_events events = {.request = on_request, .upgrade = on_worker};
	struct sockaddr_storage at;
	CHECK_EQ(loop_init(&loop), 0);
	CHECK_EQ(rooms_new(&rooms, &(struct rooms_config){.now_ms = now_ms}, NULL, NULL), 0);
	CHECK_EQ(agents_new(&agents, &(struct agents_config){.loop = &loop, .rooms = rooms,
		.secret_of = secret_of, .version = "1.2.3", .register_ms = 200, .answer_ms = 200,
		.leave_ms = 200}), 0);
	CHECK_EQ(address_parse(&at, "127.0.0.1", 0), 0);
	CHECK_EQ(http_server_new(&server, &loop, &(struct http_server_config){.bind = &at, .bind_count = 1},
		&events, NULL), 0);
}

static void stop(void)
{
	talk_stop_serving();
	rooms_free(rooms);
	agents_free(agents);
	loop_fini(&loop);
	CHECK_EQ(mem_live(), 0);
}

static struct room *open_room(const char *name, Livekit__RoomAgentDispatch **wishes, size_t count)
{
	struct room *r;
	CHECK_EQ(rooms_open(&r, NULL, rooms, name,
		&(struct room_options){.agents = wishes, .agent_count = count}), 0);
	return r;
}

/* ---- a worker, in JSON ---- */

static void worker_connect(struct talk *t)
{
	talk_open(t);
	talk_text(t, "GET /agent HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
	TALK_EXPECT(t, "101 ");
}

static void say(struct talk *t, const char *json)
{
	say_frame(t, 0x81, span_text(json));
}

/* The next text frame, or NULL while it is not whole. */
static json_t *take_json(struct talk *t)
{
	const uint8_t *p = t->in.data;
	size_t head = 2, size;
	if (t->in.size < 4 || p[0] != 0x81)
		return NULL;
	size = p[1];
	if (size == 126) {
		head = 4;
		size = (size_t)p[2] << 8 | p[3];
	}
	CHECK(size < 127 || head == 4);
	if (t->in.size < head + size)
		return NULL;
	json_t *json = json_loadb((const char *)p + head, size, 0, NULL);
	CHECK(json);
	buf_drop_front(&t->in, head + size);
	return json;
}

static json_t *hear(struct talk *t)
{
	json_t *json = NULL;
	LOOP_WAIT(&loop, (json = take_json(t)) || t->ended);
	CHECK(json);
	return json;
}

/* "availability.job.agentName" */
static const char *at(const json_t *json, const char *path)
{
	char name[64];
	while (*path) {
		size_t size = strcspn(path, ".");
		snprintf(name, sizeof name, "%.*s", (int)size, path);
		json = json_object_get(json, name);
		path += size + (path[size] == '.');
	}
	return json_string_value(json) ? json_string_value(json) : "";
}

static void worker_register(struct talk *t, const char *fields)
{
	char text[256];
	worker_connect(t);
	snprintf(text, sizeof text, "{\"register\": {%s}}", fields);
	say(t, text);
	json_t *json = hear(t);
	CHECK(!strncmp(at(json, "register.workerId"), "AW_", 3));
	CHECK_STR(at(json, "register.serverInfo.version"), "1.2.3");
	json_decref(json);
}

/* Hears an offer and answers it; the job's id. */
static void worker_answer(char id[RNG_ID_SIZE], struct talk *t, const char *fields)
{
	char text[256];
	json_t *json = hear(t);
	snprintf(id, RNG_ID_SIZE, "%s", at(json, "availability.job.id"));
	CHECK(!strncmp(id, "AJ_", 3));
	snprintf(text, sizeof text, "{\"availability\": {\"jobId\": \"%s\"%s%s}}", id, *fields ? ", " : "", fields);
	say(t, text);
	json_decref(json);
}

/* Hears its assignment; the token's claims. */
static json_t *worker_assigned(struct talk *t, const char *id)
{
	json_t *claims = NULL, *json = hear(t);
	CHECK_STR(at(json, "assignment.job.id"), id);
	const char *token = at(json, "assignment.token");
	CHECK_EQ(jwt_verify(&claims, span_text(token), secret_of, NULL, clock_unix_s()), 0);
	json_decref(json);
	return claims;
}

static void expect_end(struct talk *t, const char *id)
{
	json_t *json = hear(t);
	CHECK_STR(at(json, "termination.jobId"), id);
	json_decref(json);
}

/* The state of the only job of the first dispatch; -1: there is none. */
static int job_status(struct room *r)
{
	struct info_arena arena = {0};
	Livekit__ListAgentDispatchResponse *list = agents_list(&arena, agents, r, "");
	CHECK(list && list->n_agent_dispatches >= 1);
	const Livekit__AgentDispatchState *state = list->agent_dispatches[0]->state;
	CHECK(state->n_jobs <= 1);
	int status = state->n_jobs ? (int)state->jobs[0]->state->status : -1;
	if (status == LIVEKIT__JOB_STATUS__JS_FAILED)
		CHECK_STR(state->jobs[0]->state->error, "agent worker left the room");
	info_arena_fini(&arena);
	return status;
}

static struct participant *join(struct room *r, const char *identity, Livekit__ParticipantInfo__Kind kind)
{
	static const struct participant_events none;
	struct participant *p;
	CHECK_EQ(participant_join(&p, r, &(struct participant_config){.identity = identity, .name = "",
		.metadata = "", .kind = kind, .can_publish = true}, &none, NULL), 0);
	participant_joined(p);
	participant_active(p);
	return p;
}

/* ---- tests ---- */

static void test_job(void)
{
	struct talk t;
	char id[RNG_ID_SIZE];
	start();
	worker_register(&t, "\"agentName\": \"bank\", \"allowedPermissions\": {\"canPublish\": true, \"hidden\": true}");
	CHECK_EQ(agents_worker_count(agents), 1);
	Livekit__RoomAgentDispatch wish = LIVEKIT__ROOM_AGENT_DISPATCH__INIT, *wishes[] = {&wish};
	wish.agent_name = "bank";
	struct room *r = open_room("one", wishes, 1);
	CHECK_EQ(job_status(r), -1); /* asked, not taken */
	worker_answer(id, &t, "\"available\": true, \"participantIdentity\": \"me\", \"participantAttributes\": {\"a\": \"b\"}");
	json_t *claims = worker_assigned(&t, id);
	CHECK_STR(at(claims, "sub"), "me");
	CHECK_STR(at(claims, "kind"), "agent");
	CHECK_STR(at(claims, "video.room"), "one");
	CHECK_STR(at(claims, "attributes.a"), "b");
	CHECK_STR(json_string_value(json_object_get(json_object_get(claims, "attributes"), "lk.agent_name")), "bank");
	const json_t *video = json_object_get(claims, "video");
	CHECK(json_is_true(json_object_get(video, "canPublish")) && json_is_true(json_object_get(video, "hidden")));
	CHECK(json_is_false(json_object_get(video, "canSubscribe")) && json_is_true(json_object_get(video, "agent")));
	json_decref(claims);
	CHECK_EQ(job_status(r), LIVEKIT__JOB_STATUS__JS_RUNNING);

	participant_leave(join(r, "me", LIVEKIT__PARTICIPANT_INFO__KIND__STANDARD),
		LIVEKIT__DISCONNECT_REASON__CLIENT_INITIATED);
	CHECK_EQ(job_status(r), LIVEKIT__JOB_STATUS__JS_RUNNING); /* was no agent */
	participant_leave(join(r, "me", LIVEKIT__PARTICIPANT_INFO__KIND__AGENT),
		LIVEKIT__DISCONNECT_REASON__CLIENT_INITIATED);
	expect_end(&t, id);
	CHECK_EQ(job_status(r), LIVEKIT__JOB_STATUS__JS_FAILED);
	char text[100];
	snprintf(text, sizeof text, "{\"updateJob\": {\"jobId\": \"%s\", \"status\": \"JS_SUCCESS\"}}", id);
	say(&t, text);
	LOOP_WAIT(&loop, job_status(r) == LIVEKIT__JOB_STATUS__JS_SUCCESS); /* it knows better */
	talk_drop(&t);
	LOOP_WAIT(&loop, agents_worker_count(agents) == 0);
	stop();
}

/* Nobody answers, or nobody is left: the job is given up, the dispatch stays. */
static void test_nobody(void)
{
	struct talk silent, refuses;
	char id[RNG_ID_SIZE];
	start();
	CHECK_EQ(job_status(open_room("none", NULL, 0)), -1);
	worker_register(&silent, "\"namespace\": \"a\"");
	json_t *offer;
	struct room *r = open_room("silent", NULL, 0);
	json_decref(offer = hear(&silent));
	worker_register(&refuses, "\"namespace\": \"a\"");
	worker_answer(id, &refuses, ""); /* when the other has been silent for long enough */
	say(&refuses, "{\"updateWorker\": {\"status\": \"WS_FULL\"}}");
	say(&refuses, "{\"ping\": {\"timestamp\": \"7\"}}");
	json_t *pong = hear(&refuses);
	CHECK_STR(at(pong, "pong.lastTimestamp"), "7");
	json_decref(pong);
	CHECK_EQ(job_status(r), -1);
	say(&silent, "{\"updateWorker\": {\"load\": \"NaN\"}}"); /* busy, but willing */
	say(&silent, "{\"ping\": {}}");
	json_decref(hear(&silent));
	open_room("busy", NULL, 0);
	worker_answer(id, &silent, "");
	say(&silent, "{\"updateWorker\": {\"draining\": true}}");
	say(&silent, "{\"ping\": {}}");
	json_decref(hear(&silent));
	open_room("full", NULL, 0);
	say(&silent, "{\"ping\": {}}");
	json_decref(pong = hear(&silent)); /* no offer came before it */
	talk_drop(&silent);
	talk_drop(&refuses);
	stop();
}

/* Withdrawn: an offer is taken back, an agent that stays is removed. A worker that is gone changes nothing. */
static void test_withdraw(void)
{
	struct talk t;
	char id[RNG_ID_SIZE], dispatch[RNG_ID_SIZE];
	Livekit__RoomAgentDispatch wish = LIVEKIT__ROOM_AGENT_DISPATCH__INIT;
	start();
	wish.agent_name = "stays";
	worker_register(&t, "\"agentName\": \"stays\"");
	struct room *r = open_room("one", NULL, 0);
	CHECK(!agents_withdraw(agents, r, "AD_unknown"));
	CHECK_EQ(agents_dispatch(dispatch, agents, r, &wish), 0);
	CHECK(agents_withdraw(agents, r, dispatch));
	CHECK(!agents_withdraw(agents, r, dispatch));
	json_decref(hear(&t));
	CHECK_EQ(agents_dispatch(dispatch, agents, r, &wish), 0);
	worker_answer(id, &t, "\"available\": true, \"participantIdentity\": \"me\"");
	json_decref(worker_assigned(&t, id));
	join(r, "me", LIVEKIT__PARTICIPANT_INFO__KIND__AGENT);
	CHECK(agents_withdraw(agents, r, dispatch));
	expect_end(&t, id);
	CHECK(room_find(r, "me"));
	LOOP_WAIT(&loop, !room_find(r, "me"));

	/* Its room ends with the worker away, while a dispatch is on its way out. */
	CHECK_EQ(agents_dispatch(dispatch, agents, r, &wish), 0);
	worker_answer(id, &t, "\"available\": true");
	json_decref(worker_assigned(&t, id));
	talk_drop(&t);
	LOOP_WAIT(&loop, agents_worker_count(agents) == 0);
	CHECK(agents_withdraw(agents, r, dispatch));
	room_close(r, LIVEKIT__DISCONNECT_REASON__ROOM_DELETED);
	stop();
}

static void test_simulated(void)
{
	struct talk t;
	char id[RNG_ID_SIZE];
	start();
	worker_register(&t, "");
	say(&t, "{\"simulateJob\": {}}");
	say(&t, "{\"simulateJob\": {\"room\": {\"name\": \"made up\"}}}");
	worker_answer(id, &t, "\"terminate\": true");
	say(&t, "{\"simulateJob\": {\"room\": {\"name\": \"made up\"}, \"participant\": {\"identity\": \"p\"}}}");
	worker_answer(id, &t, "\"available\": true");
	json_t *claims = worker_assigned(&t, id);
	CHECK_STR(at(claims, "video.room"), "made up");
	CHECK_STR(at(claims, "sub"), id); /* it named nobody */
	json_decref(claims);
	say(&t, "{\"simulateJob\": {\"room\": {\"name\": \"refused\"}}}");
	worker_answer(id, &t, "");
	talk_drop(&t);
	LOOP_WAIT(&loop, agents_worker_count(agents) == 0);
	stop();
}

/* Closed: who does not register in time, or says something else first, or what makes no sense. */
static void test_strangers(void)
{
	static const char *const words[] = {NULL, "{\"updateJob\": {}}", "nonsense",
		"{\"register\": {\"deployment\": \"not a word\"}}", "{\"register\": {\"type\": 9}}"};
	start();
	for (size_t i = 0; i < COUNT_OF(words); ++i) {
		struct talk t;
		worker_connect(&t);
		if (words[i])
			say(&t, words[i]);
		LOOP_WAIT(&loop, t.in.size >= 2 && t.in.data[0] == 0x88);
		talk_drop(&t);
	}
	struct talk t;
	worker_register(&t, "");
	say(&t, "{\"register\": {}}");
	LOOP_WAIT(&loop, t.in.size >= 2 && t.in.data[0] == 0x88);
	talk_drop(&t);
	stop();
}

static void test_limits(void)
{
	char id[RNG_ID_SIZE], why[AGENTS_WHY_SIZE];
	Livekit__RoomAgentDispatch wish = LIVEKIT__ROOM_AGENT_DISPATCH__INIT;
	start();
	struct room *r = open_room("one", NULL, 0);
	for (int i = 1; i < LIMIT_AGENT_DISPATCHES; ++i)
		CHECK_EQ(agents_dispatch(id, agents, r, &wish), 0);
	CHECK_EQ(agents_dispatch(id, agents, r, &wish), AGENTS_E_DISPATCHES);
	CHECK(agents_deployment_ok("", why) && agents_deployment_ok("v1.2-beta", why));
	CHECK(!agents_deployment_ok("not a word", why));
	CHECK_STR(why, "deployment contains whitespace or control byte at position 3");
	CHECK(!agents_deployment_ok("0123456789012345678901234567890123456789012345678901234567890123x", why));
	CHECK_STR(why, "deployment exceeds 64 bytes");
	stop();
}

/* A job that ended long ago goes; what a large one was about goes with its end. */
static void test_memory(void)
{
	struct talk t;
	char id[RNG_ID_SIZE], first[RNG_ID_SIZE] = "";
	static char large[20000];
	start();
	worker_register(&t, "\"type\": \"JT_PARTICIPANT\"");
	struct room *r = open_room("one", NULL, 0);
	memset(large, 'x', sizeof large - 1);
	room_set_metadata(r, large);
	for (int i = 0; i < LIMIT_AGENT_ENDED_JOBS + 3; ++i) {
		char name[16];
		snprintf(name, sizeof name, "p%d", i);
		join(r, name, LIVEKIT__PARTICIPANT_INFO__KIND__STANDARD);
		worker_answer(id, &t, "\"terminate\": true");
		if (!i)
			memcpy(first, id, sizeof first);
	}
	say(&t, "{\"ping\": {}}");
	json_decref(hear(&t)); /* all is taken in */
	struct info_arena arena = {0};
	Livekit__ListAgentDispatchResponse *list = agents_list(&arena, agents, r, "");
	const Livekit__AgentDispatchState *state = list->agent_dispatches[0]->state;
	/* The last one may have been offered before the end of the one before it was heard of. */
	CHECK(state->n_jobs >= LIMIT_AGENT_ENDED_JOBS && state->n_jobs <= LIMIT_AGENT_ENDED_JOBS + 1);
	CHECK(strcmp(state->jobs[0]->id, first));
	CHECK_STR(state->jobs[state->n_jobs - 1]->id, id);
	CHECK(!state->jobs[0]->room && !state->jobs[0]->participant);
	CHECK_EQ(state->jobs[0]->state->status, LIVEKIT__JOB_STATUS__JS_SUCCESS);
	info_arena_fini(&arena);
	talk_drop(&t);
	stop();
}

/* Memory that runs out loses the dispatch or the job, nothing else. */
static void test_ladder(void)
{
	struct talk t;
	Livekit__RoomAgentDispatch wish = LIVEKIT__ROOM_AGENT_DISPATCH__INIT;
	start();
	worker_register(&t, "");
	struct room *r = open_room("one", NULL, 0);
	int done = 0;
	for (int n = 0; n < 60; ++n) {
		char id[RNG_ID_SIZE];
		struct info_arena arena = {0};
		mem_fail_after(n);
		int err = agents_dispatch(id, agents, r, &wish);
		Livekit__ListAgentDispatchResponse *list = agents_list(&arena, agents, r, "");
		mem_fail_after(-1);
		CHECK(err <= 0);
		done += !err && list;
		info_arena_fini(&arena);
		if (!err)
			CHECK(agents_withdraw(agents, r, id));
	}
	CHECK(done);
	talk_drop(&t);
	stop();
}

int main(void)
{
	test_job();
	test_nobody();
	test_withdraw();
	test_simulated();
	test_strangers();
	test_limits();
	test_memory();
	test_ladder();
	return 0;
}
