/* media/metronome.h - the 20 ms beat, on an absolute grid without drift (a timerfd; uv_timer
 * drifts by milliseconds in seconds). It beats only while somebody listens, and not for all at once:
 * the first beat comes within 5 ms of metronome_add(), the others each 20 ms after it.
 *
 * Owner:   a worker. Owns: the timerfd and its poll handle; not the beats.
 * Thread:  the worker's.
 */
#pragma once

#include "media/worker.h"
#include "net/loop.h"

struct metronome;
MUST_USE int metronome_new(struct metronome **ret, struct loop *l);
struct metronome *metronome_free(struct metronome *m);
void metronome_add(struct metronome *m, struct beat *b);
