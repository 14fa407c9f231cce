#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "sip/core.h"

#include <assert.h>
#include <errno.h>

void sip_branch(char out[SIP_BRANCH_SIZE])
{
	memcpy(out, "z9hG4bK", 7);
	rng_token(out + 7, SIP_BRANCH_SIZE - 7);
}

void sip_client_key(struct writer *w, struct span branch, struct span method)
{
	write_span(w, branch);
	write_u8(w, ' ');
	write_span(w, method);
	write_u8(w, 0);
}

static void arm(struct sip_client *c)
{
	uint64_t at = sip_transaction_deadline(&c->engine);
	uint64_t now = loop_now_ms(c->agent->loop);

	if (at == UINT64_MAX)
		timer_stop(&c->timer);
	else
		timer_start(&c->timer, at > now ? at - now : 0, 0);
}

/* The ACK of a 300-699 (RFC 3261 section 17.1.1.3) and CANCEL (9.1) repeat the INVITE's own head:
 * Request-URI, topmost Via, Route, From, Call-ID, CSeq number. */
static struct span write_echo(struct sip_client *c, enum sip_method method, struct span to,
	const char *reason)
{
	struct writer w = writer_of(c->agent->scratch, SIP_SCRATCH);
	struct sip_message invite;
	struct sip_items vias = {.m = &invite, .id = SIP_H_VIA};
	struct span via = {0};

	if (sip_message_parse(&invite, span_of(c->bytes, c->size)) != SIP_OK)
		return (struct span){0};
	sip_items_next(&vias, &via);
	sip_write_request(&w, span_text(sip_method_text(method)), invite.uri);
	sip_write_header(&w, "Via", via);
	sip_write_copies(&w, &invite, SIP_H_ROUTE);
	sip_write_copies(&w, &invite, SIP_H_FROM);
	sip_write_copy(&w, "To", to.size ? to : sip_message_value(&invite, SIP_H_TO));
	sip_write_copies(&w, &invite, SIP_H_CALL_ID);
	sip_write_header_format(&w, "CSeq", "%u %s", invite.cseq.number, sip_method_text(method));
	write_text(&w, "Max-Forwards: 70\r\n");
	if (reason)
		sip_write_header(&w, "Reason", span_text(reason));
	sip_write_end(&w, NULL, (struct span){0});
	return writer_span(&w);
}

static void send_ack(struct sip_client *c, const struct sip_message *response)
{
	struct span ack = write_echo(c, SIP_ACK, sip_message_value(response, SIP_H_TO), NULL);
	if (ack.size)
		(void)sip_agent_send(c->agent, &c->path, ack); /* the response will come again */
}

static void end(struct sip_client *c)
{
	map_remove(&c->agent->clients, &c->node);
	mem_free(c->key);
	c->key = NULL;
	timer_stop(&c->timer);
	list_remove(&c->owner_link);
	if (c->events)
		c->events->ended(c->owner, c);
}

static void release(struct sip_client *c)
{
	timer_fini(&c->timer);
	mem_free(c->key);
	mem_free_wiped(c->bytes, c->size);
	mem_free(c->tls_why);
	mem_free(c);
}

static void act(struct sip_client *c, unsigned what, const struct sip_message *m)
{
	++c->busy;
	if (what & SIP_DO_SEND &&
		sip_agent_send(c->agent, &c->path, span_of(c->bytes, c->size)) < 0)
		what |= sip_transaction_broken(&c->engine);
	if (what & SIP_DO_ACK)
		send_ack(c, m);
	if (what & SIP_DO_PASS && c->events)
		c->events->response(c->owner, c, m);
	if (what & SIP_DO_TIMEOUT && sip_is_stream(c->path.protocol))
		sip_transport_suspect(c->agent->transport, &c->path);
	if (what & (SIP_DO_TIMEOUT | SIP_DO_FAILED) && c->events)
		c->events->failed(c->owner, c, what & SIP_DO_TIMEOUT);
	--c->busy;
	if (c->engine.state != SIP_TX_DONE) {
		arm(c);
	} else if (!c->busy) {
		end(c);
		release(c);
	}
}

static void on_timer(void *owner)
{
	struct sip_client *c = owner;
	bool failed = c->send_failed;

	c->send_failed = false;
	act(c, failed ? sip_transaction_broken(&c->engine)
		      : sip_transaction_tick(&c->engine, loop_now_ms(c->agent->loop)),
		NULL);
}

void sip_client_input(struct sip_client *c, const struct sip_message *response)
{
	act(c,
		sip_transaction_response(
			&c->engine, response->status, loop_now_ms(c->agent->loop)),
		response);
}

/* A connection that had worked may have been closed by the far end, which had no reason to keep it,
 * before it read this request: then it goes out once more, on a new one. */
static bool sent_anew(struct sip_client *c)
{
	if (c->retried)
		return false;
	c->retried = true;
	c->path.connection = 0;
	return sip_agent_send(c->agent, &c->path, span_of(c->bytes, c->size)) >= 0;
}

