/* call/keys.c - keys of the phone, however they come, and ours by INFO where the trunk wants that. */
#include "call/call_private.h"

#include "base/clock.h"
#include "base/log.h"
#include "media/dtmf_sender.h"
#include "wire/dtmf_info.h"

enum {
	/* Who sends each key both ways is heard one way; the other counts when that has been quiet. */
	OTHER_WAY_AFTER_MS = 10000,
	KEY_MS = DTMF_TONE_BEATS * 20,
};

enum media_leg_keys call_keys_of(const struct trunk_options *options)
{
	static const enum media_leg_keys ways[] = {
		[OPTION_DTMF_AUTO] = MEDIA_KEYS_AUTO,
		[OPTION_DTMF_RFC4733] = MEDIA_KEYS_EVENT,
		[OPTION_DTMF_INFO] = MEDIA_KEYS_INFO,
		[OPTION_DTMF_INBAND] = MEDIA_KEYS_INBAND,
	};
	return ways[options->dtmf];
}

void call_key_came(struct call *c, enum call_key_way way, char digit)
{
	uint64_t now_ms = clock_ms();
	if (c->keys.way != CALL_KEY_NONE && c->keys.way != way && now_ms - c->keys.at_ms < OTHER_WAY_AFTER_MS)
		return;
	c->keys.way = way;
	c->keys.at_ms = now_ms;
	if (c->seat)
		seat_send_digit(c->seat, digit);
}

void call_on_info(void *owner, const struct sip_message *request)
{
	struct call *c = owner;
	struct dtmf_info info;
	if (!dtmf_info_parse(&info, request->body))
		return;
	for (const char *at = info.digits; *at && c->seat; ++at)
		call_key_came(c, CALL_KEY_INFO, *at);
}

void call_send_key(struct call *c, char digit)
{
	char body[DTMF_INFO_SIZE];
	struct writer w = writer_of(body, sizeof body);
	dtmf_info_write(&w, digit, KEY_MS);
	if (c->sip && sip_call_info(c->sip, "application/dtmf-relay", writer_span(&w)) < 0)
		log_warn(c->id, "a key could not be sent by INFO");
}
