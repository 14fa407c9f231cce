#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "net/address.h"
#include "sip/core.h"

#include <assert.h>
#include <errno.h>

/* Branch and sent-by (RFC 3261 section 17.2.3), and for callers older than that the rest of what
 * makes two requests the same. ACK and CANCEL find their INVITE by its method. */
bool sip_server_key(const struct sip_message *m, enum sip_method method, char out[SIP_KEY_MAX])
{
	struct writer w = writer_of(out, SIP_KEY_MAX);

	write_span(&w, method == SIP_METHOD_OTHER ? m->method_name
						  : span_text(sip_method_text(method)));
	write_format(&w, " %u %u ", m->cseq.number, m->via.port);
	write_span(&w, m->via.branch);
	write_u8(&w, ' ');
	write_span(&w, m->via.host);
	write_u8(&w, ' ');
	write_span(&w, m->call_id);
	write_u8(&w, 0);
	return !w.bad;
}

/* RFC 3261 section 18.2.2, RFC 3581: back to where it came from; without rport to the port that
 * the Via names. */
static struct sip_path response_path(const struct sip_message *m, const struct sip_path *from)
{
	struct sip_path path = *from;

	if (path.protocol == SIP_UDP && !m->via.has_rport)
		address_set_port(&path.remote, m->via.port ? m->via.port : 5060);
	return path;
}

static void arm(struct sip_server *s)
{
	uint64_t at = sip_transaction_deadline(&s->engine);
	uint64_t now = loop_now_ms(s->agent->loop);

	if (s->ok_unacked && s->ok_at < at)
		at = s->ok_at;
	if (s->ok_unacked && s->ok_deadline < at)
		at = s->ok_deadline;
	if (at == UINT64_MAX)
		timer_stop(&s->timer);
	else
		timer_start(&s->timer, at > now ? at - now : 0, 0);
}

static void send_response(struct sip_server *s)
{
	if (s->response && !s->silent)
		(void)sip_agent_send(s->agent, &s->path, span_of(s->response, s->response_size));
}

static void release(struct sip_server *s)
{
	list_remove(&s->link);
	timer_fini(&s->timer);
	mem_free(s->key);
	mem_free(s->request);
	mem_free_wiped(s->response, s->response_size);
	mem_free(s);
}

static void end(struct sip_server *s)
{
	map_remove(&s->agent->servers, &s->node);
	mem_free(s->key);
	s->key = NULL;
	timer_stop(&s->timer);
	if (s->events && s->events->ended)
		s->events->ended(s->owner, s);
}

/* From here on it only answers what is repeated. */
static void note_settled(struct sip_server *s)
{
	if (s->engine.state == SIP_TX_COMPLETED && s->method != SIP_INVITE && list_empty(&s->link))
		list_add(&s->agent->settled, &s->link);
}

static void act(struct sip_server *s, unsigned what)
{
	++s->busy;
	if (what & SIP_DO_SEND)
		send_response(s);
	if (what & SIP_DO_PASS && s->engine.state != SIP_TX_ACCEPTED && s->events &&
		s->events->acked)
		s->events->acked(s->owner, s);
	--s->busy;
	if (s->engine.state != SIP_TX_DONE) {
		note_settled(s);
		arm(s);
	} else if (!s->busy) {
		end(s);
		release(s);
	}
}

/* Our 2xx: T1, doubling to T2, until the ACK, at most 64*T1. On TCP too: the ACK is end to end. */
static void repeat_ok(struct sip_server *s, uint64_t now)
{
	if (!s->ok_unacked)
		return;
	if (now >= s->ok_deadline) {
		s->ok_unacked = false;
		++s->busy;
		if (s->events && s->events->no_ack)
			s->events->no_ack(s->owner, s);
		--s->busy;
	} else if (now >= s->ok_at) {
		s->ok_ms = s->ok_ms * 2 < s->engine.timers.t2_ms ? s->ok_ms * 2
								 : s->engine.timers.t2_ms;
		s->ok_at = now + s->ok_ms;
		send_response(s);
	}
}

static void on_timer(void *owner)
{
	struct sip_server *s = owner;
	uint64_t now = loop_now_ms(s->agent->loop);

	repeat_ok(s, now);
	act(s, sip_transaction_tick(&s->engine, now));
}

