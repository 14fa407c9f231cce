/* A room driven at random, also from inside its own events: whatever comes, nothing that was freed
 * is touched, what everybody was told agrees with what is, and nothing is left at the end. Each
 * byte pair is one deed; bytes that are left when an event comes are deeds done from inside it. */
#include "base/mem.h"
#include "room/info.h"
#include "room/room.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(cond) ((cond) ? (void)0 : abort())

enum {
	PEOPLE = 6,
	VOICES = 64,
	DEPTH = 4
};

struct person {
	struct participant *p; /* NULL: not in the room */
	int voices;            /* begun and not ended */
	int serial;            /* how often it has joined */
};

static struct {
	const uint8_t *at, *end;
	uint64_t now;
	struct rooms *rooms;
	struct person people[PEOPLE];
	int depth;
	bool closing;
} w;

static uint64_t clock_now(void *owner)
{
	return w.now;
}

static uint8_t next_byte(void)
{
	return w.at < w.end ? *w.at++ : 0;
}

static void deed(void);

/* One more deed from inside an event, now and then. */
static void maybe_deed(void)
{
	if (w.at >= w.end || w.depth >= DEPTH || w.closing || next_byte() % 4)
		return;
	++w.depth;
	deed();
	--w.depth;
}

static void on_update(void *owner, struct participant *const *who, size_t count)
{
	struct person *me = owner;
	MUST(me->p && count > 0);
	struct info_arena a = {0};
	for (size_t i = 0; i < count; ++i)
		MUST(participant_info(&a, who[i]) && participant_is_visible(who[i], me->p));
	info_arena_fini(&a);
	maybe_deed();
}

static void on_room_update(void *owner)
{
	MUST(((struct person *)owner)->p);
	maybe_deed();
}

static void on_speakers(void *owner, const struct speaker *speakers, size_t count)
{
	MUST(count > 0 && participant_sid(speakers[0].participant));
	maybe_deed();
}

static void on_subscribed(void *owner, struct subscription *s)
{
	struct person *me = owner;
	MUST(s->listener == me->p && participant_hears(me->p, s->track));
	++me->voices;
	maybe_deed();
}

static void on_unsubscribed(void *owner, struct subscription *s)
{
	struct person *me = owner;
	MUST(s->listener == me->p && track_sid(s->track));
	--me->voices;
	MUST(me->voices >= 0);
	maybe_deed();
}

static void on_allowed(void *owner, struct track *t, bool allowed)
{
	MUST(track_sid(t));
	maybe_deed();
}

static void on_failed(void *owner, const char *sid)
{
	MUST(*sid);
	maybe_deed();
}

static void on_track(void *owner, struct track *own)
{
	MUST(track_owner(own) == ((struct person *)owner)->p);
	maybe_deed();
}

static void on_data(void *owner, const struct data_packet *d)
{
	MUST(d->bytes.size > 0 && ((struct person *)owner)->p);
	maybe_deed();
}

static void on_removed(void *owner, Livekit__DisconnectReason why)
{
	struct person *me = owner;
	MUST(me->p && me->voices == 0);
	me->p = NULL;
	maybe_deed();
}

static const struct participant_events events = {
	.update = on_update,
	.room_update = on_room_update,
	.speakers = on_speakers,
	.subscribed = on_subscribed,
	.unsubscribed = on_unsubscribed,
	.subscription_allowed = on_allowed,
	.subscription_failed = on_failed,
	.track_subscribed = on_track,
	.track_muted = on_track,
	.track_unpublished = on_track,
	.data = on_data,
	.removed = on_removed,
};

static struct track *some_track(uint8_t pick)
{
	struct room *r = rooms_find(w.rooms, "r");
	for (struct participant *p = r ? room_next(r, NULL) : NULL; p; p = room_next(r, p))
		for (struct track *t = participant_next_track(p, NULL); t;
			t = participant_next_track(p, t))
			if (pick-- == 0)
				return t;
	return NULL;
}

static void do_join(struct person *me, uint8_t how)
{
	struct room *r;
	if (me->p || rooms_open(&r, NULL, w.rooms, "r", NULL) != 0)
		return;
	char identity[2] = {(char)('a' + how % 3), 0}; /* fewer names than people: duplicates */
	struct participant_config c = {.identity = identity,
		.can_publish = !(how & 4),
		.can_subscribe = !(how & 8),
		.can_publish_data = true,
		.auto_subscribe = !(how & 16),
		.hidden = (how & 0xe0) == 0xe0,
		.protocol = how & 32 ? 17 : 9,
		.kind = how & 64 ? LIVEKIT__PARTICIPANT_INFO__KIND__AGENT : 0};
	struct participant *p;
	int serial = ++me->serial;
	/* The old one of that name goes inside; its events may fill this seat meanwhile. */
	++w.depth;
	w.closing = true;
	int err = participant_join(&p, r, &c, &events, me);
	w.closing = false;
	--w.depth;
	MUST(err == 0 && serial == me->serial);
	me->p = p;
}

