/* A transfer's target: whatever it is, what is read of it is bounded, and a number has readings that begin with a
 * country code. */
#include "trunk/target.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const own[] = {"+1", "+49", "+7"};
	struct target t;
	char *text = calloc(1, size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	for (size_t count = 0; count <= COUNT_OF(own); ++count) {
		target_read(&t, text, own, count);
		bool is_read = t.kind == TARGET_NUMBER;
		if (t.count > TARGET_READINGS_MAX || strlen(t.user) >= sizeof t.user || (is_read && !t.count))
			abort();
		for (size_t i = 0; i < t.count; ++i)
			if (t.readings[i][0] != '+' || strlen(t.readings[i]) >= sizeof t.readings[i])
				abort();
		target_read_user(&t, text, own, count);
	}
	(void)target_routes_elsewhere(text);
	free(text);
	return 0;
}
