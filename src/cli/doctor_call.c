/* cli/doctor_call.c - a call of the doctor's own: one that is cancelled as soon as the carrier has looked at
 * the credentials, and, only when it is asked for, one that is answered and measured.
 *
 * The first INVITE is challenged (401, 407); the second carries the credentials. A carrier that does not
 * like them says so within a moment; one that does goes on with 100 and looks for the phone. So a 100 behind
 * the credentials is given half a second, and then, or with the first sign of ringing, comes CANCEL. */
#include "cli/doctor.h"
#include "cli/doctor_rtp.h"

#include "base/mem.h"
#include "base/rng.h"
#include "call/offer_security.h"
#include "net/address.h"
#include "sip/call.h"
#include "trunk/explain.h"
#include "wire/sdp.h"

#include <stdio.h>

enum {
	LOOK_MS = 500,        /* for the edge to look at the credentials */
	CHECK_MS = 15000,     /* for any answer at all */
	RINGING_MS = 45000,   /* for the phone of --call */
	MEASURE_MS = 5000,
	BYE_MS = 2000,
	SDP_SIZE = 2048,
	PACKETS_FEW = 20,     /* fewer than this in five seconds is no sound */
};

struct doctor_call {
	struct doctor *doctor;
	struct sip_call *sip; /* NULL once its last event came */
	struct doctor_rtp *rtp;
	struct timer timer;
	bool measure;  /* --call */
	bool rang, answered, hung_up, told;
	unsigned status;
	uint64_t began_ms;
	char media[ADDRESS_TEXT_SIZE]; /* of our SDP */
};

static const char *number_of(const struct doctor *d)
{
	return d->number ? d->number : d->trunk->n_numbers ? d->trunk->numbers[0] : "";
}

/* The step is over; what is left of the call ends by itself, or with the loop. */
static void leave(struct doctor_call *c)
{
	if (c->told)
		return;
	c->told = true;
	timer_stop(&c->timer);
	doctor_next(c->doctor);
}

static void hang_up(struct doctor_call *c)
{
	if (c->hung_up || !c->sip)
		return;
	c->hung_up = true;
	timer_start(&c->timer, BYE_MS, 0);
	sip_call_hangup(c->sip, NULL);
}

/* --- the credentials ------------------------------------------------------------------------ */

/* What silence on OPTIONS means where calls are answered. */
static void forgive_silence(struct doctor *d)
{
	for (size_t i = 0; i < d->finding_count; ++i) {
		struct doctor_finding *f = &d->findings[i];
		if (strcmp(f->check, "options") || f->grade != DOCTOR_BAD || !strstr(f->text, "no answer"))
			continue;
		f->grade = DOCTOR_NOTE;
		snprintf(f->fix, sizeof f->fix, "%s", "");
		size_t used = strlen(f->text);
		snprintf(f->text + used, sizeof f->text - used, " INVITE is answered: this carrier just ignores OPTIONS.");
	}
}

static void tell_accepted(struct doctor_call *c, bool challenged)
{
	struct doctor *d = c->doctor;
	const char *rang = c->answered ? " The phone answered at once, and was hung up."
			   : c->rang   ? " The phone may have rung for a moment."
				       : " No phone rang.";
	if (challenged)
		doctor_found(d, "credentials", DOCTOR_GOOD, NULL,
			"The carrier accepts user \"%s\" and its password, for a call from %s to %s that was cancelled.%s",
			trunk_options_login(&d->options, d->trunk), d->trunk->n_numbers ? d->trunk->numbers[0] : "?", number_of(d), rang);
	else
		doctor_found(d, "credentials", trunk_options_login(&d->options, d->trunk) ? DOCTOR_NOTE : DOCTOR_GOOD, NULL,
			"The carrier did not ask for a password: it takes calls from our address, for a call to %s that was cancelled.%s",
			number_of(d), rang);
}

/* Whether a refusal is about who we are, and not about the number that was called. */
static bool is_about_us(const struct sip_failure *f)
{
	return f->why == SIP_WHY_AUTH || f->status == 401 || f->status == 403 || f->status == 407 || !f->status ||
		f->status >= 500;
}

