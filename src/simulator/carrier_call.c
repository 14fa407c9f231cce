/* simulator/carrier_call.c - a call from its INVITE to its end: the server transaction and the life of the
 * dialog (RFC 3261 sections 13.3, 17.2.1), written from the text and not from sip/. */
#include "simulator/carrier_inside.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "simulator/numbers.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

enum { LINGER_TIMES_T1 = 64, LINGER_REFUSED_TIMES_T1 = 10 };

static const struct {
	const char *name;
	unsigned next;
} states[CALL__COUNT] = {
	[CALL_TRYING] = {"trying", BIT(CALL_RINGING) | BIT(CALL_ANSWERED) | BIT(CALL_REFUSED) | BIT(CALL_ENDED)},
	[CALL_RINGING] = {"ringing", BIT(CALL_RINGING) | BIT(CALL_ANSWERED) | BIT(CALL_REFUSED) | BIT(CALL_ENDED)},
	[CALL_ANSWERED] = {"answered", BIT(CALL_ANSWERED) | BIT(CALL_UP) | BIT(CALL_ENDED)},
	[CALL_UP] = {"up", BIT(CALL_UP) | BIT(CALL_ANSWERED) | BIT(CALL_ENDED)},
	[CALL_REFUSED] = {"refused", BIT(CALL_ENDED)},
	[CALL_ENDED] = {"ended", 0},
};

void carrier_call_event(const struct carrier_call *call, const char *event, json_t *fields)
{
	carrier_log_event(&call->carrier->log, event, call->id, fields);
}

/* Refused calls take none of the trunk's places. */
static void uncount(struct carrier_call *call)
{
	if (call->counted)
		--call->trunk->calls;
	call->counted = false;
}

void carrier_call_move(struct carrier_call *call, enum carrier_call_state next)
{
	assert(states[call->state].next & BIT(next));
	if (call->state == next)
		return;
	call->state = next;
	carrier_call_event(call, "state", json_pack("{s:s}", "state", states[next].name));
	if (next < CALL_REFUSED)
		return;
	uncount(call);
	carrier_media_close(call);
	timer_stop(&call->wait);
	timer_stop(&call->session);
	timer_stop(&call->duration);
}

static uint64_t t1(const struct carrier_call *call)
{
	return (uint64_t)quirk(&call->trunk->quirks, Q_T1_MS);
}

void carrier_call_end(struct carrier_call *call, const char *why)
{
	if (call->state == CALL_ENDED)
		return;
	bool refused = call->state == CALL_REFUSED;
	carrier_call_move(call, CALL_ENDED);
	carrier_call_event(call, "ended", json_pack("{s:s}", "why", why));
	for (size_t i = 0; i < CARRIER_FORKS_MAX; ++i)
		carrier_resend_stop(&call->forks[i].said);
	/* Who asks again is answered again, for a while. */
	timer_start(&call->linger, t1(call) * (refused ? LINGER_REFUSED_TIMES_T1 : LINGER_TIMES_T1), 0);
}

struct carrier_call *carrier_call_free(struct carrier_call *call)
{
	if (!call)
		return NULL;
	list_remove(&call->link);
	list_remove(&call->free_later.link);
	uncount(call);
	--call->carrier->call_count;
	for (size_t i = 0; i < CARRIER_FORKS_MAX; ++i)
		carrier_resend_fini(&call->forks[i].said);
	carrier_resend_fini(&call->refusal);
	carrier_resend_fini(&call->reply);
	carrier_resend_fini(&call->asked.said);
	timer_fini(&call->wait);
	timer_fini(&call->session);
	timer_fini(&call->duration);
	timer_fini(&call->linger);
	voice_close(call->voice);
	mem_free(call->bytes);
	mem_free(call);
	return NULL;
}

/* --- what time brings --------------------------------------------------------------------------- */

static void free_now(struct deferred *d)
{
	carrier_call_free(container_of(d, struct carrier_call, free_later));
}

static void on_linger(void *owner)
{
	struct carrier_call *call = owner;
	loop_defer(call->carrier->loop, &call->free_later, free_now);
}

static void on_wait(void *owner)
{
	carrier_script_woken(owner, WAIT_TIME);
}

