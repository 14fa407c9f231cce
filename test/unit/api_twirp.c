#include "api_harness.h"

#include "base/mem.h"
#include "call/seat.h"
#include "room/room.h"
#include "test/check.h"
#include "trunk/trunk.h"

#define JSON "Content-Type: application/json\r\n"

/* The header of this token, then JSON's content type. */
static const char *as(const char *claims)
{
	static char headers[4200];
	snprintf(headers, sizeof headers, "%s" JSON, token_header(claims));
	return headers;
}

#define ADMIN as("{\"sip\":{\"admin\":true}}")
#define CALLER as("{\"sip\":{\"call\":true}}")
#define ROOMS as("{\"video\":{\"roomCreate\":true,\"roomList\":true}}")

static void refused(const struct answer *a, int status, const char *code, const char *says)
{
	if (a->status != status || strcmp(field(a, "code"), code) || !strstr(field(a, "msg"), says)) {
		fprintf(stderr, "expected %d %s %s, got %d %s\n", status, code, says, a->status, a->body);
		exit(1);
	}
}

static void odd_requests_are_refused_as_twirp_does(void)
{
	struct harness h;
	harness_start(&h, false, NULL);
	CHECK_STR(ask(&h, true, "GET", "/", "", NULL)->body, "OK");
	CHECK_EQ(ask(&h, true, "GET", "/twirp", "", NULL)->status, 404);
	CHECK_EQ(ask(&h, true, "POST", "/twirp/", JSON, "{}")->status, 404);
	CHECK_EQ(ask(&h, true, "POST", "/twirp/livekit.SIP", JSON, "{}")->status, 404);
	refused(ask(&h, true, "POST", "/twirp/livekit.SIP/Nothing", JSON, "{}"), 404, "bad_route", "no handler");
	refused(ask(&h, true, "GET", "/twirp/livekit.SIP/ListSIPTrunk", JSON, NULL), 404, "bad_route", "only POST");
	refused(ask(&h, true, "POST", "/twirp/livekit.SIP/ListSIPTrunk", "", "{}"), 404, "bad_route", "Content-Type");
	refused(ask(&h, true, "POST", "/twirp/livekit.SIP/ListSIPTrunk", ADMIN, "{"), 400, "malformed", "json");
	refused(ask(&h, true, "POST", "/twirp/livekit.SIP/ListSIPTrunk", JSON, "{}"), 401, "unauthenticated",
		"permissions denied");
	struct answer *a = ask(&h, true, "POST", "/twirp/livekit.SIP/ListSIPTrunk",
		JSON "Authorization: Bearer rubbish\r\n", "{}");
	CHECK_EQ(a->status, 401);
	CHECK_STR(a->body, "invalid authorization token");

	/* A stranger's large body is not even parsed. */
	char *big = mem_zalloc((256 << 10) + 1);
	memset(big, '[', 256 << 10);
	refused(ask(&h, true, "POST", "/twirp/livekit.SIP/ListSIPTrunk", JSON, big), 401, "unauthenticated", "denied");
	mem_free(big);
	harness_stop(&h);
}

static void trunks_are_made_and_changed(void)
{
	char id[32], body[256];
	struct harness h;
	harness_start(&h, false, NULL);
	struct answer *a = ask(&h, true, "POST", "/twirp/livekit.SIP/CreateSIPOutboundTrunk", ADMIN,
		"{\"trunk\":{\"name\":\"bank\",\"address\":\"a.b\",\"numbers\":[\"+15550100\"],\"auth_password\":\"p\"}}");
	CHECK_EQ(a->status, 200);
	snprintf(id, sizeof id, "%s", field(a, "sip_trunk_id"));
	snprintf(body, sizeof body, "{\"sip_trunk_id\":\"%s\",\"update\":{\"name\":\"new\",\"numbers\":{\"add\":[\"+2\"]}}}", id);
	a = ask(&h, true, "POST", "/twirp/livekit.SIP/UpdateSIPOutboundTrunk", ADMIN, body);
	CHECK_STR(field(a, "name"), "new");
	CHECK_STR(field(a, "address"), "a.b");
	CHECK_EQ(json_array_size(json_object_get(a->json, "numbers")), 2);
	snprintf(body, sizeof body, "{\"sip_trunk_id\":\"%s\",\"update\":{\"numbers\":{\"clear\":true}}}", id);
	refused(ask(&h, true, "POST", "/twirp/livekit.SIP/UpdateSIPOutboundTrunk", ADMIN, body), 400,
		"invalid_argument", "no trunk numbers");
	refused(ask(&h, true, "POST", "/twirp/livekit.SIP/CreateSIPInboundTrunk", ADMIN, "{}"), 501, "unimplemented",
		"inbound");
	a = ask(&h, true, "POST", "/twirp/livekit.SIP/ListSIPOutboundTrunk", ADMIN, "{}");
	CHECK_EQ(json_array_size(json_object_get(a->json, "items")), 1);
	snprintf(body, sizeof body, "{\"sip_trunk_id\":\"%s\"}", id);
	CHECK_EQ(ask(&h, true, "POST", "/twirp/livekit.SIP/DeleteSIPTrunk", ADMIN, body)->status, 200);
	refused(ask(&h, true, "POST", "/twirp/livekit.SIP/GetSIPOutboundTrunk", ADMIN, body), 404, "not_found", "trunk");
	harness_stop(&h);
}

