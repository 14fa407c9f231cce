/* call/calls.c - all calls: dialling one, finding one, ending them all. */
#include "call/call_private.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "call/offer.h"
#include "wire/e164.h"
#include "call/ringback.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum {
	RINGING_TIMEOUT_MS = 3 * 60 * 1000,       /* livekit-sip's defaults */
	MAX_DURATION_MS = 24 * 60 * 60 * 1000,
	MEDIA_TIMEOUT_MAX_S = 600,                /* as it is checked */
	CLOSE_GRACE_MS = 3000, /* for BYE and CANCEL to be answered when we stop */
};

int calls_new(struct calls **ret, struct loop *l, const struct calls_config *config)
{
	struct calls *cs = mem_zalloc(sizeof *cs);
	if (!cs)
		return err_new(-ENOMEM);
	cs->loop = l;
	cs->config = *config;
	list_init(&cs->all);
	int r = records_keep_start(cs);
	if (r < 0) {
		calls_free(cs);
		return r;
	}
	*ret = cs;
	return 0;
}

struct calls *calls_free(struct calls *cs)
{
	if (!cs)
		return NULL;
	while (!list_empty(&cs->all))
		call_free(list_first(&cs->all, struct call, link));
	timer_fini(&cs->close_timer);
	records_keep_stop(cs);
	map_fini(&cs->by_id);
	map_fini(&cs->by_leg);
	map_fini(&cs->by_sip_id);
	mem_free(cs);
	return NULL;
}

size_t calls_count(const struct calls *cs)
{
	return cs->by_id.count;
}

struct call *calls_find(struct calls *cs, const char *id)
{
	return map_entry(map_get(&cs->by_id, id), struct call, id_node);
}

struct call *calls_find_participant(struct calls *cs, const char *room, const char *identity)
{
	list_each(it, &cs->all)
	{
		struct call *c = container_of(it, struct call, link);
		if (c->state != CALL_ENDED && !strcmp(c->room, room) && !strcmp(c->identity, identity))
			return c;
	}
	return NULL;
}

/* One request never dials twice: the same number on its way into the same room is the same wish. */
static struct call *find_dialing(struct calls *cs, const char *room, const char *number)
{
	list_each(it, &cs->all)
	{
		struct call *c = container_of(it, struct call, link);
		bool on_its_way = c->state == CALL_DIALING || c->state == CALL_RINGING;
		if (on_its_way && !strcmp(c->room, room) && !strcmp(c->number, number))
			return c;
	}
	return NULL;
}

static size_t count_in_room(struct calls *cs, const char *room)
{
	size_t n = 0;
	list_each(it, &cs->all)
	{
		struct call *c = container_of(it, struct call, link);
		n += c->state != CALL_ENDED && !strcmp(c->room, room);
	}
	return n;
}

static int refuse(struct call_refusal *refusal, int outcome, const char *format, ...) PRINTF(3, 4);
static int refuse(struct call_refusal *refusal, int outcome, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(refusal->why, sizeof refusal->why, format, args);
	va_end(args);
	return outcome;
}

void call_note_refused(struct calls *cs, const struct policy_verdict *v, struct refused_attempt *a)
{
	a->outcome = v->outcome;
	a->why = v->why;
	refused_note(&cs->refused, cs->config.records, a, clock_unix_ms());
	if (cs->config.records)
		records_keep_soon(cs);
}

static void note_refused(struct calls *cs, const struct policy_verdict *v, const struct policy_request *asked,
	const struct call_request *request)
{
	call_note_refused(cs, v, &(struct refused_attempt){
					 .number = v->outcome == POLICY_NOT_E164 ? request->number : v->number,
					 .room = request->room,
					 .caller = asked->caller,
					 .trunk_id = request->trunk->sip_trunk_id,
					 .trunk_name = request->trunk->name,
					 .address = request->address ? request->address : request->trunk->address,
					 .api_key = request->api_key,
					 .asker = request->asker,
				 });
}

