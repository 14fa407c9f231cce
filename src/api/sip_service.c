/* api/sip_service.c - livekit.SIP: outbound trunks. Dialling is in sip_dial.c, transfer in sip_transfer.c. */
#include "api/sip_service.h"

#include "api/trunk_update.h"

#include <stdio.h>

static const char no_trunk[] = "requested sip trunk does not exist";

static bool is_admin(struct twirp *t)
{
	if (!t->grants.sip.admin)
		twirp_denied(t);
	return t->grants.sip.admin;
}

/* Answers what trunks_create_outbound() and the like came to. */
static void answer_trunk(struct twirp *t, int r, const Livekit__SIPOutboundTrunkInfo *trunk, const char *why)
{
	if (r < 0)
		twirp_broken(t);
	else if (r == TRUNK_E_NOT_FOUND)
		twirp_fail(t, "not_found", "%s", why);
	else if (r == TRUNK_E_CONFLICT)
		twirp_fail(t, "resource_exhausted", "%s", why);
	else if (r)
		twirp_fail(t, "invalid_argument", "%s", why);
	else
		twirp_answer(t, &trunk->base);
}

static void create_outbound(struct twirp *t)
{
	const Livekit__CreateSIPOutboundTrunkRequest *in = (const Livekit__CreateSIPOutboundTrunkRequest *)t->in;
	const Livekit__SIPOutboundTrunkInfo *made = NULL;
	char why[TRUNK_WHY_SIZE] = "missing trunk";
	if (!is_admin(t))
		return;
	int r = TRUNK_E_INVALID;
	if (in->trunk)
		r = trunks_create_outbound(&made, t->api->config.trunks, in->trunk, why);
	answer_trunk(t, r, made, why);
}

static int update_some(const Livekit__SIPOutboundTrunkInfo **made, struct twirp *t, const char *id,
	const Livekit__SIPOutboundTrunkUpdate *u, char why[TRUNK_WHY_SIZE])
{
	struct trunks *ts = t->api->config.trunks;
	Livekit__SIPOutboundTrunkInfo changed;
	int r = trunk_update_check(u, why);
	if (r)
		return r;
	const Livekit__SIPOutboundTrunkInfo *old = trunks_find_id(ts, id);
	if (!old) {
		snprintf(why, TRUNK_WHY_SIZE, "%s", no_trunk);
		return TRUNK_E_NOT_FOUND;
	}
	r = trunk_update_apply(&changed, &t->arena, old, u);
	return r < 0 ? r : trunks_replace_outbound(made, ts, id, &changed, why);
}

static void update_outbound(struct twirp *t)
{
	const Livekit__UpdateSIPOutboundTrunkRequest *in = (const Livekit__UpdateSIPOutboundTrunkRequest *)t->in;
	const Livekit__SIPOutboundTrunkInfo *made = NULL;
	char why[TRUNK_WHY_SIZE] = "missing or unsupported update action";
	int r = TRUNK_E_INVALID;

	if (!is_admin(t))
		return;
	if (!*in->sip_trunk_id)
		snprintf(why, sizeof why, "trunk id must be set");
	else if (in->action_case == LIVEKIT__UPDATE_SIPOUTBOUND_TRUNK_REQUEST__ACTION_REPLACE)
		r = trunks_replace_outbound(&made, t->api->config.trunks, in->sip_trunk_id, in->replace, why);
	else if (in->action_case == LIVEKIT__UPDATE_SIPOUTBOUND_TRUNK_REQUEST__ACTION_UPDATE)
		r = update_some(&made, t, in->sip_trunk_id, in->update, why);
	answer_trunk(t, r, made, why);
}

static void get_outbound(struct twirp *t)
{
	const Livekit__GetSIPOutboundTrunkRequest *in = (const Livekit__GetSIPOutboundTrunkRequest *)t->in;
	Livekit__GetSIPOutboundTrunkResponse out = LIVEKIT__GET_SIPOUTBOUND_TRUNK_RESPONSE__INIT;
	if (!is_admin(t))
		return;
	if (!*in->sip_trunk_id) {
		twirp_fail(t, "invalid_argument", "trunk ID is required");
		return;
	}
	out.trunk = (Livekit__SIPOutboundTrunkInfo *)trunks_find_id(t->api->config.trunks, in->sip_trunk_id);
	if (out.trunk)
		twirp_answer(t, &out.base);
	else
		twirp_fail(t, "not_found", no_trunk);
}

