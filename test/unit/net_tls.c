/* TLS under a stream, against OpenSSL's own client: a listener of ours on the loopback, the client on a
 * socket that does not block. */
#include "net/tls.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "loop_wait.h"
#include "net/address.h"
#include "net/tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { QUEUE_MAX = 4 << 20, LARGE = 1 << 20 };

static struct loop loop;
static struct tls_context *context;
static struct tcp_listener *listener;
static struct sockaddr_storage at;
static char folder[] = "/tmp/ringdown-tls-XXXXXX", cert_path[64], key_path[64];

/* ---- certificates, made here ---- */

static void write_files(const char *name, bool other_key)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *written = other_key ? EVP_EC_gen("P-256") : key;
	X509 *cert = X509_new();
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const uint8_t *)name, -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	X509_set_pubkey(cert, key);
	CHECK(X509_sign(cert, key, EVP_sha256()) > 0);
	FILE *f = fopen(cert_path, "w");
	CHECK(f && PEM_write_X509(f, cert));
	fclose(f);
	f = fopen(key_path, "w");
	CHECK(f && PEM_write_PrivateKey(f, written, NULL, NULL, 0, NULL, NULL));
	fclose(f);
	X509_free(cert);
	if (other_key)
		EVP_PKEY_free(written);
	EVP_PKEY_free(key);
}

/* ---- our end: says back what it hears ---- */

struct end {
	struct tcp *tcp; /* NULL once closed */
	size_t heard;
	int ended, closed, error;
	bool say_large;
};
static struct end ends[LIMIT_TLS_HANDSHAKES + 8];
static size_t end_count;
static bool say_large;

static void on_data(void *owner, struct span bytes)
{
	struct end *e = owner;
	e->heard += bytes.size;
	if (!say_large) {
		CHECK_EQ(tcp_write(e->tcp, bytes), 0);
		return;
	}
	static char large[LARGE];
	memset(large, 'x', sizeof large);
	const struct span parts[] = {span_of(large, 10), span_of(large, sizeof large - 10)};
	CHECK_EQ(tcp_write_parts(e->tcp, parts, 2), 0);
	tcp_end(e->tcp);
}

static void on_ended(void *owner)
{
	struct end *e = owner;
	++e->ended;
	tcp_end(e->tcp);
}

static void on_closed(void *owner, int error)
{
	struct end *e = owner;
	++e->closed;
	e->error = error;
	e->tcp = NULL;
}

static const struct tcp_events events = {.data = on_data, .ended = on_ended, .closed = on_closed};

static void on_accepted(void *owner, struct tcp *t)
{
	struct end *e = &ends[end_count++];
	*e = (struct end){.tcp = t};
	tcp_adopt(t, &events, e, QUEUE_MAX);
	if (e->tcp)
		CHECK_EQ(tcp_write(t, span_text("early")), -EPIPE);
}

/* ---- the client ---- */

struct client {
	int fd;
	SSL_CTX *ctx;
	SSL *ssl;
	struct buf in;
};

static int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_EQ(connect(fd, (struct sockaddr *)&at, sizeof(struct sockaddr_in)), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void client_open(struct client *c, int max_version)
{
	*c = (struct client){.fd = dial(), .ctx = SSL_CTX_new(TLS_client_method())};
	SSL_CTX_set_min_proto_version(c->ctx, 0);
	SSL_CTX_set_max_proto_version(c->ctx, max_version);
	SSL_CTX_set_security_level(c->ctx, 0);
	c->ssl = SSL_new(c->ctx);
	SSL_set_fd(c->ssl, c->fd);
	SSL_set_connect_state(c->ssl);
}

static void client_close(struct client *c)
{
	SSL_free(c->ssl);
	SSL_CTX_free(c->ctx);
	close(c->fd);
	buf_fini(&c->in);
}

static bool shakes_hands(void *owner)
{
	struct client *c = owner;
	return SSL_do_handshake(c->ssl) == 1;
}

static bool is_refused(void *owner)
{
	struct client *c = owner;
	return SSL_get_error(c->ssl, SSL_do_handshake(c->ssl)) == SSL_ERROR_SSL;
}

static bool hears_the_end(void *owner)
{
	struct client *c = owner;
	char piece[4096];
	int n;
	while ((n = SSL_read(c->ssl, piece, sizeof piece)) > 0)
		CHECK_EQ(buf_add(&c->in, piece, (size_t)n), 0);
	return SSL_get_error(c->ssl, n) == SSL_ERROR_ZERO_RETURN;
}

static size_t wanted;
static bool hears_enough(void *owner)
{
	return hears_the_end(owner) || ((struct client *)owner)->in.size >= wanted;
}

static bool all_closed(void *owner)
{
	for (size_t i = 0; i < end_count; ++i)
		if (!ends[i].closed)
			return false;
	return true;
}

static const char *subject(const struct client *c)
{
	static char name[64];
	X509 *cert = SSL_get1_peer_certificate(c->ssl);
	X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name, sizeof name);
	X509_free(cert);
	return name;
}

/* ---- what must hold ---- */

