/* trunk/explain_table.h - what is known about one kind of failure. Private to trunk/.
 *
 * Owner, owns: nothing; all of it is constant. Thread: any.
 */
#pragma once

#include "base/base.h"

struct known_failure {
	const char *code;     /* as in struct call_explanation */
	const char *sentence; /* "{address}" and "{reason}" are filled in */
};

/* By the provider's own number at the start of `provider` ("32201 source IP ..."), else by words in
 * the reason phrase; NULL when neither says anything. */
const struct known_failure *explain_provider(const char *provider, const char *reason);
