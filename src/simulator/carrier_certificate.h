/* simulator/carrier_certificate.h - the certificate that the carrier shows: RSA, for all its hosts, with a wildcard
 * on purpose (RFC 5922 forbids them in SIP, carriers use them), signed by an authority of its own.
 *
 * Owner:   the caller names the folder. Owns: nothing. Thread: any.
 */
#pragma once

#include "base/base.h"

/* Writes DIR/ca.pem (to be trusted), DIR/cert.pem and DIR/key.pem; for a client that must show one, client.pem and
 * client.key. What is there already is made anew. `address` is named in it, too. Returns 0 or a negative error. */
MUST_USE int carrier_certificate_make(const char *dir, const char *address);
