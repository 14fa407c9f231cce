/* simulator/carrier_media.c - the sound of a call: when it starts, where it goes, what was heard. */
#include "simulator/carrier_inside.h"

#include "base/log.h"
#include "base/writer.h"

static void take_step(struct carrier_call *call, struct bank_step step)
{
	switch (step.action) {
	case BANK_PLAY:
		voice_play(call->voice, step.prompt);
		return;
	case BANK_WAIT:
		voice_pause(call->voice, step.wait_ms);
		return;
	case BANK_SEND_BACK:
		voice_echo(call->voice);
		return;
	case BANK_SEND_TONE:
		voice_tone(call->voice, step.wait_ms);
		return;
	case BANK_BYE:
		carrier_bye(call, NULL);
		return;
	}
}

void carrier_bank_begin(struct carrier_call *call, enum bank_script script)
{
	call->bank_is_there = true;
	take_step(call, bank_begin(&call->bank, script));
}

static void on_ended(void *owner)
{
	struct carrier_call *call = owner;
	if (call->bank_is_there)
		take_step(call, bank_prompt_ended(&call->bank));
	else
		carrier_script_woken(call, WAIT_SOUND);
}

static void on_key(void *owner, char digit)
{
	struct carrier_call *call = owner;
	char text[2] = {digit, 0};
	carrier_call_event(call, "key", json_pack("{s:s}", "digit", text));
	if (call->bank_is_there)
		take_step(call, bank_key(&call->bank, digit));
	else
		carrier_script_woken(call, WAIT_KEY);
}

static const struct voice_events voice_events = {.ended = on_ended, .key = on_key};

int carrier_media_open(struct carrier_call *call)
{
	struct carrier *c = call->carrier;
	const struct quirks *q = &call->trunk->quirks;
	return voice_open(&call->voice, c->loop, &(struct voice_config){
		.ip = carrier_wire_ip(c->wire, call->way.edge),
		.seed = carrier_random_u64(&c->random),
		.ptime_ms = quirk(q, Q_PTIME),
		.symmetric = quirk(q, Q_SYMMETRIC),
		.faults = {.loss = quirk(q, Q_LOSS), .jitter_ms = quirk(q, Q_JITTER_MS), .reorder = quirk(q, Q_REORDER),
			.duplicate = quirk(q, Q_DUPLICATE)},
	}, &voice_events, call);
}

static bool we_send(const struct carrier_call *call)
{
	bool they_listen = call->media.theirs == SDP_SENDRECV || call->media.theirs == SDP_RECVONLY;
	bool we_may = call->direction == SDP_SENDRECV || call->direction == SDP_SENDONLY;
	return they_listen && we_may && !call->media.to_nowhere;
}

static enum srtp_profile profile_of(enum sdp_crypto_suite suite)
{
	return suite == SDP_CRYPTO_AES_CM_128_HMAC_SHA1_32 ? SRTP_PROFILE_AES128_CM_SHA1_32 : SRTP_PROFILE_AES128_CM_SHA1_80;
}

/* Ours is made with the first answer; its tag and suite are those of the line that was taken. */
static const struct sdp_crypto *own_crypto(struct carrier_call *call)
{
	struct sdp_crypto *c = &call->crypto;
	if (!call->media.secure)
		return NULL;
	for (size_t i = 0; !c->tag && i < sdp_crypto_key_bytes(call->media.crypto.suite); ++i)
		c->key[i] = (uint8_t)carrier_random_u32(&call->carrier->random);
	c->tag = call->media.crypto.tag;
	c->suite = call->media.crypto.suite;
	return c;
}

static void take_keys(struct carrier_call *call, struct voice_aim *aim)
{
	const struct sdp_crypto *ours = own_crypto(call);
	aim->secure = ours != NULL;
	if (!ours)
		return;
	aim->keys.profile = profile_of(ours->suite);
	memcpy(aim->keys.client, call->media.crypto.key, sizeof aim->keys.client);
	memcpy(aim->keys.server, ours->key, sizeof aim->keys.server);
}

void carrier_media_apply(struct carrier_call *call)
{
	const struct carrier_media *m = &call->media;
	if (!call->voice || !m->format_count)
		return;
	struct voice_aim aim = {.to = m->to, .codec = m->formats[0].codec, .pt = m->formats[0].pt, .dtmf_pt = m->dtmf_pt,
		.mute = !we_send(call)};
	for (size_t i = 0; i < m->format_count && i < COUNT_OF(aim.heard); ++i)
		aim.heard[aim.heard_count++] = m->formats[i].pt;
	take_keys(call, &aim);
	if (voice_start(call->voice, &aim) < 0)
		log_warn("simulator", "no SRTP: no memory");
}

/* What was heard of the caller, for the log: counts first, then the judgement. */
static void report(const struct carrier_call *call)
{
	const struct hearing *h = voice_hearing(call->voice);
	carrier_call_event(call, "media", json_pack("{s:s,s:b,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:f,s:f,s:i,s:i,s:i}",
		"verdict", hearing_verdict(h), "secure", call->media.secure, "malformed", (int)h->malformed, "packets", (int)h->packets, "events", (int)h->events, "noise", (int)h->noise,
		"lost", (int)h->lost, "late", (int)h->late, "doubled", (int)h->doubled, "wrong_source", (int)h->wrong_source,
		"wrong_type", (int)h->wrong_type, "wrong_size", (int)h->wrong_size, "ssrcs", (int)h->ssrcs,
		"bad_timestamps", (int)h->bad_timestamps, "mean_ms", hearing_mean_us(h) / 1000.0, "max_ms",
		(double)h->interval_max_us / 1000.0, "gaps", (int)h->gaps, "sound_ms", (int)h->sound_ms, "quiet_ms",
		(int)h->quiet_ms));
}

void carrier_media_close(struct carrier_call *call)
{
	if (!call->voice)
		return;
	if (voice_hearing(call->voice)->started || call->state == CALL_ENDED)
		report(call);
	voice_close(call->voice);
	call->voice = NULL;
}

/* The answer to what they offered: who is sent nothing sends nothing, and so on (RFC 3264 section 6.1). */
static enum sdp_direction direction_now(const struct carrier_call *call)
{
	static const enum sdp_direction mirrored[] = {
		[SDP_SENDRECV] = SDP_SENDRECV,
		[SDP_SENDONLY] = SDP_RECVONLY,
		[SDP_RECVONLY] = SDP_SENDONLY,
		[SDP_INACTIVE] = SDP_INACTIVE,
	};
	return call->direction != SDP_SENDRECV ? call->direction : mirrored[call->media.theirs];
}

/* An offer of our own, when there was none yet. */
static const struct carrier_format own_formats[] = {{CODEC_PCMU, 0}, {CODEC_PCMA, 8}};

struct span carrier_media_sdp(struct carrier_call *call, char *out, size_t size)
{
	struct writer w = writer_of(out, size);
	bool agreed = call->media.format_count > 0;
	carrier_sdp_write(&w, &call->trunk->quirks, &(struct carrier_sdp){
		.ip = carrier_wire_ip(call->carrier->wire, call->way.edge),
		.port = voice_port(call->voice),
		.id = call->sdp_id,
		.version = call->sdp_id + call->sdp_version,
		.formats = agreed ? call->media.formats : own_formats,
		.format_count = agreed ? call->media.format_count : COUNT_OF(own_formats),
		.dtmf_pt = agreed ? call->media.dtmf_pt : 101,
		.direction = direction_now(call),
		.zero = call->zero_hold,
		.crypto = own_crypto(call),
	});
	return writer_span(&w);
}
