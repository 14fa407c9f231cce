#include "wire/sdp_crypto.h"

#include "wire/base64.h"

#include <assert.h>
#include <inttypes.h>

enum {
	KEY_TEXT_MAX = BASE64_TEXT_SIZE(SDP_CRYPTO_KEY_BYTES_MAX), /* with the final zero */
	LIFETIME_BITS_MAX = 48, /* of RTP; of RTCP it is 31, and nobody says more */
};

static const struct {
	const char *name, *old_name;
	size_t key_bytes;
} suites[SDP_CRYPTO__SUITES] = {
	[SDP_CRYPTO_AES_CM_128_HMAC_SHA1_80] = {"AES_CM_128_HMAC_SHA1_80", NULL, 16 + 14},
	[SDP_CRYPTO_AES_CM_128_HMAC_SHA1_32] = {"AES_CM_128_HMAC_SHA1_32", NULL, 16 + 14},
	[SDP_CRYPTO_AES_256_CM_HMAC_SHA1_80] = {"AES_256_CM_HMAC_SHA1_80", "AES_CM_256_HMAC_SHA1_80",
		32 + 14},
	[SDP_CRYPTO_AES_256_CM_HMAC_SHA1_32] = {"AES_256_CM_HMAC_SHA1_32", "AES_CM_256_HMAC_SHA1_32",
		32 + 14},
	[SDP_CRYPTO_AEAD_AES_128_GCM] = {"AEAD_AES_128_GCM", NULL, 16 + 12},
	[SDP_CRYPTO_AEAD_AES_256_GCM] = {"AEAD_AES_256_GCM", NULL, 32 + 12},
};

const char *sdp_crypto_suite_name(enum sdp_crypto_suite s)
{
	assert(s < SDP_CRYPTO__SUITES);
	return suites[s].name;
}

size_t sdp_crypto_key_bytes(enum sdp_crypto_suite s)
{
	assert(s < SDP_CRYPTO__SUITES);
	return suites[s].key_bytes;
}

static bool suite_named(enum sdp_crypto_suite *ret, bool *old_name, struct span name)
{
	for (size_t i = 0; i < SDP_CRYPTO__SUITES; ++i) {
		*old_name = suites[i].old_name && span_is_nocase(name, suites[i].old_name);
		if (*old_name || span_is_nocase(name, suites[i].name)) {
			*ret = (enum sdp_crypto_suite)i;
			return true;
		}
	}
	return false;
}

bool sdp_crypto_suite_named(enum sdp_crypto_suite *ret, struct span name)
{
	bool old_name;
	return suite_named(ret, &old_name, name);
}

/* ---- words ---- */

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* Cuts the next word off; empty at the end. */
static struct span word(struct span *s)
{
	while (s->size && is_blank(s->data[0]))
		*s = span_of(s->data + 1, s->size - 1);
	struct span ret = span_of(s->data, 0);
	while (ret.size < s->size && !is_blank(s->data[ret.size]))
		++ret.size;
	*s = span_of(s->data + ret.size, s->size - ret.size);
	return ret;
}

/* The part before `stop`; the rest, without it, stays in *s. */
static struct span part(struct span *s, char stop)
{
	struct span ret = *s;
	const uint8_t *at = s->size ? memchr(s->data, stop, s->size) : NULL;

	if (!at) {
		*s = span_of(s->data + s->size, 0);
		return ret;
	}
	ret.size = (size_t)(at - s->data);
	*s = span_of(at + 1, s->size - ret.size - 1);
	return ret;
}

static bool starts_with(struct span s, const char *head)
{
	size_t size = strlen(head);
	return s.size >= size && span_is_nocase(span_of(s.data, size), head);
}

