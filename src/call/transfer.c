#include "call/transfer.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "call/call_private.h"
#include "call/ringback.h"

#include <errno.h>
#include <stdio.h>

enum { TIMEOUT_MS = 30000 };

struct call_transfer {
	struct call *call;
	char *to; /* as Refer-To */
	struct proto_arena kept;
	struct sip_extra *headers; /* that were asked for */
	size_t header_count;
	uint32_t timeout_ms;
	bool waits; /* for its turn; the REFER has not left */
	struct list watches;
	struct timer timer;
	struct deferred settle;
	bool rings; /* the phone is played a tone */
	struct transfer_result result;
};

static void tell(struct call_transfer *t)
{
	while (!list_empty(&t->watches)) {
		struct transfer_watch *w = list_first(&t->watches, struct transfer_watch, link);
		list_remove(&w->link);
		w->done(w, &t->result);
	}
}

static void transfer_free(struct call_transfer *t)
{
	t->call->transfer = NULL;
	if (t->rings && t->call->leg)
		media_leg_ring(t->call->calls->config.media, t->call->leg, NULL);
	list_remove(&t->settle.link);
	timer_fini(&t->timer);
	proto_arena_fini(&t->kept);
	mem_free(t->to);
	mem_free(t);
}

/* Watchers answer HTTP requests and the call may end by it: never from inside a SIP event. */
static void on_settle(struct deferred *d)
{
	struct call_transfer *t = container_of(d, struct call_transfer, settle);
	struct call *c = t->call;
	bool done = t->result.end == TRANSFER_DONE;

	/* Not to whom: logs are read by more people than may know. */
	log_info(c->id, "transfer %s: %u %s", done ? "done" : "failed", t->result.sip_status, t->result.sip_reason);
	tell(t);
	transfer_free(t);
	if (done)
		call_end_as(c, CALL_END_TRANSFERRED, NULL);
}

static void settle(struct call_transfer *t, enum transfer_end end, unsigned status, struct span reason)
{
	timer_stop(&t->timer);
	t->result.end = end;
	t->result.sip_status = status;
	headers_copy_text(t->result.sip_reason, sizeof t->result.sip_reason, reason);
	loop_defer(t->call->calls->loop, &t->settle, on_settle);
}

void call_on_referred(void *owner, const struct sip_refer_result *r)
{
	static const enum transfer_end ends[] = {
		[SIP_REFER_DONE] = TRANSFER_DONE,
		[SIP_REFER_REFUSED] = TRANSFER_REFUSED,
		[SIP_REFER_FAILED] = TRANSFER_FAILED,
		[SIP_REFER_SILENT] = TRANSFER_SILENT,
		[SIP_REFER_TERMINATED] = TRANSFER_UNKNOWN,
	};
	struct call *c = owner;

	if (c->transfer)
		settle(c->transfer, ends[r->end], r->status, r->reason);
}

void call_transfer_over(struct call *c, bool moved)
{
	struct call_transfer *t = c->transfer;

	if (!t)
		return;
	t->result.end = moved ? TRANSFER_DONE : TRANSFER_ENDED;
	tell(t);
	transfer_free(t);
}

/* ---- the wish ---- */

/* A SIP URI stands in angle brackets, a telephone number as it is: what livekit-sip sends, too. */
static char *refer_to(const char *to)
{
	bool plain = *to == '<' || !strncasecmp(to, "tel:", 4);
	return mem_format(plain ? "%s" : "<%s>", to);
}

static int send_refer(struct call_transfer *t)
{
	struct call *c = t->call;
	size_t count = 0;
	struct sip_extra *headers = mem_zalloc((c->rules.to_header_count + t->header_count + 1) * sizeof *headers);
	if (!headers)
		return err_new(-ENOMEM);
	count = call_own_headers(headers, c);
	for (size_t i = 0; i < t->header_count; ++i)
		headers[count++] = t->headers[i];
	int r = sip_call_refer(c->sip, &(struct sip_refer_request){
					       .refer_to = t->to,
					       .headers = headers,
					       .header_count = count,
				       });
	mem_free(headers);
	if (r == 0)
		timer_start(&t->timer, t->timeout_ms, 0);
	return r;
}

/* Its turn has come, or nothing else has. */
static void on_timer(void *owner)
{
	struct call_transfer *t = owner;

	if (t->waits) {
		t->waits = false;
		if (!t->call->sip || send_refer(t))
			settle(t, TRANSFER_BROKEN, 0, (struct span){0});
		return;
	}
	if (t->call->sip)
		sip_call_refer_forget(t->call->sip);
	settle(t, TRANSFER_SILENT, 0, (struct span){0});
}

