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
	send_from(b->phone_rtp, (const uint8_t *)"Hello", 5); /* nothing that a key could open */
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

/* Phones behind a NAT knock, before and during the call, on both ports: no answer, no alarm. */
static void who_knocks_has_lost_nothing(void)
{
	static const uint8_t request[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
	struct media_leg_stats stats;
	uint8_t answer[100];
	begin(&(struct media_leg_config){0}, CODEC_PCMU);
	b->leg->connected = false;
	send_from(b->phone_rtp, request, sizeof request);
	b->leg->connected = true;
	send_from(b->phone_rtp, request, sizeof request);
	send_from(b->phone_rtp, request, 0);
	CHECK_EQ(send(b->phone_rtcp, request, sizeof request, 0), (ssize_t)sizeof request);
	fake_worker_turn(&b->w);
	CHECK_EQ(b->leg->in.drops[LEG_DROP_KNOCK], 4);
	leg_receive_stats(b->leg, &stats);
	CHECK_EQ(stats.dropped, 0);
	CHECK(recv(b->phone_rtp, answer, sizeof answer, MSG_DONTWAIT) < 0);
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

int main(void)
{
	for (enum srtp_profile p = 0; p < SRTP_PROFILE__COUNT; ++p)
		both_ways_and_nothing_else(p);
	who_knocks_has_lost_nothing();
	packets_allocate_nothing();
	reports_are_sealed(false);
	reports_are_sealed(true);
	new_keys_are_not_heard();
	the_leg_keeps_no_second_copy();
	return 0;
}
