/* net/tls_why.h - why two sides did not shake hands, in words. Private to net/.
 *
 * Owner, owns: nothing. Thread: any.
 */
#pragma once

#include <openssl/ssl.h>

/* Both write the end of a sentence about the far end: "its certificate has expired". The first is for
 * the callback of the verification, `host` whom we meant to meet; the second reads OpenSSL's queue of
 * errors. */
void tls_explain_certificate(char *out, size_t size, X509_STORE_CTX *verification, const char *host);
void tls_explain_error(char *out, size_t size);
