/* Rooms with a clock of their own and listeners that write down what they hear. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "room/info.h"
#include "room/room.h"
#include "test/check.h"
#include "wire/proto.h"

#include <stdarg.h>

/* ---- the fixture ---- */

static uint64_t now = 5000;
static struct rooms *rooms;
static struct room *room;
static char heard[8192]; /* "bob update alice ACTIVE; ..." */

struct listener {
	const char *name;
	struct participant *p;
	struct listener *leaves_too; /* removes this one from inside `update` */
	bool leaves_on_subscribed;
	bool quiet;
};

static uint64_t clock_now(void *owner)
{
	return now;
}

PRINTF(1, 2) static void note(const char *format, ...)
{
	size_t used = strlen(heard);
	if (used)
		used += (size_t)snprintf(heard + used, sizeof heard - used, "; ");
	va_list args;
	va_start(args, format);
	vsnprintf(heard + used, sizeof heard - used, format, args);
	va_end(args);
}

#define HEARD(what)                                                                                \
	do {                                                                                       \
		CHECK_STR(heard, what);                                                            \
		heard[0] = 0;                                                                      \
	} while (0)

static const char *state_name(const struct participant *p)
{
	static const char *const names[] = {"JOINING", "JOINED", "ACTIVE", "DISCONNECTED"};
	return names[participant_state(p)];
}

static void on_update(void *owner, struct participant *const *who, size_t count)
{
	struct listener *l = owner;
	for (size_t i = 0; i < count && !l->quiet; ++i)
		note("%s update %s %s", l->name, participant_identity(who[i]), state_name(who[i]));
	if (l->leaves_too) {
		struct listener *other = l->leaves_too;
		l->leaves_too = NULL;
		participant_leave(other->p, LIVEKIT__DISCONNECT_REASON__PARTICIPANT_REMOVED);
	}
}

static void on_room_update(void *owner)
{
	struct listener *l = owner;
	if (!l->quiet)
		note("%s room_update", l->name);
}

static void on_speakers(void *owner, const struct speaker *speakers, size_t count)
{
	struct listener *l = owner;
	for (size_t i = 0; i < count; ++i)
		note("%s speaker %s %.3f%s", l->name, participant_identity(speakers[i].participant),
			(double)speakers[i].level, speakers[i].active ? "" : " ends");
}

static void on_subscribed(void *owner, struct subscription *s)
{
	struct listener *l = owner;
	CHECK(participant_hears(l->p, s->track));
	note("%s hears %s", l->name, track_facts(s->track)->name);
	if (l->leaves_on_subscribed)
		participant_leave(l->p, LIVEKIT__DISCONNECT_REASON__CLIENT_INITIATED);
}

static void on_unsubscribed(void *owner, struct subscription *s)
{
	struct listener *l = owner;
	CHECK(!participant_hears(l->p, s->track));
	note("%s hears no more %s", l->name, track_facts(s->track)->name);
}

static void on_allowed(void *owner, struct track *t, bool allowed)
{
	struct listener *l = owner;
	note("%s %s hear %s", l->name, allowed ? "may" : "may not", track_facts(t)->name);
}

static void on_failed(void *owner, const char *sid)
{
	struct listener *l = owner;
	note("%s failed %s", l->name, sid);
}

static void on_track_subscribed(void *owner, struct track *t)
{
	struct listener *l = owner;
	note("%s is heard %s", l->name, track_facts(t)->name);
}

static void on_track_muted(void *owner, struct track *t)
{
	struct listener *l = owner;
	note("%s is muted %s", l->name, track_facts(t)->name);
}

static void on_track_unpublished(void *owner, struct track *t)
{
	struct listener *l = owner;
	note("%s lost %s", l->name, track_facts(t)->name);
}

static void on_data(void *owner, const struct data_packet *d)
{
	struct listener *l = owner;
	struct proto_arena a = {0};
	ProtobufCMessage *m = NULL;
	CHECK_EQ(proto_unpack(&m, &a, &livekit__data_packet__descriptor, d->bytes), 0);
	const Livekit__DataPacket *p = (Livekit__DataPacket *)m;
	CHECK_STR(p->participant_identity, d->packet->participant_identity);
	note("%s data from %s %s", l->name,
		*p->participant_identity ? p->participant_identity : "-",
		d->reliable ? "reliable" : "lossy");
	if (p->value_case == LIVEKIT__DATA_PACKET__VALUE_USER)
		CHECK_STR(p->user->participant_identity, p->participant_identity);
	CHECK(!d->from || !*p->participant_sid ||
		!strcmp(p->participant_sid, participant_sid(d->from)));
	proto_arena_fini(&a);
}

static void on_removed(void *owner, Livekit__DisconnectReason why)
{
	struct listener *l = owner;
	note("%s removed %d", l->name, (int)why);
	l->p = NULL;
}

static const struct participant_events events = {
	.update = on_update,
	.room_update = on_room_update,
	.speakers = on_speakers,
	.subscribed = on_subscribed,
	.unsubscribed = on_unsubscribed,
	.subscription_allowed = on_allowed,
	.subscription_failed = on_failed,
	.track_subscribed = on_track_subscribed,
	.track_muted = on_track_muted,
	.track_unpublished = on_track_unpublished,
	.data = on_data,
	.removed = on_removed,
};

