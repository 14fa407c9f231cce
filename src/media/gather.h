/* media/gather.h - when many packets come, lets them gather for a millisecond before the thread
 * looks: one waking then serves several, and one sendmmsg takes them all. A thread with little to do
 * is woken by each packet as ever, so a lone call pays nothing.
 *
 * Owner:   a worker with a thread of its own: the wait holds up its whole loop.
 * Owns:    its handle.
 * Thread:  the worker's.
 * Words:   "turn" = once round the loop. Packets come singly, so turns tell how many came.
 */
#pragma once

#include "net/loop.h"

struct gather;
MUST_USE int gather_new(struct gather **ret, struct loop *l);
struct gather *gather_free(struct gather *g);

/* The pure middle: is it on after `turns` in `elapsed_us`? */
bool gather_decide(bool on, unsigned turns, uint64_t elapsed_us);