#define DIAL "/twirp/livekit.SIP/CreateSIPParticipant"

#define TO "\"sip_trunk_id\":\"bank\",\"sip_call_to\":\"+14155550123\",\"room_name\":\"r\""

static void addresses_of_ones_own_are_taken_apart(void)
{
	static const struct {
		const char *body, *addresses; /* or the refusal */
		unsigned status;
	} table[] = {
		{"{" TO "}", "+14155550123|-|-|-|-|-|-|0", 200},
		{"{" TO ",\"sip_request_uri\":{\"raw\":\"<sip:+1415@h.example:5070;x=y>\"}}",
			"+1415|+14155550123|h.example:5070|x=y|-|-|-|0", 200},
		{"{" TO ",\"sip_request_uri\":{\"raw\":\"sip:+1415@h.example;transport=tls\"}}",
			"+1415|+14155550123|h.example|transport=tls|-|-|-|3", 200},
		{"{" TO ",\"sip_request_uri\":{\"values\":{\"user\":\"+1\",\"ip\":\"::1\",\"port\":5070,\"transport\":2}}}",
			"+1|+14155550123|[::1]:5070|-|-|-|-|2", 200},
		{"{" TO ",\"sip_from_header\":{\"display_name\":\"Me\",\"raw\":\"sip:me@f.example\"}}",
			"+14155550123|-|-|-|me|f.example|Me|0", 200},
		{"{" TO ",\"sip_request_uri\":{\"raw\":\"rubbish\"}}", "invalid request URI: invalid request URI", 400},
		{"{" TO ",\"sip_request_uri\":{\"raw\":\"sip:a:password@h\"}}", "invalid request URI", 400},
		{"{" TO ",\"sip_request_uri\":{\"raw\":\"sips:a@h\"}}", "invalid request URI", 400},
		{"{" TO ",\"sip_request_uri\":{\"raw\":\"sip:a@h\\r\\nX: y\"}}", "invalid request URI", 400},
		{"{" TO ",\"sip_request_uri\":{}}", "invalid request URI", 400},
		{"{" TO ",\"sip_request_uri\":{\"values\":{\"user\":\"a\"}}}", "host or ip must be set", 400},
		{"{" TO ",\"sip_request_uri\":{\"values\":{\"user\":\"a@b\",\"host\":\"c\"}}}", "invalid request URI", 400},
		{"{" TO ",\"sip_request_uri\":{\"values\":{\"user\":\"a\",\"host\":\"c;lr\"}}}", "invalid request URI", 400},
		{"{" TO ",\"sip_from_header\":{\"raw\":\"sip:f.example\"}}", "invalid From header", 400},
		{"{" TO ",\"sip_to_header\":{\"raw\":\"sip:a@b\"}}", "cannot use both", 400},
	};
	struct harness h;
	harness_start(&h, false, NULL);
	harness_add_trunk(&h, "bank", "+14155550100");
	for (size_t i = 0; i < COUNT_OF(table); ++i) {
		struct answer *a = ask(&h, true, "POST", DIAL, CALLER, table[i].body);
		if (a->status != (int)table[i].status)
			fprintf(stderr, "%s\n", table[i].body);
		if (table[i].status == 200) {
			CHECK_EQ(a->status, 200);
			CHECK_STR(fake_call_addresses(fake_calls_last(h.calls)), table[i].addresses);
		} else {
			refused(a, 400, "invalid_argument", table[i].addresses);
		}
	}
	harness_stop(&h);
}

