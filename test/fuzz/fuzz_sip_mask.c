/* Masking keeps the size and every line end, changes bytes into '*' only, and finds nothing more to do the
 * second time. */
#include "wire/sip_mask.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *once = malloc(size + 1), *twice = malloc(size + 1);
	if (!once || !twice)
		abort();
	if (size)
		memcpy(once, data, size);
	sip_mask(once, size);
	for (size_t i = 0; i < size; ++i)
		if (once[i] != data[i] && (once[i] != '*' || data[i] == '\n'))
			abort();
	if (size)
		memcpy(twice, once, size);
	sip_mask(twice, size);
	if (size && memcmp(once, twice, size))
		abort();
	free(once);
	free(twice);
	return 0;
}