static void on_room_started(void *owner, struct room *r)
{
	note("started %s", room_name(r));
}

static void on_room_finished(void *owner, struct room *r)
{
	note("finished %s", room_name(r));
}

static void on_active(void *owner, struct participant *p)
{
	note("active %s", participant_identity(p));
}

static void on_left(void *owner, struct participant *p)
{
	note("%s %s", participant_was_active(p) ? "left" : "aborted", participant_identity(p));
}

static void on_rpc_answer(void *owner, struct room *r, const struct data_packet *d)
{
	note("api answered by %s", participant_identity(d->from));
}

static const struct rooms_events all_events = {.room_started = on_room_started,
	.room_finished = on_room_finished,
	.participant_active = on_active,
	.participant_left = on_left,
	.rpc_answer = on_rpc_answer};
static const struct rooms_events no_events;

static const struct rooms_config config = {.empty_timeout_s = 300,
	.departure_timeout_s = 20,
	.now_ms = clock_now,
	.auto_create = true};

static void begin_with(const struct rooms_events *e)
{
	CHECK_EQ(rooms_new(&rooms, &config, e, NULL), 0);
	bool made;
	CHECK_EQ(rooms_open(&room, &made, rooms, "r", NULL), 0);
	CHECK(made);
	heard[0] = 0;
}

static void begin(void)
{
	begin_with(&no_events);
}

static void end(void)
{
	rooms = rooms_free(rooms);
	heard[0] = 0;
	CHECK_EQ(mem_live(), 0);
}

static struct participant_config person(const char *identity)
{
	return (struct participant_config){.identity = identity,
		.can_publish = true,
		.can_subscribe = true,
		.can_publish_data = true,
		.auto_subscribe = true,
		.protocol = 17};
}

static void join_with(struct listener *l, const struct participant_config *c)
{
	if (!l->name)
		l->name = c->identity;
	CHECK_EQ(participant_join(&l->p, room, c, &events, l), 0);
}

/* Joined and active; nothing that others heard of it is kept. */
static void enter(struct listener *l, const char *identity)
{
	struct participant_config c = person(identity);
	join_with(l, &c);
	participant_joined(l->p);
	participant_active(l->p);
	heard[0] = 0;
}

static struct track *publish(struct listener *l, const char *name)
{
	struct track_config c = {.name = name,
		.cid = "c",
		.stream = "camera",
		.mime_type = "audio/opus",
		.mid = "0",
		.source = LIVEKIT__TRACK_SOURCE__MICROPHONE};
	struct track *t;
	CHECK_EQ(track_publish(&t, l->p, &c), 0);
	return t;
}

static void tick(uint64_t ms)
{
	for (uint64_t until = now + ms; now < until;) {
		now += 400;
		rooms_tick(rooms);
	}
}

/* ---- the tests ---- */

static void test_plain_joins_are_batched(void)
{
	begin_with(&all_events);
	struct listener alice = {0}, bob = {0};
	enter(&alice, "alice");
	struct participant_config c = person("bob");
	join_with(&bob, &c);
	CHECK_EQ(participant_state(bob.p), LIVEKIT__PARTICIPANT_INFO__STATE__JOINING);
	participant_joined(bob.p);
	participant_active(bob.p);
	HEARD("active bob");
	tick(1600);
	/* A batch tells everybody, those in it too; the room has changed as well. */
	HEARD("alice room_update; bob room_update; alice update alice ACTIVE; alice update bob "
	      "ACTIVE; "
	      "bob update alice ACTIVE; bob update bob ACTIVE");
	tick(8000);
	HEARD("");
	participant_leave(bob.p, LIVEKIT__DISCONNECT_REASON__CLIENT_INITIATED);
	HEARD("alice update bob DISCONNECTED; left bob; bob removed 1");
	CHECK(!room_find(room, "bob"));
	end();
}

static void test_publishing(void)
{
	begin();
	struct listener alice = {0}, bob = {0}, carol = {0};
	enter(&alice, "alice");
	enter(&bob, "bob");
	struct track *t = publish(&alice, "mic");
	HEARD("bob update alice ACTIVE; bob hears mic; alice is heard mic");
	CHECK(room_find_track(room, track_sid(t)) == t);
	CHECK(!strncmp(track_sid(t), "TR_AM", 5));

	/* Somebody who comes later hears it when active. */
	struct participant_config c = person("carol");
	join_with(&carol, &c);
	participant_joined(carol.p);
	HEARD("");
	participant_active(carol.p);
	HEARD("carol hears mic");

	track_set_muted(t, true, true);
	HEARD("alice is muted mic; alice update alice ACTIVE; bob update alice ACTIVE; "
	      "carol update alice ACTIVE");
	track_set_muted(t, true, true);
	HEARD("");
	track_set_muted(t, false, false);
	HEARD("alice update alice ACTIVE; bob update alice ACTIVE; carol update alice ACTIVE");

	track_unpublish(t);
	HEARD("bob hears no more mic; carol hears no more mic; bob update alice ACTIVE; "
	      "carol update alice ACTIVE");
	CHECK(!participant_next_track(alice.p, NULL));

	/* Leaving ends what one publishes and what one hears. */
	publish(&alice, "a");
	publish(&bob, "b");
	heard[0] = 0;
	participant_leave(alice.p, LIVEKIT__DISCONNECT_REASON__CLIENT_INITIATED);
	HEARD("alice hears no more b; bob hears no more a; carol hears no more a; "
	      "bob update alice DISCONNECTED; carol update alice DISCONNECTED; alice removed 1");
	end();
}

