#include "call/record.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "call/call_private.h"
#include "net/address.h"
#include "wire/sip_mask.h"

#include <errno.h>
#include <stdio.h>

/* Written by the timer, or by the end: making the JSON costs more than writing it. */
static void note_change(struct call *c)
{
	c->record.dirty = !c->record.at_ms[RECORD_ENDED];
	records_keep_soon(c->calls);
}

int record_begin(struct call *c)
{
	struct call_record *r = &c->record;
	if (!c->calls->config.records)
		return 0;
	rng_token(r->sip_call_id, sizeof r->sip_call_id);
	int e = map_put(&c->calls->by_sip_id, &r->node, r->sip_call_id);
	if (e)
		return e < 0 ? e : err_new(-EEXIST);
	r->on = true;
	record_time(c, RECORD_ASKED);
	return 0;
}

void record_time(struct call *c, enum record_time what)
{
	if (!c->record.on || c->record.at_ms[what])
		return;
	c->record.at_ms[what] = clock_unix_ms();
	note_change(c);
}

/* Not answered, or cut by something that is nobody's wish. */
static bool is_failed(const struct call *c)
{
	enum ended_by by = c->explanation.ended_by;
	if (c->state != CALL_ENDED)
		return false;
	return !c->answered || by == ENDED_BY_NETWORK || by == ENDED_BY_CARRIER || by == ENDED_BY_US;
}

static int put(struct call *c)
{
	char *facts = record_facts(c);
	if (!facts)
		return err_new(-ENOMEM);
	int r = records_put(c->calls->config.records, &(const struct record_row){
							      .id = c->id,
							      .began_ms = c->record.at_ms[RECORD_ASKED],
							      .ended_ms = c->record.at_ms[RECORD_ENDED],
							      .room = c->room,
							      .trunk = c->trunk_id,
							      .trunk_name = c->trunk_name,
							      .number = c->number,
							      .failed = is_failed(c),
							      .facts = span_text(facts),
						      });
	mem_free(facts);
	return r;
}

void record_save(struct call *c)
{
	if (!c->record.on)
		return;
	c->record.dirty = false;
	if (put(c) < 0)
		log_warn(c->id, "its record could not be kept");
}

void record_end(struct call *c)
{
	if (!c->record.on)
		return;
	c->record.at_ms[RECORD_ENDED] = clock_unix_ms();
	record_save(c);
	/* Before anybody is told: whoever knows of the end finds it, whatever becomes of us. */
	records_keep_now(c->calls);
}

void record_fini(struct call *c)
{
	struct call_record *r = &c->record;
	if (r->on) {
		/* One that is refused before it leaves was never a call. */
		if (r->dirty && r->at_ms[RECORD_INVITE])
			record_save(c);
		map_remove(&c->calls->by_sip_id, &r->node);
	}
	mem_free(r->offer);
	mem_free(r->answer);
	*r = (struct call_record){0};
}

bool record_ack_unseen(const struct call *c)
{
	/* RFC 3261, 13.3.1.4: repeated after 0.5, 1.5, 3.5 s ..., given up after 32. */
	enum { AGAIN = 3, GIVEN_UP_MS = 40 * 1000 };
	const struct call_record *r = &c->record;
	return r->answers_again >= AGAIN && clock_unix_ms() - r->at_ms[RECORD_ANSWERED] < GIVEN_UP_MS;
}

/* ---- messages ---- */

/* What tells how it ended is kept when the rest of a long call no longer is. */
static bool is_of_the_end(const struct sip_message *m)
{
	if (m->method == SIP_BYE || m->method == SIP_CANCEL)
		return true;
	return m->is_response && m->method == SIP_INVITE && m->status >= 300;
}

static bool has_room(const struct call_record *r, const struct sip_message *m, size_t size)
{
	size_t reserve = is_of_the_end(m) ? 0 : LIMIT_LADDER_RESERVE;
	return r->message_count + reserve < LIMIT_LADDER_MESSAGES &&
	       r->message_bytes + size + reserve * LIMIT_LADDER_MESSAGE_BYTES / 4 < LIMIT_LADDER_BYTES;
}

