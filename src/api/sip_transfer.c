/* api/sip_transfer.c - TransferSIPParticipant: the answer comes when the transfer has an outcome. */
#include "api/sip_service.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "call/transfer.h"
#include "trunk/check.h"

#include <stdio.h>

typedef Livekit__TransferSIPParticipantRequest request;

struct sip_transfer {
	struct list link; /* api.transfers */
	struct transfer_watch watch;
	struct http_exchange *x; /* NULL: whoever asked went away; the transfer goes on */
	bool as_json;
};

static void transfer_free(struct sip_transfer *t)
{
	call_transfer_unwatch(&t->watch);
	list_remove(&t->link);
	mem_free(t);
}

static void on_gone(void *owner)
{
	((struct sip_transfer *)owner)->x = NULL;
}

/* ---- the answer ---- */

static void send_done(const struct sip_transfer *t, const struct transfer_result *r)
{
	Livekit__TransferSIPParticipantResponse out = LIVEKIT__TRANSFER_SIPPARTICIPANT_RESPONSE__INIT;
	Livekit__SIPStatus status = LIVEKIT__SIPSTATUS__INIT;
	char id[RNG_ID_SIZE];

	rng_id(id, "STR_");
	status.code = (Livekit__SIPStatusCode)r->sip_status;
	status.status = (char *)r->sip_reason;
	out.transfer_id = id;
	out.status = LIVEKIT__SIPTRANSFER_STATUS__STS_TRANSFER_SUCCESSFUL;
	out.reason = LIVEKIT__SIPTRANSFER_REASON__STR_COMPLETED;
	out.sip_status = r->sip_status ? &status : NULL;
	twirp_send(t->x, t->as_json, &out.base);
}

/* Of the REFER, of what the far end tried then, or of neither. */
static void describe(char *out, size_t size, const struct transfer_result *r, const char *sentence)
{
	bool unknown_method = r->end == TRANSFER_REFUSED && (r->sip_status == 405 || r->sip_status == 501);

	if (unknown_method)
		snprintf(out, size, "The far end takes no transfers (REFER was answered %u %s). Switch them on at the "
				    "provider, or call the other number into the room instead.",
			r->sip_status, r->sip_reason);
	else if (r->end == TRANSFER_REFUSED)
		snprintf(out, size, "The far end refuses to transfer: %u %s. Are transfers to this target allowed at the "
				    "provider?",
			r->sip_status, r->sip_reason);
	else
		snprintf(out, size, "The transfer failed, the call goes on: %u %s. %s", r->sip_status, r->sip_reason,
			sentence);
}

static void send_status(const struct sip_transfer *t, const struct transfer_result *r)
{
	struct call_explanation e;
	char code[16], sentence[700];
	const struct twirp_meta meta[] = {{"sip_status_code", code}, {"sip_status", r->sip_reason}};

	explain_failure(&e, &(struct call_failure){.sip_status = (int)r->sip_status, .reason = r->sip_reason});
	snprintf(code, sizeof code, "%u", r->sip_status);
	describe(sentence, sizeof sentence, r, e.sentence);
	twirp_send_error(t->x, e.twirp_code ? e.twirp_code : "internal", sentence, meta, COUNT_OF(meta));
}

static void on_done(struct transfer_watch *w, const struct transfer_result *r)
{
	struct sip_transfer *t = container_of(w, struct sip_transfer, watch);

	if (!t->x) {
		transfer_free(t);
		return;
	}
	if (r->end == TRANSFER_DONE)
		send_done(t, r);
	else if (r->end == TRANSFER_REFUSED || r->end == TRANSFER_FAILED)
		send_status(t, r);
	else if (r->end == TRANSFER_SILENT)
		twirp_send_error(t->x, "deadline_exceeded",
			"the far end told of no outcome within ringing_timeout; the call goes on", NULL, 0);
	else if (r->end == TRANSFER_BROKEN)
		twirp_send_error(t->x, "internal", "the transfer failed here; the call goes on", NULL, 0);
	else if (r->end == TRANSFER_UNKNOWN)
		twirp_send_error(t->x, "failed_precondition",
			"the far end ended the transfer without telling how it came out; the call goes on", NULL, 0);
	else
		twirp_send_error(t->x, "canceled", "the call ended before the transfer did", NULL, 0);
	transfer_free(t);
}

void sip_transfers_refuse_all(struct api *a)
{
	while (!list_empty(&a->transfers)) {
		struct sip_transfer *t = list_first(&a->transfers, struct sip_transfer, link);
		if (t->x)
			twirp_send_error(t->x, "unavailable", "the server is shutting down", NULL, 0);
		transfer_free(t);
	}
}

/* ---- the request ---- */