static int check_policy(struct policy_verdict *verdict, struct calls *cs, const struct policy_request *asked,
	struct call_refusal *refusal)
{
	static const int outcomes[] = {
		[POLICY_OK] = CALL_OK,
		[POLICY_NOT_E164] = CALL_E_NUMBER,
		[POLICY_COUNTRY] = CALL_E_COUNTRY,
		[POLICY_BLOCKED] = CALL_E_BLOCKED,
		[POLICY_RATE] = CALL_E_RATE,
		[POLICY_BUSY] = CALL_E_LIMIT,
		[POLICY_MINUTES] = CALL_E_MINUTES,
	};
	policy_check(verdict, cs->config.policy, asked, clock_ms());
	refusal->retry_after_ms = verdict->retry_after_ms;
	return verdict->outcome == POLICY_OK ? 0 : refuse(refusal, outcomes[verdict->outcome], "%s", verdict->why);
}

/* What the trunk asks for and we do not have. */
static int check_abilities(const Livekit__SIPOutboundTrunkInfo *trunk, struct call_refusal *refusal)
{
	enum codec codecs[OFFER_CODECS_MAX];
	size_t count;
	offer_choose_codecs(codecs, &count, trunk->media);
	return count ? 0
		     : refuse(refusal, CALL_E_CODEC,
			       "None of the listed codecs is supported here: allow PCMU, PCMA, G722 or opus, or unset only_listed_codecs.");
}

static const char *choose_caller(const struct call_request *request)
{
	const Livekit__SIPOutboundTrunkInfo *trunk = request->trunk;
	if (request->caller_number && *request->caller_number)
		return request->caller_number;
	return trunk->n_numbers ? trunk->numbers[rng_u32() % trunk->n_numbers] : NULL;
}

static int check_limits(struct calls *cs, const struct call_request *request, const char *number,
	struct call_refusal *refusal)
{
	refusal->existing = find_dialing(cs, request->room, number);
	if (refusal->existing)
		return refuse(refusal, CALL_E_ALREADY,
			"%s is already being called into the room \"%s\". Wait until that call is answered or has ended.",
			number, request->room);
	if (calls_count(cs) >= LIMIT_CALLS || count_in_room(cs, request->room) >= LIMIT_CALLS_PER_ROOM)
		return refuse(refusal, CALL_E_LIMIT,
			"Too many calls at once: at most %d in a room and %d in all. End one first.",
			LIMIT_CALLS_PER_ROOM, LIMIT_CALLS);
	return 0;
}

static void on_ringing_timeout(void *owner)
{
	struct call *c = owner;
	bool heard = c->heard || c->record.at_ms[RECORD_FIRST_RESPONSE];
	call_fail_as(c, heard ? CALL_FAILURE_NO_ANSWER : CALL_FAILURE_TIMEOUT, NULL);
}

static void on_longest(void *owner)
{
	call_end_as(owner, CALL_END_MAX_DURATION, NULL);
}

static void on_minutes_spent(struct policy_call *allowed)
{
	call_end_as(container_of(allowed, struct call, allowed), CALL_END_MINUTES, NULL);
}

static int copy_request(struct call *c, const struct call_request *request, const char *number, const char *caller)
{
	c->room = mem_strdup(request->room);
	c->number = mem_strdup(number);
	c->shown_number = mem_strdup(request->shown_number ? request->shown_number : number);
	c->identity = request->identity && *request->identity ? mem_strdup(request->identity)
							      : mem_format("sip_%s", request->shown_number ? request->shown_number : number);
	c->dtmf = mem_strdup(request->dtmf ? request->dtmf : "");
	c->trunk_id = mem_strdup(request->trunk->sip_trunk_id ? request->trunk->sip_trunk_id : "");
	c->address = mem_strdup(request->address ? request->address : request->trunk->address);
	c->trunk_name = mem_strdup(request->trunk->name ? request->trunk->name : "");
	c->caller = mem_strdup(caller);
	c->hide_phone_number = request->hide_phone_number;
	bool whole = c->room && c->number && c->shown_number && c->identity && c->dtmf && c->trunk_id && c->address &&
		     c->trunk_name && c->caller;
	return whole ? header_rules_copy(&c->rules, &c->kept, request->trunk) : err_new(-ENOMEM);
}

