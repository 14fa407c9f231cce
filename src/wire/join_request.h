/* wire/join_request.h - the `join_request` argument of /rtc/v1: base64 of a WrappedJoinRequest
 * whose inner bytes are a JoinRequest, gzipped (RFC 1952) or plain.
 *
 * Owner:   the caller.
 * Owns:    nothing; the message lives in the caller's arena.
 * Thread:  any.
 */
#pragma once

#include "base/base.h"
#include "base/limits.h"
#include "wire/proto.h"

#include "livekit_rtc.pb-c.h"

enum join_request_error {
	JOIN_REQUEST_OK,
	JOIN_REQUEST_E_BASE64,
	JOIN_REQUEST_E_WRAPPED, /* the outer message */
	JOIN_REQUEST_E_INFLATE,
	JOIN_REQUEST_E_SIZE,    /* over LIMIT_JOIN_REQUEST_BYTES */
	JOIN_REQUEST_E_INNER,   /* the JoinRequest itself */
	JOIN_REQUEST_E_MEMORY,
	JOIN_REQUEST_E__COUNT,
};

/* Takes both base64 alphabets (a space, too, for the '+' that a form decoder made one), with or
 * without padding: clients differ. */
MUST_USE enum join_request_error join_request_decode(
	Livekit__JoinRequest **ret, struct proto_arena *a, const char *text);
const char *join_request_error_text(enum join_request_error e); /* LiveKit's sentences */
