#include "api/policy_json.h"

static json_t *rule(const struct policy_finding *f)
{
	bool allowed = f->outcome == POLICY_OK;
	return json_pack("{s:s, s:b, s:s?, s:s, s:s?}", "rule", f->rule, "allowed", allowed, "code",
		allowed ? NULL : policy_outcome_name(f->outcome), "says", f->says, "setting", *f->setting ? f->setting : NULL);
}

json_t *policy_json(struct policy *p, const struct policy_request *request, uint64_t now_ms)
{
	struct policy_finding found[POLICY_RULES_MAX];
	struct policy_verdict v;
	size_t count = policy_explain(found, &v, p, request, now_ms);
	bool allowed = v.outcome == POLICY_OK;
	json_t *rules = json_array();

	for (size_t i = 0; rules && i < count; ++i)
		json_array_append_new(rules, rule(&found[i]));
	return json_pack("{s:b, s:s, s:b, s:s?, s:s?, s:s?, s:s?, s:I, s:I, s:o*}", "success", 1, "number", v.number, "allowed",
		allowed, "code", allowed ? NULL : policy_outcome_name(v.outcome), "reason", allowed ? NULL : v.why, "trunk_id",
		request->trunk->sip_trunk_id, "trunk", request->trunk->name, "wait_ms", (json_int_t)v.wait_ms, "longest_s",
		(json_int_t)(v.longest_ms / 1000), "rules", rules);
}