static int call_new(struct call **ret, struct calls *cs, const struct call_request *request, const char *number,
	const char *caller)
{
	struct call *c = mem_zalloc(sizeof *c);
	if (!c)
		return err_new(-ENOMEM);
	c->calls = cs;
	c->asked_ms = clock_ms();
	list_init(&c->link);
	list_init(&c->watches);
	list_init(&c->settle_later.link);
	list_init(&c->free_later.link);
	list_init(&c->end_later.link);
	rng_id(c->id, "SCL_");

	int r = copy_request(c, request, number, caller);
	if (r == 0)
		r = timer_init(&c->ringing, cs->loop, on_ringing_timeout, c);
	if (r == 0)
		r = timer_init(&c->longest, cs->loop, on_longest, c);
	if (r == 0)
		r = call_ending_init(c);
	if (r == 0)
		r = map_put(&cs->by_id, &c->id_node, c->id);
	if (r) {
		call_free(c);
		return r;
	}
	list_add(&cs->all, &c->link);
	*ret = c;
	return 0;
}

/* The trunk's, else the server's. */
static uint32_t media_timeout_ms(const struct calls_config *config, const Livekit__SIPMediaConfig *media)
{
	if (!media || media->_media_timeout_case != LIVEKIT__SIPMEDIA_CONFIG___MEDIA_TIMEOUT_MEDIA_TIMEOUT)
		return config->media_timeout_ms;
	int64_t seconds = media->media_timeout->seconds;
	uint32_t ms = (uint32_t)(seconds < 0 ? 0 : seconds > MEDIA_TIMEOUT_MAX_S ? MEDIA_TIMEOUT_MAX_S : seconds) * 1000 +
		      (uint32_t)(media->media_timeout->nanos / 1000000);
	return ms ? ms : config->media_timeout_ms;
}

static int open_leg(struct call *c, struct media_leg_local *local, struct room *room,
	const struct call_request *request)
{
	const struct calls_config *config = &c->calls->config;
	struct trunk_options options;
	char why[TRUNK_WHY_SIZE];
	if (trunk_options_read(&options, request->trunk->metadata, why))
		options = (struct trunk_options){0}; /* call_invite() says so */
	int r = media_leg_open(&c->leg, local, config->media, room_worker(room),
		&(struct media_leg_config){
			.keys = call_keys_of(&options),
			.latch = config->symmetric_rtp,
			.media_timeout_initial_ms = config->media_timeout_initial_ms,
			.media_timeout_ms = media_timeout_ms(config, request->trunk->media),
		});
	if (r < 0)
		return r;
	r = map_put_id(&c->calls->by_leg, &c->leg_node, c->leg);
	assert(r != MAP_E_EXISTS);
	return r;
}

/* Outcomes of start(). */
enum {
	START_E_ROOM_FULL = 1,
	START_E_INVALID,
	START_E_LIMIT,
};

/* Leg first (its port goes into the offer and its id into the track), then the seat, then INVITE:
 * all in this turn of the loop. */
static int start(struct call *c, struct room *room, const struct call_request *request, const char *caller,
	const struct policy_verdict *verdict)
{
	uint32_t ringing_ms = request->ringing_timeout_ms ? request->ringing_timeout_ms : RINGING_TIMEOUT_MS;
	uint32_t longest_ms = request->max_duration_ms ? request->max_duration_ms : MAX_DURATION_MS;
	struct media_leg_local local = {0};
	int r = open_leg(c, &local, room, request);
	if (r < 0)
		return r;
	r = call_sit_down(c, room, request, caller);
	if (r)
		return r == SEAT_E_ROOM_FULL ? START_E_ROOM_FULL : r;
	r = record_begin(c);
	if (r == 0)
		r = verdict->wait_ms ? call_queue_wait(c, request, caller, local.rtp_port, verdict->wait_ms)
				     : call_invite(c, request, caller, local.rtp_port);
	if (r)
		return r == CALL_E_INVALID ? START_E_INVALID : r == CALL_E_LIMIT ? START_E_LIMIT : r;
	if (request->ringback)
		media_leg_ringback(c->calls->config.media, c->leg, ringback_of(c->number));
	if (verdict->longest_ms && verdict->longest_ms < longest_ms)
		longest_ms = verdict->longest_ms;
	timer_start(&c->ringing, (uint64_t)verdict->wait_ms + ringing_ms, 0);
	timer_start(&c->longest, (uint64_t)verdict->wait_ms + longest_ms, 0);
	return 0;
}

