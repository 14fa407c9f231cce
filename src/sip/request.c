#include "sip/request.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "net/address.h"
#include "sip/call_inside.h"
#include "sip/core.h"

#include <errno.h>
#include <stdio.h>

struct sip_request {
	struct sip_agent *agent;
	sip_request_done_fn *done;
	void *owner;

	enum sip_method method;
	char *request_uri, *to_uri, *from_uri, *call_id, *extra;
	char *contact_user, *contact_params, *contact_after, *contact;
	char *username, *password;
	struct sip_authorizer own, *auth; /* `auth` is `own`, or the borrowed one */
	uint32_t cseq, timeout_ms;

	struct sip_aim aim;
	struct sip_location *location;
	struct sip_target targets[SIP_TARGETS_MAX];
	size_t target_count, target;
	struct sip_path path;
	char detail[TLS_WHY_SIZE]; /* what the DNS or TLS complained about last */

	struct sip_client *client; /* the present attempt */
	struct timer timer;
	uint64_t sent_ms;
	enum sip_why soon; /* what the timer will tell before anything was sent */
};

/* --- the end ------------------------------------------------------------------------------- */

static void describe(const struct sip_request *r, struct sip_request_end *e)
{
	char where[ADDRESS_TEXT_SIZE] = "";
	const char *method = sip_method_text(r->method);
	char *out = e->sentence;
	size_t size = sizeof e->sentence;

	if (e->remote.ss_family)
		address_text(where, (const struct sockaddr *)&e->remote);
	switch (e->why) {
	case SIP_WHY_RESPONSE:
		if (e->status / 100 != 2)
			snprintf(out, size, "%s answered %s with %u %.*s.", where, method, e->status,
				(int)(e->response->reason.size < 100 ? e->response->reason.size : 100),
				(const char *)e->response->reason.data);
		break;
	case SIP_WHY_TIMEOUT:
		snprintf(out, size, "No answer to %s from %s: is the address right, and can it reach us?", method,
			where);
		break;
	case SIP_WHY_TRANSPORT:
		snprintf(out, size, "%s refuses connections or cannot be reached.", where);
		break;
	case SIP_WHY_TLS:
		snprintf(out, size, "No TLS with %.60s at %s: %.160s.", r->aim.host, where,
			*r->detail ? r->detail : "it is not set up here");
		break;
	case SIP_WHY_DNS:
		snprintf(out, size, "%.80s %.160s.", r->aim.host, r->detail);
		break;
	case SIP_WHY_AUTH:
		snprintf(out, size, "%s asks for a user name and password (%u)%s.", where, e->status,
			!r->username	 ? " and none is configured"
			: r->auth->count ? " and does not accept the configured ones"
					 : " in a way that we do not know");
		break;
	default:
		snprintf(out, size, "%s could not be sent: an error of our own.", method);
	}
}

/* Last: the owner may free it. */
static void finish(struct sip_request *r, enum sip_why why, const struct sip_message *m)
{
	const struct sip_path path = r->client ? r->client->path : r->path;
	struct sip_request_end e = {
		.why = why,
		.status = m ? m->status : 0,
		.response = m,
		.remote = path.remote,
		.path = &path,
		.protocol = sip_protocol_choice_of(r->path.protocol),
		.rtt_ms = r->sent_ms ? (uint32_t)(loop_now_ms(r->agent->loop) - r->sent_ms) : 0,
		.cseq = r->cseq,
		.contact = r->contact,
	};
	timer_stop(&r->timer);
	if (r->client)
		sip_client_abandon(r->client);
	r->client = NULL;
	describe(r, &e);
	r->done(r->owner, r, &e);
}

static void finish_soon(struct sip_request *r, enum sip_why why)
{
	r->soon = why;
	timer_start(&r->timer, 0, 0);
}

/* --- sending ------------------------------------------------------------------------------- */

static int write_contact(struct sip_request *r)
{
	if (!r->contact_user)
		return 0;
	char *plain = NULL;
	int e = sip_agent_contact(r->agent, &r->path, r->contact_user, &plain);
	if (e < 0)
		return e;
	mem_free(r->contact);
	/* Before the '>' that ends it. */
	r->contact = mem_format("%.*s%s>", (int)strlen(plain) - 1, plain, r->contact_params);
	mem_free(plain);
	return r->contact ? 0 : err_new(-ENOMEM);
}

static struct span write_request(struct sip_request *r, const char *branch)
{
	struct writer w = writer_of(r->agent->scratch, SIP_SCRATCH);
	const char *method = sip_method_text(r->method);
	char tag[SIP_TAG_SIZE], cnonce[SIP_CNONCE_SIZE];

