#include "sip/info.h"

#include "base/err.h"
#include "sip/session.h"

#include <errno.h>
#include <stdio.h>

static bool send_info(struct sip_session *s);

static void on_response(void *owner, struct sip_client *c, const struct sip_message *m)
{
	struct sip_session *s = owner;

	sip_session_authorized(s, m);
	if (m->status == 481)
		sip_session_lost(s, "lost");
	else if (c == s->info.client && m->status >= 200 && sip_session_challenged(s, m))
		(void)send_info(s);
}

static void on_failed(void *owner, struct sip_client *c, bool timeout)
{
	/* A key that did not arrive is not pressed again: who dials hears that. */
}

static const struct sip_client_events events = {
	.response = on_response,
	.failed = on_failed,
	.ended = sip_session_client_ended,
};

static bool send_info(struct sip_session *s)
{
	struct writer w = writer_of(s->usage.agent->scratch, SIP_SCRATCH);
	char branch[SIP_BRANCH_SIZE];
	struct span body = span_of(s->info.body, s->info.size);

	sip_branch(branch);
	sip_session_write(s, &w, &s->dialog, SIP_INFO, ++s->dialog.local_cseq, branch);
	if (sip_session_write_auth(s, &w, &s->dialog, SIP_INFO, body) < 0)
		return false;
	sip_write_end(&w, s->info.type, body);
	s->info.client = sip_session_start(s, SIP_INFO, branch, writer_span(&w), &events);
	return s->info.client;
}

int sip_session_info(struct sip_session *s, const char *content_type, struct span body)
{
	if (s->over || body.size > sizeof s->info.body || strlen(content_type) >= sizeof s->info.type)
		return -EINVAL;
	snprintf(s->info.type, sizeof s->info.type, "%s", content_type);
	memcpy(s->info.body, body.data, body.size);
	s->info.size = body.size;
	sip_session_begin_auth(s);
	return send_info(s) ? 0 : err_new(-ENOMEM);
}
