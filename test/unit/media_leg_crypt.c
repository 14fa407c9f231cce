#include "media/leg_crypt.h"

#include "base/mem.h"
#include "base/rng.h"
#include "test/check.h"

enum { PACKET = 172, SECOND_US = 1000000 };

/* The far end: what it sends and receives with, as srtp_pair has it. */
static struct srtp_pair *far_end(const struct srtp_keys *keys)
{
	struct srtp_pair *p;
	CHECK_EQ(srtp_pair_new(&p, keys, false), 0);
	return p;
}

static struct srtp_keys make_keys(enum srtp_profile profile)
{
	struct srtp_keys k = {.profile = profile};
	for (size_t i = 0; i < SRTP_KEY_BYTES_MAX; ++i) {
		k.client[i] = (uint8_t)rng_u32();
		k.server[i] = (uint8_t)rng_u32();
	}
	return k;
}

static size_t make_rtp(uint8_t out[PACKET + SRTP_TRAILER_BYTES], uint16_t seq, uint32_t ssrc)
{
	memset(out, 0, PACKET);
	out[0] = 0x80;
	out[2] = (uint8_t)(seq >> 8);
	out[3] = (uint8_t)seq;
	for (int i = 0; i < 4; ++i)
		out[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
	return PACKET;
}

static size_t make_rtcp(uint8_t out[PACKET + SRTP_TRAILER_BYTES])
{
	memset(out, 0, PACKET);
	out[0] = 0x80;
	out[1] = 200;
	out[3] = 6;
	out[7] = 9;
	return 28;
}

/* From the far end to us. */
static bool comes(struct leg_crypt *c, struct srtp_pair *far, uint16_t seq, uint32_t ssrc, uint64_t now_us)
{
	uint8_t packet[PACKET + SRTP_TRAILER_BYTES], clear[PACKET + SRTP_TRAILER_BYTES];
	size_t size = make_rtp(packet, seq, ssrc);
	make_rtp(clear, seq, ssrc);
	if (far)
		CHECK(srtp_pair_protect(far, packet, &size));
	if (!leg_crypt_open(c, false, packet, &size, now_us))
		return false;
	CHECK_EQ(size, PACKET);
	CHECK(!memcmp(packet, clear, PACKET));
	return true;
}

static bool goes(struct leg_crypt *c, struct srtp_pair *far, uint16_t seq)
{
	uint8_t packet[PACKET + SRTP_TRAILER_BYTES];
	size_t size = make_rtp(packet, seq, 5);
	if (!leg_crypt_seal(c, false, packet, &size))
		return false;
	if (!far)
		return size == PACKET;
	return size > PACKET && srtp_pair_unprotect(far, packet, &size) && size == PACKET;
}

static bool report_goes(struct leg_crypt *c, struct srtp_pair *far)
{
	uint8_t packet[PACKET + SRTP_TRAILER_BYTES];
	size_t size = make_rtcp(packet);
	return leg_crypt_seal(c, true, packet, &size) && srtp_pair_unprotect_rtcp(far, packet, &size);
}

static void in_clear_nothing_changes(void)
{
	struct leg_crypt c = {0};
	CHECK(!leg_crypt_set(&c, false, NULL, 0));
	CHECK(comes(&c, NULL, 1, 7, 0));
	CHECK(goes(&c, NULL, 1));
	leg_crypt_fini(&c);
}

static void with_a_key_nothing_passes_in_clear(enum srtp_profile profile)
{
	struct leg_crypt c = {0};
	struct srtp_keys keys = make_keys(profile), others = make_keys(profile);
	struct srtp_pair *far = far_end(&keys), *stranger = far_end(&others);

	CHECK(leg_crypt_set(&c, true, &keys, 0));
	CHECK(!comes(&c, NULL, 1, 7, 0));
	CHECK(!comes(&c, stranger, 1, 7, 0));
	CHECK(comes(&c, far, 1, 7, 0));
	CHECK(goes(&c, far, 1));
	CHECK(report_goes(&c, far));
	srtp_pair_free(far);
	srtp_pair_free(stranger);
	leg_crypt_fini(&c);
}

static void the_same_keys_go_on(void)
{
	struct leg_crypt c = {0};
	struct srtp_keys keys = make_keys(SRTP_PROFILE_AES128_CM_SHA1_80);
	struct srtp_pair *far = far_end(&keys);

	CHECK(leg_crypt_set(&c, true, &keys, 0));
	CHECK(comes(&c, far, 1, 7, 0) && goes(&c, far, 1) && report_goes(&c, far));
	CHECK(!leg_crypt_set(&c, true, &keys, 1));
	CHECK(!c.before);
	CHECK(comes(&c, far, 2, 7, 0) && goes(&c, far, 2) && report_goes(&c, far));
	CHECK(!goes(&c, far, 2)); /* no number twice */
	srtp_pair_free(far);
	leg_crypt_fini(&c);
}

/* Both keys are new, and the far end's last packets come late, between its first new ones. */
static void new_keys_lose_no_packet(enum srtp_profile from, enum srtp_profile to)
{
	struct leg_crypt c = {0};
	struct srtp_keys first = make_keys(from), second = make_keys(to);
	struct srtp_pair *far = far_end(&first), *new_far = far_end(&second);

	CHECK(leg_crypt_set(&c, true, &first, 0));
	CHECK(comes(&c, far, 1, 7, 0) && goes(&c, far, 1));
	CHECK(leg_crypt_set(&c, true, &second, SECOND_US));
	CHECK(comes(&c, new_far, 3, 7, SECOND_US + 1));
	CHECK(comes(&c, far, 2, 7, SECOND_US + 2));
	CHECK(!comes(&c, NULL, 4, 7, SECOND_US + 2));
	CHECK(comes(&c, new_far, 4, 7, SECOND_US + 3));
	CHECK(goes(&c, new_far, 2) && report_goes(&c, new_far));
	/* Not for ever. */
	CHECK(!comes(&c, far, 5, 7, SECOND_US + LEG_CRYPT_LATE_MS * 1000));
	CHECK(!c.before);
	srtp_pair_free(far);
	srtp_pair_free(new_far);
	leg_crypt_fini(&c);
}

/* Longer than a turn of the sequence; then a new key, with which they count on, or from zero. */
static void turns_are_counted_either_way(enum srtp_profile profile, bool go_on)
{
	struct leg_crypt c = {0};
	struct srtp_keys first = make_keys(profile), second = make_keys(profile);
	struct srtp_pair *far = far_end(&first), *new_far = far_end(&second);

	CHECK(leg_crypt_set(&c, true, &first, 0));
	for (uint32_t seq = 0; seq < 66000; seq += 400)
		CHECK(comes(&c, far, (uint16_t)seq, 7, 0));
	CHECK(leg_crypt_set(&c, true, &second, SECOND_US));
	CHECK(!comes(&c, NULL, 500, 7, SECOND_US + 1)); /* leaves nothing behind */
	for (uint32_t seq = 0; go_on && seq < 66000; seq += 400) { /* their own count, unheard by us */
		uint8_t packet[PACKET + SRTP_TRAILER_BYTES];
		size_t size = make_rtp(packet, (uint16_t)seq, 7);
		CHECK(srtp_pair_protect(new_far, packet, &size));
	}
	for (uint16_t seq = 1000; seq < 1100; ++seq)
		CHECK(comes(&c, new_far, seq, 7, SECOND_US + seq));
	srtp_pair_free(far);
	srtp_pair_free(new_far);
	leg_crypt_fini(&c);
}

/* A fork's 183 and another's 200 bring two keys of theirs for one of ours. */
static void our_key_goes_on_when_theirs_changes(void)
{
	struct leg_crypt c = {0};
	struct srtp_keys first = make_keys(SRTP_PROFILE_AES128_CM_SHA1_80), second = first;
	second.server[0] ^= 1;
	struct srtp_pair *far = far_end(&first), *new_far = far_end(&second);

	CHECK(leg_crypt_set(&c, true, &first, 0));
	CHECK(goes(&c, far, 1) && report_goes(&c, far) && comes(&c, far, 1, 7, 0));
	CHECK(!leg_crypt_set(&c, true, &second, 1)); /* ours is the same */
	CHECK(!goes(&c, far, 1));                    /* its numbers are used up */
	CHECK(goes(&c, far, 2) && report_goes(&c, far));
	CHECK(comes(&c, far, 2, 7, 2) && comes(&c, new_far, 1, 7, 3));

	struct srtp_keys third = second;
	third.client[0] ^= 1;
	struct srtp_pair *third_far = far_end(&third);
	CHECK(leg_crypt_set(&c, true, &third, 4));
	CHECK(goes(&c, third_far, 1));
	CHECK(comes(&c, new_far, 2, 7, 5)); /* theirs goes on */
	srtp_pair_free(far);
	srtp_pair_free(new_far);
	srtp_pair_free(third_far);
	leg_crypt_fini(&c);
}

static void to_clear_and_back(void)
{
	struct leg_crypt c = {0};
	struct srtp_keys keys = make_keys(SRTP_PROFILE_AEAD_AES_128_GCM), next = make_keys(keys.profile);
	struct srtp_pair *far = far_end(&keys), *new_far = far_end(&next);

	CHECK(leg_crypt_set(&c, true, &keys, 0));
	CHECK(comes(&c, far, 1, 7, 0));
	CHECK(leg_crypt_set(&c, false, &keys, 1));
	CHECK(comes(&c, far, 2, 7, 2)); /* under way when it changed */
	CHECK(comes(&c, NULL, 3, 7, 2) && goes(&c, NULL, 3));
	CHECK(leg_crypt_set(&c, true, &next, 3));
	CHECK(!comes(&c, NULL, 4, 7, 4) && comes(&c, new_far, 4, 7, 4) && goes(&c, new_far, 4));
	srtp_pair_free(far);
	srtp_pair_free(new_far);
	leg_crypt_fini(&c);
}

static void ssrcs_are_not_kept_without_end(void)
{
	struct leg_crypt c = {0};
	struct srtp_keys keys = make_keys(SRTP_PROFILE_AES128_CM_SHA1_32);
	struct srtp_pair *far = far_end(&keys);

	CHECK(leg_crypt_set(&c, true, &keys, 0));
	for (uint32_t ssrc = 1; ssrc <= LEG_CRYPT_SSRCS; ++ssrc)
		CHECK(comes(&c, far, 1, ssrc, 0));
	size_t before = mem_live();
	for (uint32_t ssrc = 100; ssrc < 200; ++ssrc) {
		CHECK(comes(&c, far, 1, ssrc, 0));
		srtp_pair_forget_outgoing(far, ssrc);
	}
	CHECK_EQ(mem_live(), before);
	srtp_pair_free(far);
	leg_crypt_fini(&c);
}

/* Never in clear for want of memory. */
static void without_memory_nothing_passes(void)
{
	struct leg_crypt c = {0};
	struct srtp_keys keys = make_keys(SRTP_PROFILE_AES256_CM_SHA1_80);

	mem_fail_after(0);
	(void)leg_crypt_set(&c, true, &keys, 0);
	mem_fail_after(-1);
	CHECK(!c.now && !goes(&c, NULL, 1) && !comes(&c, NULL, 1, 7, 0));
	leg_crypt_fini(&c);
}

int main(void)
{
	in_clear_nothing_changes();
	for (enum srtp_profile p = 0; p < SRTP_PROFILE__COUNT; ++p) {
		with_a_key_nothing_passes_in_clear(p);
		new_keys_lose_no_packet(p, p);
		turns_are_counted_either_way(p, false);
		turns_are_counted_either_way(p, true);
		new_keys_lose_no_packet(p, (p + 1) % SRTP_PROFILE__COUNT);
	}
	the_same_keys_go_on();
	our_key_goes_on_when_theirs_changes();
	to_clear_and_back();
	ssrcs_are_not_kept_without_end();
	without_memory_nothing_passes();
	CHECK_EQ(mem_live(), 0);
	return 0;
}
