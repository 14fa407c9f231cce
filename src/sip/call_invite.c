/* sip/call_invite.c - the INVITE of an outgoing call: its text, and again with credentials. */
#include "sip/call_inside.h"

#include "base/mem.h"
#include "base/rng.h"

static int write_auth(struct sip_call *c, struct writer *w)
{
	char cnonce[SIP_CNONCE_SIZE];

	if (!c->invite_auth)
		return 0;
	rng_token(cnonce, sizeof cnonce);
	return sip_authorizer_write(w, c->invite_auth, c->s.username, c->s.password,
		span_text("INVITE"), span_text(c->s.dialog.target), cnonce);
}

static struct span write_invite(struct sip_call *c, uint32_t cseq, const char *branch)
{
	struct writer w = writer_of(c->s.usage.agent->scratch, SIP_SCRATCH);

	if (sip_agent_contact(c->s.usage.agent, &c->s.path, c->contact_user, &c->s.contact) < 0)
		return (struct span){0};
	sip_session_write(&c->s, &w, &c->s.dialog, SIP_INVITE, cseq, branch);
	sip_write_header(&w, "Contact", span_text(c->s.contact));
	sip_write_header(&w, "Allow", span_text(sip_allow));
	sip_write_header(&w, "Supported", span_text("100rel"));
	if (write_auth(c, &w) < 0)
		return (struct span){0};
	write_text(&w, c->extra);
	sip_write_end(&w, c->content_type, buf_span(&c->s.body));
	return writer_span(&w);
}

/* To the present target. False: out of memory, or more than fits. */
bool sip_call_send_invite(struct sip_call *c, uint32_t cseq)
{
	struct sip_session *s = &c->s;
	char branch[SIP_BRANCH_SIZE];

	sip_branch(branch);
	struct span bytes = write_invite(c, cseq, branch);
	if (bytes.size > SIP_UDP_MAX && c->may_grow && s->path.protocol == SIP_UDP) {
		c->grown = true;
		s->path.protocol = SIP_TCP;
		bytes = write_invite(c, cseq, branch);
	}
	struct sip_client *client =
		sip_session_start(s, SIP_INVITE, branch, bytes, &sip_call_invite_events);
	if (!client)
		return false;
	c->invite = client;
	s->dialog.local_cseq = cseq;
	return true;
}

void sip_call_challenged(struct sip_call *c, const struct sip_message *m)
{
	if (!c->invite_auth)
		c->invite_auth = mem_zalloc(sizeof *c->invite_auth);
	if (!c->invite_auth) {
		sip_call_fail(c, SIP_WHY_BROKEN, m);
		return;
	}
	if (!c->s.username || sip_authorizer_challenged(c->invite_auth, m)) {
		sip_call_fail(c, SIP_WHY_AUTH, m);
		return;
	}
	/* RFC 3261 section 22.2: a new transaction, same Call-ID and From, the next CSeq; to whom
	 * has just answered. */
	c->s.path = c->invite->path;
	timer_stop(&c->timer);
	sip_call_move(c, CALL_CALLING);
	if (!sip_call_send_invite(c, c->s.dialog.local_cseq + 1))
		sip_call_fail(c, SIP_WHY_BROKEN, m);
}
