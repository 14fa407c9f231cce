#include "media/srtp.h"

#include "base/mem.h"
#include "test/check.h"

#include <arpa/inet.h>

static void make_packet(uint8_t out[64], uint16_t seq, uint32_t ssrc)
{
	memset(out, 'x', 64);
	out[0] = 0x80;
	out[1] = 111;
	out[2] = (uint8_t)(seq >> 8);
	out[3] = (uint8_t)seq;
	uint32_t be = htonl(ssrc);
	memcpy(out + 8, &be, 4);
}

static void both_profiles_carry_both_ways(enum srtp_profile profile)
{
	struct srtp_keys keys = {.profile = profile, .client = "client", .server = "server"};
	struct srtp_pair *client, *server;

	CHECK_EQ(srtp_pair_new(&client, &keys, true), 0);
	CHECK_EQ(srtp_pair_new(&server, &keys, false), 0);
	for (uint16_t seq = 1; seq < 100; ++seq) {
		uint8_t packet[64 + SRTP_TRAILER_BYTES], clear[64], again[64 + SRTP_TRAILER_BYTES];
		size_t size = 64;
		make_packet(clear, seq, 7);
		memcpy(packet, clear, sizeof clear);
		struct srtp_pair *from = seq & 1 ? client : server;
		struct srtp_pair *to = seq & 1 ? server : client;
		CHECK(srtp_pair_protect(from, packet, &size));
		CHECK(size > 64 && size <= 64 + SRTP_TRAILER_BYTES);
		CHECK(memcmp(packet + 12, clear + 12, 52) != 0);
		memcpy(again, packet, size);
		size_t again_size = size, short_size = 11;
		CHECK(srtp_pair_unprotect(to, packet, &size));
		CHECK_EQ(size, 64);
		CHECK(memcmp(packet, clear, 64) == 0);
		CHECK(!srtp_pair_unprotect(to, again, &again_size)); /* replayed */
		CHECK(!srtp_pair_unprotect(to, again, &short_size));
	}
	srtp_pair_free(client);
	srtp_pair_free(server);
}

static void a_forged_packet_is_refused(void)
{
	struct srtp_keys keys = {.client = "client", .server = "server"};
	struct srtp_pair *client, *server;
	uint8_t packet[64 + SRTP_TRAILER_BYTES];
	size_t size = 64;

	CHECK_EQ(srtp_pair_new(&client, &keys, true), 0);
	CHECK_EQ(srtp_pair_new(&server, &keys, false), 0);
	make_packet(packet, 1, 7);
	CHECK(srtp_pair_protect(client, packet, &size));
	uint8_t forged[sizeof packet];
	size_t forged_size = size;
	memcpy(forged, packet, sizeof forged);
	forged[20] ^= 1;
	CHECK(!srtp_pair_unprotect(server, forged, &forged_size));
	CHECK(srtp_pair_unprotect(server, packet, &size));

	/* A forgotten SSRC may come again; one that never was may be forgotten. */
	srtp_pair_forget_incoming(server, 7);
	srtp_pair_forget_incoming(server, 8);
	srtp_pair_forget_outgoing(client, 7);
	srtp_pair_free(client);
	srtp_pair_free(server);
}

static void no_memory_is_an_error(void)
{
	struct srtp_keys keys = {.client = "client", .server = "server"};
	struct srtp_pair *p = NULL;

	mem_fail_after(0);
	CHECK(srtp_pair_new(&p, &keys, true) < 0 && !p);
	mem_fail_after(-1);
}

int main(void)
{
	CHECK_EQ(srtp_library_start(), 0);
	CHECK_EQ(srtp_library_start(), 0);
	both_profiles_carry_both_ways(SRTP_PROFILE_AEAD_AES_128_GCM);
	both_profiles_carry_both_ways(SRTP_PROFILE_AES128_CM_SHA1_80);
	a_forged_packet_is_refused();
	no_memory_is_an_error();
	CHECK_EQ(mem_live(), 0);
	return 0;
}
