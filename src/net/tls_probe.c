#include "net/tls_probe.h"

#include "base/clock.h"
#include "base/err.h"
#include "net/address.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/* Until it may be read or written, or the time is over. */
static bool await(int fd, short what, uint64_t until_ms)
{
	uint64_t now = clock_ms();
	struct pollfd p = {.fd = fd, .events = what};
	return now < until_ms && poll(&p, 1, (int)(until_ms - now)) == 1;
}

static int connect_to(struct tls_probe *ret, const struct sockaddr *to, uint64_t until_ms)
{
	int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = 0;
	socklen_t size = sizeof error;

	if (fd < 0)
		return err_new(-errno);
	if (connect(fd, to, address_size(to)) < 0)
		error = errno;
	if (error == EINPROGRESS) {
		error = ETIMEDOUT;
		if (await(fd, POLLOUT, until_ms))
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	}
	ret->connected = error == 0;
	if (error)
		snprintf(ret->why, sizeof ret->why, "%s", error == ETIMEDOUT ? "no answer" : strerror(error));
	return fd;
}

static bool shake(struct tls_probe *ret, SSL *ssl, int fd, uint64_t until_ms)
{
	for (;;) {
		int r = SSL_connect(ssl), want = SSL_get_error(ssl, r);
		if (r == 1)
			return true;
		if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE) {
			const char *reason = ERR_reason_error_string(ERR_peek_last_error());
			snprintf(ret->why, sizeof ret->why, "%s",
				reason ? reason : "it closes the connection: perhaps it speaks no TLS there");
			return false;
		}
		if (!await(fd, want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, until_ms)) {
			snprintf(ret->why, sizeof ret->why, "it does not shake hands in time: perhaps it speaks no TLS there");
			return false;
		}
	}
}

static void write_subject(struct tls_probe *ret, X509 *cert)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	size_t used = 0;

	for (int i = 0; names && i < sk_GENERAL_NAME_num(names); ++i) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);
		if (n->type != GEN_DNS || used + (size_t)ASN1_STRING_length(n->d.dNSName) + 3 > sizeof ret->subject)
			continue;
		used += (size_t)snprintf(ret->subject + used, sizeof ret->subject - used, "%s%.*s", used ? ", " : "",
			ASN1_STRING_length(n->d.dNSName), ASN1_STRING_get0_data(n->d.dNSName));
	}
	GENERAL_NAMES_free(names);
	if (!used)
		X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, ret->subject, sizeof ret->subject);
}

static void look_at_certificate(struct tls_probe *ret, SSL *ssl, const char *host)
{
	X509 *cert = SSL_get1_peer_certificate(ssl);
	long verdict = SSL_get_verify_result(ssl);
	struct sockaddr_storage literal;
	int days = 0, seconds = 0;

	snprintf(ret->version, sizeof ret->version, "%s", SSL_get_version(ssl));
	ret->trusted = verdict == X509_V_OK;
	if (!ret->trusted)
		snprintf(ret->why, sizeof ret->why, "%s", X509_verify_cert_error_string(verdict));
	if (!cert)
		return;
	write_subject(ret, cert);
	X509_NAME_get_text_by_NID(X509_get_issuer_name(cert), NID_commonName, ret->issuer, sizeof ret->issuer);
	if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert)))
		ret->days_left = days;
	ret->named = address_parse(&literal, host, 0) == 0 ? X509_check_ip_asc(cert, host, 0) == 1
							    : X509_check_host(cert, host, 0, 0, NULL) == 1;
	X509_free(cert);
}

static int pass_all(int ok, X509_STORE_CTX *context)
{
	return 1; /* the verdict is asked for later */
}

int tls_probe(struct tls_probe *ret, const struct sockaddr *to, const char *host, const char *ca_file,
	unsigned timeout_ms)
{
	uint64_t until_ms = clock_ms() + timeout_ms;
	struct sockaddr_storage literal;

	*ret = (struct tls_probe){0};
	int fd = connect_to(ret, to, until_ms);
	if (fd < 0 || !ret->connected) {
		if (fd >= 0)
			close(fd);
		return fd < 0 ? fd : 0;
	}
	ERR_clear_error();
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = context ? SSL_new(context) : NULL;
	if (ssl) {
		SSL_CTX_set_default_verify_paths(context);
		if (ca_file && SSL_CTX_load_verify_locations(context, ca_file, NULL) != 1)
			snprintf(ret->why, sizeof ret->why, "%.200s cannot be read as certificates", ca_file);
		SSL_set_verify(ssl, SSL_VERIFY_PEER, pass_all);
		if (address_parse(&literal, host, 0) < 0)
			SSL_set_tlsext_host_name(ssl, host);
		SSL_set_fd(ssl, fd);
		ret->shaken = shake(ret, ssl, fd, until_ms);
		if (ret->shaken)
			look_at_certificate(ret, ssl, host);
	}
	SSL_free(ssl);
	SSL_CTX_free(context);
	close(fd);
	return ssl ? 0 : err_new(-ENOMEM);
}