static void dialling_waits_or_not(void)
{
	static const char waits[] = "{\"sip_trunk_id\":\"bank\",\"sip_call_to\":\"+14155550123\",\"room_name\":\"r\","
				    "\"wait_until_answered\":true}";
	static struct request r;
	static struct answer w;
	struct harness h;
	harness_start(&h, false, NULL);
	harness_add_trunk(&h, "bank", "+14155550100");
	struct answer *a = ask(&h, true, "POST", DIAL, CALLER,
		"{\"sip_trunk_id\":\"bank\",\"sip_call_to\":\"+14155550123\",\"room_name\":\"r\",\"ringing_timeout\":\"3s\"}");
	CHECK_EQ(a->status, 200);
	CHECK_STR(field(a, "sip_call_id"), call_id(fake_calls_last(h.calls)));
	CHECK_STR(fake_call_asked(fake_calls_last(h.calls)), "r|+14155550123|bank|-|-||-|3000|0");

	request_begin(&r, &h, true, "POST", DIAL, CALLER, waits);
	while (fake_calls_dialled(h.calls) < 2)
		CHECK(!request_turn(&r, &h));
	fake_call_fail(fake_calls_last(h.calls), 486, "Busy Here");
	request_finish(&w, &r, &h);
	refused(&w, 429, "resource_exhausted", "busy");
	CHECK_STR(field(&w, "meta.sip_status_code"), "486");
	CHECK_STR(field(&w, "meta.sip_status"), "Busy Here");

	/* The time of the request is over: the call is hung up. */
	char headers[4300];
	snprintf(headers, sizeof headers, "%sX-Twirp-Timeout-Ms: 30\r\n", CALLER);
	request_begin(&r, &h, true, "POST", DIAL, headers, waits);
	request_finish(&w, &r, &h);
	refused(&w, 408, "deadline_exceeded", "time");
	CHECK(fake_call_hung_up(fake_calls_last(h.calls)));

	/* Whoever asked goes away: likewise. */
	request_begin(&r, &h, true, "POST", DIAL, CALLER, waits);
	while (fake_calls_dialled(h.calls) < 4)
		CHECK(!request_turn(&r, &h));
	request_abandon(&r, &h);
	for (int i = 0; i < 50; ++i)
		uv_run(&h.loop.uv, UV_RUN_NOWAIT);
	CHECK(fake_call_hung_up(fake_calls_last(h.calls)));

	fake_calls_refuse(h.calls, CALL_E_COUNTRY, "Calls to Latvia are off.");
	refused(ask(&h, true, "POST", DIAL, CALLER, waits), 403, "permission_denied", "Latvia");
	json_decref(w.json);
	w.json = NULL;
	harness_stop(&h);
}

static void rooms_are_made_and_deleted(void)
{
	struct harness h;
	harness_start(&h, false, NULL);
	struct answer *a = ask(&h, true, "POST", "/twirp/livekit.RoomService/CreateRoom", ROOMS, "{\"name\":\"r\"}");
	CHECK_EQ(a->status, 200);
	CHECK(rooms_find(h.rooms, "r"));
	CHECK_EQ(ask(&h, true, "POST", "/twirp/livekit.RoomService/ListRooms", ROOMS, "{}")->status, 200);
	refused(ask(&h, true, "POST", "/twirp/livekit.RoomService/GetParticipant",
			as("{\"video\":{\"roomAdmin\":true,\"room\":\"r\"}}"), "{\"room\":\"r\",\"identity\":\"x\"}"),
		404, "not_found", "participant does not exist");
	CHECK_EQ(ask(&h, true, "POST", "/twirp/livekit.RoomService/DeleteRoom", ROOMS, "{\"room\":\"r\"}")->status, 200);
	CHECK(!rooms_find(h.rooms, "r"));
	refused(ask(&h, true, "POST", "/twirp/livekit.RoomService/CreateRoom", ROOMS,
			"{\"name\":\"r\",\"egress\":{\"tracks\":{\"filepath\":\"x\"}}}"),
		500, "internal", "egress not connected");
	CHECK(!rooms_find(h.rooms, "r"));
	harness_stop(&h);
}

/* ---- PerformRpc, with a phone's seat as the one that answers ---- */

static struct seat *phone;

static void on_rpc(void *owner, const struct seat_rpc *rpc)
{
	CHECK(*rpc->id && *rpc->from);
	if (!strcmp(rpc->method, "echo"))
		seat_rpc_answer(phone, rpc, SEAT_RPC_OK, rpc->payload);
	else if (!strcmp(rpc->method, "broken"))
		seat_rpc_answer(phone, rpc, SEAT_RPC_APPLICATION, "it broke");
	else if (strcmp(rpc->method, "silent"))
		seat_rpc_answer(phone, rpc, SEAT_RPC_UNSUPPORTED, "Method not supported at destination");
}

static void on_voice(void *owner, uint32_t source)
{
}

static void on_digit(void *owner, char digit)
{
}

static bool phone_muted;
static void on_muted(void *owner, bool muted)
{
	phone_muted = muted;
}

static void on_removed(void *owner, Livekit__DisconnectReason why)
{
}

