/* One a=crypto line: what is read is written, and read back as the same. */
#include "wire/sdp_crypto.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sdp_crypto c, again;
	char text[256];

	enum sdp_crypto_error e = sdp_crypto_parse(&c, span_of(data, size));
	assert(*sdp_crypto_error_text(e));
	if (e != SDP_CRYPTO_OK)
		return 0;
	struct writer w = writer_of(text, sizeof text);
	sdp_crypto_write(&w, &c);
	assert(!w.bad);
	size_t head = strlen("a=crypto:");
	assert(sdp_crypto_parse(&again, span_of(text + head, w.used - head - 2)) == SDP_CRYPTO_OK);
	assert(!memcmp(&again, &c, sizeof c));
	return 0;
}