static void on_session(void *owner)
{
	struct carrier_call *call = owner;
	const struct quirks *q = &call->trunk->quirks;
	if (quirk(q, Q_REFRESHER) == REFRESHER_UAS && !carrier_resend_waits(&call->asked.said)) {
		char extra[64];
		snprintf(extra, sizeof extra, "Session-Expires: %ld;refresher=uac", quirk(q, Q_SESSION_S));
		carrier_ask(call, &(struct carrier_ask){.method = SIP_INVITE, .offer = true, .extra = extra});
		timer_start(&call->session, call->session_ms, 0);
		return;
	}
	carrier_bye(call, "SIP;cause=408;text=\"session timer\"");
}

static void on_duration(void *owner)
{
	carrier_bye(owner, "Q.850;cause=31;text=\"longest call\"");
}

static void refusal_unheard(void *owner)
{
	carrier_call_end(owner, "no ACK for the refusal");
}

static void reply_unheard(void *owner)
{
	carrier_bye(owner, "SIP;cause=408;text=\"no ACK\"");
}

static void asked_unheard(void *owner)
{
	struct carrier_call *call = owner;
	carrier_call_event(call, "unanswered", json_pack("{s:s}", "method", sip_method_text(call->asked.method)));
	if (call->asked.then_end)
		carrier_call_end(call, "BYE was not answered");
	else
		carrier_script_woken(call, WAIT_ANSWER);
}

/* A 2xx without an ACK, a reliable 1xx without a PRACK. */
static void fork_unheard(void *owner)
{
	struct carrier_fork *f = owner;
	struct carrier_call *call = f->call;
	if (f->rseq) {
		f->rseq = 0;
		carrier_call_event(call, "no_prack", NULL);
		carrier_call_move(call, CALL_REFUSED);
		carrier_call_say(call, &(struct carrier_say){.status = 504});
		return;
	}
	carrier_call_event(call, "no_ack", json_pack("{s:i}", "times", (int)f->said.times));
	carrier_bye(call, "SIP;cause=408;text=\"no ACK\"");
}

/* --- making one ----------------------------------------------------------------------------------- */

static int init_timers(struct carrier_call *call)
{
	struct loop *l = call->carrier->loop;
	struct carrier_wire *w = call->carrier->wire;
	int r = timer_init(&call->wait, l, on_wait, call);
	if (r == 0)
		r = timer_init(&call->session, l, on_session, call);
	if (r == 0)
		r = timer_init(&call->duration, l, on_duration, call);
	if (r == 0)
		r = timer_init(&call->linger, l, on_linger, call);
	if (r == 0)
		r = carrier_resend_init(&call->refusal, l, w, refusal_unheard, call);
	if (r == 0)
		r = carrier_resend_init(&call->reply, l, w, reply_unheard, call);
	if (r == 0)
		r = carrier_resend_init(&call->asked.said, l, w, asked_unheard, call);
	for (size_t i = 0; i < CARRIER_FORKS_MAX && r == 0; ++i)
		r = carrier_resend_init(&call->forks[i].said, l, w, fork_unheard, &call->forks[i]);
	return r;
}

/* "10.20.30.40:443{transport=tls}": a ';' would end the setting. */
static void write_contact(struct carrier_call *call, const char *port_and_params)
{
	const char *host = quirk_text(&call->trunk->quirks, Q_CONTACT);
	size_t used = (size_t)snprintf(call->contact, sizeof call->contact, "sip:%s%s%s", call->number,
		*call->number ? "@" : "", strcmp(host, "own") ? host : port_and_params);
	for (size_t i = 0; i < used && i < sizeof call->contact; ++i) {
		if (call->contact[i] == '{')
			call->contact[i] = ';';
		else if (call->contact[i] == '}')
			call->contact[i] = 0;
	}
}

/* Two hops when the edge speaks another transport outside than inside; the outer one comes last. */
static void write_routes(struct carrier_call *call, const char *own)
{
	const struct quirks *q = &call->trunk->quirks;
	char peer[ADDRESS_TEXT_SIZE], twnat[ADDRESS_TEXT_SIZE + 8] = "";
	long count = quirk(q, Q_RECORD_ROUTE);
	const char *r2 = count > 1 ? ";r2=on" : "";
	if (quirk(q, Q_TWNAT))
		snprintf(twnat, sizeof twnat, ";twnat=sip:%s",
			address_text(peer, (struct sockaddr *)&call->way.peer));
	if (count > 1)
		snprintf(call->routes[call->route_count++], CARRIER_URI_SIZE, "sip:172.25.26.7%s;lr", r2);
	if (count > 0)
		snprintf(call->routes[call->route_count++], CARRIER_URI_SIZE, "sip:%s%s;lr%s", own, r2, twnat);
}