	rng_token(tag, sizeof tag);
	rng_token(cnonce, sizeof cnonce);
	if (write_contact(r) < 0)
		return (struct span){0};
	sip_write_request(&w, span_text(method), span_text(r->request_uri));
	sip_agent_write_via(r->agent, &w, &r->path, branch);
	if (*r->aim.route)
		sip_write_header(&w, "Route", span_text(r->aim.route));
	sip_write_header_format(&w, "From", "<%s>;tag=%s", r->from_uri, tag);
	sip_write_header_format(&w, "To", "<%s>", r->to_uri);
	sip_write_header(&w, "Call-ID", span_text(r->call_id));
	sip_write_header_format(&w, "CSeq", "%u %s", r->cseq, method);
	write_text(&w, "Max-Forwards: 70\r\n");
	if (r->contact)
		sip_write_header_format(&w, "Contact", "%s%s", r->contact, r->contact_after);
	if (r->agent->user_agent)
		sip_write_header(&w, "User-Agent", span_text(r->agent->user_agent));
	write_text(&w, r->extra);
	if (r->username && sip_authorizer_write(&w, r->auth, r->username, r->password, span_text(method),
				   span_text(r->request_uri), (struct span){0}, cnonce) < 0)
		return (struct span){0};
	sip_write_end(&w, NULL, (struct span){0});
	return writer_span(&w);
}

static const struct sip_client_events client_events;

static bool send_request(struct sip_request *r)
{
	char branch[SIP_BRANCH_SIZE];
	struct sip_client *c = NULL;

	sip_branch(branch);
	struct span bytes = write_request(r, branch);
	if (bytes.size > SIP_UDP_MAX && r->aim.any_protocol && r->path.protocol == SIP_UDP) {
		r->path.protocol = SIP_TCP;
		bytes = write_request(r, branch);
	}
	if (!bytes.size ||
		sip_client_start(&c, r->agent, r->method, &r->path, branch, bytes, &client_events, r) < 0)
		return false;
	if (r->client)
		sip_client_abandon(r->client);
	r->client = c;
	r->sent_ms = loop_now_ms(r->agent->loop);
	return true;
}

/* The last address gets the whole time of a transaction, unless there is a limit for each. */
static void start_timer(struct sip_request *r)
{
	bool more = r->target + 1 < r->target_count;

	timer_stop(&r->timer);
	if (r->timeout_ms || more)
		timer_start(&r->timer, r->timeout_ms ? r->timeout_ms : r->agent->failover_ms, 0);
}

static bool try_target(struct sip_request *r)
{
	const struct sip_target *t = &r->targets[r->target];

	r->path = (struct sip_path){.protocol = t->protocol, .remote = t->address};
	snprintf(r->path.host, sizeof r->path.host, "%s", r->aim.host);
	if (!send_request(r))
		return false;
	start_timer(r);
	return true;
}

static void next_target(struct sip_request *r, enum sip_why why, const struct sip_message *m)
{
	if (r->target + 1 >= r->target_count) {
		finish(r, why, m);
		return;
	}
	++r->target;
	if (!try_target(r))
		finish(r, SIP_WHY_BROKEN, NULL);
}

static void on_timer(void *owner)
{
	struct sip_request *r = owner;

	if (r->sent_ms)
		next_target(r, SIP_WHY_TIMEOUT, NULL);
	else
		finish(r, r->soon, NULL);
}

/* --- answers ------------------------------------------------------------------------------- */

static void on_challenge(struct sip_request *r, const struct sip_message *m)
{
	if (!r->username || sip_authorizer_challenged(r->auth, m)) {
		finish(r, SIP_WHY_AUTH, m);
		return;
	}
	++r->cseq;
	if (send_request(r))
		start_timer(r);
	else
		finish(r, SIP_WHY_BROKEN, m);
}

static void on_response(void *owner, struct sip_client *c, const struct sip_message *m)
{
	struct sip_request *r = owner;

	if (c != r->client || m->status < 200)
		return;
	timer_stop(&r->timer);
	if (m->status / 100 == 2)
		sip_authorizer_renew(r->auth, m);
	if (m->status == 401 || m->status == 407)
		on_challenge(r, m);
	else if (m->status == 503)
		next_target(r, SIP_WHY_RESPONSE, m);
	else
		finish(r, SIP_WHY_RESPONSE, m);
}

static void on_failed(void *owner, struct sip_client *c, bool timeout)
{
	struct sip_request *r = owner;

	if (c != r->client)
		return;
	if (c->tls_why)
		snprintf(r->detail, sizeof r->detail, "%s", c->tls_why);
	next_target(r, timeout ? SIP_WHY_TIMEOUT : c->tls_why ? SIP_WHY_TLS : SIP_WHY_TRANSPORT, NULL);
}