/* The phone: it publishes before anybody knows of it. */
static void test_publishing_while_joining(void)
{
	begin();
	struct listener alice = {0}, phone = {0};
	enter(&alice, "alice");
	publish(&alice, "mic");
	heard[0] = 0;
	struct participant_config c = person("phone");
	c.kind = LIVEKIT__PARTICIPANT_INFO__KIND__SIP;
	join_with(&phone, &c);
	publish(&phone, "voice");
	HEARD("");
	participant_joined(phone.p);
	HEARD("alice update phone JOINED; alice hears voice; phone is heard voice");
	participant_active(phone.p);
	HEARD("alice update phone ACTIVE; phone hears mic; alice is heard mic");
	end();
}

static void test_duplicate_identity(void)
{
	begin();
	struct listener modern = {0}, old = {0}, first = {.name = "first"},
			second = {.name = "second"};
	enter(&modern, "modern");
	struct participant_config c = person("old");
	c.protocol = 11;
	join_with(&old, &c);
	participant_joined(old.p);
	participant_active(old.p);
	enter(&first, "x");
	tick(8000);
	heard[0] = 0;

	c = person("x");
	join_with(&second, &c);
	HEARD("old update x DISCONNECTED; first removed 2");
	CHECK(room_find(room, "x") == second.p);
	participant_joined(second.p);
	tick(2000);
	CHECK(strstr(heard, "modern update x JOINED"));
	CHECK(!strstr(heard, "DISCONNECTED"));
	end();
}

static void test_hidden(void)
{
	begin();
	struct listener alice = {0}, ghost = {0};
	enter(&alice, "alice");
	publish(&alice, "mic");
	heard[0] = 0;
	struct participant_config c = person("ghost");
	c.hidden = true;
	join_with(&ghost, &c);
	participant_joined(ghost.p);
	participant_active(ghost.p);
	HEARD("ghost hears mic; alice is heard mic");
	tick(1600);
	HEARD("alice room_update; ghost room_update; ghost update ghost ACTIVE");
	CHECK(!participant_is_visible(ghost.p, alice.p));
	CHECK(participant_is_visible(ghost.p, ghost.p));
	CHECK_EQ(participant_set(ghost.p, "g", NULL, NULL, 0), 0);
	HEARD("ghost update ghost ACTIVE");

	Livekit__UserPacket user = LIVEKIT__USER_PACKET__INIT;
	Livekit__DataPacket packet = LIVEKIT__DATA_PACKET__INIT;
	packet.value_case = LIVEKIT__DATA_PACKET__VALUE_USER;
	packet.user = &user;
	participant_send_data(ghost.p, &packet, true);
	HEARD("alice data from - reliable");
	participant_leave(ghost.p, LIVEKIT__DISCONNECT_REASON__CLIENT_INITIATED);
	HEARD("ghost hears no more mic; ghost removed 1");
	end();
}

static void test_timeouts(void)
{
	begin_with(&all_events);
	tick(299600);
	CHECK_EQ(rooms_count(rooms), 1);
	tick(400);
	HEARD("finished r");
	CHECK_EQ(rooms_count(rooms), 0);

	CHECK_EQ(rooms_open(
			 &room, NULL, rooms, "r", &(struct room_options){.departure_timeout_s = 2}),
		0);
	struct listener alice = {0}, agent = {0};
	struct participant_config c = person("agent");
	c.kind = LIVEKIT__PARTICIPANT_INFO__KIND__AGENT;
	join_with(&agent, &c);
	participant_joined(agent.p);
	participant_active(agent.p);
	enter(&alice, "alice");
	tick(10000);
	CHECK_EQ(rooms_count(rooms), 1);
	participant_leave(alice.p, LIVEKIT__DISCONNECT_REASON__CLIENT_INITIATED);
	heard[0] = 0;
	tick(1600);
	CHECK_EQ(rooms_count(rooms), 1);
	heard[0] = 0;
	tick(400);
	HEARD("left agent; agent removed 10; finished r");

	/* Who never becomes active is put out after a minute. */
	CHECK_EQ(rooms_open(&room, NULL, rooms, "r", NULL), 0);
	c = person("alice");
	join_with(&alice, &c);
	participant_joined(alice.p);
	heard[0] = 0;
	alice.quiet = true;
	tick(59600);
	HEARD("");
	tick(400);
	HEARD("aborted alice; alice removed 7");
	end();
}