static void write_addresses(struct carrier_call *call)
{
	static const char *const params[] = {"", ";transport=tcp", ";transport=tls"};
	const struct carrier *c = call->carrier;
	const char *ip = carrier_wire_ip(c->wire, call->way.edge);
	char own[ADDRESS_TEXT_SIZE + 32];
	snprintf(own, sizeof own, strchr(ip, ':') ? "[%s]:%u%s" : "%s:%u%s", ip,
		carrier_wire_port(c->wire, call->way.transport), params[call->way.transport]);
	write_contact(call, own);
	write_routes(call, own);
}

static void copy_span(char *out, size_t size, struct span s)
{
	snprintf(out, size, "%.*s", (int)(s.size < size ? s.size : size - 1), s.size ? (const char *)s.data : "");
}

static void read_invite(struct carrier_call *call)
{
	struct sip_uri uri;
	struct sip_name_addr contact;
	copy_span(call->id, sizeof call->id, call->invite.call_id);
	if (!sip_uri_parse(&uri, call->invite.uri))
		copy_span(call->number, sizeof call->number, uri.user);
	if (!sip_name_addr_parse(&contact, sip_message_value(&call->invite, SIP_H_CONTACT)))
		copy_span(call->peer_contact, sizeof call->peer_contact, contact.uri);
	call->peer_cseq = call->invite.cseq.number;
}

static int build(struct carrier_call *call, struct span bytes)
{
	struct carrier *c = call->carrier;
	call->bytes = mem_strndup((const char *)bytes.data, bytes.size);
	if (!call->bytes)
		return err_new(-ENOMEM);
	if (sip_message_parse(&call->invite, span_of(call->bytes, bytes.size)) != SIP_OK)
		return err_new(-EINVAL);
	char tag[CARRIER_TAG_SIZE - 2];
	carrier_random_hex(&c->random, tag, sizeof tag);
	for (size_t i = 0; i < CARRIER_FORKS_MAX; ++i) {
		snprintf(call->forks[i].tag, CARRIER_TAG_SIZE, "%s%zu", tag, i);
		call->forks[i].call = call;
	}
	call->sdp_id = carrier_random_u64(&c->random) >> 2;
	call->cseq = carrier_random_u32(&c->random) % 1000;
	call->direction = SDP_SENDRECV;
	read_invite(call);
	write_addresses(call);
	return init_timers(call);
}

static int new_call(struct carrier_call **ret, struct carrier *c, struct carrier_trunk *t, const struct carrier_way *way,
	struct span bytes)
{
	struct carrier_call *call = mem_zalloc(sizeof *call);
	if (!call)
		return err_new(-ENOMEM);
	call->carrier = c;
	call->trunk = t;
	call->way = *way;
	list_init(&call->free_later.link);
	list_add(&c->calls, &call->link);
	++c->call_count;
	int r = build(call, bytes);
	if (r < 0) {
		carrier_call_free(call);
		return r;
	}
	*ret = call;
	return 0;
}

/* --- an INVITE ------------------------------------------------------------------------------------ */

static bool same_span(struct span a, struct span b)
{
	return a.size == b.size && (!a.size || !memcmp(a.data, b.data, a.size));
}

static bool same_caller(const struct carrier_call *call, const struct sip_message *m)
{
	return same_span(call->invite.call_id, m->call_id) && same_span(call->invite.from.tag, m->from.tag);
}

static bool same_transaction(const struct carrier_call *call, const struct sip_message *m)
{
	return same_caller(call, m) && same_span(call->invite.via.branch, m->via.branch) &&
		call->invite.cseq.number == m->cseq.number;
}

struct carrier_call *carrier_call_find(struct carrier *c, const struct sip_message *m)
{
	bool by_branch = m->method == SIP_CANCEL || (m->method == SIP_INVITE && !m->to.tag.size);
	list_each(it, &c->calls) {
		struct carrier_call *call = container_of(it, struct carrier_call, link);
		if (!same_caller(call, m))
			continue;
		if (by_branch && same_transaction(call, m))
			return call;
		for (size_t i = 0; !by_branch && i < CARRIER_FORKS_MAX; ++i)
			if (span_is(m->to.tag, call->forks[i].tag))
				return call;
	}
	return NULL;
}

