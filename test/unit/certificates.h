/* test/unit/certificates.h - an authority of the test's own, and certificates that it signs. */
#pragma once

#include "test/check.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

struct authority {
	EVP_PKEY *key;
	X509 *cert;
};

static inline void certificate_write(const char *cert_path, X509 *cert, const char *key_path, EVP_PKEY *key)
{
	FILE *f = fopen(cert_path, "w");
	CHECK(f && PEM_write_X509(f, cert));
	fclose(f);
	if (!key_path)
		return;
	f = fopen(key_path, "w");
	CHECK(f && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL));
	fclose(f);
}

static inline void certificate_extend(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	CHECK(e && X509_add_ext(cert, e, -1));
	X509_EXTENSION_free(e);
}

static inline X509 *certificate_new(EVP_PKEY *key, const char *name, long valid_s, X509_NAME *issuer, EVP_PKEY *signer,
	int nid, const char *extension)
{
	X509 *cert = X509_new();
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), (long)(size_t)cert & 0xffffff);
	X509_gmtime_adj(X509_getm_notBefore(cert), -7200);
	X509_gmtime_adj(X509_getm_notAfter(cert), valid_s);
	X509_NAME_add_entry_by_txt(
		X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(cert, issuer ? issuer : X509_get_subject_name(cert));
	X509_set_pubkey(cert, key);
	if (extension)
		certificate_extend(cert, nid, extension);
	CHECK(X509_sign(cert, signer, EVP_sha256()) > 0);
	return cert;
}

static inline void authority_make(struct authority *a, const char *path)
{
	a->key = EVP_EC_gen("P-256");
	a->cert = certificate_new(a->key, "Test Authority", 3600, NULL, a->key, NID_basic_constraints, "critical,CA:TRUE");
	certificate_write(path, a->cert, NULL, NULL);
}

/* `names` as OpenSSL writes them: "DNS:a.example,IP:127.0.0.1". Negative seconds: it has expired. */
static inline void authority_sign(
	const struct authority *a, const char *names, long valid_s, const char *cert_path, const char *key_path)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = certificate_new(key, "far end", valid_s, X509_get_subject_name(a->cert), a->key,
		NID_subject_alt_name, names);
	certificate_write(cert_path, cert, key_path, key);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static inline void authority_free(struct authority *a)
{
	X509_free(a->cert);
	EVP_PKEY_free(a->key);
}