static int keep_headers(struct call_transfer *t, const struct transfer_request *request)
{
	t->headers = proto_alloc(&t->kept, (request->header_count + 1) * sizeof *t->headers);
	for (size_t i = 0; t->headers && i < request->header_count; ++i)
		t->headers[t->header_count++] = (struct sip_extra){
			proto_text(&t->kept, request->headers[i].key), proto_text(&t->kept, request->headers[i].value)};
	return t->kept.failed || !t->headers ? err_new(-ENOMEM) : 0;
}

static int begin(struct call *c, const struct transfer_request *request, uint32_t wait_ms)
{
	struct call_transfer *t = mem_zalloc(sizeof *t);
	if (!t)
		return err_new(-ENOMEM);
	t->call = c;
	list_init(&t->watches);
	list_init(&t->settle.link);
	c->transfer = t;
	t->to = refer_to(request->to);
	t->timeout_ms = request->timeout_ms ? request->timeout_ms : TIMEOUT_MS;
	t->waits = wait_ms != 0;
	int r = t->to ? timer_init(&t->timer, c->calls->loop, on_timer, t) : err_new(-ENOMEM);
	if (r == 0)
		r = keep_headers(t, request);
	if (r == 0 && !t->waits)
		r = send_refer(t);
	if (r < 0) {
		transfer_free(t);
		return r;
	}
	if (t->waits)
		timer_start(&t->timer, wait_ms, 0);
	t->rings = request->ring;
	if (t->rings)
		media_leg_ring(c->calls->config.media, c->leg, ringback_of(c->number));
	log_info(c->id, t->waits ? "transfer asked for; it waits for the trunk's calls per second" : "transfer asked for");
	return 0;
}

static void note_refused(struct call *c, const struct transfer_request *request, const struct policy_verdict *verdict)
{
	call_note_refused(c->calls, verdict, &(struct refused_attempt){
						     .number = request->to,
						     .room = c->room,
						     .caller = c->caller,
						     .trunk_id = c->trunk_id,
						     .trunk_name = c->trunk_name,
						     .address = c->address,
						     .api_key = request->api_key,
						     .asker = request->asker,
						     .transfer_of = c->id,
					     });
}

/* A trunk that is not kept has no country but that of the number that was called through it. */
static int begin_if_allowed(struct call *c, const struct transfer_request *request, struct transfer_refusal *refusal)
{
	static const int outcomes[] = {
		[POLICY_OK] = 0,
		[POLICY_NOT_E164] = TRANSFER_E_NUMBER,
		[POLICY_COUNTRY] = TRANSFER_E_OFF,
		[POLICY_BLOCKED] = TRANSFER_E_OFF,
		[POLICY_RATE] = TRANSFER_E_LIMIT,
		[POLICY_BUSY] = TRANSFER_E_LIMIT,
		[POLICY_MINUTES] = TRANSFER_E_LIMIT,
	};
	Livekit__SIPOutboundTrunkInfo none = LIVEKIT__SIPOUTBOUND_TRUNK_INFO__INIT;
	struct policy *p = c->calls->config.policy;
	const Livekit__SIPOutboundTrunkInfo *trunk = request->trunk ? request->trunk : &none;
	struct policy_verdict verdict;

	none.address = c->address;
	policy_check_transfer(&verdict, p,
		&(struct policy_request){.number = request->to, .caller = request->trunk ? c->caller : c->number,
			.trunk = trunk, .key = request->api_key, .identity = request->asker},
		clock_ms());
	snprintf(refusal->why, sizeof refusal->why, "%s", verdict.why);
	if (verdict.outcome != POLICY_OK) {
		note_refused(c, request, &verdict);
		return outcomes[verdict.outcome];
	}
	int r = begin(c, request, verdict.wait_ms);
	if (r == 0)
		policy_transfer(p, trunk);
	return r == -EINVAL ? TRANSFER_E_INVALID : r;
}

static bool is_same(const struct call_transfer *t, const char *to)
{
	size_t size = strlen(to);
	return !strcmp(t->to, to) || (strlen(t->to) == size + 2 && !strncmp(t->to + 1, to, size));
}

int call_transfer(struct call *c, const struct transfer_request *request, struct transfer_watch *w,
	struct transfer_refusal *refusal)
{
	*refusal = (struct transfer_refusal){0};
	if (c->state != CALL_ACTIVE || !c->sip)
		return TRANSFER_E_NOT_UP;
	if (c->transfer && !is_same(c->transfer, request->to))
		return TRANSFER_E_ELSEWHERE;
	int r = c->transfer ? 0 : begin_if_allowed(c, request, refusal);
	if (r)
		return r;
	list_add(&c->transfer->watches, &w->link);
	return 0;
}

void call_transfer_unwatch(struct transfer_watch *w)
{
	list_remove(&w->link);
}
