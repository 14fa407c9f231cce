/* A leg with DTLS and ICE, by a far end of the test's own: whose handshake gives the keys, and whom the
 * leg follows. */
#include "base/mem.h"
#include "net/address.h"
#include "test/check.h"
#include "test/unit/leg_bench.h"

#include <arpa/inet.h>
#include <unistd.h>

struct far {
	struct dtls *dtls;
	int fd;
};

static void far_sends(void *owner, struct span datagram)
{
	struct far *f = owner;
	CHECK_EQ(sendto(f->fd, datagram.data, datagram.size, 0, (struct sockaddr *)&b->leg_rtp,
			 sizeof(struct sockaddr_in)), (ssize_t)datagram.size);
}

static void far_hears(void *owner, struct span data)
{
}

static const struct dtls_events far_events = {.send = far_sends, .data = far_hears};

/* Until it is over, or for so many turns. */
static void shake_hands(struct far *f, int turns)
{
	uint8_t bytes[1500];
	for (int i = 0; i < turns && dtls_state(f->dtls) == DTLS_HANDSHAKE; ++i) {
		fake_worker_turn(&b->w);
		for (ssize_t size; (size = recv(f->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0;)
			if (bytes[0] >= 20 && bytes[0] < 64)
				dtls_input(f->dtls, span_of(bytes, (size_t)size));
	}
	fake_worker_turn(&b->w);
}

static struct media_leg_remote dtls_remote(const struct dtls_identity *theirs, bool we_begin)
{
	struct media_leg_remote r = remote();
	r.secure = r.dtls = r.rtcp_mux = true;
	r.dtls_client = we_begin;
	snprintf(r.fingerprint, sizeof r.fingerprint, "%s", dtls_identity_fingerprint(theirs));
	return r;
}

struct identities {
	struct dtls_identity *ours, *theirs;
};

static struct identities begin_dtls_with(const struct media_leg_config *config)
{
	struct identities i;
	begin(config, CODEC_PCMU);
	CHECK_EQ(dtls_identity_new(&i.ours), 0);
	CHECK_EQ(dtls_identity_new(&i.theirs), 0);
	b->w.identity = i.ours;
	return i;
}

static struct identities begin_dtls(void)
{
	return begin_dtls_with(&(struct media_leg_config){0});
}

static void end_dtls(struct identities *i)
{
	b->leg = leg_free(b->leg);
	b->w.identity = NULL;
	dtls_identity_free(i->ours);
	dtls_identity_free(i->theirs);
	end();
}

static void keys_come_of_a_handshake(bool we_begin)
{
	struct identities id = begin_dtls();
	struct far far = {.fd = b->phone_rtp};
	struct media_leg_remote r = dtls_remote(id.theirs, we_begin);
	struct srtp_keys keys;
	struct srtp_pair *pair;
	struct rtp_view v;
	CHECK_EQ(dtls_new(&far.dtls, id.theirs, !we_begin, &far_events, &far), 0);

	leg_connect(b->leg, &r);
	fake_worker_beat(&b->w);
	uint8_t bytes[1500];
	CHECK_EQ(recv(b->phone_rtp, bytes, sizeof bytes, MSG_DONTWAIT | MSG_PEEK) > 0, we_begin); /* no sound yet */
	dtls_start(far.dtls);
	shake_hands(&far, 200);
	CHECK_EQ(dtls_state(far.dtls), DTLS_DONE);
	CHECK(dtls_peer_is(far.dtls, dtls_identity_fingerprint(id.ours)));
	CHECK_EQ(dtls_keys(far.dtls, &keys), 0);
	CHECK_EQ(srtp_pair_new(&pair, &keys, !we_begin), 0);
	says(pair, 1);
	CHECK_EQ(b->count, 1);
	CHECK(hears(pair, &v));

	/* Hold, resume: the same certificate in the same role goes on. */
	leg_connect(b->leg, &r);
	says(pair, 2);
	CHECK_EQ(b->count, 2);
	CHECK(hears(pair, &v));
	CHECK_EQ(b->leg->in.drops[LEG_DROP_LOCKED], 0);
	srtp_pair_free(pair);
	dtls_free(far.dtls);
	end_dtls(&id);
}

static void another_certificate_gets_nothing(void)
{
	struct identities id = begin_dtls();
	struct far far = {.fd = b->phone_rtp};
	struct media_leg_remote r = dtls_remote(id.ours, false); /* not theirs */
	struct srtp_keys keys;
	struct srtp_pair *pair;
	CHECK_EQ(dtls_new(&far.dtls, id.theirs, true, &far_events, &far), 0);
	leg_connect(b->leg, &r);
	dtls_start(far.dtls);
	shake_hands(&far, 200);
	CHECK_EQ(dtls_keys(far.dtls, &keys), 0);
	CHECK_EQ(srtp_pair_new(&pair, &keys, true), 0);
	says(pair, 1);
	CHECK_EQ(b->count, 0);
	CHECK_EQ(b->leg->in.drops[LEG_DROP_LOCKED], 2); /* the handshake, the packet */
	fake_worker_beat(&b->w);
	uint8_t bytes[1500];
	while (recv(b->phone_rtp, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
		CHECK(bytes[0] < 64); /* nothing is sent, either */
	srtp_pair_free(pair);
	dtls_free(far.dtls);
	end_dtls(&id);
}

/* Who answers "active" begins before its answer has come to us. */
static void a_hello_may_overtake_the_answer(void)
{
	struct identities id = begin_dtls();
	struct far far = {.fd = b->phone_rtp};
	struct media_leg_remote r = dtls_remote(id.theirs, false);
	CHECK_EQ(dtls_new(&far.dtls, id.theirs, true, &far_events, &far), 0);
	b->leg->connected = false;
	dtls_start(far.dtls);
	for (int i = 0; i < 3; ++i)
		fake_worker_turn(&b->w);
	CHECK(b->leg->dtls.early);
	b->leg->connected = true;
	leg_connect(b->leg, &r);
	CHECK(!b->leg->dtls.early);
	shake_hands(&far, 200);
	CHECK_EQ(dtls_state(far.dtls), DTLS_DONE);
	dtls_free(far.dtls);
	end_dtls(&id);
}

static void strangers_cannot_spoil_the_handshake(void)
{
	struct identities id = begin_dtls();
	struct sockaddr_storage other;
	struct far far = {.fd = bound(&other)};
	struct media_leg_remote r = dtls_remote(id.theirs, false);
	CHECK_EQ(dtls_new(&far.dtls, id.theirs, true, &far_events, &far), 0);
	leg_connect(b->leg, &r);
	dtls_start(far.dtls);
	shake_hands(&far, 5);
	CHECK_EQ(dtls_state(far.dtls), DTLS_HANDSHAKE);
	CHECK(b->leg->in.drops[LEG_DROP_SOURCE] >= 1);
	dtls_free(far.dtls);
	close(far.fd);
	end_dtls(&id);
}

static int bound_at(uint32_t host)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0);
	return fd;
}

static bool is_there(const struct sockaddr_storage *a)
{
	return address_equal((const struct sockaddr *)&b->leg->remote.rtp, (const struct sockaddr *)a);
}

/* With sip.symmetric_rtp a stranger comes first, and shakes hands to its end: the leg stays where it
 * was, and so does the phone's own handshake, which had begun. */
static void strangers_are_not_followed(void)
{
	struct identities id = begin_dtls_with(&(struct media_leg_config){.latch = true});
	struct sockaddr_storage elsewhere;
	struct far phone = {.fd = b->phone_rtp}, stranger = {.fd = bound(&elsewhere)};
	struct media_leg_remote r = dtls_remote(id.theirs, false);
	uint8_t bytes[1500];
	CHECK_EQ(dtls_new(&phone.dtls, id.theirs, true, &far_events, &phone), 0);
	CHECK_EQ(dtls_new(&stranger.dtls, id.ours, true, &far_events, &stranger), 0);
	leg_connect(b->leg, &r);
	dtls_start(phone.dtls);
	fake_worker_turn(&b->w); /* half of it */
	dtls_start(stranger.dtls);
	shake_hands(&stranger, 200);
	CHECK_EQ(dtls_state(stranger.dtls), DTLS_CLOSED); /* it was, and is told so */
	CHECK_EQ(b->leg->in.drops[LEG_DROP_SOURCE], 1);
	send_from(stranger.fd, (const uint8_t *)"\x15\xfe\xfd\0\0\0\0\0\0\0\0\0\2\2\x28", 15); /* a fatal alert */
	CHECK(is_there(&b->phone));
	CHECK_EQ(b->leg->dtls.state, LEG_DTLS_SHAKING);

	shake_hands(&phone, 200);
	CHECK_EQ(dtls_state(phone.dtls), DTLS_DONE);
	CHECK_EQ(b->leg->dtls.state, LEG_DTLS_KEYED);
	/* And then nobody is let in any more. */
	while (recv(stranger.fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
		;
	uint64_t drops = b->leg->in.drops[LEG_DROP_SOURCE];
	dtls_free(stranger.dtls);
	CHECK_EQ(dtls_new(&stranger.dtls, id.theirs, true, &far_events, &stranger), 0);
	dtls_start(stranger.dtls);
	shake_hands(&stranger, 10);
	CHECK_EQ(dtls_state(stranger.dtls), DTLS_HANDSHAKE);
	CHECK_EQ(b->leg->in.drops[LEG_DROP_SOURCE], drops + 1);
	CHECK(is_there(&b->phone));
	dtls_free(stranger.dtls);
	dtls_free(phone.dtls);
	close(stranger.fd);
	end_dtls(&id);
}

/* Behind its NAT: nobody is where the SDP says, and a stranger is faster. */
static void the_phone_is_known_by_its_certificate(void)
{
	struct identities id = begin_dtls_with(&(struct media_leg_config){.latch = true});
	int fd = bound_at(0x7f000002); /* another host */
	struct sockaddr_storage outside, elsewhere;
	struct far phone = {.fd = bound(&outside)}, stranger = {.fd = fd};
	struct media_leg_remote r = dtls_remote(id.theirs, false);
	struct srtp_keys keys;
	struct srtp_pair *pair;
	uint8_t packet[1500];
	close(bound(&elsewhere));
	r.rtp = r.rtcp = elsewhere;
	CHECK_EQ(dtls_new(&phone.dtls, id.theirs, true, &far_events, &phone), 0);
	CHECK_EQ(dtls_new(&stranger.dtls, id.ours, true, &far_events, &stranger), 0);
	leg_connect(b->leg, &r);
	dtls_start(stranger.dtls);
	fake_worker_turn(&b->w);
	dtls_start(phone.dtls);
	fake_worker_turn(&b->w);
	CHECK(is_there(&elsewhere));
	shake_hands(&phone, 200);
	CHECK_EQ(dtls_state(phone.dtls), DTLS_DONE);
	CHECK(is_there(&outside));
	CHECK(b->leg->in.whence.locked);

	CHECK_EQ(dtls_keys(phone.dtls, &keys), 0);
	CHECK_EQ(srtp_pair_new(&pair, &keys, true), 0);
	send_from(phone.fd, packet, sealed(packet, pair, 1));
	CHECK_EQ(b->count, 1);
	/* Its reports come by the same way. */
	size_t size = 8;
	memcpy(packet, "\x80\xc9\0\1\0\0\0\5", size);
	CHECK(srtp_pair_protect_rtcp(pair, packet, &size));
	send_from(phone.fd, packet, size);
	CHECK_EQ(b->leg->in.drops[LEG_DROP_RTCP], 0);
	srtp_pair_free(pair);
	dtls_free(stranger.dtls);
	dtls_free(phone.dtls);
	close(stranger.fd);
	close(phone.fd);
	end_dtls(&id);
}

/* However many come, and from however many ports: a few hosts have a place, for some seconds. */
static void guests_are_few(void)
{
	struct identities id = begin_dtls_with(&(struct media_leg_config){.latch = true});
	struct media_leg_remote r = dtls_remote(id.theirs, false);
	struct leg_guest *places = b->leg->dtls.guests.places;
	struct far crowd[3 * LIMIT_LEG_GUESTS];
	leg_connect(b->leg, &r);
	for (size_t i = 0; i < COUNT_OF(crowd); ++i) {
		crowd[i].fd = bound_at(0x7f000002 + (uint32_t)(i / 2)); /* each host twice */
		CHECK_EQ(dtls_new(&crowd[i].dtls, id.ours, true, &far_events, &crowd[i]), 0);
		dtls_start(crowd[i].dtls);
		fake_worker_turn(&b->w);
	}
	CHECK_EQ(b->leg->in.drops[LEG_DROP_SOURCE], COUNT_OF(crowd) - LIMIT_LEG_GUESTS);
	for (size_t i = 0; i < LIMIT_LEG_GUESTS; ++i)
		CHECK(places[i].dtls && places[i].from.v4.sin_addr.s_addr != places[(i + 1) % LIMIT_LEG_GUESTS].from.v4.sin_addr.s_addr);
	/* Nothing but a hello opens a place. */
	send_from(b->phone_rtcp, (const uint8_t *)"\x14\xfe\xfd", 3);
	for (size_t i = 0; i < LIMIT_LEG_GUESTS; ++i)
		places[i].until_us = 1; /* the time is over */
	struct far late = {.fd = bound_at(0x7f000099)};
	CHECK_EQ(dtls_new(&late.dtls, id.theirs, true, &far_events, &late), 0);
	dtls_start(late.dtls);
	shake_hands(&late, 200);
	CHECK_EQ(b->leg->dtls.state, LEG_DTLS_KEYED);
	for (size_t i = 0; i < LIMIT_LEG_GUESTS; ++i)
		CHECK(!places[i].dtls);
	for (size_t i = 0; i < COUNT_OF(crowd); ++i) {
		dtls_free(crowd[i].dtls);
		close(crowd[i].fd);
	}
	dtls_free(late.dtls);
	close(late.fd);
	end_dtls(&id);
}

static void check_from(int fd, const struct media_ice *ice, const char *pwd, bool nominate)
{
	static uint8_t transaction[STUN_TRANSACTION_BYTES];
	uint8_t bytes[STUN_REPLY_BYTES_MAX];
	char username[64];
	struct writer w = writer_of(bytes, sizeof bytes);
	++transaction[0];
	snprintf(username, sizeof username, "%s:them", ice->ufrag);
	stun_write_header(&w, STUN_BINDING_REQUEST, transaction);
	stun_write_attribute(&w, STUN_USERNAME, span_text(username));
	stun_write_attribute(&w, STUN_ICE_CONTROLLING, span_of("12345678", 8));
	if (nominate)
		stun_write_attribute(&w, STUN_USE_CANDIDATE, (struct span){0});
	stun_write_integrity(&w, span_text(pwd));
	stun_write_fingerprint(&w);
	CHECK(!w.bad);
	send_from(fd, bytes, w.used);
}

static bool check_is_answered(int fd)
{
	uint8_t bytes[1500];
	struct stun_view v;
	ssize_t size = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
	return size > 0 && stun_parse(&v, span_of(bytes, (size_t)size)) == STUN_OK && v.type == STUN_BINDING_SUCCESS;
}

/* They check from an address that their SDP did not name, choose it, and talk from there. */
static void their_checks_choose_the_path(void)
{
	struct identities id = begin_dtls();
	struct sockaddr_storage other;
	struct far far = {.fd = bound(&other)};
	struct media_leg_remote r = dtls_remote(id.theirs, false);
	struct srtp_keys keys;
	struct srtp_pair *pair;
	r.ice = true;
	r.local_ice = (struct media_ice){.ufrag = "ourufrag", .pwd = "abcdefghijklmnopqrstuvwx"};
	leg_connect(b->leg, &r);
	check_from(far.fd, &r.local_ice, "wrong", true);
	CHECK(!check_is_answered(far.fd));
	check_from(far.fd, &r.local_ice, r.local_ice.pwd, true);
	CHECK(check_is_answered(far.fd));

	CHECK_EQ(dtls_new(&far.dtls, id.theirs, true, &far_events, &far), 0);
	dtls_start(far.dtls);
	shake_hands(&far, 200);
	CHECK_EQ(dtls_keys(far.dtls, &keys), 0);
	CHECK_EQ(srtp_pair_new(&pair, &keys, true), 0);
	uint8_t packet[1500];
	send_from(far.fd, packet, sealed(packet, pair, 1));
	CHECK_EQ(b->count, 1);
	fake_worker_beat(&b->w);
	CHECK(recv(far.fd, packet, sizeof packet, MSG_DONTWAIT) > FRAME);
	/* A later offer with the same names does not lead back to the address in its SDP. */
	leg_connect(b->leg, &r);
	send_from(far.fd, packet, sealed(packet, pair, 2));
	CHECK_EQ(b->count, 2);
	srtp_pair_free(pair);
	dtls_free(far.dtls);
	close(far.fd);
	end_dtls(&id);
}

int main(void)
{
	keys_come_of_a_handshake(false);
	keys_come_of_a_handshake(true);
	another_certificate_gets_nothing();
	a_hello_may_overtake_the_answer();
	strangers_cannot_spoil_the_handshake();
	strangers_are_not_followed();
	the_phone_is_known_by_its_certificate();
	guests_are_few();
	their_checks_choose_the_path();
	return 0;
}