/* ---- lists ---- */

static bool is_one_of(const char *text, char *const *list, size_t count)
{
	for (size_t i = 0; i < count; ++i)
		if (!strcmp(text, list[i]))
			return true;
	return count == 0;
}

static bool has_number(const Livekit__SIPOutboundTrunkInfo *trunk, char *const *numbers, size_t count)
{
	for (size_t i = 0; i < trunk->n_numbers; ++i)
		if (is_one_of(trunk->numbers[i], numbers, count))
			return true;
	return count == 0;
}

/* After `after_id`, and no more than `limit`. */
static bool is_on_page(const Livekit__Pagination *page, const char *id, size_t have)
{
	if (!page)
		return true;
	return strcmp(id, page->after_id) > 0 && (page->limit <= 0 || have < (size_t)page->limit);
}

static void list_outbound(struct twirp *t)
{
	const Livekit__ListSIPOutboundTrunkRequest *in = (const Livekit__ListSIPOutboundTrunkRequest *)t->in;
	Livekit__ListSIPOutboundTrunkResponse out = LIVEKIT__LIST_SIPOUTBOUND_TRUNK_RESPONSE__INIT;
	struct trunks *ts = t->api->config.trunks;
	if (!is_admin(t))
		return;
	out.items = proto_alloc(&t->arena, (trunks_count(ts) + 1) * sizeof *out.items);
	for (size_t i = 0; out.items && i < trunks_count(ts); ++i) {
		const Livekit__SIPOutboundTrunkInfo *trunk = trunks_at(ts, i);
		if (is_one_of(trunk->sip_trunk_id, in->trunk_ids, in->n_trunk_ids) &&
			has_number(trunk, in->numbers, in->n_numbers) &&
			is_on_page(in->page, trunk->sip_trunk_id, out.n_items))
			out.items[out.n_items++] = (Livekit__SIPOutboundTrunkInfo *)trunk;
	}
	twirp_answer(t, out.items ? &out.base : NULL);
}

/* The old kind of trunk, which was inbound and outbound in one. */
static Livekit__SIPTrunkInfo *as_old_kind(struct twirp *t, const Livekit__SIPOutboundTrunkInfo *trunk)
{
	Livekit__SIPTrunkInfo *old =
		(Livekit__SIPTrunkInfo *)proto_new(&t->arena, &livekit__siptrunk_info__descriptor);
	if (!old)
		return NULL;
	old->kind = LIVEKIT__SIPTRUNK_INFO__TRUNK_KIND__TRUNK_OUTBOUND;
	old->sip_trunk_id = trunk->sip_trunk_id;
	old->name = trunk->name;
	old->metadata = trunk->metadata;
	old->transport = trunk->transport;
	old->outbound_address = trunk->address;
	if (trunk->n_numbers)
		old->outbound_number = trunk->numbers[0];
	old->outbound_username = trunk->auth_username;
	old->outbound_password = trunk->auth_password;
	return old;
}

static void list_old_kind(struct twirp *t)
{
	const Livekit__ListSIPTrunkRequest *in = (const Livekit__ListSIPTrunkRequest *)t->in;
	Livekit__ListSIPTrunkResponse out = LIVEKIT__LIST_SIPTRUNK_RESPONSE__INIT;
	struct trunks *ts = t->api->config.trunks;
	bool full = false;
	if (!is_admin(t))
		return;
	out.items = proto_alloc(&t->arena, (trunks_count(ts) + 1) * sizeof *out.items);
	for (size_t i = 0; out.items && i < trunks_count(ts) && !full; ++i) {
		if (!is_on_page(in->page, trunks_at(ts, i)->sip_trunk_id, out.n_items))
			continue;
		out.items[out.n_items] = as_old_kind(t, trunks_at(ts, i));
		full = !out.items[out.n_items++];
	}
	twirp_answer(t, out.items && !full ? &out.base : NULL);
}

