/* Numbers as people type them: what is accepted is E.164, and reads the same again. */
#include "trunk/country.h"
#include "trunk/service.h"
#include "wire/e164.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char out[E164_SIZE], again[E164_SIZE];
	size_t bad_at = 0;
	enum e164_outcome outcome = e164_parse(out, span_of(data, size), &bad_at);

	assert(strlen(out) < E164_SIZE);
	if (outcome == E164_E_CHARACTER)
		assert(bad_at < size);
	if (outcome == E164_OK) {
		size_t digits = strspn(out + 1, "0123456789");
		assert(out[0] == '+' && out[1] != '0' && !out[digits + 1]);
		assert(digits >= E164_DIGITS_MIN && digits <= E164_DIGITS_MAX);
		assert(e164_parse(again, span_text(out), NULL) == E164_OK && !strcmp(out, again));
	}
	const struct country *c = country_of(out);
	assert(!c || !strncmp(out, c->prefix, strlen(c->prefix)));
	(void)service_blocked(out);
	return 0;
}
