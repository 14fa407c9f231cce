#include "media/dtls.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

enum {
	SHA256_BYTES = 32,
	FINGERPRINT_SIZE = SHA256_BYTES * 3,
	IP_UDP_OVERHEAD_BYTES = 28,
	DATAGRAM_BYTES_MAX = 1500,
	FIRST_RETRANSMIT_US = 200000, /* OpenSSL's second is too long for a person who waits */
	LAST_RETRANSMIT_US = 3000000,
	CERTIFICATE_DAYS = 365,
	CERTIFICATE_LIST_BYTES_MAX = 16 << 10,
};

/* Also the order in which we choose: AEAD is three times cheaper here. */
#define SRTP_PROFILES "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80"
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES128"

struct dtls_identity {
	SSL_CTX *context;
	BIO_METHOD *bio;
	char fingerprint[FINGERPRINT_SIZE];
};

struct dtls {
	SSL *ssl;
	const struct dtls_events *events;
	void *owner;
	struct span incoming; /* the datagram that dtls_input() was given, until it is read */
	enum dtls_state state;
	bool client;
};

/* ---- certificate ---- */

static void fingerprint_text(char out[FINGERPRINT_SIZE], const X509 *certificate)
{
	static const char digits[] = "0123456789ABCDEF";
	uint8_t hash[SHA256_BYTES] = {0};

	X509_digest(certificate, EVP_sha256(), hash, NULL);
	for (size_t i = 0; i < sizeof hash; ++i) {
		out[3 * i] = digits[hash[i] >> 4];
		out[3 * i + 1] = digits[hash[i] & 15];
		out[3 * i + 2] = ':';
	}
	out[FINGERPRINT_SIZE - 1] = '\0';
}

static bool fill_certificate(X509 *x, EVP_PKEY *key)
{
	X509_NAME *name = X509_get_subject_name(x);

	return X509_set_version(x, X509_VERSION_3) &&
	       ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), rng_u64() >> 1 | 1) &&
	       X509_gmtime_adj(X509_getm_notBefore(x), -86400) &&
	       X509_gmtime_adj(X509_getm_notAfter(x), 86400L * CERTIFICATE_DAYS) &&
	       X509_NAME_add_entry_by_txt(
		       name, "CN", MBSTRING_ASC, (const uint8_t *)"ringdown", -1, -1, 0) &&
	       X509_set_issuer_name(x, name) && X509_set_pubkey(x, key) &&
	       X509_sign(x, key, EVP_sha256());
}

static bool use_new_certificate(struct dtls_identity *i)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	bool ok = key && x && fill_certificate(x, key) &&
		  SSL_CTX_use_certificate(i->context, x) == 1 &&
		  SSL_CTX_use_PrivateKey(i->context, key) == 1;

	if (ok)
		fingerprint_text(i->fingerprint, x);
	X509_free(x);
	EVP_PKEY_free(key);
	return ok;
}

/* The certificate is self-signed: its fingerprint, which came by the signalling, is compared
 * after the handshake. */
static int accept_any(int ok, X509_STORE_CTX *store)
{
	return 1;
}

static bool configure(SSL_CTX *c)
{
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
	SSL_CTX_set_options(c, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
				       SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_max_cert_list(c, CERTIFICATE_LIST_BYTES_MAX);
	SSL_CTX_set_read_ahead(c, 1);
	/* use_srtp is the odd one: it returns 0 when it worked. */
	return SSL_CTX_set_min_proto_version(c, DTLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(c, CIPHERS) == 1 &&
	       SSL_CTX_set_tlsext_use_srtp(c, SRTP_PROFILES) == 0;
}

/* ---- the datagram BIO: reads what dtls_input() was given, writes to events.send ---- */

static int bio_write(BIO *b, const char *bytes, int size)
{
	struct dtls *d = BIO_get_data(b);
	d->events->send(d->owner, span_of(bytes, (size_t)size));
	return size;
}

static int bio_read(BIO *b, char *out, int size)
{
	struct dtls *d = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	if (!d->incoming.size || size <= 0) {
		BIO_set_retry_read(b);
		return -1;
	}
	size_t n = d->incoming.size < (size_t)size ? d->incoming.size : (size_t)size;
	memcpy(out, d->incoming.data, n);
	d->incoming.size = 0; /* like recv(): what does not fit is lost */
	return (int)n;
}

static long bio_control(BIO *b, int command, long number, void *pointer)
{
	switch (command) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_DGRAM_QUERY_MTU:
		return DTLS_MTU;
	case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
		return IP_UDP_OVERHEAD_BYTES;
	default:
		return 0;
	}
}

static BIO_METHOD *datagram_bio(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "datagram");
	if (!m)
		return NULL;
	BIO_meth_set_write(m, bio_write);
	BIO_meth_set_read(m, bio_read);
	BIO_meth_set_ctrl(m, bio_control);
	return m;
}

