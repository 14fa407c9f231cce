/* A .env file: any bytes are either read or refused with a line number; nothing leaks. */
#include "config/env_file.h"

#include "base/mem.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t live = mem_live(), lines = 1;
	struct env e = {.ignore_process = true};
	unsigned line = 0;

	for (size_t i = 0; i < size; ++i)
		lines += data[i] == '\n';
	int r = env_parse(&e, span_of(data, size), &line);
	assert(r >= 0 && e.count <= ENV_ENTRIES_MAX);
	if (r > 0)
		assert(line >= 1 && line <= lines);
	(void)env_get(&e, "LIVEKIT_URL");
	env_fini(&e);
	assert(mem_live() == live);
	return 0;
}