/* An INVITE that rings cannot hear its answer any more when its connection is gone. Said again, with the
 * same branch, the far end knows it and answers here; or it has forgotten all, and calls anew. */
static bool rings_in_the_dark(const struct sip_client *c)
{
	return c->engine.state == SIP_TX_PROCEEDING && c->method == SIP_INVITE && !c->engine.quiet &&
		!c->retried && sip_is_stream(c->path.protocol);
}

bool sip_client_waits(const struct sip_client *c)
{
	return c->engine.state == SIP_TX_TRYING || rings_in_the_dark(c);
}

void sip_client_broken(struct sip_client *c, const struct sip_trouble *why)
{
	if (rings_in_the_dark(c)) {
		(void)!sent_anew(c); /* if not, the owner's patience ends it */
		return;
	}
	if (why->was_good && !why->tls && sent_anew(c))
		return;
	if (why->tls && !c->tls_why)
		c->tls_why = mem_strdup(why->tls);
	act(c, sip_transaction_broken(&c->engine), NULL);
}

static int build(struct sip_client *c, const char *branch, struct span bytes)
{
	char text[SIP_BRANCH_SIZE + 32];
	struct writer key = writer_of(text, sizeof text);

	sip_client_key(&key, span_text(branch), span_text(sip_method_text(c->method)));
	assert(!key.bad);
	c->key = mem_strdup(text);
	c->bytes = mem_zalloc(bytes.size);
	if (!c->key || !c->bytes)
		return err_new(-ENOMEM);
	memcpy(c->bytes, bytes.data, bytes.size);
	c->size = bytes.size;
	return timer_init(&c->timer, c->agent->loop, on_timer, c);
}

/* RFC 3261 has one wait 32 s for repetitions: those that nobody else waits for give way. */
static bool has_room(struct sip_agent *a)
{
	struct sip_client *oldest = list_first(&a->orphans, struct sip_client, owner_link);

	if (a->clients.count < LIMIT_SIP_TRANSACTIONS)
		return true;
	if (list_empty(&a->orphans) || oldest->busy)
		return false;
	sip_client_free(oldest);
	return true;
}

int sip_client_start(struct sip_client **ret, struct sip_agent *a, enum sip_method method,
	const struct sip_path *path, const char *branch, struct span bytes,
	const struct sip_client_events *events, void *owner)
{
	if (!has_room(a))
		return err_new(-EMFILE);
	struct sip_client *c = mem_zalloc(sizeof *c);
	if (!c)
		return err_new(-ENOMEM);
	c->agent = a;
	c->method = method;
	c->path = *path;
	c->events = events;
	c->owner = owner;
	list_init(&c->owner_link);
	int r = build(c, branch, bytes);
	if (r >= 0)
		r = map_put(&a->clients, &c->node, c->key);
	if (r < 0) {
		release(c);
		return r;
	}
	assert(r == 0); /* branches are random */
	sip_transaction_start(&c->engine,
		method == SIP_INVITE ? SIP_CLIENT_INVITE : SIP_CLIENT_OTHER, &a->timers,
		sip_is_stream(path->protocol), loop_now_ms(a->loop));
	c->send_failed = sip_agent_send(a, &c->path, span_of(c->bytes, c->size)) < 0;
	if (c->send_failed)
		timer_start(&c->timer, 0, 0);
	else
		arm(c);
	*ret = c;
	return 0;
}

void sip_client_abandon(struct sip_client *c)
{
	c->events = NULL;
	c->owner = NULL;
	list_remove(&c->owner_link);
	list_add(&c->agent->orphans, &c->owner_link);
}

void sip_client_hush(struct sip_client *c)
{
	sip_transaction_hush(&c->engine, loop_now_ms(c->agent->loop));
	if (!c->send_failed)
		arm(c);
}

void sip_client_cancel(struct sip_client *c, const char *reason)
{
	struct sip_client *cancel;
	struct sip_message m;
	char branch[256];

	if (c->cancelled)
		return;
	c->cancelled = true;
	sip_client_hush(c);
	struct span bytes = write_echo(c, SIP_CANCEL, (struct span){0}, reason);
	if (!bytes.size || sip_message_parse(&m, bytes) != SIP_OK ||
		m.via.branch.size >= sizeof branch)
		return;
	memcpy(branch, m.via.branch.data, m.via.branch.size);
	branch[m.via.branch.size] = 0;
	/* Without memory for it the call ends by its timers. */
	(void)!sip_client_start(
		&cancel, c->agent, SIP_CANCEL, &c->path, branch, bytes, NULL, NULL);
}

struct sip_client *sip_client_free(struct sip_client *c)
{
	if (!c)
		return NULL;
	assert(!c->busy);
	if (c->key)
		map_remove(&c->agent->clients, &c->node);
	list_remove(&c->owner_link);
	release(c);
	return NULL;
}