/* The same INVITE came by another way, or the next one came before the first was over. */
static bool is_merged(struct carrier *c, const struct sip_message *m)
{
	list_each(it, &c->calls) {
		struct carrier_call *call = container_of(it, struct carrier_call, link);
		if (same_caller(call, m) && call->state < CALL_REFUSED)
			return true;
	}
	return false;
}

static void repeat_answer(struct carrier_call *call)
{
	carrier_call_event(call, "retransmitted", NULL);
	if (call->refusal.bytes.size) {
		carrier_resend_again(&call->refusal);
		return;
	}
	for (size_t i = 0; i < CARRIER_FORKS_MAX; ++i)
		if (call->forks[i].said.bytes.size && !call->forks[i].acked)
			carrier_resend_again(&call->forks[i].said);
}

static void challenge(struct carrier_call *call)
{
	struct carrier *c = call->carrier;
	struct carrier_trunk *t = call->trunk;
	bool stale;
	char header[512];
	struct refusal_words words = refusal_words(t->profile->speech, REFUSE_CHALLENGE);
	(void)carrier_authenticate(c, t, &call->invite, &stale);
	carrier_challenge(c, t, stale, header);
	unsigned status = (unsigned)quirk(&t->quirks, Q_CHALLENGE);
	carrier_call_event(call, "challenged", json_pack("{s:b}", "stale", stale));
	carrier_call_move(call, CALL_REFUSED);
	carrier_call_say(call, &(struct carrier_say){
		.status = status, .reason = status == 407 ? words.reason : NULL, .extra = header});
}

static const char *script_for(const struct carrier *c, const struct carrier_trunk *t, const char *number)
{
	for (size_t i = 0; i < c->number_count; ++i)
		if (!strcmp(c->numbers[i].number, number))
			return c->numbers[i].script;
	char plus[32];
	snprintf(plus, sizeof plus, "%s%s", number[0] == '+' ? "" : "+", number);
	const struct number *n = number_find(span_text(plus));
	return n ? n->script : quirk_text(&t->quirks, Q_UNKNOWN_NUMBER);
}

static void ring(struct carrier_call *call)
{
	++call->trunk->calls;
	call->counted = true;
	int r = carrier_media_open(call);
	if (r < 0) {
		carrier_call_move(call, CALL_REFUSED);
		carrier_call_say(call, &(struct carrier_say){.status = 500});
		return;
	}
	log_info("simulator", "call for %s", call->number);
	carrier_call_event(call, "call", json_pack("{s:s,s:s,s:s,s:s}", "number", call->number, "script", call->script,
		"trunk", call->trunk->host, "profile", call->trunk->profile->name));
	carrier_script_run(call);
}

static void admit(struct carrier_call *call)
{
	enum refusal r = carrier_admit(call->carrier, call->trunk, &call->way, &call->invite, &call->media);
	if (r == REFUSE_NOT)
		ring(call);
	else if (r == REFUSE_CHALLENGE)
		challenge(call);
	else
		carrier_call_refuse(call, r);
}

void carrier_call_invite(struct carrier *c, struct carrier_trunk *t, const struct carrier_way *way,
	const struct sip_message *m, struct span bytes)
{
	struct carrier_call *call = carrier_call_find(c, m);
	if (call) {
		repeat_answer(call);
		return;
	}
	if (is_merged(c, m) || c->call_count >= CARRIER_CALLS_MAX) {
		carrier_reply(c, t, way, m, &(struct carrier_reply){
			.status = c->call_count >= CARRIER_CALLS_MAX ? 503 : 482, .to_tag = "merged"});
		return;
	}
	if (new_call(&call, c, t, way, bytes) < 0)
		return;
	snprintf(call->script, sizeof call->script, "%s", script_for(c, t, call->number));
	if (!strncmp(call->script, "vanish", 6)) {
		carrier_call_event(call, "vanished", json_pack("{s:s}", "number", call->number));
		carrier_call_end(call, "the number swallows INVITEs");
		return;
	}
	carrier_call_say(call, &(struct carrier_say){.status = 100, .reason = quirk_text(&t->quirks, Q_TRYING)});
	admit(call);
}
