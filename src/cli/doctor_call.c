/* cli/doctor_call.c - a call of the doctor's own: one that is cancelled as soon as the carrier has looked at
 * the credentials, and, only when it is asked for, one that is answered and measured.
 *
 * The first INVITE is challenged (401, 407); the second carries the credentials. A carrier that does not
 * like them says so within a moment; one that does goes on with 100 and looks for the phone. So a 100 behind
 * the credentials is given half a second, and then, or with the first sign of ringing, comes CANCEL. */
#include "cli/doctor.h"
#include "cli/doctor_sound.h"

#include "base/mem.h"
#include "sip/call.h"
#include "trunk/explain.h"

#include <stdio.h>

enum {
	LOOK_MS = 500,        /* for the edge to look at the credentials */
	CHECK_MS = 15000,     /* for any answer at all */
	RINGING_MS = 45000,   /* for the phone of --call */
	MEASURE_MS = 5000,
	BYE_MS = 2000,
	REPORT_MS = 2000,     /* figures come every second; without them there is no sound, either */
	PACKETS_FEW = 20,     /* fewer than this in five seconds is no sound */
	LOST_MUCH_PERCENT = 5,
};

struct doctor_call {
	struct doctor *doctor;
	struct sip_call *sip; /* NULL once its last event came */
	struct doctor_sound *sound;
	struct timer timer;
	bool measure;  /* --call */
	bool rang, answered, hung_up, told;
	unsigned status;
	uint64_t began_ms, answered_ms;
	struct media_leg_stats stats; /* the latest */
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
	char reason[128], ours[ADDRESS_TEXT_SIZE];
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
				    .media_address = doctor_sound_ours(c->sound, ours),
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

static void tell_answer(struct doctor_call *c, enum answer_outcome outcome)
{
	struct doctor *d = c->doctor;
	char theirs[ADDRESS_TEXT_SIZE], ours[ADDRESS_TEXT_SIZE];
	const char *suite = doctor_sound_encryption(c->sound);
	if (outcome != ANSWER_OK)
		doctor_found(d, "call", DOCTOR_BAD, NULL, "%s answered, but its sound and ours do not fit: %s.", d->number,
			answer_outcome_text(outcome));
	else
		doctor_found(d, "call", DOCTOR_GOOD, NULL, "%s answered after %u ms; its sound is at %s, ours at %s: %s, %s%s.", d->number,
			(unsigned)(c->answered_ms - c->began_ms), doctor_sound_theirs(c->sound, theirs), doctor_sound_ours(c->sound, ours),
			doctor_sound_codec(c->sound), suite ? "encrypted by " : "in clear", suite ? suite : "");
}

static void on_answered(void *owner, const struct sip_message *m)
{
	struct doctor_call *c = owner;
	c->answered = true;
	c->answered_ms = loop_now_ms(&c->doctor->loop);
	if (!c->measure) {
		hang_up(c);
		return;
	}
	enum answer_outcome outcome = doctor_sound_answered(c->sound, m->to.tag, m->body);
	tell_answer(c, outcome);
	if (outcome == ANSWER_OK)
		timer_start(&c->timer, MEASURE_MS + REPORT_MS, 0);
	else
		hang_up(c);
}

static struct span on_aimed(void *owner, int family)
{
	struct doctor_call *c = owner;
	return doctor_sound_aimed(c->sound, family);
}

static bool on_refused(void *owner, const struct sip_message *m)
{
	struct doctor_call *c = owner;
	struct span body = doctor_sound_give_up(c->sound);
	return body.size && sip_call_set_body(c->sip, body) == 0;
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
	.aimed = on_aimed,
	.refused = on_refused,
	.trying = on_trying,
	.progress = on_progress,
	.answered = on_answered,
	.failed = on_failed,
	.ended = on_ended,
};

/* --- the sound ------------------------------------------------------------------------------ */

static void tell_nothing(struct doctor_call *c)
{
	const struct media_leg_stats *r = &c->stats;
	struct doctor *d = c->doctor;
	char ours[ADDRESS_TEXT_SIZE], fix[DOCTOR_TEXT_SIZE];
	if (r->locked > r->elsewhere) {
		doctor_found(d, "sound in", DOCTOR_BAD, "Another suite first in srtp.suites, or srtp.mki as the carrier has it.",
			"%llu packets came that the agreed key does not open.", (unsigned long long)r->locked);
	} else if (r->elsewhere) {
		doctor_found(d, "sound in", DOCTOR_BAD, "Set sip.symmetric_rtp: true.",
			"%llu packets came, from another address than the SDP names.", (unsigned long long)r->elsewhere);
	} else {
		snprintf(fix, sizeof fix,
			"Let UDP to the RTP ports (%u-%u) into this machine, and see that %s is the address by which the carrier "
			"reaches it.", d->rtp_first, d->rtp_last, doctor_sound_ours(c->sound, ours));
		doctor_found(d, "sound in", DOCTOR_BAD, fix, "%llu packets came in %d s%s.", (unsigned long long)r->received,
			MEASURE_MS / 1000, r->dropped ? " in an agreed codec; others did" : "");
	}
}

static void tell_incoming(struct doctor_call *c)
{
	const struct media_leg_stats *r = &c->stats;
	char theirs[ADDRESS_TEXT_SIZE];
	if (r->received < PACKETS_FEW)
		tell_nothing(c);
	else
		doctor_found(c->doctor, "sound in", DOCTOR_GOOD, NULL, "%llu packets in %d s from %s, %llu lost, jitter %u ms.",
			(unsigned long long)r->received, MEASURE_MS / 1000, doctor_sound_theirs(c->sound, theirs),
			(unsigned long long)r->lost, r->jitter_us / 1000);
}

static void tell_outgoing(struct doctor_call *c)
{
	const struct media_leg_stats *r = &c->stats;
	if (!r->far_expected) {
		doctor_found(c->doctor, "sound out", DOCTOR_NOTE, NULL,
			"%llu packets went out; the far end does not report (RTCP) what it hears. Who answered should have heard a "
			"tone.", (unsigned long long)r->sent);
		return;
	}
	unsigned lost = (unsigned)(r->far_lost * 100 / r->far_expected);
	bool bad = lost > LOST_MUCH_PERCENT;
	doctor_found(c->doctor, "sound out", bad ? DOCTOR_BAD : DOCTOR_GOOD,
		bad ? "Look at the network between here and the carrier: it loses packets." : NULL,
		"The far end reports %u %% lost of what we sent, jitter %u ms.", lost, r->far_jitter_us / 1000);
}

static void end_measuring(struct doctor_call *c)
{
	tell_incoming(c);
	tell_outgoing(c);
	hang_up(c);
}

static void on_measured(void *owner, const struct media_leg_stats *stats)
{
	struct doctor_call *c = owner;
	c->stats = *stats;
	if (c->answered && !c->hung_up && !c->told && loop_now_ms(&c->doctor->loop) - c->answered_ms >= MEASURE_MS)
		end_measuring(c);
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
		end_measuring(c);
	} else if (!c->measure && c->sip && sip_call_has_answered_challenge(c->sip)) {
		hang_up(c);
	} else {
		doctor_found(d, c->measure ? "call" : "credentials", DOCTOR_BAD, NULL,
			c->measure ? "Nobody answered within %d s." : "No final answer to INVITE within %d s.",
			(c->measure ? RINGING_MS : CHECK_MS) / 1000);
		if (c->sip)
			sip_call_hangup(c->sip, NULL);
		leave(c);
	}
}

