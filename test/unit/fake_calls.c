#include "fake_calls.h"

#include "call/transfer.h"

#include "base/list.h"
#include "base/mem.h"
#include "base/rng.h"
#include "trunk/explain.h"

#include "test/check.h"

struct calls {
	struct loop *loop;
	struct list all;
	int outcome;
	const char *why;
	size_t dialled;
};

struct call {
	struct list link, watches;
	char id[RNG_ID_SIZE], sid[RNG_ID_SIZE], room[300], identity[300], trunk[64], asked[1024], addresses[512], reason[128];
	bool settled, answered, hung_up;
	int status;
	struct call_explanation why;
};

struct calls *fake_calls_new(struct loop *l)
{
	struct calls *cs = mem_zalloc(sizeof *cs);
	CHECK(cs);
	cs->loop = l;
	list_init(&cs->all);
	return cs;
}

void fake_calls_free(struct calls *cs)
{
	while (!list_empty(&cs->all)) {
		struct call *c = list_first(&cs->all, struct call, link);
		list_remove(&c->link);
		mem_free(c);
	}
	mem_free(cs);
}

void fake_calls_refuse(struct calls *cs, int outcome, const char *why)
{
	cs->outcome = outcome;
	cs->why = why;
}

struct call *fake_calls_last(struct calls *cs)
{
	return list_empty(&cs->all) ? NULL : container_of(cs->all.prev, struct call, link);
}

size_t fake_calls_dialled(const struct calls *cs)
{
	return cs->dialled;
}

const char *fake_call_asked(const struct call *c)
{
	return c->asked;
}

const char *fake_call_addresses(const struct call *c)
{
	return c->addresses;
}

bool fake_call_hung_up(const struct call *c)
{
	return c->hung_up;
}

static const char *or_dash(const char *text)
{
	return text ? text : "-";
}

int calls_dial(struct call **ret, struct calls *cs, const struct call_request *r, struct call_refusal *refusal)
{
	if (cs->outcome) {
		snprintf(refusal->why, sizeof refusal->why, "%s", cs->why);
		refusal->retry_after_ms = cs->outcome == CALL_E_RATE ? 800 : 0;
		refusal->existing = cs->outcome == CALL_E_ALREADY ? fake_calls_last(cs) : NULL;
		return cs->outcome;
	}
	struct call *c = mem_zalloc(sizeof *c);
	CHECK(c);
	list_init(&c->watches);
	rng_id(c->id, "SCL_");
	rng_id(c->sid, "PA_");
	snprintf(c->room, sizeof c->room, "%s", r->room);
	snprintf(c->identity, sizeof c->identity, "%s%s", r->identity ? "" : "sip_",
		r->identity ? r->identity : r->number);
	snprintf(c->trunk, sizeof c->trunk, "%s", r->trunk->sip_trunk_id);
	snprintf(c->asked, sizeof c->asked, "%s|%s|%s|%s|%s|%s|%s|%u|%zu", r->room, r->number, r->trunk->name,
		or_dash(r->caller_number), or_dash(r->identity), or_dash(r->name), or_dash(r->dtmf),
		r->ringing_timeout_ms, r->attribute_count);
	snprintf(c->addresses, sizeof c->addresses, "%s|%s|%s|%s|%s|%s|%s|%d", r->number, or_dash(r->shown_number),
		or_dash(r->address), or_dash(r->uri_params), or_dash(r->caller_number), or_dash(r->from_host),
		or_dash(r->display_name), (int)r->trunk->transport);
	list_add(&cs->all, &c->link);
	++cs->dialled;
	*ret = c;
	return 0;
}

static void settle(struct call *c, bool answered)
{
	c->settled = true;
	c->answered = answered;
	while (!list_empty(&c->watches)) {
		struct call_watch *w = list_first(&c->watches, struct call_watch, link);
		list_remove(&w->link);
		w->settled(w, c, answered);
	}
}

void fake_call_answer(struct call *c)
{
	settle(c, true);
}

void fake_call_fail(struct call *c, int sip_status, const char *reason)
{
	c->status = sip_status;
	snprintf(c->reason, sizeof c->reason, "%s", reason);
	explain_failure(&c->why, &(struct call_failure){
					 .sip_status = sip_status,
					 .reason = reason,
					 .kind = sip_status ? CALL_FAILURE_RESPONSE : CALL_FAILURE_NO_ANSWER,
				 });
	settle(c, false);
}

void call_watch(struct call *c, struct call_watch *w)
{
	list_add(&c->watches, &w->link);
}

void call_unwatch(struct call_watch *w)
{
	list_remove(&w->link);
}

const char *call_id(const struct call *c)
{
	return c->id;
}

const char *call_room(const struct call *c)
{
	return c->room;
}

const char *call_participant_sid(const struct call *c)
{
	return c->sid;
}

const char *call_participant_identity(const struct call *c)
{
	return c->identity;
}

const char *call_trunk_id(const struct call *c)
{
	return c->trunk;
}

const struct call_explanation *call_explanation(const struct call *c)
{
	return &c->why;
}

int call_sip_status(const struct call *c)
{
	return c->status;
}

const char *call_sip_reason(const struct call *c)
{
	return c->reason;
}

struct call *calls_find(struct calls *cs, const char *id)
{
	list_each(l, &cs->all) {
		struct call *c = container_of(l, struct call, link);
		if (!strcmp(c->id, id) && !c->hung_up)
			return c;
	}
	return NULL;
}

struct call *calls_find_participant(struct calls *cs, const char *room, const char *identity)
{
	list_each(l, &cs->all) {
		struct call *c = container_of(l, struct call, link);
		if (!strcmp(c->room, room) && !strcmp(c->identity, identity) && !c->hung_up)
			return c;
	}
	return NULL;
}

void call_hang_up(struct call *c)
{
	c->hung_up = true;
}

const char *call_address(const struct call *c)
{
	return "";
}

int call_transfer(struct call *c, const struct transfer_request *request, struct transfer_watch *w,
	struct transfer_refusal *refusal)
{
	return TRANSFER_E_NOT_UP;
}

void call_transfer_unwatch(struct transfer_watch *w)
{
	list_remove(&w->link);
}

void calls_write_records(struct calls *cs)
{
}
