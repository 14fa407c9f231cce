/* An operator's file is no stranger's, but a typing error in it must be a line on stderr. */
#include "config/config.h"

#include "base/mem.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t live = mem_live();
	struct config c;
	struct buf problems = {.max = 1 << 20};

	assert(config_defaults(&c, size & 1) == 0);
	int r = config_parse(&c, span_of(data, size), "fuzz", &problems);
	assert(r == 0 || r == CONFIG_E_INVALID);
	/* A refusal always says why, a success never complains. */
	assert((r == CONFIG_E_INVALID) == (problems.size > 0));
	if (r == 0) {
		int checked = config_check(&c, &problems);
		assert(checked == 0 || (checked == CONFIG_E_INVALID && problems.size > 0));
		assert(c.sip.rtp_port.first <= c.sip.rtp_port.last);
	}
	config_fini(&c);
	buf_fini(&problems);
	assert(mem_live() == live);
	return 0;
}
