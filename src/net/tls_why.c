#include "net/tls_why.h"

#include "base/base.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>

enum { NAMES_TOLD = 3, NAME_SHOWN = 60 };

/* "a.example, *.b.example": what the certificate is for. */
static void list_names(char *out, size_t size, X509 *cert)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	int told = 0;
	size_t used = 0;
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && told < NAMES_TOLD; ++i) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type != GEN_DNS || used >= size)
			continue;
		const ASN1_IA5STRING *text = name->d.dNSName;
		int shown = ASN1_STRING_length(text) < NAME_SHOWN ? ASN1_STRING_length(text) : NAME_SHOWN;
		int n = snprintf(out + used, size - used, "%s%.*s", told++ ? ", " : "", shown,
			(const char *)ASN1_STRING_get0_data(text));
		used += n > 0 ? (size_t)n : 0;
	}
	GENERAL_NAMES_free(names);
	if (!told && X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, out, (int)size) < 0)
		snprintf(out, size, "no name at all");
	/* Whatever a stranger wrote there goes into a log. */
	for (char *c = out; *c; ++c)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

void tls_explain_certificate(char *out, size_t size, X509_STORE_CTX *verification, const char *host)
{
	int verdict = X509_STORE_CTX_get_error(verification);
	char names[160] = "";
	switch (verdict) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		snprintf(out, size, "its certificate has expired");
		return;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		snprintf(out, size, "its certificate is not valid yet: is the clock of this machine right?");
		return;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		list_names(names, sizeof names, X509_STORE_CTX_get0_cert(verification));
		snprintf(out, size, "its certificate is for %s, not for %.80s", names, host);
		return;
	case X509_V_ERR_CERT_SIGNATURE_FAILURE: /* of another authority with the same name */
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		snprintf(out, size, "its certificate is signed by an authority that is not trusted here (%s)",
			X509_verify_cert_error_string(verdict));
		return;
	default:
		snprintf(out, size, "its certificate is not accepted: %s", X509_verify_cert_error_string(verdict));
	}
}

void tls_explain_error(char *out, size_t size)
{
	unsigned long error = ERR_peek_error();
	const char *detail = ERR_reason_error_string(error);
	switch (ERR_GET_REASON(error)) {
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_VERSION_TOO_LOW:
		snprintf(out, size, "there is no common version: TLS 1.2 or 1.3 is needed");
		return;
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_HTTP_REQUEST:
		snprintf(out, size, "it does not speak TLS on that port");
		return;
	case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
		snprintf(out, size, "it asks for a certificate of ours");
		return;
	default:
		snprintf(out, size, "TLS failed: %s", detail ? detail : "the connection broke");
	}
}
