/* call/media_side.c - what a phone leg reports, brought to its call. */
#include "call/call_private.h"

#include "base/log.h"

static struct call *of_leg(struct calls *cs, media_id leg)
{
	return map_entry(map_get_id(&cs->by_leg, leg), struct call, leg_node);
}

/* Nobody has picked up: it goes on ringing. */
void call_hear_early(struct call *c, const struct sip_message *response)
{
	struct media_leg_remote remote;
	enum answer_outcome why;

	switch (call_early_take(&c->early, &remote, &c->talk, response, &why)) {
	case EARLY_NEWS:
		log_info(c->id, "early media, from a %u", response->status);
		call_connect_media(c, &remote);
		break;
	case EARLY_E_SDP:
		log_info(c->id, "no early media: %s (in a %u)", answer_outcome_text(why), response->status);
		break;
	case EARLY_NOTHING:
		break;
	}
}

void calls_leg_event(struct calls *cs, media_id leg, enum media_leg_event event)
{
	struct call *c = of_leg(cs, leg);
	if (c && event == MEDIA_LEG_DRAINED)
		call_line_done(c);
	if (c && event == MEDIA_LEG_FIRST_RTP)
		record_time(c, RECORD_FIRST_RTP_RECEIVED);
	if (!c || event != MEDIA_LEG_SILENT)
		return;
	struct media_leg_stats stats = {0};
	media_leg_stats(cs->config.media, leg, &stats);
	call_end_as(c,
		stats.received ? CALL_END_MEDIA_TIMEOUT
		: stats.locked ? CALL_END_MEDIA_LOCKED
			       : CALL_END_NO_MEDIA,
		NULL);
}

void calls_leg_digit(struct calls *cs, media_id leg, char digit)
{
	struct call *c = of_leg(cs, leg);
	if (c)
		call_key_came(c, CALL_KEY_MEDIA, digit);
}

void calls_leg_key(struct calls *cs, media_id leg, char digit)
{
	struct call *c = of_leg(cs, leg);
	if (c)
		call_send_key(c, digit);
}

/* The digits of the request (an extension, a PIN) are out: people may talk. */
void calls_leg_digits_done(struct calls *cs, media_id leg)
{
	struct call *c = of_leg(cs, leg);
	if (!c || !*c->dtmf || c->state != CALL_ACTIVE)
		return;
	*c->dtmf = 0;
	call_show_status(c, "active");
}

/* Shown to the room, as other participants' is. */
void calls_leg_stats(struct calls *cs, media_id leg, const struct media_leg_stats *stats)
{
	struct connection_quality now;
	struct call *c = of_leg(cs, leg);
	if (c && call_meter_put(&c->meter, stats) && c->seat && call_meter_now(&c->meter, &now))
		seat_quality(c->seat, &now);
}

void calls_levels(struct calls *cs, const struct media_level *levels, size_t count)
{
	for (size_t i = 0; i < count; ++i) {
		struct call *c = of_leg(cs, levels[i].source);
		if (c && c->seat)
			seat_level(c->seat, levels[i].level, levels[i].active_ms, levels[i].observed_ms);
	}
}
