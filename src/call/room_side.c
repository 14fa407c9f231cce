/* call/room_side.c - what the room does to a call, and what a call shows the room. */
#include "call/call_private.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>

static void on_voice_began(void *owner, uint32_t media_source)
{
	struct call *c = owner;
	if (c->leg)
		media_leg_hear(c->calls->config.media, c->leg, media_source);
}

static void on_voice_ended(void *owner, uint32_t media_source)
{
	struct call *c = owner;
	if (c->leg)
		media_leg_unhear(c->calls->config.media, c->leg, media_source);
}

static void on_digit(void *owner, char digit)
{
	struct call *c = owner;
	const char digits[2] = {digit, 0};
	if (c->leg && c->state == CALL_ACTIVE)
		media_leg_digits(c->calls->config.media, c->leg, digits);
}

static void on_rpc(void *owner, const struct seat_rpc *rpc)
{
	call_rpc(owner, rpc);
}

static void on_muted(void *owner, bool muted)
{
	struct call *c = owner;
	if (c->leg)
		media_source_mute(c->calls->config.media, c->leg, muted);
}

static void on_removed(void *owner, Livekit__DisconnectReason why)
{
	struct call *c = owner;
	/* The seat is a shell now: let go of it here, so that the end does not speak to it. */
	struct seat *seat = c->seat;
	call_give_headers(c);
	c->seat = NULL;
	call_end_as(c, explain_removal(why), NULL);
	seat_leave(seat, why);
}

static const struct seat_events seat_events = {
	.voice_began = on_voice_began,
	.voice_ended = on_voice_ended,
	.digit = on_digit,
	.rpc = on_rpc,
	.muted = on_muted,
	.removed = on_removed,
};

void call_show_status(struct call *c, const char *status)
{
	const struct attribute a = {"sip.callStatus", status};
	if (c->seat)
		seat_set_attributes(c->seat, &a, 1);
}

void call_show_headers(struct call *c, const struct sip_message *m, const struct header_rules *rules)
{
	struct proto_arena arena = {0};
	struct attribute *all = NULL;
	size_t count = 0;
	if (!c->seat)
		return;
	if (headers_to_attributes(&all, &count, &arena, m, rules) < 0)
		log_warn(c->id, "headers not shown: out of memory");
	else if (count)
		seat_set_attributes(c->seat, all, count);
	proto_arena_fini(&arena);
}

size_t call_own_headers(struct sip_extra *out, const struct call *c)
{
	size_t count = 0;

	for (size_t i = 0; c->seat && i < c->rules.to_header_count; ++i) {
		const struct attribute *rule = &c->rules.to_headers[i];
		const char *value = seat_attribute(c->seat, rule->key);
		if (value && *value)
			out[count++] = (struct sip_extra){rule->value, value};
	}
	return count;
}

void call_give_headers(struct call *c)
{
	size_t most = c->rules.to_header_count + c->end_header_count;
	if (!c->sip || !most)
		return;
	struct sip_extra *headers = mem_zalloc(most * sizeof *headers);
	size_t count = headers ? call_own_headers(headers, c) : 0;
	for (size_t i = 0; headers && i < c->end_header_count; ++i)
		headers[count++] = (struct sip_extra){c->end_headers[i].key, c->end_headers[i].value};
	if (!headers || sip_call_bye_headers(c->sip, headers, count) < 0)
		log_warn(c->id, "the BYE goes without the headers that it should carry");
	mem_free(headers);
}

enum { OWN_ATTRIBUTES = 6 };

static size_t own_attributes(struct attribute out[OWN_ATTRIBUTES], const struct call *c,
	const struct call_request *request, const char *caller)
{
	size_t n = 0;
	out[n++] = (struct attribute){"sip.callID", c->id};
	out[n++] = (struct attribute){"sip.trunkID", c->trunk_id};
	out[n++] = (struct attribute){"sip.callStatus", "dialing"};
	if (!request->hide_phone_number) {
		out[n++] = (struct attribute){"sip.phoneNumber", c->shown_number};
		out[n++] = (struct attribute){"sip.trunkPhoneNumber", caller};
		out[n++] = (struct attribute){"sip.hostname", c->address};
	}
	return n;
}

int call_sit_down(struct call *c, struct room *room, const struct call_request *request, const char *caller)
{
	size_t count = OWN_ATTRIBUTES + request->attribute_count;
	struct attribute *attributes = mem_zalloc(count * sizeof *attributes);
	if (!attributes)
		return err_new(-ENOMEM);
	count = own_attributes(attributes, c, request, caller);
	for (size_t i = 0; i < request->attribute_count; ++i)
		attributes[count++] = request->attributes[i];

	int r = seat_join(&c->seat, room,
		&(struct seat_config){
			.identity = c->identity,
			.name = request->name,
			.metadata = request->metadata,
			.attributes = attributes,
			.attribute_count = count,
			.media_source = c->leg,
			.mime_type = "audio/PCMU",
		},
		&seat_events, c);
	mem_free(attributes);
	if (r == 0 && c->seat)
		snprintf(c->participant_sid, sizeof c->participant_sid, "%s", seat_sid(c->seat));
	return r;
}
