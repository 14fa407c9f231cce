/* call/record_facts.c - a call's record as the JSON that people and programs are shown. */
#include "call/call_private.h"

#include "base/mem.h"
#include "wire/sdp.h"

#include <jansson.h>
#include <math.h>

static const char *const time_names[RECORD_TIME__COUNT] = {
	[RECORD_ASKED] = "asked",
	[RECORD_INVITE] = "invite",
	[RECORD_FIRST_RESPONSE] = "first_response",
	[RECORD_RINGING] = "ringing",
	[RECORD_EARLY_MEDIA] = "early_media",
	[RECORD_ANSWERED] = "answered",
	[RECORD_FIRST_RTP_SENT] = "first_rtp_sent",
	[RECORD_FIRST_RTP_RECEIVED] = "first_rtp_received",
	[RECORD_ENDED] = "ended",
};

/* Takes `value`; nothing without one. */
static void set(json_t *to, const char *name, json_t *value)
{
	if (value)
		json_object_set_new(to, name, value);
}

static void set_text(json_t *to, const char *name, const char *text)
{
	if (text && *text)
		set(to, name, json_string(text));
}

static json_t *times_of(const struct call_record *r)
{
	json_t *times = json_object();
	for (int i = 0; i < RECORD_TIME__COUNT; ++i)
		if (r->at_ms[i])
			set(times, time_names[i], json_integer(r->at_ms[i]));
	return times;
}

/* The first that is a voice: RFC 3264, 6.1 has the answerer's choice first. */
static const struct sdp_format *voice_of(const struct sdp_media *m)
{
	for (size_t i = 0; i < m->format_count; ++i) {
		const struct sdp_format *f = &m->formats[i];
		if (!span_is_nocase(f->name, "telephone-event") && !span_is_nocase(f->name, "CN"))
			return f;
	}
	return NULL;
}

static json_t *codec_of(const struct call_record *r)
{
	static struct sdp_media media[4]; /* large */
	struct sdp sdp;
	if (!r->answer)
		return NULL;
	memset(media, 0, sizeof media);
	(void)!sdp_parse(&sdp, media, COUNT_OF(media), span_text(r->answer));
	const struct sdp_format *f = voice_of(&media[0]);
	if (!f || !f->name.size)
		return NULL;
	json_t *codec = json_object();
	set(codec, "name", json_stringn((const char *)f->name.data, f->name.size));
	set(codec, "clock_rate", json_integer(f->clock_hz));
	set(codec, "payload_type", json_integer(f->pt));
	set(codec, "protocol", json_stringn((const char *)media[0].protocol.data, media[0].protocol.size));
	return codec;
}

static void set_score(json_t *to, const char *name, float mos)
{
	if (mos > 0)
		set(to, name, json_real(round(mos * 100) / 100));
}

/* As the phone reports it; nothing until it does. */
static void set_far_quality(json_t *quality, const struct media_leg_stats *s)
{
	if (s->far_expected) {
		set(quality, "far_expected", json_integer((json_int_t)s->far_expected));
		set(quality, "far_lost", json_integer((json_int_t)s->far_lost));
		set(quality, "far_jitter_ms", json_real(s->far_jitter_us / 1000.0));
	}
	if (s->rtt_us)
		set(quality, "round_trip_ms", json_real(s->rtt_us / 1000.0));
}

static json_t *quality_of(const struct call_quality *q)
{
	const struct media_leg_stats *s = &q->stats;
	if (!s->received && !s->sent)
		return NULL;
	json_t *quality = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:I}", "packets_received", (json_int_t)s->received,
		"packets_sent", (json_int_t)s->sent, "packets_lost", (json_int_t)s->lost, "packets_late", (json_int_t)s->late,
		"packets_dropped", (json_int_t)(s->dropped + s->locked), "concealed", (json_int_t)s->concealed, "jitter_ms",
		s->jitter_us / 1000.0, "buffer_ms", (json_int_t)s->buffer_ms);
	set_far_quality(quality, s);
	set_score(quality, "mos_in", q->mos_in);
	set_score(quality, "mos_out", q->mos_out);
	set_score(quality, "mos_in_worst", q->mos_in_worst);
	set_score(quality, "mos_out_worst", q->mos_out_worst);
	return quality;
}

static const char *reason_name(Livekit__DisconnectReason reason)
{
	const ProtobufCEnumValue *v =
		protobuf_c_enum_descriptor_get_value(&livekit__disconnect_reason__descriptor, (int)reason);
	return v ? v->name : "UNKNOWN_REASON";
}

