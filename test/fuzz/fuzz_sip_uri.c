/* What is parsed is written as the same bytes again, but for the scheme's case and the port's
 * leading zeros. */
#include "wire/sip_uri.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(struct span a, struct span b)
{
	return a.size == b.size && (!a.size || !memcmp(a.data, b.data, a.size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[1 << 20];
	struct writer w = writer_of(out, sizeof out);
	struct sip_uri u, again;
	struct span value;

	(void)sip_param_get(span_of(data, size), "lr", &value);
	if (sip_uri_parse(&u, span_of(data, size)) || u.scheme == SIP_SCHEME_OTHER)
		return 0;
	sip_uri_write(&w, &u);
	if (w.bad)
		return 0;
	if (sip_uri_parse(&again, writer_span(&w)) || !same(u.user, again.user) ||
		!same(u.host, again.host) || u.port != again.port || !same(u.params, again.params))
		abort();
	return 0;
}