static void test_full(void)
{
	begin();
	CHECK_EQ(rooms_open(&room, NULL, rooms, "small",
			 &(struct room_options){.max_participants = 1}),
		0);
	struct listener alice = {0}, again = {.name = "again"}, agent = {0};
	struct participant *p;
	enter(&alice, "alice");
	struct participant_config c = person("bob");
	CHECK_EQ(participant_join(&p, room, &c, &events, NULL), PARTICIPANT_E_ROOM_FULL);
	c = person("agent");
	c.kind = LIVEKIT__PARTICIPANT_INFO__KIND__AGENT;
	join_with(&agent, &c);
	c = person("alice");
	join_with(&again, &c); /* takes its own place */
	CHECK(room_find(room, "alice") == again.p);
	end();
}

static void test_wishes(void)
{
	begin();
	struct listener alice = {0}, bob = {0};
	enter(&alice, "alice");
	struct participant_config c = person("bob");
	c.auto_subscribe = false;
	join_with(&bob, &c);
	participant_joined(bob.p);
	participant_active(bob.p);
	struct track *t = publish(&alice, "mic");
	HEARD("bob update alice ACTIVE");
	participant_subscribe(bob.p, track_sid(t), true);
	HEARD("bob hears mic; alice is heard mic");
	participant_subscribe(bob.p, track_sid(t), true);
	HEARD("");
	participant_subscribe(bob.p, track_sid(t), false);
	HEARD("bob hears no more mic");

	/* A wish comes before its track. */
	char sid[RNG_ID_SIZE];
	track_sid_make(sid, LIVEKIT__TRACK_TYPE__AUDIO, LIVEKIT__TRACK_SOURCE__MICROPHONE);
	participant_subscribe(bob.p, sid, true);
	participant_subscribe(bob.p, "TR_never", true);
	HEARD("");
	struct track_config tc = {.name = "later", .sid = sid};
	CHECK_EQ(track_publish(&t, alice.p, &tc), 0);
	HEARD("bob update alice ACTIVE; bob hears later; alice is heard later");
	alice.quiet = bob.quiet = true;
	tick(60000);
	HEARD("bob failed TR_never");

	/* And holds out through a time without the right. */
	Livekit__ParticipantPermission perm = *participant_permission(bob.p);
	perm.can_subscribe = false;
	participant_set_permission(bob.p, &perm);
	HEARD("bob hears no more later");
	perm.can_subscribe = true;
	participant_set_permission(bob.p, &perm);
	HEARD("bob hears later");
	bob.quiet = false;
	participant_set_permission(bob.p, &perm);
	CHECK_EQ(participant_set(bob.p, NULL, NULL, NULL, 0), 0);
	HEARD(""); /* nothing changed, nobody is told */
	end();
}

static void test_allowance(void)
{
	begin();
	struct listener alice = {0}, bob = {0}, carol = {0}, dave = {0};
	enter(&alice, "alice");
	enter(&bob, "bob");
	enter(&carol, "carol");
	struct track *t = publish(&alice, "mic");
	heard[0] = 0;

	Livekit__TrackPermission one = LIVEKIT__TRACK_PERMISSION__INIT;
	const Livekit__TrackPermission *list[] = {&one};
	one.participant_identity = (char *)"carol";
	one.all_tracks = true;
	participant_allow(alice.p, list, 1, false);
	HEARD("bob may not hear mic; bob hears no more mic");
	enter(&dave, "dave");
	participant_leave(dave.p, LIVEKIT__DISCONNECT_REASON__CLIENT_INITIATED);
	CHECK(!strstr(heard, "dave hears"));
	heard[0] = 0;

	char *sids[] = {(char *)track_sid(t)};
	one.participant_identity = (char *)"";
	one.participant_sid = (char *)participant_sid(bob.p);
	one.all_tracks = false;
	one.track_sids = sids;
	one.n_track_sids = 1;
	participant_allow(alice.p, list, 1, false);
	HEARD("bob may hear mic; bob hears mic; carol may not hear mic; carol hears no more mic");
	participant_allow(alice.p, NULL, 0, true);
	HEARD("carol may hear mic; carol hears mic");

	/* The same name twice; and as many tracks under one name as names. */
	Livekit__TrackPermission more = one;
	const Livekit__TrackPermission *both[] = {&one, &more};
	char *none[LIMIT_TRACK_PERMISSIONS];
	for (size_t i = 0; i < COUNT_OF(none); ++i)
		none[i] = (char *)"TR_none";
	one.track_sids = none;
	participant_allow(alice.p, both, 2, false);
	HEARD("carol may not hear mic; carol hears no more mic");
	participant_allow(alice.p, NULL, 0, true);
	HEARD("carol may hear mic; carol hears mic");
	one.n_track_sids = COUNT_OF(none);
	participant_allow(alice.p, list, 1, false);
	HEARD("bob may not hear mic; bob hears no more mic; carol may not hear mic; "
	      "carol hears no more mic");
	participant_allow(alice.p, NULL, 0, true);
	heard[0] = 0;
	participant_allow(alice.p, both, LIMIT_TRACK_PERMISSIONS + 1, false);
	HEARD("bob may not hear mic; bob hears no more mic; carol may not hear mic; "
	      "carol hears no more mic");
	end();
}

