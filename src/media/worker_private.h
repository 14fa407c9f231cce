/* media/worker_private.h - the inside of a worker, shared by its three files:
 *
 *   worker.c          packets, tables, life
 *   worker_orders.c   what the control thread wants done
 *   worker_reports.c  what it is told: events, figures, levels
 *
 * Owner:   struct media.
 * Owns:    everything below.
 * Thread:  the worker's, but for what media/worker.h says.
 */
#pragma once

#include "media/gather.h"
#include "media/leg.h"
#include "media/metronome.h"
#include "media/order.h"
#include "media/rtc_edge.h"
#include "media/transport.h"
#include "net/mailbox.h"

enum { WORKER_TICK_MS = 50 };

struct worker {
	struct worker_config config;
	struct loop own_loop;
	struct loop *loop;
	bool threaded;
	uv_thread_t thread;

	struct mailbox *orders;
	struct rtc_edge *edge;
	struct gather *gather; /* NULL without a thread of our own */
	struct metronome *metronome;
	struct timer tick, levels_timer;
	struct deferred stop;

	struct map transports, by_ufrag, by_address, sources, sinks, legs;
	struct list noted; /* struct source.noted: heard in this window */
	uint64_t address_secret;
	uint64_t drops[MEDIA_DROP__COUNT];
	struct media_traffic traffic;
	bool reports_full;
};

/* The worker does not look into a leg. */
struct leg_entry {
	struct map_node by_id;
	struct leg *leg;
};

/* worker.c: all but the worker itself goes. On its own thread, or with no thread at all. */
void worker_close_everything(struct worker *w);

/* worker_orders.c */
void worker_obey(void *owner, void *letter); /* of the mailbox `orders`: struct order */
void worker_close_transport(struct worker *w, struct transport *t);
void worker_close_leg(struct worker *w, struct leg_entry *e);

/* worker_reports.c: the timer `levels_timer` */
void worker_tell_levels(void *owner);
