#include "media/srtp_crypt.h"

#include "base/err.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

enum {
	AES_KEY_BYTES_MAX = 32,
	AES_BLOCK_BYTES = 16,
	MAC_KEY_BYTES = 20,
	MAC_BYTES = 20,
	LABEL_AT = 7,
	/* What is added to the first label of a kind. */
	LABEL_MAC = 1,
	LABEL_SALT = 2,
};

struct facts {
	size_t key_bytes, salt_bytes;
	size_t tag_bytes, rtcp_tag_bytes;
	bool aead;
};

static const struct facts facts[SRTP_PROFILE__COUNT] = {
	[SRTP_PROFILE_AEAD_AES_128_GCM] = {16, 12, 16, 16, true},
	[SRTP_PROFILE_AES128_CM_SHA1_80] = {16, 14, 10, 10, false},
	[SRTP_PROFILE_AES128_CM_SHA1_32] = {16, 14, 4, 10, false},
	[SRTP_PROFILE_AES256_CM_SHA1_80] = {32, 14, 10, 10, false},
	[SRTP_PROFILE_AES256_CM_SHA1_32] = {32, 14, 4, 10, false},
	[SRTP_PROFILE_AEAD_AES_256_GCM] = {32, 12, 16, 16, true},
};

size_t srtp_profile_key_bytes(enum srtp_profile p)
{
	return facts[p].key_bytes;
}

size_t srtp_profile_salt_bytes(enum srtp_profile p)
{
	return facts[p].salt_bytes;
}

bool srtp_crypt_is_aead(const struct srtp_crypt *c)
{
	return facts[c->profile].aead;
}

size_t srtp_crypt_tag_bytes(const struct srtp_crypt *c)
{
	const struct facts *f = &facts[c->profile];
	return c->kind == SRTP_KIND_RTCP ? f->rtcp_tag_bytes : f->tag_bytes;
}

/* ---- keys ---- */

/* RFC 3711, 4.3.3, with AES of the master key's size (RFC 6188, 3); a salt of 12 bytes counts as
 * one of 14 that ends in zeros (RFC 7714, 11). */
static int derive(uint8_t *ret, size_t size, enum srtp_profile profile, const uint8_t *master,
	unsigned label)
{
	uint8_t iv[AES_BLOCK_BYTES] = {0}, zeros[32] = {0};
	const struct facts *f = &facts[profile];
	const EVP_CIPHER *aes = f->key_bytes == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
	int n;

	memcpy(iv, master + f->key_bytes, f->salt_bytes);
	iv[LABEL_AT] ^= (uint8_t)label;
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	bool ok = c && EVP_EncryptInit_ex(c, aes, NULL, master, iv) == 1 &&
		  EVP_EncryptUpdate(c, ret, &n, zeros, (int)size) == 1;
	EVP_CIPHER_CTX_free(c);
	return ok ? 0 : err_new(-ENOMEM);
}

static const EVP_CIPHER *cipher_of(const struct facts *f)
{
	if (f->key_bytes == 32)
		return f->aead ? EVP_aes_256_gcm() : EVP_aes_256_ctr();
	return f->aead ? EVP_aes_128_gcm() : EVP_aes_128_ctr();
}

static int key_cipher(struct srtp_crypt *c, const uint8_t *key, bool seals)
{
	const EVP_CIPHER *how = cipher_of(&facts[c->profile]);

	c->cipher = EVP_CIPHER_CTX_new();
	if (!c->cipher || EVP_CipherInit_ex(c->cipher, how, NULL, key, NULL, seals) != 1)
		return err_new(-ENOMEM);
	return 0;
}

static int key_mac(struct srtp_crypt *c, const uint8_t *key)
{
	OSSL_PARAM sha1[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA1", 0),
		OSSL_PARAM_construct_end()};
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	c->mac = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
	EVP_MAC_free(hmac); /* the context holds it too */
	if (!c->mac || EVP_MAC_init(c->mac, key, MAC_KEY_BYTES, sha1) != 1)
		return err_new(-ENOMEM);
	return 0;
}

int srtp_crypt_init(struct srtp_crypt *c, enum srtp_profile profile, enum srtp_kind kind,
	const uint8_t *master, bool seals)
{
	uint8_t key[AES_KEY_BYTES_MAX], mac_key[MAC_KEY_BYTES];

	*c = (struct srtp_crypt){.profile = profile, .kind = kind};
	int r = derive(key, facts[profile].key_bytes, profile, master, kind);
	if (r == 0)
		r = derive(c->salt, facts[profile].salt_bytes, profile, master, kind + LABEL_SALT);
	if (r == 0)
		r = key_cipher(c, key, seals);
	if (r == 0 && !facts[profile].aead) {
		r = derive(mac_key, sizeof mac_key, profile, master, kind + LABEL_MAC);
		if (r == 0)
			r = key_mac(c, mac_key);
		OPENSSL_cleanse(mac_key, sizeof mac_key);
	}
	OPENSSL_cleanse(key, sizeof key);
	if (r < 0)
		srtp_crypt_fini(c);
	return r;
}

void srtp_crypt_fini(struct srtp_crypt *c)
{
	EVP_CIPHER_CTX_free(c->cipher);
	EVP_MAC_CTX_free(c->mac);
	OPENSSL_cleanse(c, sizeof *c);
}

