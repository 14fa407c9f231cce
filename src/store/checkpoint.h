/* store/checkpoint.h - the thread that brings a database's write-ahead log into its file. That is what
 * waits for the disk (fsync), so nobody else has to.
 *
 * Owner:   the store that writes. Owns: the thread, and a connection while it works.
 * Thread:  any one for the functions here; the work is the thread's own.
 */
#pragma once

#include "base/base.h"

struct checkpoint;

MUST_USE int checkpoint_start(struct checkpoint **ret, const char *path);
void checkpoint_soon(struct checkpoint *c); /* while one runs: another one after it */
struct checkpoint *checkpoint_stop(struct checkpoint *c); /* waits for the one that runs; takes NULL */