static void tell_failure(struct doctor_call *c, const struct sip_failure *f, bool challenged)
{
	static const int kinds[SIP_WHY__COUNT] = {
		[SIP_WHY_TIMEOUT] = CALL_FAILURE_TIMEOUT,
		[SIP_WHY_TRANSPORT] = CALL_FAILURE_TRANSPORT,
		[SIP_WHY_DNS] = CALL_FAILURE_DNS,
		[SIP_WHY_TLS] = CALL_FAILURE_TLS,
		[SIP_WHY_BROKEN] = CALL_FAILURE_INTERNAL,
	};
	struct doctor *d = c->doctor;
	struct call_explanation e;
	struct call_signs signs = {0};
	char reason[128];
	if (f->response)
		call_signs_read(&signs, f->response);
	snprintf(reason, sizeof reason, "%.*s", (int)f->reason.size, f->reason.size ? (const char *)f->reason.data : "");
	explain_failure(&e, &(struct call_failure){
				    .sip_status = (int)f->status,
				    .reason = reason,
				    .signs = &signs,
				    .after_challenge = f->why == SIP_WHY_AUTH && trunk_options_login(&d->options, d->trunk),
				    .has_credentials = trunk_options_login(&d->options, d->trunk),
				    .kind = kinds[f->why],
				    .address = d->trunk->address,
				    .trunk = d->trunk->name,
				    .number = number_of(d),
				    .caller = d->trunk->n_numbers ? d->trunk->numbers[0] : NULL,
				    .media_address = c->media,
			    });
	const char *check = c->measure ? "call" : "credentials";
	if (c->measure || is_about_us(f))
		doctor_found(d, check, DOCTOR_BAD, e.sentence, "%s", e.sentence);
	else
		doctor_found(d, check, challenged ? DOCTOR_GOOD : DOCTOR_NOTE, NULL,
			"The carrier %s, and refuses the call to %s for another reason: %s",
			challenged ? "accepts the credentials" : "did not ask for a password", number_of(d), e.sentence);
}

/* --- the call ------------------------------------------------------------------------------- */

static void on_trying(void *owner, const struct sip_message *m)
{
	struct doctor_call *c = owner;
	if (!c->measure && sip_call_has_answered_challenge(c->sip))
		timer_start(&c->timer, LOOK_MS, 0);
}

static void on_progress(void *owner, const struct sip_message *m)
{
	struct doctor_call *c = owner;
	c->rang = true;
	if (!c->measure)
		hang_up(c);
}

/* The address and port of the answer's sound. False: none. */
static bool read_answer(struct sockaddr_storage *ret, struct span body)
{
	struct sdp sdp;
	struct sdp_media media[4];
	char ip[64];
	if (sdp_parse(&sdp, media, COUNT_OF(media), body) != SDP_OK || !media[0].port)
		return false;
	snprintf(ip, sizeof ip, "%.*s", (int)media[0].connection.size, (const char *)media[0].connection.data);
	return address_parse(ret, ip, media[0].port) == 0;
}

static void on_answered(void *owner, const struct sip_message *m)
{
	struct doctor_call *c = owner;
	struct doctor *d = c->doctor;
	struct sockaddr_storage to;
	char where[ADDRESS_TEXT_SIZE];
	c->answered = true;
	if (!c->measure) {
		hang_up(c);
		return;
	}
	if (!read_answer(&to, m->body)) {
		doctor_found(d, "call", DOCTOR_BAD, NULL, "The phone answered, but the answer's SDP names no place for sound.");
		hang_up(c);
		return;
	}
	doctor_found(d, "call", DOCTOR_GOOD, NULL, "%s answered after %u ms; its sound is at %s, ours at %s.", d->number,
		(unsigned)(loop_now_ms(&d->loop) - c->began_ms), address_text(where, (const struct sockaddr *)&to), c->media);
	doctor_rtp_start(c->rtp, (const struct sockaddr *)&to);
	timer_start(&c->timer, MEASURE_MS, 0);
}

static void on_failed(void *owner, const struct sip_failure *f)
{
	struct doctor_call *c = owner;
	bool challenged = sip_call_has_answered_challenge(c->sip);
	c->sip = NULL;
	if (c->told)
		return;
	if (f->status || f->why == SIP_WHY_CANCELLED)
		forgive_silence(c->doctor);
	if (f->why == SIP_WHY_CANCELLED && (c->hung_up || f->status))
		tell_accepted(c, challenged);
	else
		tell_failure(c, f, challenged);
	leave(c);
}

