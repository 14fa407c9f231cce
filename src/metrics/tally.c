#include "metrics/tally.h"

#include "base/clock.h"

#include <stdio.h>

/* LiveKit's and livekit-sip's own. */
static const double room_bounds[] = {5, 10, 60, 5 * 60, 10 * 60, 30 * 60, 60 * 60, 2 * 3600, 5 * 3600, 10 * 3600};
static const double call_bounds[] = {1, 10, 60, 600, 1800, 3600, 6 * 3600, 12 * 3600, 24 * 3600};

static bool is_phone(const struct participant *p)
{
	return participant_kind(p) == LIVEKIT__PARTICIPANT_INFO__KIND__SIP;
}

static double seconds_since(int64_t unix_ms)
{
	return (double)(clock_unix_ms() - unix_ms) / 1000;
}

static void count_ending(struct tally *t, const char *code)
{
	struct tally_ending *e = t->endings;
	while (e < t->endings + t->ending_count && strcmp(e->code, code))
		++e;
	if (e == t->endings + t->ending_count) {
		bool full = t->ending_count == TALLY_ENDINGS_MAX - 1;
		snprintf(e->code, sizeof e->code, "%s", full ? "other" : code);
		t->ending_count += !full;
	}
	++e->count;
}

static void on_room_finished(void *owner, struct room *r)
{
	struct tally *t = owner;
	histogram_observe(&t->room_seconds, seconds_since(room_created_unix_ms(r)));
}

static void on_active(void *owner, struct participant *p)
{
	struct tally *t = owner;
	++t->joined;
	t->calls += is_phone(p);
}

static void on_left(void *owner, struct participant *p)
{
	struct tally *t = owner;
	const char *code = participant_attribute(p, "ringdown.endedCode");

	t->aborted += !participant_was_active(p);
	if (!is_phone(p))
		return;
	t->answered += participant_attribute(p, "sip.callTag") != NULL;
	count_ending(t, code ? code : "removed");
	histogram_observe(&t->call_seconds, seconds_since(participant_joined_unix_ms(p)));
}

static void on_published(void *owner, struct track *track)
{
	struct tally *t = owner;
	++t->tracks;
}

void tally_start(struct tally *t, struct rooms *rs)
{
	static const struct rooms_events events = {
		.room_finished = on_room_finished,
		.participant_active = on_active,
		.participant_left = on_left,
		.track_published = on_published,
	};
	t->room_seconds = (struct histogram){.bounds = room_bounds, .bound_count = COUNT_OF(room_bounds)};
	t->call_seconds = (struct histogram){.bounds = call_bounds, .bound_count = COUNT_OF(call_bounds)};
	rooms_listen(rs, &t->listener, &events, t);
}
