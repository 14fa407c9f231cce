/* A list of challenges comes to an end, and lies inside the input. */
#include "wire/sip_auth.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct span s, const uint8_t *data, size_t size)
{
	if (s.size && (s.data < data || s.data + s.size > data + size))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_of(data, size);
	struct sip_auth a;
	size_t before = size + 1;

	while (sip_auth_next(&rest, &a)) {
		if (rest.size >= before || !a.scheme.size)
			abort();
		before = rest.size;
		inside(a.scheme, data, size);
		inside(a.realm, data, size);
		inside(a.nonce, data, size);
		inside(a.opaque, data, size);
		inside(a.response, data, size);
		(void)sip_auth_offers(&a, "auth");
	}
	return 0;
}
