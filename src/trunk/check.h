/* trunk/check.h - what a trunk and a request to dial may say. The words of the refusals are
 * LiveKit's, because people search for them. Pure.
 *
 * Owner, owns: nothing. Thread: any. Every function answers whether it is good; if not, `why` is a
 * sentence.
 */
#pragma once

#include "trunk/trunk.h"

enum {
	HEADER_NAME_BYTES_MAX = 255,
	HEADER_VALUE_BYTES_MAX = 1024,
	MEDIA_TIMEOUT_S_MAX = 600,
};

bool check_trunk(const Livekit__SIPOutboundTrunkInfo *t, char why[TRUNK_WHY_SIZE]);
/* `label`: "trunk address", "from_host", "trunk hostname". Empty is good. */
bool check_host(const char *label, const char *host, char why[TRUNK_WHY_SIZE]);
/* A header that a trunk may add to an INVITE. */
bool check_header(const char *name, const char *value, char why[TRUNK_WHY_SIZE]);
/* ... one that is not the operator's, but of a request to call or to transfer: nor may it route the call. */
bool check_request_header(const char *name, const char *value, char why[TRUNK_WHY_SIZE]);
/* A header that is only mapped: any well-formed name. */
bool check_header_name(const char *name, char why[TRUNK_WHY_SIZE]);
bool check_media(const Livekit__SIPMediaConfig *m, char why[TRUNK_WHY_SIZE]); /* NULL is good */
