/* A leg's sockets with SRTP: what goes through them, what does not, and keys that change under way. */
#include "base/mem.h"
#include "base/rng.h"
#include "test/check.h"
#include "test/unit/leg_bench.h"
#include "wire/rtcp.h"

#include <unistd.h>

static struct srtp_keys make_keys(enum srtp_profile profile)
{
	struct srtp_keys k = {.profile = profile, .client_mki = {.size = 1, .bytes = {1}}};
	rng_bytes(k.client, sizeof k.client);
	rng_bytes(k.server, sizeof k.server);
	return k;
}

static struct srtp_pair *connect_with(const struct srtp_keys *keys, bool mux)
{
	struct srtp_pair *far;
	struct media_leg_remote r = remote();
	r.rtcp = b->leg->remote.rtcp;
	r.secure = true;
	r.rtcp_mux = mux;
	r.keys = *keys;
	leg_connect(b->leg, &r);
	CHECK_EQ(srtp_pair_new(&far, keys, false), 0);
	return far;
}

static void send_from(int fd, const uint8_t *bytes, size_t size)
{
	CHECK_EQ(sendto(fd, bytes, size, 0, (struct sockaddr *)&b->leg_rtp, sizeof(struct sockaddr_in)), (ssize_t)size);
	for (int i = 0; i < 3; ++i)
		fake_worker_turn(&b->w);
}

static size_t sealed(uint8_t out[1500], struct srtp_pair *far, uint16_t seq)
{
	uint8_t sound[FRAME];
	memset(sound, 0x55, sizeof sound);
	size_t size = rtp_packet(out, 0, false, seq, seq * FRAME, 9, span_of(sound, FRAME)).size;
	if (far)
		CHECK(srtp_pair_protect(far, out, &size));
	return size;
}

static void says(struct srtp_pair *far, uint16_t seq)
{
	uint8_t out[1500];
	send_from(b->phone_rtp, out, sealed(out, far, seq));
}

/* One beat's packet, opened. */
static bool hears(struct srtp_pair *far, struct rtp_view *v)
{
	static uint8_t bytes[1500];
	fake_worker_beat(&b->w);
	ssize_t got = recv(b->phone_rtp, bytes, sizeof bytes, MSG_DONTWAIT);
	size_t size = (size_t)got;
	return got > 0 && srtp_pair_unprotect(far, bytes, &size) && rtp_parse(v, span_of(bytes, size)) == RTP_OK &&
	       v->payload.size == FRAME;
}

static void both_ways_and_nothing_else(enum srtp_profile profile)
{
	struct rtp_view v;
	uint8_t packet[1500];
	struct sockaddr_storage other;
	begin(&(struct media_leg_config){0}, CODEC_PCMU);
	struct srtp_keys keys = make_keys(profile), others = make_keys(profile);
	struct srtp_pair *far = connect_with(&keys, false), *stranger;
	CHECK_EQ(srtp_pair_new(&stranger, &others, false), 0);

	says(far, 1);
	CHECK_EQ(b->count, 1);
	CHECK_EQ(b->got[0].size, FRAME);
	CHECK_EQ(b->got[0].bytes[7], 0x55);
	CHECK(hears(far, &v));

	const uint64_t *drops = b->leg->in.drops;
	says(NULL, 2); /* in clear */
	CHECK_EQ(drops[LEG_DROP_LOCKED], 1);
	says(stranger, 2); /* of another key */
	CHECK_EQ(drops[LEG_DROP_LOCKED], 2);
	size_t size = sealed(packet, far, 2);
	packet[40] ^= 1; /* forged */
	send_from(b->phone_rtp, packet, size);
	CHECK_EQ(drops[LEG_DROP_LOCKED], 3);
	packet[40] ^= 1;
	send_from(b->phone_rtp, packet, size);
	CHECK_EQ(b->count, 2);
	size = sealed(packet, far, 3);
	uint8_t again[1500];
	memcpy(again, packet, size);
	send_from(b->phone_rtp, packet, size);
	send_from(b->phone_rtp, again, size); /* replayed */
	CHECK_EQ(drops[LEG_DROP_LOCKED], 4);
	CHECK_EQ(b->count, 3);
	send_from(b->phone_rtp, (const uint8_t *)"\0\1\0\0 stun", 9); /* nothing that a key could open */
	CHECK_EQ(drops[LEG_DROP_LOCKED], 4);
	CHECK_EQ(drops[LEG_DROP_MALFORMED], 1);
	int fd = bound(&other); /* genuine, from elsewhere */
	size = sealed(packet, far, 4);
	send_from(fd, packet, size);
	CHECK_EQ(drops[LEG_DROP_SOURCE], 1);
	CHECK_EQ(b->count, 3);
	close(fd);
	srtp_pair_free(far);
	srtp_pair_free(stranger);
	end();
}

static void packets_allocate_nothing(void)
{
	struct rtp_view v;
	begin(&(struct media_leg_config){0}, CODEC_PCMU);
	struct srtp_keys keys = make_keys(SRTP_PROFILE_AES256_CM_SHA1_32);
	struct srtp_pair *far = connect_with(&keys, false);
	says(far, 1);
	CHECK(hears(far, &v));
	mem_fail_after(0);
	for (uint16_t seq = 2; seq < 60; ++seq) {
		says(far, seq);
		CHECK(hears(far, &v));
	}
	mem_fail_after(-1);
	CHECK_EQ(b->count, 59);
	srtp_pair_free(far);
	end();
}