/* All of `s` is digits and they are no more than `max`. */
static bool number(uint64_t *ret, struct span s, uint64_t max)
{
	uint64_t value = 0;

	for (size_t i = 0; i < s.size; ++i) {
		unsigned digit = s.data[i] - (unsigned)'0';
		if (digit > 9 || value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*ret = value;
	return s.size > 0;
}

/* ---- the key and what follows it ---- */

/* RFC 4568, 6.1: "2^20" or "1048576"; a key of no packets is none. */
static bool read_lifetime(struct sdp_crypto *c, struct span s)
{
	uint64_t bits;

	if (!starts_with(s, "2^"))
		return number(&c->lifetime, s, 1ull << LIFETIME_BITS_MAX) && c->lifetime;
	if (!number(&bits, span_of(s.data + 2, s.size - 2), LIFETIME_BITS_MAX))
		return false;
	c->lifetime = 1ull << bits;
	return true;
}

/* RFC 4568, 6.1: "value:bytes". */
static enum sdp_crypto_error read_mki(struct sdp_crypto *c, struct span s)
{
	uint64_t value, bytes;
	struct span first = part(&s, ':');

	if (!number(&bytes, s, 128) || !bytes)
		return SDP_CRYPTO_E_SYNTAX;
	if (bytes > SDP_CRYPTO_MKI_BYTES_MAX || !number(&value, first, UINT64_MAX))
		return SDP_CRYPTO_E_MKI;
	if (bytes < 8 && value >> (8 * bytes))
		return SDP_CRYPTO_E_SYNTAX;
	c->mki_bytes = (uint8_t)bytes;
	for (size_t i = 0; i < bytes; ++i)
		c->mki[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
	return SDP_CRYPTO_OK;
}

static enum sdp_crypto_error read_key(struct sdp_crypto *c, struct span text)
{
	uint8_t bytes[KEY_TEXT_MAX / 4 * 3 + 3];
	size_t size = 0;

	if (text.size >= KEY_TEXT_MAX)
		return SDP_CRYPTO_E_KEY;
	bool fits = base64_decode(bytes, &size, text) == 0 && size == suites[c->suite].key_bytes;
	if (fits)
		memcpy(c->key, bytes, size);
	explicit_bzero(bytes, sizeof bytes);
	return fits ? SDP_CRYPTO_OK : SDP_CRYPTO_E_KEY;
}

/* "inline:<key>|<lifetime>|<mki>:<bytes>", of which the last two may be missing. */
static enum sdp_crypto_error read_key_params(struct sdp_crypto *c, struct span s)
{
	static const char method[] = "inline:";

	if (!starts_with(s, method))
		return SDP_CRYPTO_E_SYNTAX;
	if (memchr(s.data, ';', s.size))
		return SDP_CRYPTO_E_KEYS;
	s = span_of(s.data + sizeof method - 1, s.size - (sizeof method - 1));
	enum sdp_crypto_error e = read_key(c, part(&s, '|'));
	struct span next = part(&s, '|');
	if (e == SDP_CRYPTO_OK && next.size && !memchr(next.data, ':', next.size)) {
		if (!read_lifetime(c, next))
			return SDP_CRYPTO_E_SYNTAX;
		next = part(&s, '|');
	}
	if (e == SDP_CRYPTO_OK && next.size)
		e = read_mki(c, next);
	return e != SDP_CRYPTO_OK || !s.size ? e : SDP_CRYPTO_E_SYNTAX;
}

/* RFC 4568, 6.3. A window hint is for our information; a rate of 0 is what we do; a dash says that
 * the parameter may be passed over. Everything else would be another SRTP than ours. */
static bool param_is_harmless(struct span s)
{
	return s.data[0] == '-' || starts_with(s, "WSH=") || span_is_nocase(s, "KDR=0");
}

static enum sdp_crypto_error read_line(struct sdp_crypto *c, struct span value)
{
	uint64_t tag;

	if (!number(&tag, word(&value), SDP_CRYPTO_TAG_MAX))
		return SDP_CRYPTO_E_SYNTAX;
	c->tag = (uint32_t)tag;
	struct span name = word(&value), params = word(&value);
	if (!name.size || !params.size)
		return SDP_CRYPTO_E_SYNTAX;
	if (!suite_named(&c->suite, &c->old_name, name))
		return SDP_CRYPTO_E_SUITE;
	enum sdp_crypto_error e = read_key_params(c, params);
	for (struct span s; e == SDP_CRYPTO_OK && (s = word(&value)).size;)
		if (!param_is_harmless(s))
			e = SDP_CRYPTO_E_PARAM;
	return e;
}

enum sdp_crypto_error sdp_crypto_parse(struct sdp_crypto *ret, struct span value)
{
	*ret = (struct sdp_crypto){0};
	enum sdp_crypto_error e = read_line(ret, value);
	if (e != SDP_CRYPTO_OK)
		sdp_crypto_wipe(ret);
	return e;
}

const char *sdp_crypto_error_text(enum sdp_crypto_error e)
{
	static const char *const texts[SDP_CRYPTO__COUNT] = {
		[SDP_CRYPTO_OK] = "fine",
		[SDP_CRYPTO_E_SYNTAX] = "its a=crypto line cannot be read",
		[SDP_CRYPTO_E_KEY] = "the key in its a=crypto line has not the size of its suite",
		[SDP_CRYPTO_E_SUITE] = "it names no crypto suite that we know",
		[SDP_CRYPTO_E_MKI] = "the MKI of its key is longer than we support",
		[SDP_CRYPTO_E_KEYS] = "its a=crypto line has several keys",
		[SDP_CRYPTO_E_PARAM] = "its a=crypto line asks for less than whole SRTP "
				       "(a parameter like UNENCRYPTED_SRTCP)",
	};
	return (unsigned)e < SDP_CRYPTO__COUNT ? texts[e] : "unknown";
}

/* ---- the other way ---- */

static void write_mki(struct writer *w, const struct sdp_crypto *c)
{
	uint64_t value = 0;

	for (size_t i = 0; i < c->mki_bytes; ++i)
		value = value << 8 | c->mki[i];
	write_format(w, "|%" PRIu64 ":%u", value, c->mki_bytes);
}

void sdp_crypto_write(struct writer *w, const struct sdp_crypto *c)
{
	char key[KEY_TEXT_MAX];

	base64_encode(key, span_of(c->key, suites[c->suite].key_bytes));
	write_format(w, "a=crypto:%" PRIu32 " %s inline:%s", c->tag,
		c->old_name ? suites[c->suite].old_name : suites[c->suite].name, key);
	explicit_bzero(key, sizeof key);
	if (c->lifetime && !(c->lifetime & (c->lifetime - 1)))
		write_format(w, "|2^%d", __builtin_ctzll(c->lifetime));
	else if (c->lifetime)
		write_format(w, "|%" PRIu64, c->lifetime);
	if (c->mki_bytes)
		write_mki(w, c);
	write_text(w, "\r\n");
}

void sdp_crypto_wipe(struct sdp_crypto *c)
{
	explicit_bzero(c, sizeof *c);
}
