#include "api/policy_json.h"

static json_t *rule(const struct policy_finding *f)
{
	bool allowed = f->outcome == POLICY_OK;
	return json_pack("{s:s, s:b, s:s?, s:s, s:s?}", "rule", f->rule, "allowed", allowed, "code",
		allowed ? NULL : policy_outcome_name(f->outcome), "says", f->says, "setting", *f->setting ? f->setting : NULL);
}

/* Of what it may last and what its key has left; 0 = neither is limited. */
static json_int_t longest_s(const struct policy_verdict *v)
{
	uint64_t ms = v->longest_ms && v->longest_ms < v->left_ms ? v->longest_ms : v->left_ms;
	return ms == UINT64_MAX ? 0 : (json_int_t)(ms / 1000);
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
		longest_s(&v), "rules", rules);
}
