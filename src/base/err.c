#include "base/err.h"

#include "base/log.h"

#include <assert.h>
#include <string.h>

int err_new_at(int r, const char *func, const char *file, int line)
{
	assert(r < 0);
	log_error("broken", "%s (%s:%d): %s", func, file, line, strerror(-r));
	return r;
}