static void delete_trunk(struct twirp *t)
{
	const Livekit__DeleteSIPTrunkRequest *in = (const Livekit__DeleteSIPTrunkRequest *)t->in;
	Livekit__SIPTrunkInfo out = LIVEKIT__SIPTRUNK_INFO__INIT;
	if (!is_admin(t))
		return;
	if (!*in->sip_trunk_id) {
		twirp_fail(t, "invalid_argument", "trunk ID is required");
		return;
	}
	if (trunks_delete(t->api->config.trunks, in->sip_trunk_id) < 0) {
		twirp_broken(t);
		return;
	}
	out.sip_trunk_id = in->sip_trunk_id;
	twirp_answer(t, &out.base);
}

/* ---- calls from outside come later: there are none of these to list, and none can be made ---- */

static void list_no_inbound(struct twirp *t)
{
	if (is_admin(t))
		twirp_answer(t, proto_new(&t->arena, &livekit__list_sipinbound_trunk_response__descriptor));
}

static void list_no_rules(struct twirp *t)
{
	if (is_admin(t))
		twirp_answer(t, proto_new(&t->arena, &livekit__list_sipdispatch_rule_response__descriptor));
}

static void get_no_inbound(struct twirp *t)
{
	const Livekit__GetSIPInboundTrunkRequest *in = (const Livekit__GetSIPInboundTrunkRequest *)t->in;
	if (!is_admin(t))
		return;
	if (*in->sip_trunk_id)
		twirp_fail(t, "not_found", no_trunk);
	else
		twirp_fail(t, "invalid_argument", "trunk ID is required");
}

static void no_inbound(struct twirp *t)
{
	if (is_admin(t))
		twirp_fail(t, "unimplemented", "inbound calls are not supported yet: only outbound trunks are");
}

#define SIP "SIP"
const struct twirp_method sip_methods[] = {
	{SIP, "CreateSIPOutboundTrunk", &livekit__create_sipoutbound_trunk_request__descriptor,
		create_outbound},
	{SIP, "UpdateSIPOutboundTrunk", &livekit__update_sipoutbound_trunk_request__descriptor,
		update_outbound},
	{SIP, "GetSIPOutboundTrunk", &livekit__get_sipoutbound_trunk_request__descriptor, get_outbound},
	{SIP, "ListSIPOutboundTrunk", &livekit__list_sipoutbound_trunk_request__descriptor, list_outbound},
	{SIP, "ListSIPTrunk", &livekit__list_siptrunk_request__descriptor, list_old_kind},
	{SIP, "DeleteSIPTrunk", &livekit__delete_siptrunk_request__descriptor, delete_trunk},
	{SIP, "CreateSIPParticipant", &livekit__create_sipparticipant_request__descriptor,
		sip_create_participant},
	{SIP, "TransferSIPParticipant", &livekit__transfer_sipparticipant_request__descriptor,
		sip_transfer_participant},
	{SIP, "ListSIPInboundTrunk", &livekit__list_sipinbound_trunk_request__descriptor, list_no_inbound},
	{SIP, "GetSIPInboundTrunk", &livekit__get_sipinbound_trunk_request__descriptor, get_no_inbound},
	{SIP, "CreateSIPInboundTrunk", &livekit__create_sipinbound_trunk_request__descriptor, no_inbound},
	{SIP, "UpdateSIPInboundTrunk", &livekit__update_sipinbound_trunk_request__descriptor, no_inbound},
	{SIP, "ListSIPDispatchRule", &livekit__list_sipdispatch_rule_request__descriptor, list_no_rules},
	{SIP, "CreateSIPDispatchRule", &livekit__create_sipdispatch_rule_request__descriptor, no_inbound},
	{SIP, "UpdateSIPDispatchRule", &livekit__update_sipdispatch_rule_request__descriptor, no_inbound},
	{SIP, "DeleteSIPDispatchRule", &livekit__delete_sipdispatch_rule_request__descriptor, no_inbound},
};
const size_t sip_method_count = COUNT_OF(sip_methods);
