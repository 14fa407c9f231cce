#include "sip/refer.h"

#include "base/err.h"
#include "base/mem.h"
#include "sip/session.h"
#include "wire/sip_frag.h"

#include <errno.h>

static void forget_texts(struct sip_refer *r)
{
	mem_free(r->refer_to);
	mem_free(r->referred_by);
	mem_free(r->extra);
	r->refer_to = r->referred_by = r->extra = NULL;
}

/* The last thing that happens here. */
static void tell(struct sip_session *s, enum sip_refer_end end, unsigned status, struct span reason)
{
	struct sip_refer_result result = {.end = end, .status = status, .reason = reason};

	s->refer.waiting = s->refer.accepted = false;
	s->refer.client = NULL;
	if (!s->over)
		s->ops->referred(s, &result);
}

static bool send_refer(struct sip_session *s);

static void on_response(void *owner, struct sip_client *c, const struct sip_message *m)
{
	struct sip_session *s = owner;

	if (c != s->refer.client || m->status < 200)
		return;
	if (sip_session_challenged(s, m) && send_refer(s))
		return;
	if (m->status >= 300) {
		tell(s, SIP_REFER_REFUSED, m->status, m->reason);
		return;
	}
	sip_session_authorized(s, m);
	s->refer.client = NULL;
	s->refer.accepted = true;
}

static void on_failed(void *owner, struct sip_client *c, bool timeout)
{
	struct sip_session *s = owner;

	if (c == s->refer.client && s->refer.waiting)
		tell(s, SIP_REFER_SILENT, 0, (struct span){0});
}

static const struct sip_client_events events = {
	.response = on_response,
	.failed = on_failed,
	.ended = sip_session_client_ended,
};

static bool send_refer(struct sip_session *s)
{
	struct writer w = writer_of(s->usage.agent->scratch, SIP_SCRATCH);
	char branch[SIP_BRANCH_SIZE];
	struct sip_refer *r = &s->refer;

	sip_branch(branch);
	r->cseq = ++s->dialog.local_cseq;
	sip_session_write(s, &w, &s->dialog, SIP_REFER, r->cseq, branch);
	sip_write_header(&w, "Contact", span_text(s->contact));
	sip_write_header(&w, "Refer-To", span_text(r->refer_to));
	if (r->referred_by)
		sip_write_header(&w, "Referred-By", span_text(r->referred_by));
	write_text(&w, r->extra);
	if (sip_session_write_auth(s, &w, &s->dialog, SIP_REFER, (struct span){0}) < 0)
		return false;
	sip_write_end(&w, NULL, (struct span){0});
	struct sip_client *c = sip_session_start(s, SIP_REFER, branch, writer_span(&w), &events);
	if (c)
		r->client = c;
	return c;
}

static bool has_own_word(const struct sip_refer_request *request)
{
	for (size_t i = 0; i < request->header_count; ++i)
		if (!strcasecmp(request->headers[i].name, "Referred-By") || !strcasecmp(request->headers[i].name, "b"))
			return true;
	return false;
}

/* RFC 3892 section 2: some far ends transfer only for whom they know (429). It is who called: a caller that
 * is not shown stays so. */
static int set_referrer(struct sip_session *s, const struct sip_refer_request *request)
{
	struct sip_name_addr us;

	if (request->referred_by)
		s->refer.referred_by = mem_strdup(request->referred_by);
	else if (has_own_word(request) || sip_name_addr_parse(&us, span_text(s->dialog.local)))
		return 0;
	else
		s->refer.referred_by = mem_format("<%.*s>", (int)us.uri.size, (const char *)us.uri.data);
	return s->refer.referred_by ? 0 : err_new(-ENOMEM);
}

static int keep_texts(struct sip_session *s, const struct sip_refer_request *request)
{
	struct sip_refer *r = &s->refer;

	forget_texts(r);
	if (strpbrk(request->refer_to, "\r\n") ||
		(request->referred_by && strpbrk(request->referred_by, "\r\n")))
		return -EINVAL;
	r->refer_to = mem_strdup(request->refer_to);
	if (!r->refer_to)
		return err_new(-ENOMEM);
	int e = set_referrer(s, request);
	if (e < 0)
		return e;
	r->extra = sip_extra_text(request->headers, request->header_count);
	return r->extra ? 0 : -EINVAL;
}

int sip_session_refer(struct sip_session *s, const struct sip_refer_request *request)
{
	if (s->over || s->refer.waiting)
		return -EINVAL;
	int r = keep_texts(s, request);
	if (r < 0)
		return r;
	sip_session_begin_auth(s);
	s->refer.accepted = false;
	s->refer.status = 0;
	if (!send_refer(s))
		return err_new(-ENOMEM);
	s->refer.waiting = true;
	return 0;
}

void sip_session_refer_forget(struct sip_session *s)
{
	s->refer.waiting = s->refer.accepted = false;
	s->refer.client = NULL;
}

bool sip_session_refer_accepted(const struct sip_session *s)
{
	return s->refer.waiting && s->refer.accepted;
}

/* "refer", or "refer;id=93809824" of the last REFER (RFC 3515 section 2.4.6). */
static bool is_ours(const struct sip_session *s, struct span event)
{
	struct span name = event, params = {0}, id;
	const uint8_t *end = event.size ? memchr(event.data, ';', event.size) : NULL;
	uint32_t number;

	if (end) {
		name = span_of(event.data, (size_t)(end - event.data));
		params = span_of(end + 1, event.size - name.size - 1);
	}
	if (!span_is_nocase(sip_trim(name), "refer"))
		return false;
	return !sip_param_get(params, "id", &id) || (sip_number(id, UINT32_MAX, &number) && number == s->refer.cseq);
}

static bool ends_here(struct span state)
{
	static const char word[] = "terminated";
	return state.size >= sizeof word - 1 && !strncasecmp((const char *)state.data, word, sizeof word - 1);
}

void sip_session_notified(struct sip_session *s, struct sip_server *server, const struct sip_message *m)
{
	struct sip_refer *r = &s->refer;
	struct span reason = {0};
	unsigned status = 0;

	/* A NOTIFY may overtake the answer to the REFER. */
	if (!r->cseq || !is_ours(s, sip_message_value(m, SIP_H_EVENT))) {
		sip_server_reply(server, r->cseq ? 489 : 481);
		return;
	}
	sip_server_reply(server, 200);
	if (!r->waiting || s->over)
		return;
	if (sip_frag_parse(m->body, &status, &reason) == 0)
		r->status = status;
	if (status >= 200)
		tell(s, status < 300 ? SIP_REFER_DONE : SIP_REFER_FAILED, status, reason);
	else if (ends_here(sip_message_value_named(m, "Subscription-State")))
		tell(s, SIP_REFER_TERMINATED, r->status, (struct span){0});
}

void sip_session_refer_fini(struct sip_session *s)
{
	forget_texts(&s->refer);
}