static void test_permission(void)
{
	begin();
	struct listener alice = {0}, bob = {0};
	enter(&alice, "alice");
	enter(&bob, "bob");
	publish(&alice, "mic");
	heard[0] = 0;
	Livekit__ParticipantPermission perm = *participant_permission(alice.p);
	Livekit__TrackSource camera = LIVEKIT__TRACK_SOURCE__CAMERA;
	perm.can_publish_sources = &camera;
	perm.n_can_publish_sources = 1;
	participant_set_permission(alice.p, &perm);
	HEARD("alice update alice ACTIVE; bob update alice ACTIVE; bob hears no more mic; "
	      "bob update alice ACTIVE; alice lost mic");
	struct track *t;
	struct track_config c = {.name = "no", .source = LIVEKIT__TRACK_SOURCE__MICROPHONE};
	CHECK_EQ(track_publish(&t, alice.p, &c), TRACK_E_NOT_ALLOWED);
	CHECK(participant_may_publish(alice.p, camera));
	perm.can_publish = perm.can_publish_data = false;
	participant_set_permission(alice.p, &perm);
	CHECK(!participant_may_publish(alice.p, camera));
	heard[0] = 0;
	Livekit__DataPacket packet = LIVEKIT__DATA_PACKET__INIT;
	participant_send_data(alice.p, &packet, true);
	HEARD("");
	end();
}

static void test_attributes(void)
{
	begin();
	struct listener alice = {0}, bob = {0};
	struct attribute list[] = {{"a", "1"}, {"gone", ""}, {"b", "2"}};
	struct participant_config c = person("alice");
	c.attributes = list;
	c.attribute_count = COUNT_OF(list);
	join_with(&alice, &c);
	participant_joined(alice.p);
	enter(&bob, "bob");
	CHECK_STR(participant_attribute(alice.p, "a"), "1");
	CHECK(!participant_attribute(alice.p, "gone"));
	struct attribute change[] = {{"a", ""}, {"c", "3"}, {"c", "4"}};
	CHECK_EQ(participant_set(alice.p, "Alice", NULL, change, COUNT_OF(change)), 0);
	HEARD("alice update alice JOINED; bob update alice JOINED");
	CHECK(!participant_attribute(alice.p, "a"));
	CHECK_STR(participant_attribute(alice.p, "b"), "2");
	CHECK_STR(participant_attribute(alice.p, "c"), "4");
	CHECK_STR(participant_name(alice.p), "Alice");
	CHECK(!participant_attributes(alice.p, 2));

	char *large = mem_zalloc(LIMIT_METADATA_BYTES + 2);
	memset(large, 'x', LIMIT_METADATA_BYTES + 1);
	CHECK_EQ(participant_set(alice.p, NULL, large, NULL, 0), PARTICIPANT_E_LIMIT);
	large[LIMIT_ATTRIBUTES_BYTES] = 0;
	change[0].value = large;
	CHECK_EQ(participant_set(alice.p, NULL, NULL, change, 1), PARTICIPANT_E_LIMIT);
	CHECK_STR(participant_metadata(alice.p), "");
	mem_free(large);
	HEARD("");
	end();
}

/* Who changes all the time costs the others no more than a batch now and then; who leaves is told of. */
static void test_changing_all_the_time(void)
{
	begin();
	struct listener alice = {0}, bob = {0};
	enter(&alice, "alice");
	enter(&bob, "bob");
	char *large = mem_zalloc(LIMIT_METADATA_BYTES + 1);
	memset(large, 'x', LIMIT_METADATA_BYTES);
	heard[0] = 0;
	const unsigned changes = 16;
	for (unsigned i = 0; i < changes; ++i) {
		heard[0] = 0;
		CHECK_EQ(participant_set(alice.p, NULL, large, NULL, 0), 0);
	}
	HEARD("");
	tick(400);
	tick(800);
	CHECK(strstr(heard, "bob update alice ACTIVE"));
	heard[0] = 0;
	for (unsigned i = 0; i < 16; ++i) {
		heard[0] = 0;
		CHECK_EQ(participant_set(alice.p, "soon", NULL, NULL, 0), 0);
	}
	HEARD("");
	participant_leave(alice.p, LIVEKIT__DISCONNECT_REASON__CLIENT_INITIATED);
	HEARD("bob update alice DISCONNECTED; alice removed 1");
	mem_free(large);
	end();
}

static void send(struct listener *from, char *to, uint32_t sequence, bool reliable)
{
	Livekit__UserPacket user = LIVEKIT__USER_PACKET__INIT;
	Livekit__DataPacket packet = LIVEKIT__DATA_PACKET__INIT;
	packet.value_case = LIVEKIT__DATA_PACKET__VALUE_USER;
	packet.user = &user;
	packet.participant_identity = (char *)"liar";
	packet.destination_identities = &to;
	packet.n_destination_identities = to != NULL;
	packet.sequence = sequence;
	if (from)
		participant_send_data(from->p, &packet, reliable);
	else {
		packet.participant_identity = (char *)"";
		room_send_data(room, &packet, reliable);
	}
	CHECK(packet.user == &user && !*user.participant_sid); /* the caller's own is untouched */
}

