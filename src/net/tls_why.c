#include "net/tls_why.h"

#include "base/base.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <time.h>

enum { NAMES_TOLD = 3, NAME_SHOWN = 60, DAY_SIZE = 16 };

/* Whatever a stranger wrote there goes into a log. */
static void make_printable(char *text)
{
	for (char *c = text; *c; ++c)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

static void common_name(char *out, size_t size, X509_NAME *name)
{
	if (X509_NAME_get_text_by_NID(name, NID_commonName, out, (int)size) < 0)
		snprintf(out, size, "no name at all");
	make_printable(out);
}

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
	if (told)
		make_printable(out);
	else
		common_name(out, size, X509_get_subject_name(cert));
}

/* " (on 2026-11-24)" */
static void on_day(char out[DAY_SIZE], const ASN1_TIME *time)
{
	struct tm t;

	*out = 0;
	if (time && ASN1_TIME_to_tm(time, &t) == 1)
		strftime(out, DAY_SIZE, " (%Y-%m-%d)", &t);
}

/* "its certificate", or which of those above it. */
static void which_certificate(char *out, size_t size, X509_STORE_CTX *verification, const X509 *cert)
{
	char name[NAME_SHOWN + 1];

	if (X509_STORE_CTX_get_error_depth(verification) == 0) {
		snprintf(out, size, "its certificate");
		return;
	}
	common_name(name, sizeof name, X509_get_subject_name(cert));
	snprintf(out, size, "the certificate of its authority %s", name);
}

/* Who shows its own certificate alone may have more of them, and forgets to show them. */
static void explain_issuer(char *out, size_t size, X509_STORE_CTX *verification, const X509 *cert)
{
	char name[40];
	bool alone = sk_X509_num(X509_STORE_CTX_get0_untrusted(verification)) <= 1;

	common_name(name, sizeof name, X509_get_issuer_name(cert));
	snprintf(out, size, "its certificate is signed by an authority that is not trusted here: %s%s", name,
		alone ? ", or the certificates in between are not shown" : "");
}

void tls_explain_certificate(char *out, size_t size, X509_STORE_CTX *verification, const char *host)
{
	int verdict = X509_STORE_CTX_get_error(verification);
	const X509 *cert = X509_STORE_CTX_get_current_cert(verification);
	char names[160] = "", day[DAY_SIZE], which[NAME_SHOWN + 40];
	switch (verdict) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		which_certificate(which, sizeof which, verification, cert);
		on_day(day, X509_get0_notAfter(cert));
		snprintf(out, size, "%s has expired%s", which, day);
		return;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		which_certificate(which, sizeof which, verification, cert);
		on_day(day, X509_get0_notBefore(cert));
		snprintf(out, size, "%s is not valid yet%s: is the clock of this machine right?", which, day);
		return;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		snprintf(out, size, "its certificate is signed by itself alone, and is not trusted here");
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
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		explain_issuer(out, size, verification, cert);
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