static int explain_start(int r, const struct call_request *request, struct call_refusal *refusal)
{
	if (r == START_E_ROOM_FULL)
		return refuse(refusal, CALL_E_LIMIT, "The room \"%s\" is full.", request->room);
	if (r == START_E_LIMIT)
		return refuse(refusal, CALL_E_LIMIT, "There are %d calls at the far ends already, ending ones among them.", LIMIT_CALLS);
	if (r == START_E_INVALID)
		return refuse(refusal, CALL_E_INVALID,
			"A header, the caller's number, the display name or the trunk's address holds characters "
			"that a SIP message cannot carry, or is too long.");
	return r;
}

static int open_room(struct room **ret, struct calls *cs, const char *name, struct call_refusal *refusal)
{
	int r = rooms_open(ret, NULL, cs->config.rooms, name, &(struct room_options){0});
	if (r == ROOMS_E_LIMIT)
		return refuse(refusal, CALL_E_LIMIT, "There are too many rooms: at most %d.", LIMIT_ROOMS);
	return r;
}

static void log_dial(const struct call *c)
{
	char who[160];
	snprintf(who, sizeof who, "%.60s from %.60s", c->number, c->caller);
	e164_hide(who, c->number);
	e164_hide(who, c->caller);
	log_info(c->id, "calling %s through %s into room %s", who, c->address, c->room);
}

int calls_dial(struct call **ret, struct calls *cs, const struct call_request *request,
	struct call_refusal *refusal)
{
	assert(request->room && request->number && request->trunk);
	*refusal = (struct call_refusal){0};

	struct policy_verdict verdict;
	const char *caller = choose_caller(request);
	if (!caller)
		return refuse(refusal, CALL_E_NO_CALLER,
			"The trunk \"%s\" has no numbers to call from: add one to its \"numbers\".",
			request->trunk->name);
	const struct policy_request asked = {
		.number = request->number,
		.caller = caller,
		.trunk = request->rules ? request->rules : request->trunk,
		.key = request->api_key,
		.identity = request->asker,
		.shown = {request->shown_number, request->to_user},
		.uri_params = request->uri_params,
	};
	int r = check_abilities(request->trunk, refusal);
	if (r == 0) {
		r = check_policy(&verdict, cs, &asked, refusal);
		if (r)
			note_refused(cs, &verdict, &asked, request);
	}
	if (r == 0)
		r = check_limits(cs, request, verdict.number, refusal);
	struct room *room = NULL;
	if (r == 0)
		r = open_room(&room, cs, request->room, refusal);
	struct call *c = NULL;
	if (r == 0)
		r = call_new(&c, cs, request, verdict.number, caller);
	if (r)
		return r;

	log_dial(c);
	r = policy_begin(&c->allowed, cs->config.policy, &asked, on_minutes_spent);
	if (r == 0)
		r = start(c, room, request, caller, &verdict);
	if (r) {
		call_free(c);
		return explain_start(r, request, refusal);
	}
	*ret = c;
	return 0;
}

static void closed(void *owner)
{
	struct calls *cs = owner;
	void (*done)(void *) = cs->closed;
	cs->closed = NULL;
	timer_stop(&cs->close_timer);
	if (done)
		done(cs->closed_owner);
}

void calls_close(struct calls *cs, void (*done)(void *owner), void *owner)
{
	cs->closed = done;
	cs->closed_owner = owner;
	list_each(it, &cs->all)
	{
		struct call *c = container_of(it, struct call, link);
		call_end_as(c, CALL_END_SERVER_STOPPED, NULL);
		call_line_done(c);
	}
	bool empty = list_empty(&cs->all);
	if (timer_init(&cs->close_timer, cs->loop, closed, cs) < 0)
		closed(cs);
	else
		timer_start(&cs->close_timer, empty ? 0 : CLOSE_GRACE_MS, 0);
}
