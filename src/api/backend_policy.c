/* api/backend_policy.c - GET /livekit/sip/policy: what each rule would say to a call. Nothing is dialled. */
#include "api/backend.h"

#include "api/policy_json.h"
#include "base/clock.h"

#include <stdio.h>

enum { NUMBER_SIZE = 64 };

static bool choose(struct backend *b, const Livekit__SIPOutboundTrunkInfo **trunk)
{
	char why[TRUNK_WHY_SIZE];
	const char *name = http_query(b->x, "trunk");
	int r = trunks_choose(trunk, b->api->config.trunks, name && *name ? name : b->api->config.trunk, why);

	if (r == TRUNK_E_NOT_FOUND)
		backend_fail(b, 404, "trunk_not_found", "%s", why);
	else if (r)
		backend_fail(b, 409, "trunk_not_chosen", "%s", why);
	return !r;
}

void backend_policy(struct backend *b)
{
	const Livekit__SIPOutboundTrunkInfo *trunk;
	const char *asked = http_query(b->x, "number"), *key = http_query(b->x, "key");
	char number[NUMBER_SIZE];

	if (!b->open && !b->grants.sip.admin) {
		backend_denied(b, "The token lacks the permission sip.admin.");
		return;
	}
	if (!asked || !*asked) {
		backend_fail(b, 400, "missing_phone_number", "number is missing: the number to ask about, for example +14155550123.");
		return;
	}
	/* In a query an unescaped '+' is a blank. */
	snprintf(number, sizeof number, "%s%s", *asked == ' ' ? "+" : "", asked + (*asked == ' '));
	if (!choose(b, &trunk))
		return;
	backend_answer(b->x, 200, policy_json(b->api->config.policy,
					  &(struct policy_request){
						  .number = number,
						  .caller = http_query(b->x, "from"),
						  .trunk = trunk,
						  .key = key && *key ? key : b->grants.issuer,
						  .identity = http_query(b->x, "identity"),
					  },
					  clock_ms()));
}