static bool is_target(const char *to)
{
	if (*to == '<')
		++to;
	return !strncasecmp(to, "sip:", 4) || !strncasecmp(to, "sips:", 5) || !strncasecmp(to, "tel:", 4);
}

/* False: the refusal was sent. */
static bool check(struct twirp *t, const request *in)
{
	char why[TRUNK_WHY_SIZE];
	if (!*in->transfer_to)
		snprintf(why, sizeof why, "missing transfer to");
	else if (!is_target(in->transfer_to))
		snprintf(why, sizeof why,
			"transfer_to must be a valid SIP(s) or TEL URI (sip:, sips: or tel:)");
	else
		why[0] = 0;
	for (size_t i = 0; !*why && i < in->n_headers; ++i)
		if (!check_request_header(in->headers[i]->key, in->headers[i]->value, why))
			break;
	if (*why)
		twirp_fail(t, "invalid_argument", "%s", why);
	return !*why;
}

static uint32_t milliseconds(const Livekit__Duration *d)
{
	enum { TIMEOUT_S_MAX = 600 };
	if (!d || d->seconds < 0 || d->nanos < 0)
		return 0;
	return d->seconds >= TIMEOUT_S_MAX ? TIMEOUT_S_MAX * 1000
					   : (uint32_t)(d->seconds * 1000 + d->nanos / 1000000);
}

static void refuse(struct twirp *t, int outcome, const struct transfer_refusal *refusal)
{
	switch (outcome) {
	case TRANSFER_E_NUMBER:
		twirp_fail(t, "invalid_argument", "%s", refusal->why);
		return;
	case TRANSFER_E_OFF:
		twirp_fail(t, "permission_denied", "%s", refusal->why);
		return;
	case TRANSFER_E_LIMIT:
		twirp_fail(t, "resource_exhausted", "%s", refusal->why);
		return;
	case TRANSFER_E_NOT_UP:
		twirp_fail(t, "failed_precondition", "the call is not answered yet, so it cannot be transferred");
		return;
	case TRANSFER_E_ELSEWHERE:
		twirp_fail(t, "invalid_argument", "call already being transferred elsewhere");
		return;
	default:
		twirp_fail(t, "invalid_argument", "transfer_to or a header cannot stand in a SIP message");
	}
}

/* The trunk whose rules count: the call's, or one that is where it was called to. */
static const Livekit__SIPOutboundTrunkInfo *trunk_of(struct twirp *t, const struct call *c)
{
	struct trunks *trunks = t->api->config.trunks;
	const Livekit__SIPOutboundTrunkInfo *own = trunks_find_id(trunks, call_trunk_id(c));
	return own ? own : trunks_find_host(trunks, call_address(c));
}

static void start(struct twirp *t, struct call *c, const request *in)
{
	struct sip_transfer *own = mem_zalloc(sizeof *own);
	struct transfer_refusal refusal;
	struct attribute *headers = proto_alloc(&t->arena, (in->n_headers + 1) * sizeof *headers);
	int r = own && headers ? 0 : -1;

	for (size_t i = 0; r == 0 && i < in->n_headers; ++i)
		headers[i] = (struct attribute){in->headers[i]->key, in->headers[i]->value};
	if (r == 0) {
		list_init(&own->link);
		own->watch.done = on_done;
		r = call_transfer(c, &(struct transfer_request){
					     .to = in->transfer_to,
					     .headers = headers,
					     .header_count = in->n_headers,
					     .trunk = trunk_of(t, c),
					     .api_key = t->grants.issuer,
					     .asker = t->grants.identity,
					     .timeout_ms = milliseconds(in->ringing_timeout),
					     .ring = in->play_dialtone,
				     },
			&own->watch, &refusal);
	}
	if (r) {
		mem_free(own);
		if (r < 0)
			twirp_broken(t);
		else
			refuse(t, r, &refusal);
		return;
	}
	own->as_json = t->as_json;
	own->x = twirp_detach(t);
	list_add(&t->api->transfers, &own->link);
	http_on_gone(own->x, on_gone, own);
}

void sip_transfer_participant(struct twirp *t)
{
	const request *in = (const request *)t->in;
	const struct grants *g = &t->grants;
	if (!*in->room_name)
		twirp_fail(t, "invalid_argument", "Missing room name");
	else if (!*in->participant_identity)
		twirp_fail(t, "invalid_argument", "Missing participant identity");
	else if (!g->sip.call || !g->video.room_admin || strcmp(g->video.room, in->room_name))
		twirp_denied(t);
	else if (!check(t, in))
		return;
	else {
		struct call *c = calls_find_participant(t->api->config.calls, in->room_name, in->participant_identity);
		if (!c)
			twirp_fail(t, "not_found", "participant does not exist");
		else
			start(t, c, in);
	}
}
