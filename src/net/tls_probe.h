/* net/tls_probe.h - what a TLS server shows of itself, for whoever looks for a fault: it is listened to
 * although its certificate does not do, so that everything that is wrong can be told at once.
 *
 * Owner:   the caller. Owns: nothing afterwards.
 * Thread:  any; blocks, at most for `timeout_ms`.
 */
#pragma once

#include "base/base.h"

#include <sys/socket.h>

enum { TLS_PROBE_TEXT = 256 };

struct tls_probe {
	bool connected;    /* TCP */
	bool shaken;       /* hands, whatever the certificate is */
	bool trusted;      /* its chain ends at an authority that we know, and is in its time */
	bool named;        /* it is for `host` */
	char version[16];  /* "TLSv1.3" */
	char subject[TLS_PROBE_TEXT]; /* of the first certificate: its names, comma-separated */
	char issuer[TLS_PROBE_TEXT];
	int days_left;     /* of the first certificate; negative = ended */
	char why[TLS_PROBE_TEXT]; /* what is wrong, in words; "" */
};

/* `host` is the name that is meant: SNI, and looked for in the certificate. `ca_file`: authorities besides
 * the system's (and SSL_CERT_FILE's); NULL = none. Returns 0, or -errno when we cannot even begin. */
MUST_USE int tls_probe(struct tls_probe *ret, const struct sockaddr *to, const char *host, const char *ca_file,
	unsigned timeout_ms);