/* The next report that the leg sends, on this socket. */
static size_t report_on(int fd, uint8_t bytes[1500], bool also_rtp)
{
	for (int beats = 0; beats < 400; ++beats) {
		fake_worker_beat(&b->w);
		for (ssize_t size; (size = recv(fd, bytes, 1500, MSG_DONTWAIT)) > 0;)
			if (!also_rtp || (bytes[1] >= 192 && bytes[1] <= 223))
				return (size_t)size;
	}
	return 0;
}

static void reports_are_sealed(bool mux)
{
	static const uint8_t sr[28] = {0x80, 200, 0, 6, 0, 0, 0, 9, 0x00, 0x01, 0x12, 0x34, 0x56, 0x78};
	uint8_t bytes[1500];
	begin(&(struct media_leg_config){0}, CODEC_PCMU);
	struct srtp_keys keys = make_keys(SRTP_PROFILE_AES128_CM_SHA1_32);
	struct srtp_pair *far = connect_with(&keys, mux);

	memcpy(bytes, sr, sizeof sr);
	size_t size = sizeof sr;
	CHECK(srtp_pair_protect_rtcp(far, bytes, &size));
	if (mux)
		send_from(b->phone_rtp, bytes, size);
	else
		CHECK(send(b->phone_rtcp, bytes, size, 0) > 0);
	fake_worker_turn(&b->w);
	CHECK_EQ(b->leg->reports.last_sr, 0x12345678);
	CHECK_EQ(b->leg->in.drops[LEG_DROP_LOCKED], 0);

	size = report_on(mux ? b->phone_rtp : b->phone_rtcp, bytes, mux);
	CHECK(size > 28);
	CHECK(srtp_pair_unprotect_rtcp(far, bytes, &size));
	CHECK(rtcp_valid(span_of(bytes, size)));
	if (!mux) { /* RTCP in clear is none */
		memcpy(bytes, sr, sizeof sr);
		CHECK(send(b->phone_rtcp, bytes, sizeof sr, 0) > 0);
		fake_worker_turn(&b->w);
		CHECK_EQ(b->leg->in.drops[LEG_DROP_LOCKED], 1);
	}
	srtp_pair_free(far);
	end();
}

/* The far end's last packets of the former key come between its first of the new one. */
static void new_keys_are_not_heard(void)
{
	struct rtp_view before, after;
	uint8_t late[1500];
	begin(&(struct media_leg_config){0}, CODEC_PCMU);
	struct srtp_keys keys = make_keys(SRTP_PROFILE_AES128_CM_SHA1_80), next = make_keys(SRTP_PROFILE_AES256_CM_SHA1_80);
	struct srtp_pair *far = connect_with(&keys, false);
	for (uint16_t seq = 1; seq <= 10; ++seq)
		says(far, seq);
	CHECK(hears(far, &before));
	size_t late_size = sealed(late, far, 11);
	struct srtp_pair *new_far = connect_with(&next, false);
	says(new_far, 12);
	send_from(b->phone_rtp, late, late_size);
	says(new_far, 13);
	CHECK_EQ(b->count, 13);
	CHECK_EQ(b->leg->in.drops[LEG_DROP_LOCKED], 0);
	CHECK(hears(new_far, &after));
	CHECK_EQ(after.ssrc, before.ssrc);
	CHECK_EQ(after.seq, (uint16_t)(before.seq + 1));
	CHECK_EQ(after.timestamp, before.timestamp + FRAME);

	/* After a turn of the sequence: a stream without a past, for both readings of RFC 3711. */
	b->leg->out.packets = 70000;
	struct srtp_keys third = make_keys(SRTP_PROFILE_AES128_CM_SHA1_80);
	struct srtp_pair *third_far = connect_with(&third, false);
	CHECK(hears(third_far, &before));
	CHECK(before.ssrc != after.ssrc && before.seq <= SRTP_FIRST_SEQ_MAX);
	/* The same keys again, as hold and resume bring them: nothing begins anew. */
	struct media_leg_remote r = remote();
	r.secure = true;
	r.keys = third;
	leg_connect(b->leg, &r);
	CHECK(hears(third_far, &after));
	CHECK_EQ(after.ssrc, before.ssrc);
	CHECK_EQ(after.seq, (uint16_t)(before.seq + 1));
	CHECK(!b->leg->crypt.before || b->leg->crypt.before_until_us);
	srtp_pair_free(far);
	srtp_pair_free(new_far);
	srtp_pair_free(third_far);
	end();
}

static void the_leg_keeps_no_second_copy(void)
{
	static const struct srtp_keys nothing;
	begin(&(struct media_leg_config){0}, CODEC_NONE);
	struct srtp_keys keys = make_keys(SRTP_PROFILE_AES128_CM_SHA1_80);
	srtp_pair_free(connect_with(&keys, false));
	CHECK(!memcmp(&b->leg->remote.keys, &nothing, sizeof nothing));
	end();
}

/* ---- DTLS and ICE, by a far end of the test's own ---- */

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

static struct identities begin_dtls(void)
{
	struct identities i;
	begin(&(struct media_leg_config){0}, CODEC_PCMU);
	CHECK_EQ(dtls_identity_new(&i.ours), 0);
	CHECK_EQ(dtls_identity_new(&i.theirs), 0);
	b->w.identity = i.ours;
	return i;
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
	their_checks_choose_the_path();
	for (enum srtp_profile p = 0; p < SRTP_PROFILE__COUNT; ++p)
		both_ways_and_nothing_else(p);
	packets_allocate_nothing();
	reports_are_sealed(false);
	reports_are_sealed(true);
	new_keys_are_not_heard();
	the_leg_keeps_no_second_copy();
	return 0;
}