static void on_ended(void *owner, struct sip_client *c)
{
	struct sip_request *r = owner;

	if (c == r->client)
		r->client = NULL;
}

static const struct sip_client_events client_events = {
	.response = on_response,
	.failed = on_failed,
	.ended = on_ended,
};

/* --- making one ---------------------------------------------------------------------------- */

static void on_located(void *owner, const struct sip_target *targets, size_t count, const char *why)
{
	struct sip_request *r = owner;

	r->location = NULL;
	r->target_count = count;
	memcpy(r->targets, targets, count * sizeof *targets);
	snprintf(r->detail, sizeof r->detail, "%s", why ? why : "");
	if (!count)
		finish_soon(r, SIP_WHY_DNS);
	else if (!try_target(r))
		finish_soon(r, SIP_WHY_BROKEN);
}

static bool is_sound(const struct sip_request_config *c)
{
	struct sip_uri uri;

	return sip_is_line(c->from_uri) && sip_is_line(c->call_id) && sip_is_line(c->contact_user) &&
		sip_is_line(c->contact_params) && sip_is_line(c->contact_after) &&
		!sip_uri_parse(&uri, span_text(c->from_uri)) &&
		!sip_uri_parse(&uri, span_text(c->to_uri ? c->to_uri : c->request_uri));
}

static char *copy_or_empty(const char *text)
{
	return mem_strdup(text ? text : "");
}

static int copy_texts(struct sip_request *r, const struct sip_request_config *c)
{
	char id[33];

	rng_token(id, sizeof id);
	r->request_uri = mem_strdup(c->request_uri);
	r->to_uri = mem_strdup(c->to_uri ? c->to_uri : c->request_uri);
	r->from_uri = mem_strdup(c->from_uri);
	r->call_id = mem_strdup(c->call_id ? c->call_id : id);
	r->contact_user = c->contact_user ? mem_strdup(c->contact_user) : NULL;
	r->contact_params = copy_or_empty(c->contact_params);
	r->contact_after = copy_or_empty(c->contact_after);
	r->username = c->username ? mem_strdup(c->username) : NULL;
	r->password = copy_or_empty(c->password);
	r->extra = sip_extra_text(c->headers, c->header_count);
	bool whole = r->request_uri && r->to_uri && r->from_uri && r->call_id && r->contact_params &&
		r->contact_after && r->password && !r->contact_user == !c->contact_user &&
		!r->username == !c->username;
	if (!whole)
		return err_new(-ENOMEM);
	return r->extra ? 0 : -EINVAL;
}

static int start(struct sip_request *r, const struct sip_request_config *c)
{
	int e = sip_aim_read(&r->aim, c->request_uri, c->protocol, c->proxy, NULL);
	if (e >= 0)
		e = copy_texts(r, c);
	if (e >= 0)
		e = timer_init(&r->timer, r->agent->loop, on_timer, r);
	if (e < 0)
		return e;
	if (!c->at)
		return sip_aim_locate(&r->location, r->agent, &r->aim, on_located, r);
	on_located(r, c->at, 1, NULL);
	return 0;
}

int sip_request_start(struct sip_request **ret, struct sip_agent *a, const struct sip_request_config *config,
	sip_request_done_fn *done, void *owner)
{
	if (!is_sound(config))
		return -EINVAL;
	struct sip_request *r = mem_zalloc(sizeof *r);
	if (!r)
		return err_new(-ENOMEM);
	r->agent = a;
	r->done = done;
	r->owner = owner;
	r->method = config->method;
	r->cseq = config->cseq ? config->cseq : 1;
	r->timeout_ms = config->timeout_ms;
	r->auth = config->known ? config->known : &r->own;
	sip_authorizer_begin(r->auth);
	int e = start(r, config);
	if (e < 0) {
		sip_request_free(r);
		return e;
	}
	*ret = r;
	return 0;
}

struct sip_request *sip_request_free(struct sip_request *r)
{
	if (!r)
		return NULL;
	if (r->client)
		sip_client_abandon(r->client);
	sip_locate_cancel(r->location);
	timer_fini(&r->timer);
	char *const texts[] = {r->request_uri, r->to_uri, r->from_uri, r->call_id, r->extra,
		r->contact_user, r->contact_params, r->contact_after, r->contact, r->username};
	for (size_t i = 0; i < COUNT_OF(texts); ++i)
		mem_free(texts[i]);
	mem_free_wiped(r->password, r->password ? strlen(r->password) : 0);
	mem_free(r);
	return NULL;
}