/* Identities in either place, sids besides; and a nonce is a room's, whoever sends it. */
static void test_data_destinations(void)
{
	begin();
	struct listener alice = {0}, bob = {0}, carol = {0};
	enter(&alice, "alice");
	enter(&bob, "bob");
	enter(&carol, "carol");
	heard[0] = 0;
	Livekit__UserPacket user = LIVEKIT__USER_PACKET__INIT;
	Livekit__DataPacket packet = LIVEKIT__DATA_PACKET__INIT;
	char *name = (char *)"bob", *sid = (char *)participant_sid(carol.p), *nobody = (char *)"nobody";
	uint8_t nonce[16] = {0};
	packet.value_case = LIVEKIT__DATA_PACKET__VALUE_USER;
	packet.user = &user;
	user.destination_identities = &name;
	user.n_destination_identities = 1;
	room_send_data(room, &packet, true);
	HEARD("bob data from - reliable");
	user.destination_sids = &sid;
	user.n_destination_sids = 1;
	room_send_data(room, &packet, true);
	HEARD("bob data from - reliable; carol data from - reliable");
	packet.destination_identities = &nobody;
	packet.n_destination_identities = 1;
	participant_send_data(alice.p, &packet, false);
	HEARD("carol data from alice lossy");

	user.nonce.data = nonce;
	user.nonce.len = sizeof nonce;
	for (int i = 0; i < 2; ++i) {
		room_send_data(room, &packet, true);
		HEARD("carol data from - reliable");
	}
	for (int i = 0; i < 2; ++i) {
		nonce[0] = 1;
		room_send_data(room, &packet, true);
		HEARD(i ? "" : "carol data from - reliable");
		participant_send_data(alice.p, &packet, true);
		HEARD("");
	}
	end();
}

static void test_data(void)
{
	begin_with(&all_events);
	struct listener alice = {0}, bob = {0}, phone = {0}, late = {0};
	enter(&alice, "alice");
	enter(&bob, "bob");
	enter(&phone, "phone");
	struct participant_config c = person("late");
	join_with(&late, &c);
	participant_joined(late.p); /* not active: gets nothing */

	send(&alice, NULL, 1, true);
	HEARD("bob data from alice reliable; phone data from alice reliable");
	send(&alice, (char *)"bob", 2, true);
	HEARD("bob data from alice reliable");
	send(&alice, (char *)"alice", 3, true);
	HEARD("");
	send(&alice, NULL, 3, true); /* once more after a reconnect */
	HEARD("");
	CHECK_EQ(participant_last_sequence(alice.p), 3);
	send(&alice, (char *)"phone", 0, false);
	HEARD("phone data from alice lossy");
	send(NULL, NULL, 0, true);
	HEARD("alice data from - reliable; bob data from - reliable; phone data from - reliable");

	Livekit__DataPacket packet = LIVEKIT__DATA_PACKET__INIT;
	Livekit__SipDTMF dtmf = LIVEKIT__SIP_DTMF__INIT;
	packet.value_case = LIVEKIT__DATA_PACKET__VALUE_SIP_DTMF;
	packet.sip_dtmf = &dtmf;
	participant_send_data(alice.p, &packet, true);
	HEARD("bob data from alice reliable; phone data from alice reliable");
	/* Names of people and of nobody, some of them again and again: each gets it once. */
	char *names[2000];
	for (size_t i = 0; i < COUNT_OF(names); ++i)
		names[i] = (char *)(i % 3 == 2 ? "bob" : i % 3 ? "nobody" : "phone");
	packet.destination_identities = names;
	packet.n_destination_identities = COUNT_OF(names);
	participant_send_data(alice.p, &packet, true);
	HEARD("phone data from alice reliable; bob data from alice reliable");
	/* As old clients name them. */
	Livekit__UserPacket user = LIVEKIT__USER_PACKET__INIT;
	char *sids[] = {(char *)participant_sid(bob.p), (char *)"PA_nobody"};
	packet.n_destination_identities = 0;
	packet.value_case = LIVEKIT__DATA_PACKET__VALUE_USER;
	packet.user = &user;
	user.destination_sids = sids;
	user.n_destination_sids = COUNT_OF(sids);
	user.destination_identities = names;
	user.n_destination_identities = 2;
	participant_send_data(alice.p, &packet, true);
	HEARD("phone data from alice reliable; bob data from alice reliable");

	Livekit__MetricsBatch metrics = LIVEKIT__METRICS_BATCH__INIT;
	packet.value_case = LIVEKIT__DATA_PACKET__VALUE_METRICS;
	packet.metrics = &metrics;
	participant_send_data(alice.p, &packet, true);
	HEARD("");

	Livekit__RpcAck ack = LIVEKIT__RPC_ACK__INIT;
	char *api = (char *)"some-uuid";
	packet.value_case = LIVEKIT__DATA_PACKET__VALUE_RPC_ACK;
	packet.rpc_ack = &ack;
	packet.destination_identities = &api;
	packet.n_destination_identities = 1;
	participant_send_data(bob.p, &packet, true);
	HEARD("api answered by bob");

	/* Who is only just coming gets what it would have got, for two seconds, and nobody twice.
	 */
	packet.value_case = LIVEKIT__DATA_PACKET__VALUE__NOT_SET;
	alice.quiet = bob.quiet = phone.quiet = late.quiet = true;
	tick(2000);
	heard[0] = 0;
	send(&alice, (char *)"late", 7, true);
	send(&alice, (char *)"bob", 8, true);
	send(&alice, NULL, 0, false);
	send(NULL, NULL, 0, true);
	heard[0] = 0;
	participant_active(late.p);
	HEARD("late data from alice reliable; late data from - reliable; active late");
	end();
}

