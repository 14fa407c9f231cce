#include "media/ice.h"

#include "test/check.h"

#include <arpa/inet.h>

static const struct media_ice first = {.ufrag = "FIRSTufr", .pwd = "firstfirstfirstfirstfirs"};
static const struct media_ice second = {.ufrag = "SECONDuf", .pwd = "secondsecondsecondsecond"};

struct check {
	const struct media_ice *ice;
	const char *remote;
	const char *pwd; /* NULL: the right one */
	uint16_t port;
	bool nominate, controlled, no_fingerprint, unknown;
};

static struct peer_address address(uint16_t port)
{
	return (struct peer_address){.v4 = {.sin_family = AF_INET,
					    .sin_port = htons(port),
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
}

static struct span write_check(uint8_t out[512], const struct check *c)
{
	uint8_t transaction[STUN_TRANSACTION_BYTES] = "transaction";
	char username[64];
	struct writer w = writer_of(out, 512);

	snprintf(username, sizeof username, "%s:%s", c->ice->ufrag, c->remote);
	stun_write_header(&w, STUN_BINDING_REQUEST, transaction);
	stun_write_attribute(&w, STUN_USERNAME, span_text(username));
	stun_write_attribute(&w, c->controlled ? STUN_ICE_CONTROLLED : STUN_ICE_CONTROLLING,
		span_text("tiebreak"));
	if (c->nominate)
		stun_write_attribute(&w, STUN_USE_CANDIDATE, span_text(""));
	if (c->unknown)
		stun_write_attribute(&w, 0x7abc, span_text("what"));
	stun_write_integrity(&w, span_text(c->pwd ? c->pwd : c->ice->pwd));
	if (!c->no_fingerprint)
		stun_write_fingerprint(&w);
	CHECK(!w.bad);
	return writer_span(&w);
}

static struct ice_result result;
static struct stun_view reply_view;

static enum ice_verdict check(struct ice *i, uint64_t now_ms, struct check c)
{
	uint8_t in[512], out[STUN_REPLY_BYTES_MAX];
	struct stun_view v;
	struct peer_address from = address(c.port);
	struct span packet = write_check(in, &c);
	struct writer reply = writer_of(out, sizeof out);

	CHECK_EQ(stun_parse(&v, packet), STUN_OK);
	enum ice_verdict verdict = ice_input(i, &v, packet, &from, now_ms, &reply, &result);
	if (verdict == ICE_ANSWERED || verdict == ICE_REFUSED) {
		CHECK(!reply.bad);
		CHECK_EQ(stun_parse(&reply_view, writer_span(&reply)), STUN_OK);
		CHECK(reply_view.has_fingerprint);
		CHECK(stun_integrity_ok(
			&reply_view, writer_span(&reply), span_text(c.ice->pwd)));
		CHECK(memcmp(reply_view.transaction, v.transaction, STUN_TRANSACTION_BYTES) == 0);
	} else {
		CHECK_EQ(reply.used, 0);
	}
	return verdict;
}

static uint16_t selected_port(const struct ice *i)
{
	return ice_path(i) ? ntohs(ice_path(i)->v4.sin_port) : 0;
}

static void a_check_is_answered_and_the_nominated_path_wins(void)
{
	struct ice i;

	ice_init(&i, &first);
	CHECK_EQ(selected_port(&i), 0);
	/* Before the answer names the peer's part, any will do. */
	CHECK_EQ(check(&i, 1000, (struct check){.ice = &first, .remote = "peer", .port = 7}),
		ICE_ANSWERED);
	CHECK_EQ(reply_view.type, STUN_BINDING_SUCCESS);
	CHECK_EQ(ntohs(((struct sockaddr_in *)&reply_view.mapped)->sin_port), 7);
	CHECK(result.fresh && result.selected && result.path == 0);
	CHECK_EQ(selected_port(&i), 7);

	ice_remote(&i, "peer");
	CHECK_EQ(check(&i, 1000, (struct check){.ice = &first, .remote = "else", .port = 7}),
		ICE_DROP_USERNAME);
	CHECK_EQ(check(&i, 1000,
			 (struct check){
				 .ice = &first, .remote = "peer", .port = 8, .nominate = true}),
		ICE_ANSWERED);
	CHECK_EQ(selected_port(&i), 8);
	/* Not nominated any more: it stays. Nominated again: it moves. */
	CHECK_EQ(check(&i, 1000, (struct check){.ice = &first, .remote = "peer", .port = 9}),
		ICE_ANSWERED);
	CHECK_EQ(selected_port(&i), 8);
	CHECK_EQ(check(&i, 1000,
			 (struct check){
				 .ice = &first, .remote = "peer", .port = 7, .nominate = true}),
		ICE_ANSWERED);
	CHECK(!result.fresh && result.selected);
	CHECK_EQ(selected_port(&i), 7);
}

static void what_is_not_right_is_refused(void)
{
	static const struct {
		struct check c;
		enum ice_verdict want;
		unsigned error;
	} cases[] = {
		{{.ice = &second, .remote = "peer"}, ICE_DROP_USERNAME, 0},
		{{.ice = &first, .remote = "peer", .pwd = "wrong"}, ICE_DROP_INTEGRITY, 0},
		{{.ice = &first, .remote = "peer", .no_fingerprint = true}, ICE_DROP_KIND, 0},
		{{.ice = &first, .remote = "peer", .controlled = true}, ICE_REFUSED, 487},
		{{.ice = &first, .remote = "peer", .unknown = true}, ICE_REFUSED, 420},
	};
	struct ice i;

	ice_init(&i, &first);
	ice_remote(&i, "peer");
	for (size_t n = 0; n < COUNT_OF(cases); ++n) {
		CHECK_EQ(check(&i, 5, cases[n].c), cases[n].want);
		CHECK_EQ(result.path, -1);
		if (cases[n].error)
			CHECK_EQ(reply_view.error_code, cases[n].error);
		CHECK(!ice_path(&i));
		CHECK_EQ(ice_life(&i, 100000), ICE_NEVER_HEARD);
	}
}

static void silence_is_noticed(void)
{
	struct ice i;

	ice_init(&i, &first);
	CHECK_EQ(ice_life(&i, 99999), ICE_NEVER_HEARD);
	CHECK_EQ(check(&i, 1000, (struct check){.ice = &first, .remote = "p"}), ICE_ANSWERED);
	CHECK_EQ(ice_life(&i, 1000), ICE_ALIVE);
	CHECK_EQ(ice_life(&i, 10999), ICE_ALIVE);
	CHECK_EQ(ice_life(&i, 11000), ICE_DISCONNECTED);
	ice_heard(&i, 12000);
	CHECK_EQ(ice_life(&i, 21999), ICE_ALIVE);
	CHECK_EQ(ice_life(&i, 26999), ICE_DISCONNECTED);
	CHECK_EQ(ice_life(&i, 27000), ICE_FAILED);
	ice_restart(&i, &second, 27000);
	CHECK_EQ(ice_life(&i, 41999), ICE_DISCONNECTED);
	CHECK_EQ(ice_life(&i, 42000), ICE_FAILED);
}

static void a_restart_keeps_the_old_path_until_the_new_is_nominated(void)
{
	struct check old = {.ice = &first, .remote = "old", .port = 1, .nominate = true};
	struct check new = {.ice = &second, .remote = "new", .port = 2};
	struct ice i;

	ice_init(&i, &first);
	ice_remote(&i, "old");
	CHECK_EQ(check(&i, 1, old), ICE_ANSWERED);
	ice_restart(&i, &second, 2);
	ice_remote(&i, "new");
	CHECK_EQ(check(&i, 3, old), ICE_ANSWERED);
	CHECK_EQ(check(&i, 3, new), ICE_ANSWERED);
	CHECK_EQ(selected_port(&i), 1);
	CHECK_EQ(check(&i, 4, old), ICE_ANSWERED);
	new.nominate = true;
	CHECK_EQ(check(&i, 5, new), ICE_ANSWERED);
	CHECK_EQ(selected_port(&i), 2);
	CHECK_EQ(check(&i, 6, old), ICE_DROP_USERNAME);
}

static void many_paths_push_out_the_oldest_but_never_the_selected(void)
{
	struct ice i;

	ice_init(&i, &first);
	CHECK_EQ(check(&i, 1,
			 (struct check){
				 .ice = &first, .remote = "p", .port = 100, .nominate = true}),
		ICE_ANSWERED);
	for (uint16_t port = 1; port < 50; ++port) {
		CHECK_EQ(check(&i, 1u + port,
				 (struct check){.ice = &first, .remote = "p", .port = port}),
			ICE_ANSWERED);
		CHECK(result.fresh && result.path > 0 && result.path < ICE_PATHS_MAX);
	}
	CHECK_EQ(selected_port(&i), 100);
	struct peer_address kept = address(49), gone = address(3);
	CHECK(ice_knows(&i, &kept) && !ice_knows(&i, &gone));
}

/* A connection that ends is no path any more: what was heard last takes its place. */
static void a_path_that_ended_is_forgotten(void)
{
	struct ice i;
	struct peer_address tcp = address(1), udp = address(1);

	tcp.stream = 5;
	CHECK(!peer_address_equal(&tcp, &udp));
	CHECK(peer_address_key(&tcp, 0) != peer_address_key(&udp, 0));
	ice_init(&i, &first);
	for (uint16_t port = 1; port <= ICE_PATHS_MAX; ++port)
		CHECK_EQ(check(&i, 10u + port,
				 (struct check){.ice = &first, .remote = "p", .port = port,
					 .nominate = port == 3}),
			ICE_ANSWERED);
	struct peer_address selected = address(3);
	CHECK_EQ(ice_forget(&i, &tcp), -1);
	CHECK_EQ(ice_forget(&i, &selected), 2);
	CHECK_EQ(selected_port(&i), ICE_PATHS_MAX);
	CHECK(!ice_knows(&i, &selected));
	CHECK_EQ(check(&i, 99, (struct check){.ice = &first, .remote = "p", .port = 77}),
		ICE_ANSWERED);
	CHECK(result.fresh && result.path == 2); /* the hole */

	for (uint16_t port = 1; port <= 77; ++port) {
		struct peer_address path = address(port);
		ice_forget(&i, &path);
	}
	CHECK_EQ(selected_port(&i), 0);
}

static void an_indication_is_noted_but_proves_nothing(void)
{
	uint8_t out[64], reply_bytes[STUN_REPLY_BYTES_MAX];
	uint8_t transaction[STUN_TRANSACTION_BYTES] = {0};
	struct writer w = writer_of(out, sizeof out);
	struct writer reply = writer_of(reply_bytes, sizeof reply_bytes);
	struct peer_address from = address(7);
	struct stun_view v;
	struct ice i;

	stun_write_header(&w, STUN_BINDING_INDICATION, transaction);
	stun_write_fingerprint(&w);
	CHECK_EQ(stun_parse(&v, writer_span(&w)), STUN_OK);
	ice_init(&i, &first);
	CHECK_EQ(ice_input(&i, &v, writer_span(&w), &from, 9, &reply, &result), ICE_DROP_KIND);
	CHECK_EQ(check(&i, 9, (struct check){.ice = &first, .remote = "p", .port = 7}),
		ICE_ANSWERED);
	CHECK_EQ(ice_input(&i, &v, writer_span(&w), &from, 9000, &reply, &result), ICE_NOTED);
	CHECK_EQ(i.heard_ms, 9);
}

int main(void)
{
	a_check_is_answered_and_the_nominated_path_wins();
	what_is_not_right_is_refused();
	silence_is_noticed();
	a_restart_keeps_the_old_path_until_the_new_is_nominated();
	many_paths_push_out_the_oldest_but_never_the_selected();
	a_path_that_ended_is_forgotten();
	an_indication_is_noted_but_proves_nothing();
	return 0;
}
