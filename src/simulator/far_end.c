#include "simulator/far_end.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "net/address.h"
#include "simulator/numbers.h"
#include "simulator/voice.h"
#include "wire/sdp.h"

#include <errno.h>
#include <stdio.h>

struct far_end {
	struct list link;
	struct sip_incoming *in; /* NULL once it has ended */
	struct far_end_config config;
	struct voice *voice;
	struct timer ring;
	struct deferred free_later;
	struct loop *loop;
	struct bank bank;
	struct sockaddr_storage caller_rtp;
	enum codec codec;
	uint8_t pt, dtmf_pt;
};

static void free_now(struct deferred *d)
{
	struct far_end *f = container_of(d, struct far_end, free_later);
	list_remove(&f->link);
	list_remove(&f->free_later.link);
	timer_fini(&f->ring);
	voice_close(f->voice);
	mem_free(f);
}

static void hang_up(struct far_end *f)
{
	if (f->in)
		sip_incoming_hangup(f->in, NULL);
}

static void take(struct far_end *f, struct bank_step step)
{
	switch (step.action) {
	case BANK_PLAY:
		voice_play(f->voice, step.prompt);
		return;
	case BANK_WAIT:
		voice_pause(f->voice, step.wait_ms);
		return;
	case BANK_SEND_BACK:
		voice_echo(f->voice);
		return;
	case BANK_SEND_TONE:
		voice_tone(f->voice, step.wait_ms);
		return;
	case BANK_BYE:
		hang_up(f);
		return;
	}
}

static void on_prompt_ended(void *owner)
{
	struct far_end *f = owner;
	take(f, bank_prompt_ended(&f->bank));
}

static void on_key(void *owner, char digit)
{
	struct far_end *f = owner;
	log_info("simulator", "key %c pressed", digit);
	take(f, bank_key(&f->bank, digit));
}

static const struct voice_events voice_events = {.ended = on_prompt_ended, .key = on_key};

static void on_acked(void *owner, const struct sip_message *ack)
{
	struct far_end *f = owner;
	voice_start(f->voice, (struct sockaddr *)&f->caller_rtp, f->codec, f->pt, f->dtmf_pt);
	take(f, bank_begin(&f->bank, f->config.number->script));
}

static void on_ended(void *owner, const struct sip_end *end)
{
	struct far_end *f = owner;
	f->in = NULL;
	log_info("simulator", "%s: %s", f->config.number->number, end->why);
	loop_defer(f->loop, &f->free_later, free_now);
}

static const struct sip_incoming_events incoming_events = {.acked = on_acked, .ended = on_ended};

/* Twilio's answer: the first codec that was offered, the caller's payload numbers. */
static size_t write_answer(struct far_end *f, char *out, size_t size)
{
	const struct sdp_audio_format format = {f->pt, f->codec == CODEC_PCMA ? "PCMA" : "PCMU", 8000};
	struct writer w = writer_of(out, size);
	sdp_write_audio(&w, &(struct sdp_audio_offer){
				    .ip = f->config.ip,
				    .port = voice_port(f->voice),
				    .session_id = rng_u32(),
				    .session_version = 1,
				    .formats = &format,
				    .format_count = 1,
				    .dtmf_pt = f->dtmf_pt,
				    .ptime_ms = 20,
				    .direction = SDP_SENDRECV,
			    });
	return writer_span(&w).size;
}

static void respond(struct far_end *f, unsigned status, const char *reason, struct span body)
{
	/* The private Contact is Twilio's: ACK and BYE must name it and still go to the Record-Route. */
	char route[96];
	snprintf(route, sizeof route, "<sip:%s:%u;lr%s>", f->config.ip, f->config.sip_port,
		sip_incoming_is_tcp(f->in) ? ";transport=tcp" : "");
	const struct sip_extra headers[] = {
		{"Contact", "<sip:172.25.10.20:5060>"},
		{"Record-Route", route},
		{"Server", "Twilio"},
		{"X-Twilio-CallSid", "CA00000000000000000000000000000000"},
	};
	int r = sip_incoming_respond(f->in, &(struct sip_response){
						    .status = status,
						    .reason = reason,
						    .headers = headers,
						    .header_count = COUNT_OF(headers),
						    .body = body,
					    });
	if (r < 0)
		log_warn("simulator", "response %u could not be sent", status);
}

static void finish_ringing(void *owner)
{
	struct far_end *f = owner;
	if (!f->in)
		return;
	if (f->config.number->kind == NUMBER_REFUSES) {
		respond(f, f->config.number->status, f->config.number->reason, (struct span){0});
		return;
	}
	char answer[1024];
	respond(f, 200, "OK", span_of(answer, write_answer(f, answer, sizeof answer)));
}

/* 0, or the status that refuses the offer. */
static unsigned read_offer(struct far_end *f, struct span body)
{
	struct sdp_media sections[4];
	struct sdp sdp;
	if (sdp_parse(&sdp, sections, COUNT_OF(sections), body) != SDP_OK)
		return 400;
	const struct sdp_media *m = &sdp.media[0];
	char ip[ADDRESS_TEXT_SIZE] = "";
	if (m->connection.size && m->connection.size < sizeof ip)
		memcpy(ip, m->connection.data, m->connection.size);
	if (address_parse(&f->caller_rtp, ip, m->port) < 0)
		return 488;
	for (size_t i = 0; i < m->format_count && f->codec == CODEC_NONE; ++i) {
		enum codec codec = codec_by_name(m->formats[i].name, m->formats[i].clock_hz);
		if (codec != CODEC_PCMU && codec != CODEC_PCMA)
			continue;
		f->codec = codec;
		f->pt = m->formats[i].pt;
	}
	const struct sdp_format *dtmf = sdp_find_format(m, "telephone-event", 8000);
	f->dtmf_pt = dtmf ? dtmf->pt : 0;
	return f->codec == CODEC_NONE ? 415 : 0;
}

static int build(struct far_end *f, const struct sip_message *invite)
{
	int r = voice_open(&f->voice, f->loop, f->config.ip, &voice_events, f);
	if (r == 0)
		r = timer_init(&f->ring, f->loop, finish_ringing, f);
	return r;
}

int far_end_new(struct list *list, struct loop *l, struct sip_incoming *in, const struct sip_message *invite,
	const struct far_end_config *config)
{
	struct far_end *f = mem_zalloc(sizeof *f);
	if (!f)
		return err_new(-ENOMEM);
	f->loop = l;
	f->config = *config;
	list_init(&f->free_later.link);
	list_add(list, &f->link);
	int r = build(f, invite);
	if (r < 0) {
		free_now(&f->free_later);
		return r;
	}
	f->in = in;
	sip_incoming_accept(in, &incoming_events, f);

	unsigned refusal = read_offer(f, invite->body);
	if (refusal) {
		respond(f, refusal, NULL, (struct span){0});
		return 0;
	}
	if (config->number->kind == NUMBER_SILENT || config->number->ring_ms)
		respond(f, 180, "Ringing", (struct span){0});
	if (config->number->kind != NUMBER_SILENT)
		timer_start(&f->ring, config->number->ring_ms, 0);
	return 0;
}

void far_end_free_all(struct list *list)
{
	while (!list_empty(list))
		free_now(&list_first(list, struct far_end, link)->free_later);
}