static int build(struct sip_server *s, const struct sip_message *m, const char *key)
{
	struct writer w = writer_of(s->agent->scratch, SIP_SCRATCH);
	sip_write_request(&w, m->method_name, m->uri);
	for (size_t i = 0; i < m->header_count; ++i) {
		write_span(&w, m->headers[i].name);
		write_text(&w, ": ");
		write_span(&w, m->headers[i].value);
		write_text(&w, "\r\n");
	}
	write_text(&w, "\r\n");
	write_span(&w, m->content);
	struct span copy = writer_span(&w);
	if (!copy.size)
		return -EMSGSIZE;
	s->request = mem_zalloc(copy.size);
	s->key = mem_strdup(key);
	if (!s->request || !s->key)
		return err_new(-ENOMEM);
	memcpy(s->request, copy.data, copy.size);
	s->request_size = copy.size;
	return timer_init(&s->timer, s->agent->loop, on_timer, s);
}

static bool has_room(struct sip_agent *a)
{
	struct sip_server *oldest = list_first(&a->settled, struct sip_server, link);

	if (a->servers.count < LIMIT_SIP_TRANSACTIONS)
		return true;
	if (list_empty(&a->settled) || oldest->busy)
		return false;
	end(oldest);
	release(oldest);
	return true;
}

int sip_server_new(struct sip_server **ret, struct sip_agent *a, const struct sip_message *m,
	const struct sip_path *from, const char *key)
{
	if (!has_room(a))
		return err_new(-EMFILE);
	struct sip_server *s = mem_zalloc(sizeof *s);
	if (!s)
		return err_new(-ENOMEM);
	list_init(&s->link);
	s->agent = a;
	s->method = m->method;
	s->from = *from;
	s->path = response_path(m, from);
	rng_token(s->to_tag, sizeof s->to_tag);
	int r = build(s, m, key);
	if (r >= 0)
		r = map_put(&a->servers, &s->node, s->key);
	if (r) {
		release(s);
		return r < 0 ? r : -EEXIST;
	}
	sip_transaction_start(&s->engine,
		m->method == SIP_INVITE ? SIP_SERVER_INVITE : SIP_SERVER_OTHER, &a->timers,
		sip_is_stream(from->protocol), loop_now_ms(a->loop));
	*ret = s;
	return 0;
}

void sip_server_owner(struct sip_server *s, const struct sip_server_events *events, void *owner)
{
	s->events = events;
	s->owner = owner;
}

void sip_server_request(const struct sip_server *s, struct sip_message *ret)
{
	enum sip_drop why = sip_message_parse(ret, span_of(s->request, s->request_size));
	assert(why == SIP_OK); /* it was parsed before it was kept */
	(void)why;
}

static bool has_extra(const struct sip_response *r, const char *name)
{
	for (size_t i = 0; i < r->header_count; ++i)
		if (strcasecmp(r->headers[i].name, name) == 0)
			return true;
	return false;
}

static void write_extras(struct writer *w, const struct sip_response *r)
{
	static const char *const ours[] = {"Via", "From", "Call-ID", "CSeq", "Content-Length"};

	for (size_t i = 0; i < r->header_count; ++i) {
		bool taken = false;
		for (size_t k = 0; k < COUNT_OF(ours); ++k)
			taken |= strcasecmp(r->headers[i].name, ours[k]) == 0;
		if (!taken)
			sip_write_header(w, r->headers[i].name, span_text(r->headers[i].value));
	}
}

static void write_head(struct writer *w, struct sip_agent *a, const struct sip_message *m,
	const struct sip_path *from, const struct sip_response *r, const char *to_tag)
{
	char ip[ADDRESS_TEXT_SIZE];
	const struct sockaddr *remote = (const struct sockaddr *)&from->remote;
	struct sip_response_head head = {
		.status = r->status,
		.reason = r->reason,
		.to_tag = r->status > 100 ? to_tag : NULL,
		.received_ip = address_ip_text(ip, remote),
		.received_port = address_port(remote),
	};

	sip_write_response_head(w, m, &head);
	if (a->user_agent && !has_extra(r, "Server"))
		sip_write_header(w, "Server", span_text(a->user_agent));
}

