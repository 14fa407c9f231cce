/* Whatever the bytes: no read past them, and a TTL that fits into 31 bits. */
#include "wire/dns_ttl.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t ttl_s = UINT32_MAX;
	if (dns_ttl_read(span_of(data, size), &ttl_s) ? ttl_s > INT32_MAX : ttl_s != UINT32_MAX)
		abort();
	return 0;
}
