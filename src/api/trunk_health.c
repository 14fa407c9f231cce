/* api/trunk_health.c - GET /livekit/sip/trunks: whether the carriers are there, and by which address we
 * talk to them. For an operator: `ringdown sip outbound list` and `ringdown doctor` read it. */
#include "api/backend.h"

#include "call/lines.h"
#include "net/address.h"
#include "trunk/trunk.h"

static json_t *optional(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static json_t *address_of(const struct sockaddr_storage *a)
{
	char text[ADDRESS_TEXT_SIZE];
	return a->ss_family ? json_string(address_text(text, (const struct sockaddr *)a)) : json_null();
}

static json_t *registration(const struct line_status *s)
{
	const struct sip_registration_info *r = &s->registration;
	if (!s->registers)
		return json_null();
	return json_pack("{s:s, s:s, s:b, s:o, s:i, s:i, s:i, s:i, s:i, s:i, s:o}", "address", s->address, "state",
		sip_registration_state_text(r->state), "registered", r->held, "registrar", address_of(&r->remote),
		"sip_status", (int)r->status, "expires_s", (int)r->expires_s, "next_in_ms", (int)s->next_in_ms,
		"bindings", (int)r->bindings, "failures", (int)r->failures, "round_trip_ms", (int)r->rtt_ms, "problem",
		optional(r->problem));
}

static json_t *options(const struct line_status *s)
{
	if (!s->asks)
		return json_null();
	return json_pack("{s:i, s:i, s:I, s:i}", "interval_s", (int)s->interval_s, "sip_status", (int)s->options_status,
		"asked_at_ms", (json_int_t)s->options_asked_unix_ms, "round_trip_ms", (int)s->options_rtt_ms);
}

static json_t *health(struct backend *b, const Livekit__SIPOutboundTrunkInfo *trunk)
{
	struct line_status s;
	bool has_line = lines_status(b->api->config.lines, trunk->sip_trunk_id, &s);
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "sip_trunk_id", trunk->sip_trunk_id, "name", trunk->name,
		"state", line_state_text(s.state), "since_ms",
		has_line ? json_integer((json_int_t)s.since_unix_ms) : json_null(), "problem", optional(s.problem),
		"registration", registration(&s), "options", options(&s));
}

void backend_trunks(struct backend *b)
{
	const struct api_config *c = &b->api->config;

	if (!b->open && !b->grants.sip.admin) {
		backend_denied(b, "The token lacks the permission sip.admin.");
		return;
	}
	json_t *list = json_array();
	for (size_t i = 0; list && i < trunks_count(c->trunks); ++i)
		json_array_append_new(list, health(b, trunks_at(c->trunks, i)));
	backend_answer(b->x, 200,
		json_pack("{s:{s:s, s:i, s:s, s:s, s:i, s:i}, s:o*}", "server", "sip_host", c->sip_host ? c->sip_host : "",
			"sip_port", (int)c->sip_port, "media_ip", c->media_ip ? c->media_ip : "", "media_ip6",
			c->media_ip6 ? c->media_ip6 : "", "rtp_port_first", (int)c->rtp_port_first, "rtp_port_last", (int)c->rtp_port_last, "trunks", list));
}