static struct span write_response(struct sip_server *s, const struct sip_response *r,
	const char *contact)
{
	struct writer w = writer_of(s->agent->scratch, SIP_SCRATCH);
	struct sip_message m;
	bool success = r->status / 100 == 2;

	sip_server_request(s, &m);
	write_head(&w, s->agent, &m, &s->from, r, s->to_tag);
	bool dialog = m.method == SIP_INVITE && r->status > 100 && r->status < 300;
	if (dialog && !m.to.tag.size && !has_extra(r, "Record-Route"))
		sip_write_copies(&w, &m, SIP_H_RECORD_ROUTE);
	if (contact && !has_extra(r, "Contact"))
		sip_write_header(&w, "Contact", span_text(contact));
	bool says = r->status == 405 ||
		(success && (m.method == SIP_INVITE || m.method == SIP_OPTIONS));
	if (says && !has_extra(r, "Allow"))
		sip_write_header(&w, "Allow", span_text(sip_allow));
	if (success && m.method == SIP_OPTIONS && !has_extra(r, "Accept"))
		sip_write_header(&w, "Accept", span_text("application/sdp"));
	if (success && m.method == SIP_OPTIONS && !has_extra(r, "Supported"))
		sip_write_header(&w, "Supported", span_text(sip_supported));
	write_extras(&w, r);
	sip_write_end(&w, r->content_type ? r->content_type : "application/sdp", r->body);
	return writer_span(&w);
}

int sip_server_respond(struct sip_server *s, const struct sip_response *r, const char *contact)
{
	bool again = s->method == SIP_INVITE && s->status / 100 == 2;
	if (again)
		return -EINVAL;
	struct span bytes = write_response(s, r, contact);
	if (!bytes.size)
		return -EINVAL;
	uint8_t *copy = mem_zalloc(bytes.size);
	if (!copy)
		return err_new(-ENOMEM);
	uint64_t now = loop_now_ms(s->agent->loop);
	unsigned what = sip_transaction_respond(&s->engine, r->status, now);
	if (!what) {
		mem_free(copy);
		return -EINVAL;
	}
	memcpy(copy, bytes.data, bytes.size);
	mem_free_wiped(s->response, s->response_size);
	s->response = copy;
	s->response_size = bytes.size;
	s->status = r->status;
	if (s->method == SIP_INVITE && r->status / 100 == 2) {
		s->ok_unacked = true;
		s->ok_ms = s->engine.timers.t1_ms;
		s->ok_at = now + s->ok_ms;
		s->ok_deadline = now + sip_timers_64t1_ms(&s->engine.timers);
	}
	act(s, what);
	return 0;
}

void sip_server_reply(struct sip_server *s, unsigned status)
{
	struct sip_response r = {.status = status};
	(void)!sip_server_respond(s, &r, NULL);
}

void sip_server_repeated(struct sip_server *s)
{
	act(s, sip_transaction_repeated(&s->engine, loop_now_ms(s->agent->loop)));
}

void sip_server_acked(struct sip_server *s)
{
	act(s, sip_transaction_ack(&s->engine, loop_now_ms(s->agent->loop)));
}

void sip_server_ok_acked(struct sip_server *s)
{
	s->ok_unacked = false;
	arm(s);
}

struct sip_server *sip_server_free(struct sip_server *s)
{
	if (!s)
		return NULL;
	assert(!s->busy);
	if (s->key)
		map_remove(&s->agent->servers, &s->node);
	release(s);
	return NULL;
}

void sip_reply_stateless(struct sip_agent *a, const struct sip_message *m,
	const struct sip_path *from, unsigned status)
{
	struct writer w = writer_of(a->scratch, SIP_SCRATCH);
	struct sip_response r = {.status = status};
	struct sip_path path = response_path(m, from);
	char tag[SIP_TAG_SIZE];

	rng_token(tag, sizeof tag);
	write_head(&w, a, m, from, &r, tag);
	if (status == 405)
		sip_write_header(&w, "Allow", span_text(sip_allow));
	if (status == 415)
		sip_write_header(&w, "Accept", span_text("application/sdp"));
	sip_write_end(&w, NULL, (struct span){0});
	if (writer_span(&w).size)
		(void)sip_agent_send(a, &path, writer_span(&w));
}