static json_t *ending_json(const struct call_explanation *e)
{
	json_t *ending = json_object();
	set_text(ending, "code", e->code);
	set_text(ending, "message", e->sentence);
	set_text(ending, "ended_by", ended_by_text(e->ended_by));
	set_text(ending, "retry", call_retry_text(e->retry));
	set_text(ending, "disconnect_reason", reason_name(e->reason));
	set_text(ending, "twirp_code", e->twirp_code);
	set_text(ending, "carrier_code", e->carrier_code);
	if (e->retry_after_s)
		set(ending, "retry_after", json_integer(e->retry_after_s));
	if (e->q850)
		set(ending, "q850", json_integer(e->q850));
	return ending;
}

static json_t *ending_of_call(const struct call *c)
{
	if (c->state != CALL_ENDED)
		return NULL;
	json_t *ending = ending_json(&c->explanation);
	if (c->sip_status)
		set(ending, "sip_status", json_integer(c->sip_status));
	set_text(ending, "sip_reason", c->sip_reason);
	set_text(ending, "detail", c->record.detail);
	return ending;
}

static const char *state_name(const struct call *c)
{
	static const char *const names[CALL__COUNT] = {
		[CALL_DIALING] = "dialing", [CALL_RINGING] = "ringing", [CALL_ACTIVE] = "active", [CALL_ENDED] = "ended"};
	return names[c->state];
}

/* Nobody is known where the backend is open, as in development. */
static json_t *asked_by(const struct policy_call *allowed)
{
	json_t *asker = json_object();
	set_text(asker, "api_key", allowed->key);
	set_text(asker, "identity", allowed->identity);
	return asker;
}

static void set_who(json_t *facts, const struct call *c)
{
	json_t *trunk = json_object();
	set_text(trunk, "id", c->trunk_id);
	set_text(trunk, "name", c->trunk_name);
	set_text(trunk, "address", c->address);
	set_text(facts, "room", c->room);
	set_text(facts, "participant_identity", c->identity);
	set_text(facts, "participant_id", c->participant_sid);
	set_text(facts, "direction", "outbound");
	set_text(facts, "number", c->number);
	set_text(facts, "caller", c->caller);
	set(facts, "asked_by", asked_by(&c->allowed));
	set(facts, "trunk", trunk);
}

/* jansson's text as one of ours. */
static char *dump(json_t *facts)
{
	char *text = facts ? json_dumps(facts, JSON_COMPACT) : NULL;
	char *copy = text ? mem_strdup(text) : NULL;
	json_free_t release;
	json_get_alloc_funcs(NULL, &release);
	release(text);
	json_decref(facts);
	return copy;
}

char *record_facts(const struct call *c)
{
	const struct call_record *r = &c->record;
	json_t *facts = json_object();
	set_text(facts, "id", c->id);
	set_text(facts, "state", state_name(c));
	set_who(facts, c);
	set_text(facts, "sip_call_id", r->sip_call_id);
	set_text(facts, "transport", r->protocol);
	set_text(facts, "local_address", r->local);
	set_text(facts, "remote_address", r->remote);
	set(facts, "times", times_of(r));
	if (r->at_ms[RECORD_ANSWERED] && r->at_ms[RECORD_ENDED])
		set(facts, "talk_ms", json_integer(r->at_ms[RECORD_ENDED] - r->at_ms[RECORD_ANSWERED]));
	set(facts, "codec", codec_of(r));
	set_text(facts, "encryption", c->connected ? offer_security_name(&c->connected_to) : NULL);
	set(facts, "quality", quality_of(&c->meter.quality));
	set(facts, "ending", ending_of_call(c));
	set_text(facts, "offer", r->offer);
	set_text(facts, "answer", r->answer);
	if (r->dropped)
		set(facts, "messages_dropped", json_integer((json_int_t)r->dropped));
	return dump(facts);
}

char *record_interrupted(struct span text, int64_t now_ms)
{
	struct call_explanation e;
	json_t *facts = json_loadb((const char *)text.data, text.size, 0, NULL);
	if (!json_is_object(facts)) {
		json_decref(facts);
		facts = json_object();
	}
	explain_end(&e, CALL_END_INTERRUPTED, NULL);
	set_text(facts, "state", "ended");
	set(facts, "ending", ending_json(&e));
	json_t *times = json_object_get(facts, "times");
	if (times)
		set(times, time_names[RECORD_ENDED], json_integer(now_ms));
	return dump(facts);
}