int dtls_identity_new(struct dtls_identity **ret)
{
	struct dtls_identity *i = mem_zalloc(sizeof *i);
	if (!i)
		return err_new(-ENOMEM);

	i->context = SSL_CTX_new(DTLS_method());
	i->bio = datagram_bio();
	if (!i->context || !i->bio || !configure(i->context) || !use_new_certificate(i)) {
		dtls_identity_free(i);
		return err_new(-EIO);
	}
	*ret = i;
	return 0;
}

struct dtls_identity *dtls_identity_free(struct dtls_identity *i)
{
	if (!i)
		return NULL;
	SSL_CTX_free(i->context);
	BIO_meth_free(i->bio);
	mem_free(i);
	return NULL;
}

const char *dtls_identity_fingerprint(const struct dtls_identity *i)
{
	return i->fingerprint;
}

/* ---- connection ---- */

static unsigned next_timeout_us(SSL *ssl, unsigned last_us)
{
	if (last_us == 0)
		return FIRST_RETRANSMIT_US;
	return last_us * 2 < LAST_RETRANSMIT_US ? last_us * 2 : LAST_RETRANSMIT_US;
}

static int open_ssl(struct dtls *d, const struct dtls_identity *identity)
{
	d->ssl = SSL_new(identity->context);
	BIO *bio = d->ssl ? BIO_new(identity->bio) : NULL;
	if (!bio)
		return err_new(-ENOMEM);

	BIO_set_data(bio, d);
	BIO_set_init(bio, 1);
	SSL_set_bio(d->ssl, bio, bio);
	SSL_set_mtu(d->ssl, DTLS_MTU);
	DTLS_set_link_mtu(d->ssl, DTLS_MTU + IP_UDP_OVERHEAD_BYTES);
	DTLS_set_timer_cb(d->ssl, next_timeout_us);
	SSL_set_max_send_fragment(d->ssl, DTLS_MTU); /* a small write buffer */
	if (d->client)
		SSL_set_connect_state(d->ssl);
	else
		SSL_set_accept_state(d->ssl);
	return 0;
}

int dtls_new(struct dtls **ret, const struct dtls_identity *identity, bool client,
	const struct dtls_events *events, void *owner)
{
	assert(events->send && events->data);

	struct dtls *d = mem_zalloc(sizeof *d);
	if (!d)
		return err_new(-ENOMEM);
	d->events = events;
	d->owner = owner;
	d->client = client;
	int r = open_ssl(d, identity);
	if (r < 0) {
		dtls_free(d);
		return r;
	}
	*ret = d;
	return 0;
}

/* 17 KB of buffers for each peer would be most of a transport, so an established one has them
 * only during a call. OpenSSL's DTLS does not make them by itself again: it would crash. */
static bool take_buffers(struct dtls *d)
{
	ERR_clear_error();
	if (SSL_alloc_buffers(d->ssl) == 1)
		return true;
	d->state = DTLS_FAILED;
	return false;
}

static void give_buffers_back(struct dtls *d)
{
	SSL_free_buffers(d->ssl);
}

struct dtls *dtls_free(struct dtls *d)
{
	if (!d)
		return NULL;
	if (d->state == DTLS_DONE && take_buffers(d))
		(void)SSL_shutdown(d->ssl);
	SSL_free(d->ssl);
	mem_free(d);
	return NULL;
}

