#include "net/tls.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "net/address.h"
#include "net/tls_why.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>

enum {
	/* One whole input and the record before it that was not complete. */
	PLAIN_BYTES = TLS_INPUT_BYTES_MAX + SSL3_RT_MAX_PLAIN_LENGTH + 1024,
	KEPT_BYTES = 64 << 10,
};

struct tls_context {
	SSL_CTX *ssl;
	BIO_METHOD *wire;
	bool client;
	char *cert_file, *key_file, *ca_file, *alpn;
	struct buf out; /* for the wire, of the call that is running */
	struct list handshakes;
	unsigned handshake_count;
	uint8_t plain[PLAIN_BYTES];
};

struct tls {
	struct tls_context *context;
	SSL *ssl;
	char *host; /* whom a client means to meet */
	char why[TLS_WHY_SIZE];
	struct span in; /* of the wire, of the call that is running: OpenSSL takes all of it */
};

/* ---- the wire, as OpenSSL sees it ---- */

static int on_wire_read(BIO *b, char *to, int size)
{
	struct tls *t = BIO_get_data(b);
	size_t n = t->in.size < (size_t)size ? t->in.size : (size_t)size;
	BIO_clear_retry_flags(b);
	if (!n) {
		BIO_set_retry_read(b);
		return -1;
	}
	memcpy(to, t->in.data, n);
	t->in = span_of(t->in.data + n, t->in.size - n);
	return (int)n;
}

static int on_wire_write(BIO *b, const char *from, int size)
{
	struct tls *t = BIO_get_data(b);
	BIO_clear_retry_flags(b);
	return buf_add(&t->context->out, from, (size_t)size) ? -1 : size;
}

static long on_wire_control(BIO *b, int command, long number, void *pointer)
{
	return command == BIO_CTRL_FLUSH; /* all that OpenSSL asks for: there is nothing behind us */
}

static BIO_METHOD *make_wire(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "ringdown");
	if (m && BIO_meth_set_read(m, on_wire_read) && BIO_meth_set_write(m, on_wire_write) &&
		BIO_meth_set_ctrl(m, on_wire_control))
		return m;
	BIO_meth_free(m);
	return NULL;
}

/* ---- certificates ---- */

/* A file that cannot be opened is told by the system's words, one that makes no sense by OpenSSL's. */
static int files_problem(char why[TLS_WHY_SIZE], const char *path, const char *what)
{
	const char *detail = ERR_reason_error_string(ERR_peek_error());
	FILE *f = fopen(path, "re");
	if (f)
		snprintf(why, TLS_WHY_SIZE, "%.120s: %s: %.80s", path, what, detail ? detail : "unreadable");
	else
		snprintf(why, TLS_WHY_SIZE, "%.120s: %s", path, strerror(errno));
	if (f)
		fclose(f);
	ERR_clear_error();
	return TLS_E_FILES;
}

/* Nobody is asked for a password. */
static int no_password(char *out, int size, int writing, void *owner)
{
	return 0;
}

/* Who names protocols must name ours. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_size, const unsigned char *in,
	unsigned in_size, void *owner)
{
	const char *ours = owner;
	size_t size = strlen(ours);
	for (unsigned i = 0; i < in_size; i += 1u + in[i])
		if (in[i] == size && i + in[i] < in_size && !memcmp(in + i + 1, ours, size)) {
			*out = in + i + 1;
			*out_size = in[i];
			return SSL_TLSEXT_ERR_OK;
		}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void set_up(SSL_CTX *s, const struct tls_context *c)
{
	SSL_CTX_set_min_proto_version(s, TLS1_2_VERSION);
	SSL_CTX_set_options(s, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(s, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(s, SSL_SESS_CACHE_OFF);
	if (c->alpn)
		SSL_CTX_set_alpn_select_cb(s, on_alpn, c->alpn);
	SSL_CTX_set_default_passwd_cb(s, no_password);
}

static int load_own(SSL_CTX *s, const struct tls_context *c, char why[TLS_WHY_SIZE])
{
	if (!c->cert_file)
		return 0;
	if (SSL_CTX_use_certificate_chain_file(s, c->cert_file) != 1)
		return files_problem(why, c->cert_file, "no certificate in PEM");
	if (SSL_CTX_use_PrivateKey_file(s, c->key_file, SSL_FILETYPE_PEM) != 1)
		return files_problem(why, c->key_file, "no private key in PEM that fits the certificate");
	if (SSL_CTX_check_private_key(s) != 1)
		return files_problem(why, c->key_file, "not the key of the certificate");
	return 0;
}

/* The first thing that is wrong with their chain is told; nothing wrong is let pass. */
static int on_verified(int good, X509_STORE_CTX *verification)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *t = SSL_get_app_data(ssl);
	if (!good && !*t->why)
		tls_explain_certificate(t->why, sizeof t->why, verification, t->host);
	return good;
}