#define RPC "/twirp/livekit.RoomService/PerformRpc"
#define OF_ROOM as("{\"video\":{\"roomAdmin\":true,\"room\":\"r\"}}")
#define TO_PHONE "{\"room\":\"r\",\"destination_identity\":\"phone\",\"method\":"

static const struct seat_events seat_events = {on_voice, on_voice, on_digit, on_rpc, on_muted, on_removed};

static void sit_down(struct harness *h)
{
	struct room *room;
	CHECK_EQ(rooms_open(&room, NULL, h->rooms, "r", &(struct room_options){0}), 0);
	CHECK_EQ(seat_join(&phone, room, &(struct seat_config){.identity = "phone", .mime_type = "audio/PCMU"},
			 &seat_events, NULL),
		0);
}

static void methods_of_participants_are_called(void)
{
	static struct request r;
	static struct answer w;
	struct harness h;
	harness_start(&h, false, NULL);
	sit_down(&h);

	struct answer *a = ask(&h, true, "POST", RPC, OF_ROOM, TO_PHONE "\"echo\",\"payload\":\"hello\"}");
	CHECK_EQ(a->status, 200);
	CHECK_STR(field(a, "payload"), "hello");
	refused(ask(&h, true, "POST", RPC, OF_ROOM, TO_PHONE "\"no.such\"}"), 400, "invalid_argument",
		"RpcError 1400: Method not supported at destination");
	refused(ask(&h, true, "POST", RPC, OF_ROOM, TO_PHONE "\"broken\"}"), 500, "internal", "RpcError 1500: it broke");
	refused(ask(&h, true, "POST", RPC, ROOMS, TO_PHONE "\"echo\"}"), 401, "unauthenticated", "denied");
	refused(ask(&h, true, "POST", RPC, OF_ROOM, "{\"room\":\"r\",\"destination_identity\":\"nobody\",\"method\":\"m\"}"),
		404, "not_found", "participant");
	/* The time for the response runs from the beginning, whether or not anybody acknowledges. */
	refused(ask(&h, true, "POST", RPC, OF_ROOM, TO_PHONE "\"silent\",\"response_timeout_ms\":50}"), 408,
		"deadline_exceeded", "RpcError 1502: Response timeout");

	/* Whoever asks goes away; and the server closes over one that waits. */
	request_begin(&r, &h, true, "POST", RPC, OF_ROOM, TO_PHONE "\"silent\"}");
	for (int i = 0; i < 20; ++i)
		CHECK(!request_turn(&r, &h));
	request_abandon(&r, &h);
	request_begin(&r, &h, true, "POST", RPC, OF_ROOM, TO_PHONE "\"silent\"}");
	for (int i = 0; i < 20; ++i)
		CHECK(!request_turn(&r, &h));
	api_close(h.api);
	request_finish(&w, &r, &h);
	refused(&w, 503, "unavailable", "shutting down");
	seat_leave(phone, LIVEKIT__DISCONNECT_REASON__CLIENT_INITIATED);
	harness_stop(&h);
}

/* The call goes on when the room no longer has its track. */
static void a_phone_is_muted_and_loses_its_voice(void)
{
	struct harness h;
	char body[256];
	harness_start(&h, false, NULL);
	sit_down(&h);
	struct participant *p = room_find(rooms_find(h.rooms, "r"), "phone");
	struct track *t = participant_next_track(p, NULL);

	snprintf(body, sizeof body,
		"{\"room\":\"r\",\"identity\":\"phone\",\"track_sid\":\"%s\",\"muted\":true}", track_sid(t));
	CHECK_EQ(ask(&h, true, "POST", "/twirp/livekit.RoomService/MutePublishedTrack", OF_ROOM, body)->status, 200);
	CHECK(phone_muted && track_muted(t));
	CHECK_EQ(ask(&h, true, "POST", "/twirp/livekit.RoomService/UpdateParticipant", OF_ROOM,
			 "{\"room\":\"r\",\"identity\":\"phone\",\"permission\":{\"can_subscribe\":true}}")->status,
		200);
	CHECK(!participant_next_track(p, NULL));
	rooms_tick(h.rooms);
	seat_level(phone, 10, 400, 400);
	seat_leave(phone, LIVEKIT__DISCONNECT_REASON__CLIENT_INITIATED);
	harness_stop(&h);
}

int main(void)
{
	odd_requests_are_refused_as_twirp_does();
	trunks_are_made_and_changed();
	addresses_of_ones_own_are_taken_apart();
	dialling_waits_or_not();
	rooms_are_made_and_deleted();
	methods_of_participants_are_called();
	a_phone_is_muted_and_loses_its_voice();
	return 0;
}