static void do_track(struct person *me, uint8_t how)
{
	struct track *t = some_track(how % VOICES), *made;
	struct track_config c = {.name = "mic", .source = LIVEKIT__TRACK_SOURCE__MICROPHONE};
	switch (how >> 6) {
	case 0:
		if (me->p)
			MUST(track_publish(&made, me->p, &c) >= 0);
		break;
	case 1:
		if (t)
			track_unpublish(t);
		break;
	case 2:
		if (t)
			track_set_muted(t, !track_muted(t), how & 32);
		break;
	default:
		if (t)
			track_level(t, how % 40, 400, 400);
	}
}

static void do_allow(struct person *me, uint8_t how)
{
	char identity[2] = {(char)('a' + how % 3), 0};
	Livekit__TrackPermission one = LIVEKIT__TRACK_PERMISSION__INIT;
	const Livekit__TrackPermission *list[] = {&one};
	one.participant_identity = identity;
	one.all_tracks = true;
	if (me->p)
		participant_allow(me->p, list, 1, how & 128);
}

static void do_permission(struct person *me, uint8_t how)
{
	if (!me->p)
		return;
	Livekit__ParticipantPermission perm = *participant_permission(me->p);
	perm.can_publish = how & 1;
	perm.can_subscribe = how & 2;
	participant_set_permission(me->p, &perm);
}

static void do_send(struct person *me, uint8_t how)
{
	Livekit__DataPacket packet = LIVEKIT__DATA_PACKET__INIT;
	Livekit__RpcAck ack = LIVEKIT__RPC_ACK__INIT;
	packet.value_case = LIVEKIT__DATA_PACKET__VALUE_RPC_ACK;
	packet.rpc_ack = &ack;
	if (me->p)
		participant_send_data(me->p, &packet, how & 1);
}

static void deed(void)
{
	uint8_t what = next_byte(), how = next_byte();
	struct person *me = &w.people[what % PEOPLE];
	struct track *t;
	switch (what / PEOPLE % 11) {
	case 0:
	case 1:
		do_join(me, how);
		break;
	case 2:
		if (me->p)
			participant_joined(me->p);
		break;
	case 3:
		if (me->p)
			participant_active(me->p);
		break;
	case 4:
	case 5:
		do_track(me, how);
		break;
	case 6:
		if (me->p)
			participant_leave(me->p, LIVEKIT__DISCONNECT_REASON__CLIENT_INITIATED);
		break;
	case 7:
		t = some_track(how % VOICES);
		if (me->p)
			participant_subscribe(me->p, t ? track_sid(t) : "TR_none", how & 128);
		break;
	case 8:
		do_allow(me, how);
		break;
	case 9:
		do_permission(me, how);
		do_send(me, how);
		break;
	default:
		if (how == 255 && rooms_find(w.rooms, "r"))
			room_close(
				rooms_find(w.rooms, "r"), LIVEKIT__DISCONNECT_REASON__ROOM_DELETED);
		else if (me->p)
			MUST(participant_set(me->p, "n", NULL, NULL, 0) == 0);
	}
}

static int count_voices(struct room *r, const struct participant *me)
{
	int voices = 0;
	for (struct participant *p = room_next(r, NULL); p; p = room_next(r, p)) {
		struct track *t = NULL;
		while ((t = participant_next_track(p, t))) {
			if (!participant_hears(me, t))
				continue;
			++voices;
			MUST(p != me && participant_permission(me)->can_subscribe);
			MUST(participant_state(me) == LIVEKIT__PARTICIPANT_INFO__STATE__ACTIVE);
		}
	}
	return voices;
}

static void check(void)
{
	struct room *r = rooms_find(w.rooms, "r");
	for (int i = 0; i < PEOPLE; ++i) {
		const struct person *me = &w.people[i];
		if (!me->p)
			continue;
		MUST(r && room_find(r, participant_identity(me->p)) == me->p);
		MUST(count_voices(r, me->p) == me->voices);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t before = mem_live();
	const struct rooms_config config = {
		.empty_timeout_s = 4, .departure_timeout_s = 2, .now_ms = clock_now};
	memset(&w, 0, sizeof w);
	w.at = data;
	w.end = data + (size < 400 ? size : 400);
	w.now = 1000;
	MUST(rooms_new(&w.rooms, &config, NULL, NULL) == 0);
	while (w.at < w.end) {
		deed();
		check();
		if (next_byte() % 3 == 0) {
			w.now += 400;
			rooms_tick(w.rooms);
			check();
		}
	}
	w.closing = true;
	rooms_free(w.rooms);
	MUST(mem_live() == before);
	return 0;
}