/* A machine without any authority of its own is fine: then ca_file has all there are. */
static int load_authorities(SSL_CTX *s, const struct tls_context *c, char why[TLS_WHY_SIZE])
{
	SSL_CTX_set_verify(s, SSL_VERIFY_PEER, on_verified);
	SSL_CTX_set_default_verify_paths(s);
	ERR_clear_error();
	if (c->ca_file && SSL_CTX_load_verify_locations(s, c->ca_file, NULL) != 1)
		return files_problem(why, c->ca_file, "no authority's certificate in PEM");
	return 0;
}

static int load(SSL_CTX **ret, const struct tls_context *c, char why[TLS_WHY_SIZE])
{
	ERR_clear_error();
	SSL_CTX *s = SSL_CTX_new(c->client ? TLS_client_method() : TLS_server_method());
	int r = 0;
	if (!s)
		return err_new(-ENOMEM);
	set_up(s, c);
	/* Forward secrecy and authenticated encryption only; TLS 1.3 has nothing else. A client asks
	 * for less last: carriers' equipment is old. */
	const char *ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
	if (c->client)
		ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:ECDHE+AES:RSA+AESGCM:RSA+AES";
	if (SSL_CTX_set_cipher_list(s, ciphers) != 1)
		r = err_new(-ENOTSUP);
	if (r == 0)
		r = load_own(s, c, why);
	if (r == 0 && c->client)
		r = load_authorities(s, c, why);
	if (r) {
		SSL_CTX_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

static bool keep(char **at, const char *text)
{
	*at = text ? mem_strdup(text) : NULL;
	return !text || *at;
}

int tls_context_new(struct tls_context **ret, const struct tls_config *config, char why[TLS_WHY_SIZE])
{
	struct tls_context *c = mem_zalloc(sizeof *c);
	if (!c)
		return err_new(-ENOMEM);
	list_init(&c->handshakes);
	c->client = config->client;
	c->wire = make_wire();
	bool kept = keep(&c->cert_file, config->cert_file) && keep(&c->key_file, config->key_file) &&
		keep(&c->ca_file, config->ca_file) && keep(&c->alpn, config->alpn);
	int r = c->wire && kept ? load(&c->ssl, c, why) : err_new(-ENOMEM);
	if (r) {
		tls_context_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

int tls_context_reload(struct tls_context *c, char why[TLS_WHY_SIZE])
{
	SSL_CTX *fresh = NULL;
	int r = load(&fresh, c, why);
	if (r)
		return r;
	SSL_CTX_free(c->ssl); /* connections that have it keep it */
	c->ssl = fresh;
	return 0;
}

struct tls_context *tls_context_free(struct tls_context *c)
{
	if (!c)
		return NULL;
	assert(list_empty(&c->handshakes));
	SSL_CTX_free(c->ssl);
	BIO_meth_free(c->wire);
	mem_free(c->cert_file);
	mem_free(c->key_file);
	mem_free(c->ca_file);
	mem_free(c->alpn);
	buf_fini(&c->out);
	mem_free(c);
	return NULL;
}

/* ---- handshakes ---- */

struct list *tls_handshake_entered(struct tls_context *c, struct list *link)
{
	list_add(&c->handshakes, link);
	return ++c->handshake_count > LIMIT_TLS_HANDSHAKES ? c->handshakes.next : NULL;
}

void tls_handshake_left(struct tls_context *c, struct list *link)
{
	if (list_empty(link))
		return;
	list_remove(link);
	--c->handshake_count;
}

/* ---- one connection ---- */

/* RFC 5922 section 7: the name that the user gave, never one that the network told us. An address is
 * no name for SNI (RFC 6066 section 3). */
static int expect_host(struct tls *t, const char *host)
{
	X509_VERIFY_PARAM *p = SSL_get0_param(t->ssl);
	struct sockaddr_storage literal;
	size_t size = strlen(host);
	/* The dot that makes a name absolute stands in no certificate. */
	t->host = mem_strndup(host, size && host[size - 1] == '.' ? size - 1 : size);
	if (!t->host)
		return err_new(-ENOMEM);
	X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	int ok = address_parse(&literal, t->host, 0) == 0
		? X509_VERIFY_PARAM_set1_ip_asc(p, t->host)
		: X509_VERIFY_PARAM_set1_host(p, t->host, 0) && SSL_set_tlsext_host_name(t->ssl, t->host);
	SSL_set_connect_state(t->ssl);
	ERR_clear_error();
	return ok ? 0 : err_new(-EINVAL);
}

int tls_new(struct tls **ret, struct tls_context *c, const char *host)
{
	assert(c->client == (host != NULL));
	struct tls *t = mem_zalloc(sizeof *t);
	if (!t)
		return err_new(-ENOMEM);
	t->context = c;
	t->ssl = SSL_new(c->ssl);
	BIO *wire = t->ssl ? BIO_new(c->wire) : NULL;
	if (!wire) {
		tls_free(t);
		return err_new(-ENOMEM);
	}
	BIO_set_data(wire, t);
	BIO_set_init(wire, 1);
	SSL_set_bio(t->ssl, wire, wire);
	SSL_set_app_data(t->ssl, t);
	if (!host)
		SSL_set_accept_state(t->ssl);
	int r = host ? expect_host(t, host) : 0;
	if (r < 0) {
		tls_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

struct tls *tls_free(struct tls *t)
{
	if (!t)
		return NULL;
	SSL_free(t->ssl);
	mem_free(t->host);
	mem_free(t);
	return NULL;
}

const char *tls_why(const struct tls *t)
{
	return t->why;
}

bool tls_is_open(const struct tls *t)
{
	return SSL_is_init_finished(t->ssl);
}

/* Starts a call: what the last one left is gone. */
static void begin(struct tls *t)
{
	struct buf *out = &t->context->out;
	out->size = 0;
	if (out->capacity > KEPT_BYTES)
		buf_fini(out);
	ERR_clear_error();
}

static int outcome(struct tls *t, int n)
{
	switch (SSL_get_error(t->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_E_ENDED;
	default:
		if (!*t->why)
			tls_explain_error(t->why, sizeof t->why);
		ERR_clear_error();
		return TLS_E_BROKEN;
	}
}

int tls_input(struct tls *t, struct span bytes, struct span *plain, struct span *wire)
{
	struct tls_context *c = t->context;
	size_t size = 0;
	int n;
	assert(bytes.size <= TLS_INPUT_BYTES_MAX);
	begin(t);
	t->in = bytes;
	while ((n = SSL_read(t->ssl, c->plain + size, (int)(sizeof c->plain - size))) > 0)
		size += (size_t)n;
	int r = outcome(t, n);
	if (!r && t->in.size) /* it has to take all: there is no second chance */
		r = TLS_E_BROKEN;
	t->in = (struct span){0};
	*plain = span_of(c->plain, size);
	*wire = buf_span(&c->out);
	return r;
}

int tls_output(struct tls *t, const struct span *parts, size_t count, struct span *wire)
{
	begin(t);
	*wire = (struct span){0};
	if (!tls_is_open(t))
		return -EPIPE;
	for (size_t i = 0; i < count; ++i) {
		size_t n;
		if (parts[i].size && SSL_write_ex(t->ssl, parts[i].data, parts[i].size, &n) != 1) {
			ERR_clear_error();
			return -EPIPE;
		}
	}
	*wire = buf_span(&t->context->out);
	return 0;
}

void tls_end(struct tls *t, struct span *wire)
{
	begin(t);
	if (tls_is_open(t))
		SSL_shutdown(t->ssl);
	ERR_clear_error();
	*wire = buf_span(&t->context->out);
}
