/* sip/call_invite.c - the INVITE of an outgoing call: its text, and again with credentials or
 * another body. */
#include "sip/call_inside.h"

static struct span write_invite(struct sip_call *c, uint32_t cseq, const char *branch)
{
	struct writer w = writer_of(c->s.usage.agent->scratch, SIP_SCRATCH);

	if (sip_agent_contact(c->s.usage.agent, &c->s.path, c->contact_user, &c->s.contact) < 0)
		return (struct span){0};
	sip_session_write(&c->s, &w, &c->s.dialog, SIP_INVITE, cseq, branch);
	sip_write_header(&w, "Contact", span_text(c->s.contact));
	sip_write_header(&w, "Allow", span_text(sip_allow));
	sip_write_header(&w, "Supported", span_text(sip_supported));
	sip_session_timer_write(&c->s.expiry, &w);
	if (sip_session_write_auth(&c->s, &w, &c->s.dialog, SIP_INVITE, buf_span(&c->s.body)) < 0)
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

/* RFC 3261 section 22.2: a new transaction, same Call-ID and From, the next CSeq. */
void sip_call_again(struct sip_call *c, const struct sip_message *m)
{
	c->s.path = c->invite->path;
	timer_stop(&c->timer);
	sip_call_move(c, CALL_CALLING);
	if (!sip_call_send_invite(c, c->s.dialog.local_cseq + 1))
		sip_call_fail(c, SIP_WHY_BROKEN, m);
}

void sip_call_challenged(struct sip_call *c, const struct sip_message *m)
{
	if (sip_session_challenged(&c->s, m))
		sip_call_again(c, m);
	else
		sip_call_fail(c, SIP_WHY_AUTH, m);
}