static void note_ends(struct call *c, const struct sip_traced *t)
{
	struct call_record *r = &c->record;
	char remote[ADDRESS_TEXT_SIZE];
	address_text(remote, t->remote);
	if (!strcmp(remote, r->remote) && !strcmp(t->protocol, r->protocol))
		return;
	snprintf(r->remote, sizeof r->remote, "%s", remote);
	snprintf(r->protocol, sizeof r->protocol, "%s", t->protocol);
	sip_agent_local(c->calls->config.sip, t->path, r->local);
}

/* `bytes` are ours, and masked. */
static void keep(struct call *c, const struct sip_traced *t, struct span bytes)
{
	struct call_record *r = &c->record;
	if (records_add_message(c->calls->config.records, c->id, &(const struct record_message){
									 .at_us = clock_unix_ns() / 1000,
									 .sent = t->sent,
									 .protocol = r->protocol,
									 .local = r->local,
									 .remote = r->remote,
									 .bytes = bytes,
								 }) < 0)
		return;
	++r->message_count;
	r->message_bytes += bytes.size;
}

static void note_sdp(char **kept, struct span body)
{
	char *text = body.size ? mem_strndup((const char *)body.data, body.size) : NULL;
	if (!text)
		return;
	mem_free(*kept);
	*kept = text;
}

static void note_response(struct call *c, const struct sip_message *m)
{
	record_time(c, RECORD_FIRST_RESPONSE);
	if (m->status >= 180 && m->status < 190)
		record_time(c, RECORD_RINGING);
	if (m->status >= 180 && m->status < 200 && m->body.size)
		record_time(c, RECORD_EARLY_MEDIA);
	if (m->status != 200)
		return;
	if (!c->record.at_ms[RECORD_ANSWERED])
		c->record.answer_cseq = m->cseq.number;
	else if (m->cseq.number == c->record.answer_cseq)
		++c->record.answers_again;
	record_time(c, RECORD_ANSWERED);
}

/* `body` is the masked one. */
static void note_facts(struct call *c, const struct sip_traced *t, const struct sip_message *m, struct span body)
{
	struct call_record *r = &c->record;
	if (m->method != SIP_INVITE)
		return;
	if (t->sent && !m->is_response) {
		record_time(c, RECORD_INVITE);
		note_sdp(&r->offer, body);
	} else if (!t->sent && m->is_response) {
		note_response(c, m);
		note_sdp(&r->answer, body);
	}
}

/* What came is taken apart already. NULL: it can't be. */
static const struct sip_message *take_apart(const struct sip_traced *t)
{
	static struct sip_message m; /* large, and used within this turn only */
	if (t->message)
		return t->message;
	return sip_message_parse(&m, t->bytes) == SIP_OK ? &m : NULL;
}

/* The same bytes in the copy. */
static struct span in_copy(const uint8_t *copy, struct span whole, struct span part)
{
	if (!part.size || part.data < whole.data || part.data + part.size > whole.data + whole.size)
		return (struct span){0};
	return span_of(copy + (part.data - whole.data), part.size);
}

static void keep_masked(struct call *c, const struct sip_traced *t, const struct sip_message *m, uint8_t *copy)
{
	size_t size = t->bytes.size < LIMIT_LADDER_MESSAGE_BYTES ? t->bytes.size : LIMIT_LADDER_MESSAGE_BYTES;
	bool ladder = c->calls->config.keep_ladder;
	memcpy(copy, t->bytes.data, t->bytes.size);
	sip_mask(copy, t->bytes.size); /* each byte keeps its place */
	note_ends(c, t);
	note_facts(c, t, m, in_copy(copy, t->bytes, m->body));
	if (ladder && has_room(&c->record, m, size))
		keep(c, t, span_of(copy, size));
	else
		c->record.dropped += ladder;
	note_change(c);
}

void calls_sip_message(struct calls *cs, const struct sip_traced *t)
{
	const struct sip_message *m = cs->by_sip_id.count ? take_apart(t) : NULL;
	struct call *c = m ? map_entry(map_get_span(&cs->by_sip_id, m->call_id), struct call, record.node) : NULL;
	uint8_t *copy = c ? mem_zalloc(t->bytes.size + 1) : NULL;
	if (copy)
		keep_masked(c, t, m, copy);
	mem_free(copy);
}
