#include "webhook/events.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "room/info.h"
#include "wire/proto_json.h"

#include "livekit_webhook.pb-c.h"

/* An event under construction. */
struct draft {
	struct info_arena arena;
	Livekit__WebhookEvent event;
	char id[RNG_ID_SIZE];
};

static void begin(struct draft *d, const char *name)
{
	*d = (struct draft){.event = LIVEKIT__WEBHOOK_EVENT__INIT};
	rng_id(d->id, "EV_");
	d->event.event = (char *)name;
	d->event.id = d->id;
	d->event.created_at = clock_unix_s();
}

static void finish(struct webhook_events *e, struct draft *d, const struct room *r)
{
	struct buf json = {.max = LIMIT_JSON_BYTES};
	int err = proto_json_write(&json, &d->event.base, PROTO_JSON_SHORT);
	if (err)
		log_error(room_name(r), "no webhook of %s: %s", d->event.event,
			err == BUF_E_FULL ? "it is too large" : "out of memory");
	else
		webhooks_send(e->hooks, room_sid(r), buf_span(&json));
	buf_fini(&json);
	info_arena_fini(&d->arena);
}

static void tell_room(struct webhook_events *e, const char *name, struct room *r)
{
	struct draft d;
	begin(&d, name);
	d.event.room = room_info(&d.arena, r);
	finish(e, &d, r);
}

static void tell_participant(struct webhook_events *e, const char *name, struct participant *p)
{
	struct draft d;
	begin(&d, name);
	d.event.room = room_info(&d.arena, participant_room(p));
	d.event.participant = participant_info(&d.arena, p);
	finish(e, &d, participant_room(p));
}

/* Of a track's room and publisher only the names are told. */
static void tell_track(struct webhook_events *e, const char *name, struct track *t)
{
	struct draft d;
	Livekit__Room room = LIVEKIT__ROOM__INIT;
	Livekit__ParticipantInfo owner = LIVEKIT__PARTICIPANT_INFO__INIT;
	struct participant *p = track_owner(t);
	struct room *r = participant_room(p);

	begin(&d, name);
	room.sid = (char *)room_sid(r);
	room.name = (char *)room_name(r);
	owner.sid = (char *)participant_sid(p);
	owner.identity = (char *)participant_identity(p);
	d.event.room = &room;
	d.event.participant = &owner;
	d.event.track = track_info(&d.arena, t);
	finish(e, &d, r);
}

static void on_room_started(void *owner, struct room *r)
{
	tell_room(owner, "room_started", r);
}

static void on_room_finished(void *owner, struct room *r)
{
	tell_room(owner, "room_finished", r);
}

static void on_active(void *owner, struct participant *p)
{
	tell_participant(owner, "participant_joined", p);
}

static void on_left(void *owner, struct participant *p)
{
	tell_participant(owner,
		participant_was_active(p) ? "participant_left" : "participant_connection_aborted", p);
}

static void on_published(void *owner, struct track *t)
{
	tell_track(owner, "track_published", t);
}

static void on_unpublished(void *owner, struct track *t)
{
	tell_track(owner, "track_unpublished", t);
}

void webhook_events_start(struct webhook_events *e, struct rooms *rs, struct webhooks *w)
{
	static const struct rooms_events events = {
		.room_started = on_room_started,
		.room_finished = on_room_finished,
		.participant_active = on_active,
		.participant_left = on_left,
		.track_published = on_published,
		.track_unpublished = on_unpublished,
	};
	e->hooks = w;
	rooms_listen(rs, &e->listener, &events, e);
}