static void words_go_both_ways(int version)
{
	static char large[LARGE];
	struct client c;
	end_count = 0;
	say_large = false;
	client_open(&c, version);
	LOOP_WAIT(&loop, shakes_hands(&c));
	CHECK_EQ(SSL_version(c.ssl), version);
	memset(large, 'y', sizeof large);
	wanted = 0;
	for (size_t sent = 0; sent < sizeof large;) {
		int n = SSL_write(c.ssl, large + sent, (int)(sizeof large - sent));
		sent += n > 0 ? (size_t)n : 0;
		wanted = c.in.size + 1;
		LOOP_WAIT(&loop, hears_enough(&c));
	}
	wanted = sizeof large;
	LOOP_WAIT(&loop, hears_enough(&c));
	CHECK_EQ(c.in.size, sizeof large);
	CHECK(!memcmp(c.in.data, large, sizeof large));
	SSL_shutdown(c.ssl);
	LOOP_WAIT(&loop, hears_the_end(&c));
	client_close(&c);
	LOOP_WAIT(&loop, all_closed(NULL));
	CHECK_EQ(ends[0].ended, 1);
	CHECK_EQ(ends[0].error, 0);
}

static void last_words_arrive(void)
{
	struct client c;
	end_count = 0;
	say_large = true;
	client_open(&c, TLS1_3_VERSION);
	LOOP_WAIT(&loop, shakes_hands(&c));
	CHECK_EQ(SSL_write(c.ssl, "?", 1), 1);
	LOOP_WAIT(&loop, hears_the_end(&c));
	CHECK_EQ(c.in.size, LARGE);
	client_close(&c);
	LOOP_WAIT(&loop, all_closed(NULL));
}

static void rubbish_and_old_versions_are_refused(void)
{
	struct client c;
	end_count = 0;
	client_open(&c, TLS1_1_VERSION);
	LOOP_WAIT(&loop, is_refused(&c));
	client_close(&c);
	int fd = dial();
	CHECK_EQ(write(fd, "GET / HTTP/1.1\r\n\r\n", 18), 18);
	LOOP_WAIT(&loop, all_closed(NULL));
	LOOP_WAIT(&loop, !(end_count < 2));
	LOOP_WAIT(&loop, all_closed(NULL));
	CHECK_EQ(ends[1].error, -EPROTO);
	CHECK_EQ(ends[1].heard, 0);
	close(fd);
}

/* Whoever opens connections and says nothing does not keep others out. */
static void the_oldest_handshake_gives_way(void)
{
	static int fds[LIMIT_TLS_HANDSHAKES + 1];
	struct client c;
	end_count = 0;
	say_large = false;
	for (size_t i = 0; i < COUNT_OF(fds); ++i) {
		fds[i] = dial();
		LOOP_WAIT(&loop, !(end_count < i + 1));
	}
	LOOP_WAIT(&loop, ends[0].closed);
	CHECK_EQ(ends[0].error, -ETIMEDOUT);
	CHECK(!ends[1].closed);
	client_open(&c, TLS1_3_VERSION);
	LOOP_WAIT(&loop, shakes_hands(&c));
	CHECK(ends[1].closed && !ends[2].closed);
	client_close(&c);
	for (size_t i = 0; i < COUNT_OF(fds); ++i)
		close(fds[i]);
	LOOP_WAIT(&loop, all_closed(NULL));
}

static void files_may_change(void)
{
	char why[TLS_WHY_SIZE];
	struct client c, old;
	end_count = 0;
	client_open(&old, TLS1_3_VERSION);
	LOOP_WAIT(&loop, shakes_hands(&old));
	CHECK_STR(subject(&old), "first");

	write_files("second", true);
	CHECK_EQ(tls_context_reload(context, why), TLS_E_FILES);
	CHECK(strstr(why, key_path));
	CHECK_EQ(unlink(key_path), 0);
	CHECK_EQ(tls_context_reload(context, why), TLS_E_FILES);
	CHECK(strstr(why, "key.pem: No such file or directory"));
	client_open(&c, TLS1_3_VERSION);
	LOOP_WAIT(&loop, shakes_hands(&c));
	CHECK_STR(subject(&c), "first");
	client_close(&c);

	write_files("second", false);
	CHECK_EQ(tls_context_reload(context, why), 0);
	client_open(&c, TLS1_3_VERSION);
	LOOP_WAIT(&loop, shakes_hands(&c));
	CHECK_STR(subject(&c), "second");
	client_close(&c);

	say_large = false;
	wanted = 5;
	CHECK_EQ(SSL_write(old.ssl, "still", 5), 5); /* who was there stays */
	LOOP_WAIT(&loop, hears_enough(&old));
	client_close(&old);
	LOOP_WAIT(&loop, all_closed(NULL));
}

int main(void)
{
	char why[TLS_WHY_SIZE];
	CHECK(mkdtemp(folder));
	snprintf(cert_path, sizeof cert_path, "%s/cert.pem", folder);
	snprintf(key_path, sizeof key_path, "%s/key.pem", folder);
	const struct tls_config config = {.cert_file = cert_path, .key_file = key_path, .alpn = "http/1.1"};
	CHECK_EQ(tls_context_new(&context, &config, why), TLS_E_FILES);
	write_files("first", false);
	CHECK_EQ(loop_init(&loop), 0);
	CHECK_EQ(tls_context_new(&context, &config, why), 0);
	CHECK_EQ(address_parse(&at, "127.0.0.1", 0), 0);
	CHECK_EQ(tcp_listen(&listener, &loop, (struct sockaddr *)&at, on_accepted, NULL), 0);
	tcp_listener_use_tls(listener, context);
	tcp_listener_local(listener, &at);

	words_go_both_ways(TLS1_3_VERSION);
	words_go_both_ways(TLS1_2_VERSION);
	last_words_arrive();
	rubbish_and_old_versions_are_refused();
	the_oldest_handshake_gives_way();
	files_may_change();

	tcp_listener_close(listener);
	loop_run(&loop);
	loop_fini(&loop);
	tls_context_free(context);
	unlink(cert_path);
	unlink(key_path);
	rmdir(folder);
	CHECK_EQ(mem_live(), 0);
	return 0;
}
