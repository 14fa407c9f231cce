/* call/headers.h - what the far end's SIP headers tell the room. Pure.
 *
 * Owner, owns: nothing; what is made lives in the arena that was given.
 * Thread: any.
 */
#pragma once

#include "room/room.h"
#include "wire/proto.h"
#include "wire/sip_message.h"
#include "wire/utf8.h"

#include "livekit_sip.pb-c.h"

/* What a trunk wants to be shown. Zeroed: nothing but what is always shown. */
struct header_rules {
	const struct attribute *maps; /* key: a header's name; value: the attribute that it becomes */
	size_t map_count;
	Livekit__SIPHeaderOptions include; /* as "sip.h.<name in lower case>" */
	/* The other way, on BYE and REFER. Key: an attribute of the phone's; value: the header's name. */
	const struct attribute *to_headers;
	size_t to_header_count;
};

/* The trunk's rules, copied into the arena. Returns 0 or -ENOMEM. */
MUST_USE int header_rules_copy(struct header_rules *ret, struct proto_arena *a,
	const Livekit__SIPOutboundTrunkInfo *trunk);

/* In this order: the headers that `include` names, the call's ids at Twilio, Telnyx and Amazon
 * Connect (as livekit-sip names them), the trunk's own maps. Of a header that comes twice the first
 * one counts. Values are text: what is no UTF-8 or no printable character is replaced.
 * *ret is NULL when there are none. Returns 0 or -ENOMEM. */
MUST_USE int headers_to_attributes(struct attribute **ret, size_t *ret_count, struct proto_arena *a,
	const struct sip_message *m, const struct header_rules *rules);

/* Every header as it was written, the first of each, copied into the arena. Returns 0 or -ENOMEM. */
MUST_USE int headers_keep(struct attribute **ret, size_t *ret_count, struct proto_arena *a,
	const struct sip_message *m);
/* {"headers":{...}}: those that the request {"include":[...],"exclude":[...]} names, without an
 * include all; names in any case. A mem_ text in *ret. HEADERS_E_REQUEST: no such JSON; -ENOMEM. */
enum {
	HEADERS_E_REQUEST = 1,
};
MUST_USE int headers_to_json(char **ret, const struct attribute *headers, size_t count, const char *request);

/* The headers that {"headers":{"X-Why":"done"}} names, checked and copied into the arena; "" names none.
 * HEADERS_E_REQUEST: no such JSON, or one that a SIP message may not have; -ENOMEM. */
MUST_USE int headers_from_json(struct attribute **ret, size_t *ret_count, struct proto_arena *a,
	const char *request);

/* The far end's own words about a refusal: a provider's error header, else the first line of a text
 * body, else the reason phrase. Cut to `size` with its zero byte; may be "". */
void headers_far_words(char *out, size_t size, const struct sip_message *response);

/* As text: bounded, UTF-8, no control characters. */
static inline void headers_copy_text(char *out, size_t size, struct span s)
{
	utf8_printable(out, size, s);
}
