#include "media/leg_crypt.h"

#include "base/limits.h"
#include "base/reader.h"

#include <openssl/crypto.h>

enum { RTP_SSRC_AT = 8, RTCP_SSRC_AT = 4 };

/* ---- keys ---- */

static size_t key_bytes(const struct srtp_keys *k)
{
	return srtp_profile_key_bytes(k->profile) + srtp_profile_salt_bytes(k->profile);
}

static bool same_outgoing(const struct srtp_keys *a, const struct srtp_keys *b)
{
	return a->profile == b->profile && srtp_mki_equal(&a->client_mki, &b->client_mki) &&
	       CRYPTO_memcmp(a->client, b->client, key_bytes(a)) == 0;
}

static bool same_incoming(const struct srtp_keys *a, const struct srtp_keys *b)
{
	return a->profile == b->profile && srtp_mki_equal(&a->server_mki, &b->server_mki) &&
	       CRYPTO_memcmp(a->server, b->server, key_bytes(a)) == 0;
}

static void retire(struct leg_crypt *c, uint64_t now_us)
{
	if (!c->now)
		return;
	srtp_pair_free(c->before);
	c->before = c->now;
	c->before_until_us = now_us + LEG_CRYPT_LATE_MS * 1000;
	c->now = NULL;
}

/* What stays of the former keys goes on where it was. */
static void carry_over(struct leg_crypt *c, bool outgoing, bool incoming)
{
	if (outgoing)
		srtp_pair_keep_outgoing(c->now, c->before);
	if (!incoming) {
		memset(c->ssrcs, 0, sizeof c->ssrcs);
		return;
	}
	srtp_pair_keep_incoming(c->now, c->before);
	c->before = srtp_pair_free(c->before);
}

bool leg_crypt_set(
	struct leg_crypt *c, bool secure, const struct srtp_keys *keys, uint64_t now_us)
{
	bool was_secure = c->now != NULL;
	bool outgoing = was_secure && secure && same_outgoing(&c->keys, keys);
	bool incoming = was_secure && secure && same_incoming(&c->keys, keys);

	c->secure = secure;
	if (outgoing && incoming)
		return false;
	retire(c, now_us);
	OPENSSL_cleanse(&c->keys, sizeof c->keys);
	if (!secure)
		return was_secure;
	c->keys = *keys;
	if (srtp_pair_new(&c->now, keys, true) == 0)
		carry_over(c, outgoing, incoming);
	return !outgoing;
}

void leg_crypt_wait(struct leg_crypt *c, uint64_t now_us)
{
	retire(c, now_us);
	OPENSSL_cleanse(&c->keys, sizeof c->keys);
	c->secure = true;
}

void leg_crypt_fini(struct leg_crypt *c)
{
	srtp_pair_free(c->now);
	srtp_pair_free(c->before);
	OPENSSL_cleanse(c, sizeof *c);
}

/* ---- packets ---- */

static bool open_with(struct srtp_pair *p, bool rtcp, uint8_t *packet, size_t *size)
{
	return rtcp ? srtp_pair_unprotect_rtcp(p, packet, size) : srtp_pair_unprotect(p, packet, size);
}

static uint32_t ssrc_of(bool rtcp, const uint8_t *packet)
{
	struct reader r = reader_of(span_of(packet + (rtcp ? RTCP_SSRC_AT : RTP_SSRC_AT), 4));
	return read_u32(&r);
}

/* Who holds the key could make us remember SSRCs without end. */
static void note_ssrc(struct leg_crypt *c, bool rtcp, const uint8_t *packet)
{
	uint32_t ssrc = ssrc_of(rtcp, packet);

	for (size_t i = 0; i < LEG_CRYPT_SSRCS; ++i)
		if (c->ssrcs[i] == ssrc)
			return;
	c->newest = (c->newest + 1) % LEG_CRYPT_SSRCS;
	srtp_pair_forget_incoming(c->now, c->ssrcs[c->newest]);
	c->ssrcs[c->newest] = ssrc;
}

/* Opening spoils what it cannot open, hence the copy. */
static bool open_late(struct leg_crypt *c, bool rtcp, uint8_t *packet, size_t *size)
{
	uint8_t copy[LIMIT_PACKET_BYTES];
	size_t copy_size = *size;

	if (copy_size > sizeof copy)
		return false;
	memcpy(copy, packet, copy_size);
	if (!open_with(c->before, rtcp, copy, &copy_size))
		return false;
	memcpy(packet, copy, copy_size);
	*size = copy_size;
	return true;
}

/* Most senders count the turns of their sequence from zero with a new key; RFC 3711 lets them go on.
 * Which they do is seen by the first packet of a call that is longer than a turn. */
static bool open_new(struct leg_crypt *c, bool rtcp, uint8_t *packet, size_t *size)
{
	uint8_t copy[LIMIT_PACKET_BYTES];
	size_t copy_size = *size;

	if (!c->before || rtcp || copy_size > sizeof copy || copy_size < RTP_SSRC_AT + 4)
		return open_with(c->now, rtcp, packet, size);
	memcpy(copy, packet, copy_size);
	if (open_with(c->now, false, packet, size))
		return true;
	uint32_t ssrc = ssrc_of(false, copy);
	if (!srtp_pair_expect_further(c->now, c->before, ssrc))
		return false;
	if (!open_with(c->now, false, copy, &copy_size)) {
		srtp_pair_forget_incoming(c->now, ssrc);
		return false;
	}
	memcpy(packet, copy, copy_size);
	*size = copy_size;
	return true;
}

bool leg_crypt_open(struct leg_crypt *c, bool rtcp, uint8_t *packet, size_t *size, uint64_t now_us)
{
	if (c->before && now_us >= c->before_until_us)
		c->before = srtp_pair_free(c->before);
	if (c->before && open_late(c, rtcp, packet, size))
		return true;
	if (!c->secure)
		return true;
	if (!c->now || !open_new(c, rtcp, packet, size))
		return false;
	note_ssrc(c, rtcp, packet);
	return true;
}

bool leg_crypt_seal(struct leg_crypt *c, bool rtcp, uint8_t *packet, size_t *size)
{
	if (!c->secure)
		return true;
	if (!c->now)
		return false;
	return rtcp ? srtp_pair_protect_rtcp(c->now, packet, size)
		    : srtp_pair_protect(c->now, packet, size);
}
