/* Whatever comes, what is told are digits, and no more than fit. */
#include "wire/dtmf_info.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dtmf_info d;
	bool some = dtmf_info_parse(&d, span_of(data, size));

	size_t count = strnlen(d.digits, sizeof d.digits);
	if (count > DTMF_INFO_DIGITS_MAX || strspn(d.digits, "0123456789*#ABCD") != count ||
		some != (count > 0) || d.duration_ms > DTMF_INFO_MS_MAX)
		abort();
	return 0;
}
