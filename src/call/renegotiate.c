/* call/renegotiate.c - the far end changes its mind while the call lasts: hold, resume, another codec
 * or address (RFC 3264 section 8, RFC 6337). The room notices nothing but the sound. */
#include "call/call_private.h"

#include "base/log.h"

void call_connect_media(struct call *c, const struct media_leg_remote *terms)
{
	bool early = !c->talk.agreed;
	if (!c->leg || (c->connected && early == c->connected_to.early && negotiation_same(&c->connected_to, terms)))
		return;
	if (c->connected && (c->connected_to.send != terms->send || c->connected_to.receive != terms->receive))
		log_info(c->id, "the phone %s us, we %s it", terms->send ? "hears" : "does not hear",
			terms->receive ? "hear" : "do not hear");
	c->connected = true;
	c->connected_to = *terms;
	c->connected_to.early = early;
	media_leg_connect(c->calls->config.media, c->leg, &c->connected_to);
}

static void refuse(struct call *c, enum answer_outcome why)
{
	log_warn(c->id, "a new description of the phone's is refused, all stays as it was: %s", negotiation_warning(why));
	(void)!sip_call_refuse(c->sip, 488, negotiation_warning(why));
}

/* RFC 3261, 14.2: a re-INVITE without SDP asks for ours, and its ACK brings the answer. */
static void offer_ours(struct call *c)
{
	struct span offer = negotiation_offer(&c->talk);
	if (!offer.size || sip_call_answer(c->sip, 200, offer) < 0)
		(void)!sip_call_refuse(c->sip, 500, NULL);
}

void call_on_offer(void *owner, const struct sip_message *request)
{
	struct call *c = owner;
	struct media_leg_remote terms;
	struct span answer;

	if (!request->body.size) {
		offer_ours(c);
		return;
	}
	bool early = !c->talk.agreed;
	enum answer_outcome outcome = negotiation_answer(&c->talk, request->from.tag, request->body, &answer, &terms);
	if (outcome != ANSWER_OK) {
		refuse(c, outcome);
		return;
	}
	if (sip_call_answer(c->sip, 200, answer) == 0 && (!early || (c->early.heard && span_is(request->from.tag, c->early.tag))))
		call_connect_media(c, &terms);
}

void call_on_acked(void *owner, const struct sip_message *ack)
{
	struct call *c = owner;
	struct media_leg_remote terms;

	if (!c->talk.waiting)
		return;
	enum answer_outcome outcome = negotiation_answered(&c->talk, ack->body, &terms);
	if (outcome == ANSWER_OK)
		call_connect_media(c, &terms);
	else
		log_warn(c->id, "the answer to our offer cannot be used, all stays as it was: %s",
			answer_outcome_text(outcome));
}

void call_on_reanswered(void *owner, const struct sip_message *response)
{
	struct call *c = owner;
	struct media_leg_remote terms;

	/* A refusal changes nothing (section 14.1). */
	c->talk.waiting = false;
	if (response->status < 300 && negotiation_answered(&c->talk, response->body, &terms) == ANSWER_OK)
		call_connect_media(c, &terms);
}