static void test_speakers(void)
{
	begin();
	struct listener alice = {0}, bob = {0}, carol = {0};
	enter(&alice, "alice");
	enter(&bob, "bob");
	struct participant_config c = person("carol");
	c.auto_subscribe = false;
	join_with(&carol, &c);
	participant_joined(carol.p);
	participant_active(carol.p);
	alice.quiet = bob.quiet = carol.quiet = true;
	struct track *t = publish(&alice, "mic");
	heard[0] = 0;

	track_level(t, 12, 400, 400); /* 10^(-12/20) * 2/3 = 0.167 */
	tick(400);
	HEARD("alice speaker alice 0.250; bob speaker alice 0.250");
	track_level(t, 12, 400, 400); /* 0.223: the same eighth */
	tick(400);
	HEARD("");
	participant_subscribe(carol.p, track_sid(t), true);
	HEARD("carol hears mic; carol speaker alice 0.250");
	participant_subscribe(carol.p, track_sid(t), false);
	HEARD("carol hears no more mic; carol speaker alice 0.000 ends");
	track_set_muted(t, true, false);
	track_level(t, 0, 400, 400); /* late: it is muted */
	tick(400);
	HEARD("alice speaker alice 0.000 ends; bob speaker alice 0.000 ends");
	track_set_muted(t, false, false);
	track_level(t, 0, 400, 400);
	tick(400);
	HEARD("alice speaker alice 0.750; bob speaker alice 0.750");
	tick(400); /* nothing more comes: DTX */
	HEARD("alice speaker alice 0.000 ends; bob speaker alice 0.000 ends");
	end();
}

/* Over one connection, what is there comes with the first answer, before media is up. */
static void test_subscribing_early(void)
{
	begin();
	struct listener alice = {0}, bob = {.quiet = true};
	enter(&alice, "alice");
	alice.quiet = true;
	struct track *t = publish(&alice, "mic");
	track_level(t, 12, 400, 400);
	tick(400);
	struct participant_config c = person("bob");
	join_with(&bob, &c);
	participant_subscribe_early(bob.p); /* not before it is told of anybody */
	participant_joined(bob.p);
	heard[0] = 0;

	participant_subscribe_early(bob.p);
	HEARD("bob hears mic; alice is heard mic");
	participant_subscribe_early(bob.p);
	(void)publish(&alice, "other");
	HEARD("bob hears other; alice is heard other");
	participant_active(bob.p);
	HEARD("bob speaker alice 0.250");
	participant_pretend_speaking(alice.p, 0.9F);
	HEARD("alice speaker alice 0.900; bob speaker alice 0.900");
	participant_pretend_speaking(bob.p, 0);
	HEARD("bob speaker bob 0.000 ends");
	end();
}

static void test_leaving_from_inside(void)
{
	begin();
	struct listener alice = {0}, bob = {0}, carol = {0}, dave = {0};
	enter(&alice, "alice");
	enter(&bob, "bob");
	enter(&carol, "carol");
	enter(&dave, "dave");
	bob.leaves_too = &carol;
	CHECK_EQ(participant_set(alice.p, "A", NULL, NULL, 0), 0);
	HEARD("alice update alice ACTIVE; bob update alice ACTIVE; alice update carol "
	      "DISCONNECTED; "
	      "bob update carol DISCONNECTED; dave update carol DISCONNECTED; carol removed 4; "
	      "dave update alice ACTIVE");

	bob.leaves_too = &bob;
	struct participant *gone = bob.p;
	CHECK_EQ(participant_set(alice.p, "B", NULL, NULL, 0), 0);
	CHECK(!bob.p);
	/* Still readable, and leaving twice is nothing. */
	CHECK_STR(participant_identity(gone), "bob");
	participant_leave(gone, LIVEKIT__DISCONNECT_REASON__CLIENT_INITIATED);
	heard[0] = 0;

	dave.leaves_on_subscribed = true;
	publish(&alice, "mic");
	HEARD("dave update alice ACTIVE; dave hears mic; dave hears no more mic; "
	      "alice update dave DISCONNECTED; dave removed 1; alice is heard mic");
	room_close(room, LIVEKIT__DISCONNECT_REASON__ROOM_DELETED);
	HEARD("alice removed 5");
	room_close(room, LIVEKIT__DISCONNECT_REASON__ROOM_DELETED);
	CHECK(!rooms_find(rooms, "r"));
	end();
}

