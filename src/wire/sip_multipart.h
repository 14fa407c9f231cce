/* wire/sip_multipart.h - one part out of a body of several: gateways of the phone network put ISUP beside
 * the SDP (RFC 5621 section 3.1, RFC 2046 section 5.1).
 *
 * Thread: any. Owner, owns: nothing; what is found points into the body.
 */
#pragma once

#include "base/base.h"

/* Makes *body the first part of that type, when `content_type` (the header's value) is a multipart and
 * has one. False: it is none, or has none; then *body stays as it is. */
bool sip_multipart_find(struct span *body, struct span content_type, const char *type);
