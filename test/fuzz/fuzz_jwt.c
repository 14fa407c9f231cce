/* Whatever comes as a token: refused by name, or its claims are an object whose grants can be read. */
#include "wire/grants.h"
#include "wire/jwt.h"

#include <assert.h>

static const char *secret_of(void *owner, const char *key)
{
	return "secret";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *claims = NULL;
	int r = jwt_verify(&claims, span_of(data, size), secret_of, NULL, 1700000000);
	assert(r >= 0 && r < JWT__COUNT);
	assert((r == JWT_OK) == (claims != NULL));
	json_decref(claims);

	/* The same bytes as claims: every wrong type must count as absent. */
	json_t *loose = json_loadb((const char *)data, size, 0, NULL);
	if (!json_is_object(loose)) {
		json_decref(loose);
		return 0;
	}
	struct grants g;
	grants_init(&g, loose);
	assert(g.identity && g.name && g.video.room && g.video.source_count <= GRANT_SOURCES_MAX);
	grants_fini(&g);
	return 0;
}
