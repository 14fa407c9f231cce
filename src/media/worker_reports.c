/* media/worker_reports.c - what the control thread is told: events, figures, how loud voices were. */
#include "media/worker_private.h"

#include "base/log.h"
#include "base/mem.h"
#include "media/payload.h"

enum {
	LEVEL_SILENT = 127,
	LEVELS_MAX = 4096, /* in one report */
};

static void post(struct worker *w, struct report r, const void *bytes, size_t size)
{
	if (size) {
		r.payload = payload_new(w->config.payloads, bytes, size);
		r.size = size;
		if (!r.payload)
			return;
	}
	if (mailbox_post(w->config.reports, &r) == 0) {
		w->reports_full = false;
		return;
	}
	payload_free(w->config.payloads, r.payload);
	if (!w->reports_full) /* once for each time that it fills */
		log_warn("media", "worker %u: the control thread does not read its reports",
			w->config.index);
	w->reports_full = true;
}

void worker_post_transport_state(struct worker *w, media_id t, enum media_transport_state state)
{
	post(w, (struct report){.kind = REPORT_TRANSPORT_STATE, .id = t, .value = state}, NULL, 0);
}

void worker_post_sctp(struct worker *w, media_id t, struct span packet)
{
	post(w, (struct report){.kind = REPORT_TRANSPORT_SCTP, .id = t}, packet.data, packet.size);
}

void worker_post_stats(
	struct worker *w, media_id t, const struct media_voice_stats *stats, size_t count)
{
	post(w, (struct report){.kind = REPORT_TRANSPORT_STATS, .id = t}, stats,
		count * sizeof *stats);
}

void worker_post_leg_event(struct worker *w, media_id leg, enum media_leg_event e)
{
	post(w, (struct report){.kind = REPORT_LEG_EVENT, .id = leg, .value = e}, NULL, 0);
}

void worker_post_leg_digit(struct worker *w, media_id leg, char digit)
{
	uint32_t value = (uint8_t)digit;
	post(w, (struct report){.kind = REPORT_LEG_DIGIT, .id = leg, .value = value}, NULL, 0);
}

void worker_post_leg_key(struct worker *w, media_id leg, char digit)
{
	uint32_t value = (uint8_t)digit;
	post(w, (struct report){.kind = REPORT_LEG_KEY, .id = leg, .value = value}, NULL, 0);
}

void worker_post_leg_digits_done(struct worker *w, media_id leg)
{
	post(w, (struct report){.kind = REPORT_LEG_DIGITS_DONE, .id = leg}, NULL, 0);
}

void worker_post_leg_stats(struct worker *w, media_id leg, const struct media_leg_stats *s)
{
	post(w, (struct report){.kind = REPORT_LEG_STATS, .id = leg}, s, sizeof *s);
}

/* ---- levels ---- */

static uint16_t add_capped(uint16_t sum, unsigned more)
{
	return sum + more > UINT16_MAX ? UINT16_MAX : (uint16_t)(sum + more);
}

void worker_note_level(struct worker *w, struct source *s, uint8_t level, unsigned duration_ms)
{
	if (list_empty(&s->noted))
		list_add(&w->noted, &s->noted);
	if (level < s->loudest)
		s->loudest = level;
	if (level <= w->config.active_level)
		s->active_ms = add_capped(s->active_ms, duration_ms);
	s->observed_ms = add_capped(s->observed_ms, duration_ms);
	if (!timer_running(&w->levels_timer))
		timer_start(&w->levels_timer, w->config.levels_every_ms, w->config.levels_every_ms);
}

void worker_tell_levels(void *owner)
{
	struct worker *w = owner;
	struct media_level *levels;
	size_t count = 0, room = 0;

	if (list_empty(&w->noted))
		timer_stop(&w->levels_timer);
	list_each (it, &w->noted)
		++room;
	if (room > LEVELS_MAX)
		room = LEVELS_MAX;
	levels = room ? mem_zalloc(room * sizeof *levels) : NULL;
	while (!list_empty(&w->noted)) {
		struct source *s = list_first(&w->noted, struct source, noted);
		list_remove(&s->noted);
		if (levels && count < room)
			levels[count++] = (struct media_level){.source = s->id,
				.level = s->loudest,
				.active_ms = s->active_ms,
				.observed_ms = s->observed_ms};
		s->loudest = LEVEL_SILENT;
		s->active_ms = s->observed_ms = 0;
	}
	if (count)
		post(w, (struct report){.kind = REPORT_LEVELS}, levels, count * sizeof *levels);
	mem_free(levels);
}
