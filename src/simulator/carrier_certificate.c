#include "simulator/carrier_certificate.h"

#include "base/err.h"
#include "base/rng.h"
#include "base/writer.h"
#include "simulator/carrier_profile.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <unistd.h>

enum { BITS = 2048, DAY_S = 86400, DAYS = 30, NAMES_MAX = 4096 };

static bool extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	bool done = e && X509_add_ext(cert, e, -1);
	X509_EXTENSION_free(e);
	return done;
}

/* `issuer` NULL: it signs itself. */
static X509 *make(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *signer, const char *names)
{
	X509 *cert = X509_new();
	if (!cert)
		return NULL;
	X509 *by = issuer ? issuer : cert;
	bool done = X509_set_version(cert, 2) &&
		ASN1_INTEGER_set(X509_get_serialNumber(cert), (long)(rng_u32() >> 1)) &&
		X509_gmtime_adj(X509_getm_notBefore(cert), -DAY_S) && X509_gmtime_adj(X509_getm_notAfter(cert), DAYS * DAY_S) &&
		X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
			-1, 0) &&
		X509_set_issuer_name(cert, X509_get_subject_name(by)) && X509_set_pubkey(cert, key) &&
		extend(cert, by, NID_basic_constraints, names ? "CA:FALSE" : "critical,CA:TRUE") &&
		(!names || extend(cert, by, NID_subject_alt_name, names)) && X509_sign(cert, signer, EVP_sha256()) > 0;
	if (done)
		return cert;
	X509_free(cert);
	return NULL;
}

static FILE *create(const char *dir, const char *name, mode_t mode)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	return fd < 0 ? NULL : fdopen(fd, "w");
}

static bool write_cert(const char *dir, const char *name, X509 *cert)
{
	FILE *f = create(dir, name, 0644);
	if (!f)
		return false;
	bool done = PEM_write_X509(f, cert);
	return fclose(f) == 0 && done;
}

static bool write_key(const char *dir, const char *name, EVP_PKEY *key)
{
	FILE *f = create(dir, name, 0600);
	if (!f)
		return false;
	bool done = PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	return fclose(f) == 0 && done;
}

/* Twilio's hosts by the wildcard, the others by name, each under .localhost as well. */
static void write_names(struct writer *w, const char *address)
{
	static const char twilio[] = ".pstn.twilio.test";
	write_text(w, "DNS:*.pstn.twilio.test,DNS:*.pstn.twilio.localhost,DNS:*.pstn.ringdown.test");
	const struct carrier_domain *d;
	for (size_t i = 0; (d = carrier_domain_at(i)); ++i)
		if (!strstr(d->host, twilio))
			write_format(w, ",DNS:%s,DNS:%.*s.localhost", d->host, (int)(strlen(d->host) - strlen(".test")), d->host);
	write_format(w, ",IP:%s", address);
}

static int make_all(const char *dir, const char *names, EVP_PKEY *ca_key, EVP_PKEY *key)
{
	X509 *ca = make(ca_key, "Ringdown simulated carrier CA", NULL, ca_key, NULL);
	X509 *cert = ca ? make(key, "*.pstn.twilio.test", ca, ca_key, names) : NULL;
	X509 *client = ca ? make(key, "sbc.ringdown.test", ca, ca_key, "DNS:sbc.ringdown.test") : NULL;
	bool done = cert && client && write_cert(dir, "ca.pem", ca) && write_cert(dir, "cert.pem", cert) &&
		write_key(dir, "key.pem", key) && write_cert(dir, "client.pem", client) && write_key(dir, "client.key", key);
	X509_free(ca);
	X509_free(cert);
	X509_free(client);
	return done ? 0 : -EIO;
}

int carrier_certificate_make(const char *dir, const char *address)
{
	char names[NAMES_MAX];
	struct writer w = writer_of(names, sizeof names - 1);
	write_names(&w, address);
	names[writer_span(&w).size] = 0;
	EVP_PKEY *ca_key = EVP_RSA_gen(BITS), *key = EVP_RSA_gen(BITS);
	int r = ca_key && key && !w.bad ? make_all(dir, names, ca_key, key) : -ENOMEM;
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
	return r < 0 ? err_new(r) : 0;
}