static void on_ended(void *owner, const struct sip_end *end)
{
	struct doctor_call *c = owner;
	c->sip = NULL;
	if (c->told)
		return;
	if (!c->measure)
		tell_accepted(c, trunk_options_login(&c->doctor->options, c->doctor->trunk));
	else if (!c->hung_up)
		doctor_found(c->doctor, "call", DOCTOR_NOTE, NULL, "The phone hung up before the sound was measured.");
	leave(c);
}

static const struct sip_call_events call_events = {
	.trying = on_trying,
	.progress = on_progress,
	.answered = on_answered,
	.failed = on_failed,
	.ended = on_ended,
};

/* --- the sound ------------------------------------------------------------------------------ */

static void tell_incoming(struct doctor *d, const struct doctor_rtp_result *r, const char *media)
{
	char from[ADDRESS_TEXT_SIZE], fix[DOCTOR_TEXT_SIZE];
	if (r->received < PACKETS_FEW) {
		snprintf(fix, sizeof fix,
			"Let UDP to the RTP ports (%u-%u) into this machine, and see that %s is the address by which the carrier "
			"reaches it.", d->rtp_first, d->rtp_last, media);
		doctor_found(d, "sound in", DOCTOR_BAD, fix, "%llu packets came in %d s%s.", (unsigned long long)r->received,
			MEASURE_MS / 1000, r->other_payload ? " in the agreed codec; others did" : "");
		return;
	}
	doctor_found(d, "sound in", DOCTOR_GOOD, NULL, "%llu packets in %d s from %s, %llu lost, jitter %u ms.",
		(unsigned long long)r->received, MEASURE_MS / 1000, address_text(from, (const struct sockaddr *)&r->from),
		(unsigned long long)r->lost, r->jitter_ms);
	if (r->elsewhere)
		doctor_found(d, "sound in", DOCTOR_NOTE, NULL,
			"It comes from another address than the SDP names: set sip.symmetric_rtp: true.");
}

static void tell_outgoing(struct doctor *d, const struct doctor_rtp_result *r)
{
	if (!r->reported)
		doctor_found(d, "sound out", DOCTOR_NOTE, NULL,
			"%llu packets went out; the far end does not report (RTCP) what it hears. Who answered should have heard a "
			"quiet tone.", (unsigned long long)r->sent);
	else
		doctor_found(d, "sound out", r->far_lost_percent > 5 ? DOCTOR_BAD : DOCTOR_GOOD,
			r->far_lost_percent > 5 ? "Look at the network between here and the carrier: it loses packets." : NULL,
			"The far end reports %u %% lost of what we sent, jitter %u ms.", r->far_lost_percent, r->far_jitter_ms);
}

static void on_timer(void *owner)
{
	struct doctor_call *c = owner;
	struct doctor *d = c->doctor;
	if (c->hung_up) { /* nobody answers our CANCEL or BYE */
		if (!c->measure)
			tell_accepted(c, c->sip && sip_call_has_answered_challenge(c->sip));
		leave(c);
	} else if (c->measure && c->answered) {
		struct doctor_rtp_result r;
		doctor_rtp_result(c->rtp, &r);
		tell_incoming(d, &r, c->media);
		tell_outgoing(d, &r);
		hang_up(c);
	} else if (!c->measure && c->sip && sip_call_has_answered_challenge(c->sip)) {
		hang_up(c);
	} else {
		doctor_found(d, c->measure ? "call" : "credentials", c->measure ? DOCTOR_BAD : DOCTOR_BAD, NULL,
			c->measure ? "Nobody answered within %d s." : "No final answer to INVITE within %d s.",
			(c->measure ? RINGING_MS : CHECK_MS) / 1000);
		if (c->sip)
			sip_call_hangup(c->sip, NULL);
		leave(c);
	}
}

/* Of both INVITEs the same, so that what is refused for its SDP is refused here. */
static struct span write_offer(struct doctor_call *c, char text[SDP_SIZE], const char *ip)
{
	static const struct sdp_audio_format formats[] = {{0, "PCMU", 8000}};
	struct writer w = writer_of(text, SDP_SIZE);
	uint64_t id = rng_u64() >> 2;
	sdp_write_audio(&w, &(struct sdp_audio_offer){
				    .ip = ip,
				    .port = doctor_rtp_port(c->rtp),
				    .session_id = id,
				    .session_version = id,
				    .formats = formats,
				    .format_count = COUNT_OF(formats),
				    .dtmf_pt = 101,
				    .ptime_ms = 20,
			    });
	return writer_span(&w);
}