static void test_info(void)
{
	begin();
	struct listener alice = {0}, agent = {0};
	struct attribute attributes[] = {{"k", "v"}};
	Livekit__AudioTrackFeature feature = LIVEKIT__AUDIO_TRACK_FEATURE__TF_NO_DTX;
	const Livekit__AudioTrackFeature both[] = {
		feature, LIVEKIT__AUDIO_TRACK_FEATURE__TF_AUTO_GAIN_CONTROL, feature};
	struct participant_config c = person("alice");
	c.attributes = attributes;
	c.attribute_count = 1;
	join_with(&alice, &c);
	participant_joined(alice.p);
	c = person("agent");
	c.kind = LIVEKIT__PARTICIPANT_INFO__KIND__AGENT;
	join_with(&agent, &c);
	struct track *t = publish(&alice, "mic");
	track_set_features(t, both, COUNT_OF(both)); /* older clients read the flags */

	struct info_arena a = {0};
	Livekit__Room *r = room_info(&a, room);
	CHECK_STR(r->name, "r");
	CHECK_EQ(r->num_participants, 1);
	CHECK_EQ(r->num_publishers, 1);
	CHECK_EQ(r->empty_timeout, 300);
	CHECK_STR(r->enabled_codecs[0]->mime, "audio/opus");
	Livekit__ParticipantInfo *p = participant_info(&a, alice.p);
	CHECK(p->version > 0 && p->is_publisher && p->n_tracks == 1 && p->permission->can_publish);
	CHECK_STR(p->attributes[0]->value, "v");
	CHECK(p->tracks[0]->n_audio_features == 2 && p->tracks[0]->audio_features[0] == feature);
	CHECK(p->tracks[0]->disable_dtx && !p->tracks[0]->stereo);
	CHECK_STR(p->tracks[0]->codecs[0]->cid, "c");
	uint32_t version = p->version;
	track_set_muted(t, true, false);
	p = participant_info(&a, alice.p);
	CHECK(p->version > version && p->tracks[0]->muted);
	info_arena_fini(&a);
	end();
}

/* One life of a room with everything that allocates; the first negative result. */
static int scenario(void)
{
	struct rooms *rs = NULL;
	struct room *r;
	struct participant *p[2];
	struct track *t;
	static const struct participant_events deaf;
	struct attribute list[] = {{"a", "1"}};
	struct track_config tc = {.name = "mic"};
	struct info_arena a = {0};
	Livekit__DataPacket packet = LIVEKIT__DATA_PACKET__INIT;
	Livekit__TrackPermission one = LIVEKIT__TRACK_PERMISSION__INIT;
	const Livekit__TrackPermission *perms[] = {&one};

	int err = rooms_new(&rs, &config, NULL, NULL);
	if (err == 0)
		err = rooms_open(&r, NULL, rs, "r", NULL);
	for (int i = 0; i < 2 && err == 0; ++i) {
		struct participant_config c = person(i ? "bob" : "alice");
		c.attributes = list;
		c.attribute_count = 1;
		err = participant_join(&p[i], r, &c, &deaf, NULL);
		if (err == 0) {
			participant_joined(p[i]);
			participant_active(p[i]);
		}
	}
	if (err == 0)
		err = track_publish(&t, p[0], &tc);
	if (err == 0) {
		participant_subscribe(p[1], "TR_other", true);
		participant_allow(p[0], perms, 1, false);
		participant_send_data(p[0], &packet, true);
		room_set_metadata(r, "m");
		err = participant_set(p[0], "A", "m", list, 1);
	}
	if (err == 0 && (!room_info(&a, r) || !participant_info(&a, p[0])))
		err = -1;
	if (err == 0) {
		struct participant_config c = person("alice");
		err = participant_join(&p[0], r, &c, &deaf, NULL); /* a duplicate */
		CHECK(err <= 0 && room_find(r, "alice"));
	}
	info_arena_fini(&a);
	rooms_free(rs);
	return err;
}

static void test_ladder(void)
{
	for (int allowed = 0;; ++allowed) {
		mem_fail_after(allowed);
		int err = scenario();
		mem_fail_after(-1);
		CHECK_EQ(mem_live(), 0);
		if (err == 0 && allowed > 60)
			return;
		CHECK(err <= 0);
	}
}

int main(void)
{
	test_plain_joins_are_batched();
	test_publishing();
	test_publishing_while_joining();
	test_duplicate_identity();
	test_hidden();
	test_timeouts();
	test_full();
	test_wishes();
	test_allowance();
	test_permission();
	test_attributes();
	test_changing_all_the_time();
	test_data();
	test_data_destinations();
	test_speakers();
	test_subscribing_early();
	test_leaving_from_inside();
	test_info();
	test_ladder();
	return 0;
}
