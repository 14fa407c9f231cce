#include "sip/info.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "sip/session.h"

#include <errno.h>
#include <stdio.h>

struct info {
	struct list link;
	char type[SIP_INFO_TYPE_SIZE];
	size_t size;
	uint8_t body[]; /* perhaps a PIN */
};

void sip_session_info_init(struct sip_session *s)
{
	list_init(&s->info.waiting);
}

static struct info *first(struct sip_session *s)
{
	return list_empty(&s->info.waiting) ? NULL : list_first(&s->info.waiting, struct info, link);
}

static void drop_first(struct sip_session *s)
{
	struct info *i = first(s);

	if (!i)
		return;
	list_remove(&i->link);
	--s->info.count;
	mem_free_wiped(i, sizeof *i + i->size);
}

void sip_session_info_fini(struct sip_session *s)
{
	while (s->info.count)
		drop_first(s);
}

static bool send_first(struct sip_session *s);

/* The next one, if there is one and it can be sent. */
static void go_on(struct sip_session *s)
{
	s->info.client = NULL;
	drop_first(s);
	while (first(s) && !s->over) {
		sip_session_begin_auth(s);
		if (send_first(s))
			return;
		drop_first(s);
	}
}

static void on_response(void *owner, struct sip_client *c, const struct sip_message *m)
{
	struct sip_session *s = owner;

	sip_session_authorized(s, m);
	if (m->status == 481) {
		sip_session_lost(s, "lost");
		return;
	}
	if (c != s->info.client || m->status < 200 || (sip_session_challenged(s, m) && send_first(s)))
		return;
	go_on(s);
}

/* A key that did not arrive is not pressed again: who dials hears that. Nor are those behind it, seconds
 * too late, when nobody answers. */
static void on_failed(void *owner, struct sip_client *c, bool timeout)
{
	struct sip_session *s = owner;

	if (c != s->info.client)
		return;
	if (timeout)
		sip_session_info_fini(s);
	go_on(s);
}

static const struct sip_client_events events = {
	.response = on_response,
	.failed = on_failed,
	.ended = sip_session_client_ended,
};

static bool send_first(struct sip_session *s)
{
	struct writer w = writer_of(s->usage.agent->scratch, SIP_SCRATCH);
	char branch[SIP_BRANCH_SIZE];
	const struct info *i = first(s);
	struct span body = span_of(i->body, i->size);

	sip_branch(branch);
	sip_session_write(s, &w, &s->dialog, SIP_INFO, ++s->dialog.local_cseq, branch);
	if (sip_session_write_auth(s, &w, &s->dialog, SIP_INFO, body) < 0)
		return false;
	sip_write_end(&w, i->type, body);
	s->info.client = sip_session_start(s, SIP_INFO, branch, writer_span(&w), &events);
	return s->info.client;
}

void sip_session_info_hurry(struct sip_session *s)
{
	if (!s->info.client)
		return;
	drop_first(s); /* it is on its way */
	for (; first(s); drop_first(s))
		(void)send_first(s);
	s->info.client = NULL;
}

int sip_session_info(struct sip_session *s, const char *content_type, struct span body)
{
	if (s->over || body.size > SIP_INFO_BODY_SIZE || strlen(content_type) >= SIP_INFO_TYPE_SIZE ||
		s->info.count >= LIMIT_SIP_INFOS)
		return -EINVAL;
	struct info *i = mem_zalloc(sizeof *i + body.size);
	if (!i)
		return err_new(-ENOMEM);
	snprintf(i->type, sizeof i->type, "%s", content_type);
	i->size = body.size;
	if (body.size)
		memcpy(i->body, body.data, body.size);
	list_add(&s->info.waiting, &i->link);
	++s->info.count;
	if (s->info.client)
		return 0;
	sip_session_begin_auth(s);
	if (send_first(s))
		return 0;
	drop_first(s);
	return err_new(-ENOMEM);
}