/* ---- one packet ---- */

static void put_u32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; ++i)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

void srtp_rtcp_trailer(uint8_t ret[4], uint64_t index)
{
	put_u32(ret, 1u << 31 | (uint32_t)index);
}

/* The salt with SSRC and index laid over it. Where: the one thing in which the profiles differ. */
static void make_iv(uint8_t iv[AES_BLOCK_BYTES], const struct srtp_crypt *c,
	const struct srtp_parts *p, size_t ssrc_at)
{
	uint8_t over[10];

	put_u32(over, p->ssrc);
	put_u32(over + 4, (uint32_t)(p->index >> 16));
	over[8] = (uint8_t)(p->index >> 8);
	over[9] = (uint8_t)p->index;
	memset(iv, 0, AES_BLOCK_BYTES);
	memcpy(iv, c->salt, facts[c->profile].salt_bytes);
	for (size_t i = 0; i < sizeof over; ++i)
		iv[ssrc_at + i] ^= over[i];
}

/* RFC 7714, 8.1 and 9.1: RTCP's trailer is authenticated, RTP's rollover counter is in the IV. */
static bool gcm_begin(struct srtp_crypt *c, const struct srtp_parts *p)
{
	uint8_t iv[AES_BLOCK_BYTES], trailer[4];
	int n;

	make_iv(iv, c, p, 2);
	if (EVP_CipherInit_ex(c->cipher, NULL, NULL, NULL, iv, -1) != 1 ||
		EVP_CipherUpdate(c->cipher, NULL, &n, p->head, (int)p->head_size) != 1)
		return false;
	if (c->kind == SRTP_KIND_RTCP) {
		srtp_rtcp_trailer(trailer, p->index);
		if (EVP_CipherUpdate(c->cipher, NULL, &n, trailer, sizeof trailer) != 1)
			return false;
	}
	return p->body_size == 0 ||
	       EVP_CipherUpdate(c->cipher, p->body, &n, p->body, (int)p->body_size) == 1;
}

static bool gcm_seal(struct srtp_crypt *c, const struct srtp_parts *p)
{
	uint8_t none[AES_BLOCK_BYTES];
	int n;

	return gcm_begin(c, p) && EVP_CipherFinal_ex(c->cipher, none, &n) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c->cipher, EVP_CTRL_AEAD_GET_TAG, SRTP_TAG_BYTES_MAX, p->tag) == 1;
}

static bool gcm_open(struct srtp_crypt *c, const struct srtp_parts *p)
{
	uint8_t none[AES_BLOCK_BYTES];
	int n;

	return gcm_begin(c, p) &&
	       EVP_CIPHER_CTX_ctrl(c->cipher, EVP_CTRL_AEAD_SET_TAG, SRTP_TAG_BYTES_MAX, p->tag) == 1 &&
	       EVP_CipherFinal_ex(c->cipher, none, &n) == 1;
}

/* RFC 3711, 4.1.1. */
static bool cm_crypt(struct srtp_crypt *c, const struct srtp_parts *p)
{
	uint8_t iv[AES_BLOCK_BYTES];
	int n;

	make_iv(iv, c, p, 4);
	return EVP_CipherInit_ex(c->cipher, NULL, NULL, NULL, iv, -1) == 1 &&
	       EVP_CipherUpdate(c->cipher, p->body, &n, p->body, (int)p->body_size) == 1;
}

/* RFC 3711, 4.2: head and body, then RTP's rollover counter or RTCP's trailer. */
static bool cm_mac(uint8_t ret[MAC_BYTES], struct srtp_crypt *c, const struct srtp_parts *p)
{
	uint8_t behind[4];
	size_t n;

	if (c->kind == SRTP_KIND_RTCP)
		srtp_rtcp_trailer(behind, p->index);
	else
		put_u32(behind, (uint32_t)(p->index >> 16));
	return EVP_MAC_init(c->mac, NULL, 0, NULL) == 1 &&
	       EVP_MAC_update(c->mac, p->head, p->head_size) == 1 &&
	       EVP_MAC_update(c->mac, p->body, p->body_size) == 1 &&
	       EVP_MAC_update(c->mac, behind, sizeof behind) == 1 &&
	       EVP_MAC_final(c->mac, ret, &n, MAC_BYTES) == 1;
}

bool srtp_crypt_seal(struct srtp_crypt *c, const struct srtp_parts *p)
{
	uint8_t mac[MAC_BYTES];

	if (srtp_crypt_is_aead(c))
		return gcm_seal(c, p);
	if (!cm_crypt(c, p) || !cm_mac(mac, c, p))
		return false;
	memcpy(p->tag, mac, srtp_crypt_tag_bytes(c));
	return true;
}

bool srtp_crypt_open(struct srtp_crypt *c, const struct srtp_parts *p)
{
	uint8_t mac[MAC_BYTES];

	if (srtp_crypt_is_aead(c))
		return gcm_open(c, p);
	return cm_mac(mac, c, p) && CRYPTO_memcmp(mac, p->tag, srtp_crypt_tag_bytes(c)) == 0 &&
	       cm_crypt(c, p);
}
