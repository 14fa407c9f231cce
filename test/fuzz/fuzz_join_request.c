#include "wire/join_request.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proto_arena a = {0};
	Livekit__JoinRequest *j = NULL;
	char *text = malloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;

	enum join_request_error e = join_request_decode(&j, &a, text);
	assert((e == JOIN_REQUEST_OK) == (j != NULL));
	if (j)
		assert(j->metadata && livekit__join_request__get_packed_size(j) <= LIMIT_PROTO_ARENA_BYTES);
	proto_arena_fini(&a);
	free(text);
	assert(mem_live() == 0);
	return 0;
}