/* Of this IP version: the server's, when we are beside it, for then its firewall is the one that is tried; else
 * what the carrier has seen of us. NULL: we know none. */
static const char *media_ip(const struct doctor *d, bool ip6)
{
	const char *all[] = {d->beside ? (ip6 ? d->media_ip6 : d->media_ip) : "", d->seen_ip, d->local_ip};
	for (size_t i = 0; i < COUNT_OF(all); ++i)
		if (*all[i] && (strchr(all[i], ':') != NULL) == ip6)
			return all[i];
	return ip6 ? NULL : "127.0.0.1";
}

static int start(struct doctor_call *c)
{
	struct doctor *d = c->doctor;
	struct identity who;
	const struct doctor_sound_config sound = {
		.trunk = d->trunk,
		.options = &d->options,
		.ip = media_ip(d, false),
		.ip6 = media_ip(d, true),
		.first = d->rtp_first,
		.last = d->rtp_last,
		.measured = on_measured,
		.owner = c,
	};
	int r = doctor_sound_open(&c->sound, &d->loop, &sound);
	if (r == 0)
		r = timer_init(&c->timer, &d->loop, on_timer, c);
	if (r < 0)
		return r;
	if (identity_write(&who, &(struct identity_wish){
					 .trunk = d->trunk,
					 .options = &d->options,
					 .address = d->trunk->address,
					 .number = number_of(d),
					 .to_number = number_of(d),
					 .caller = d->trunk->n_numbers ? d->trunk->numbers[0] : "ringdown",
					 .own_host = *d->sip_host ? d->sip_host : sound.ip,
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
			.body = doctor_sound_offer(c->sound), /* of both INVITEs alike: what is refused for it is refused here */
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
	} else if (d->call) {
		doctor_next(d); /* the call itself shows */
	} else {
		call(d, false);
	}
}

void doctor_media(struct doctor *d)
{
	if (d->call) {
		call(d, true);
		return;
	}
	doctor_found(d, "sound", DOCTOR_SKIPPED, NULL,
		"Whether sound comes through is not known without a call: ringdown doctor --call NUMBER measures it.");
	doctor_next(d);
}

/* The SIP call is the agent's: it goes with it, silently. */
void doctor_call_free(struct doctor *d)
{
	struct doctor_call *c = d->ring;
	if (!c)
		return;
	d->ring = NULL;
	doctor_sound_close(c->sound);
	timer_fini(&c->timer);
	mem_free(c);
}
