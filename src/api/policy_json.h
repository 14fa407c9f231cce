/* api/policy_json.h - what the policy says to a call, as JSON: for the endpoint, and for the command
 * that reads the configuration alone. docs/api.md describes it.
 *
 * Owner: the caller. Owns: nothing; the reference is the caller's. Thread: the policy's.
 */
#pragma once

#include "trunk/policy.h"

#include <jansson.h>

/* NULL when out of memory. */
json_t *policy_json(struct policy *p, const struct policy_request *request, uint64_t now_ms);