/* The server's, when we are beside it: then its firewall is the one that is tried. */
static const char *media_ip(const struct doctor *d)
{
	if (d->beside && *d->media_ip)
		return d->media_ip;
	return *d->seen_ip ? d->seen_ip : *d->local_ip ? d->local_ip : "127.0.0.1";
}

static int start(struct doctor_call *c)
{
	struct doctor *d = c->doctor;
	struct identity who;
	struct sockaddr_storage any;
	char sdp[SDP_SIZE];
	const char *ip = media_ip(d);
	int r = address_parse(&any, strchr(ip, ':') ? "::" : "0.0.0.0", 0);
	if (r == 0)
		r = doctor_rtp_open(&c->rtp, &d->loop, (const struct sockaddr *)&any, d->rtp_first, d->rtp_last);
	if (r == 0)
		r = timer_init(&c->timer, &d->loop, on_timer, c);
	if (r < 0)
		return r;
	snprintf(c->media, sizeof c->media, "%.40s:%u", ip, doctor_rtp_port(c->rtp));
	if (identity_write(&who, &(struct identity_wish){
					 .trunk = d->trunk,
					 .options = &d->options,
					 .address = d->trunk->address,
					 .number = number_of(d),
					 .to_number = number_of(d),
					 .caller = d->trunk->n_numbers ? d->trunk->numbers[0] : "ringdown",
					 .own_host = *d->sip_host ? d->sip_host : ip,
				 }))
		return -1;
	return sip_invite(&c->sip, d->agent,
		&(struct sip_invite_config){
			.request_uri = who.uri,
			.to_uri = who.to,
			.from_uri = who.from,
			.from_display = *who.display ? who.display : NULL,
			.contact_user = who.contact_user,
			.protocol = identity_protocol(d->trunk),
			.proxy = *d->options.outbound_proxy ? d->options.outbound_proxy : NULL,
			.username = trunk_options_login(&d->options, d->trunk),
			.password = d->trunk->auth_password,
			.headers = who.headers,
			.header_count = who.header_count,
			.body = write_offer(c, sdp, ip),
		},
		&call_events, c);
}

static void call(struct doctor *d, bool measure)
{
	doctor_call_free(d);
	struct doctor_call *c = d->ring = mem_zalloc(sizeof *c);
	int r = -1;
	if (c) {
		c->doctor = d;
		c->measure = measure;
		c->began_ms = loop_now_ms(&d->loop);
		r = start(c);
	}
	if (r < 0) {
		doctor_found(d, measure ? "call" : "credentials", DOCTOR_BAD, NULL,
			"No INVITE could be sent: the trunk's address, number or user holds what a SIP message cannot carry, "
			"or no RTP port is free.");
		doctor_next(d);
		return;
	}
	timer_start(&c->timer, measure ? RINGING_MS : CHECK_MS, 0);
}

void doctor_credentials(struct doctor *d)
{
	if (d->no_invite) {
		doctor_found(d, "credentials", DOCTOR_SKIPPED, NULL, "Not checked: --no-invite.");
		doctor_next(d);
	} else if (d->call && offer_security_mode_of(d->trunk) != OFFER_SECURITY_REQUIRE) {
		doctor_next(d); /* the call itself shows */
	} else {
		call(d, false);
	}
}

void doctor_media(struct doctor *d)
{
	bool in_clear = offer_security_mode_of(d->trunk) != OFFER_SECURITY_REQUIRE;
	if (d->call && in_clear) {
		call(d, true);
		return;
	}
	doctor_found(d, "sound", DOCTOR_SKIPPED, NULL,
		in_clear ? "Whether sound comes through is not known without a call: ringdown doctor --call NUMBER measures it."
			 : "Not measured: the trunk requires SRTP, and the doctor speaks in clear only. Call through the server, then "
			   "see ringdown calls show.");
	doctor_next(d);
}

/* The SIP call is the agent's: it goes with it, silently. */
void doctor_call_free(struct doctor *d)
{
	struct doctor_call *c = d->ring;
	if (!c)
		return;
	d->ring = NULL;
	doctor_rtp_close(c->rtp);
	timer_fini(&c->timer);
	mem_free(c);
}
