/* config/flags.h - settings that are one text each: the flags of the command line and the variables of
 * the environment. LiveKit's flags are known by its names ("--node-ip"), and every key with a single
 * value is a flag ("--rtc.tcp_port 7881") and a variable (LIVEKIT_RTC_TCP_PORT).
 *
 * Owner:   the caller; struct config_flag points into argv.
 * Owns:    nothing.
 * Thread:  the main thread.
 */
#pragma once

#include "config/config.h"

struct config_flag {
	const char *name;  /* as it was written, without "--" and value */
	size_t name_size;
	const char *value;
};
enum { CONFIG_FLAGS_MAX = 256 };

/* Outcomes of flags_read(); what is wrong was added to `problems`. */
enum {
	FLAGS_E_INVALID = 1,
	FLAGS_E_HELP,
};
/* argv[1] ... into `from` (path, body, dev, lenient) and `flags`, which has room for CONFIG_FLAGS_MAX and
 * which `from` points to then. */
MUST_USE int flags_read(struct config_source *from, struct config_flag *flags, int argc, char **argv,
	struct buf *problems);

/* Outcomes of both: CONFIG_E_INVALID. */
MUST_USE int flags_apply(struct config *c, const struct config_flag *flags, size_t count, struct buf *problems);
MUST_USE int flags_from_env(struct config *c, const struct env *env, struct buf *problems);