static void note_error(struct dtls *d, int returned)
{
	switch (SSL_get_error(d->ssl, returned)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		break;
	case SSL_ERROR_ZERO_RETURN:
		d->state = DTLS_CLOSED;
		break;
	default:
		d->state = DTLS_FAILED;
		break;
	}
	ERR_clear_error();
}

static void handshake(struct dtls *d)
{
	ERR_clear_error();
	int r = SSL_do_handshake(d->ssl);
	if (r == 1)
		d->state = DTLS_DONE;
	else
		note_error(d, r);
}

static void read_data(struct dtls *d)
{
	uint8_t bytes[DATAGRAM_BYTES_MAX];

	while (d->state == DTLS_DONE) {
		ERR_clear_error();
		int n = SSL_read(d->ssl, bytes, sizeof bytes);
		if (n <= 0) {
			note_error(d, n);
			break;
		}
		d->events->data(d->owner, span_of(bytes, (size_t)n));
	}
}

void dtls_hand_over(struct dtls *d, const struct dtls_events *events, void *owner)
{
	d->events = events;
	d->owner = owner;
}

void dtls_start(struct dtls *d)
{
	if (d->client && d->state == DTLS_HANDSHAKE)
		handshake(d);
}

void dtls_input(struct dtls *d, struct span datagram)
{
	d->incoming = datagram;
	if (d->state == DTLS_HANDSHAKE)
		handshake(d);
	if (d->state == DTLS_DONE && take_buffers(d)) {
		read_data(d);
		give_buffers_back(d);
	}
	d->incoming = (struct span){0};
}

void dtls_poll(struct dtls *d)
{
	if (d->state != DTLS_HANDSHAKE)
		return;
	ERR_clear_error();
	if (DTLSv1_handle_timeout(d->ssl) < 0) /* gave up after twelve tries */
		d->state = DTLS_FAILED;
	ERR_clear_error();
}

enum dtls_state dtls_state(const struct dtls *d)
{
	return d->state;
}

bool dtls_is_client(const struct dtls *d)
{
	return d->client;
}

bool dtls_peer_is(const struct dtls *d, const char *fingerprint)
{
	char text[FINGERPRINT_SIZE];

	X509 *x = SSL_get1_peer_certificate(d->ssl);
	if (!x)
		return false;
	fingerprint_text(text, x);
	X509_free(x);
	return strcasecmp(text, fingerprint) == 0;
}

int dtls_keys(const struct dtls *d, struct srtp_keys *ret)
{
	const SRTP_PROTECTION_PROFILE *chosen = SSL_get_selected_srtp_profile(d->ssl);
	if (!chosen)
		return err_new(-EPROTO);

	*ret = (struct srtp_keys){.profile = chosen->id == SRTP_AEAD_AES_128_GCM
			? SRTP_PROFILE_AEAD_AES_128_GCM
			: SRTP_PROFILE_AES128_CM_SHA1_80};
	size_t key = srtp_profile_key_bytes(ret->profile);
	size_t salt = srtp_profile_salt_bytes(ret->profile);
	uint8_t all[2 * SRTP_KEY_BYTES_MAX];
	static const char label[] = "EXTRACTOR-dtls_srtp";
	if (SSL_export_keying_material(d->ssl, all, 2 * (key + salt), label, sizeof label - 1, NULL,
		    0, 0) != 1)
		return err_new(-EPROTO);

	/* RFC 5764, 4.2: client key, server key, client salt, server salt. */
	memcpy(ret->client, all, key);
	memcpy(ret->server, all + key, key);
	memcpy(ret->client + key, all + 2 * key, salt);
	memcpy(ret->server + key, all + 2 * key + salt, salt);
	OPENSSL_cleanse(all, sizeof all);
	return 0;
}

int dtls_send(struct dtls *d, struct span data)
{
	if (d->state != DTLS_DONE)
		return -ENOTCONN;
	if (data.size == 0 || data.size > DTLS_DATA_BYTES_MAX)
		return err_new(-EMSGSIZE);
	if (!take_buffers(d))
		return err_new(-ENOMEM);
	int n = SSL_write(d->ssl, data.data, (int)data.size);
	if (n <= 0)
		note_error(d, n);
	give_buffers_back(d);
	return n > 0 ? 0 : -EIO;
}
