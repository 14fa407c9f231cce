/* simulator/carrier_script.c - what a callee does, as a line of steps: "180 / wait 1000 / answer / play tone".
 * docs/simulator.md lists the steps. */
#include "simulator/carrier_inside.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum next { NEXT, WAITS, STOPS };

enum { STEPS_AT_ONCE_MAX = 64 }; /* a script that goes round without waiting ends here */

static const char *after_word(const char *text)
{
	text += strcspn(text, " ");
	return text + strspn(text, " ");
}

static bool is_word(const char *text, const char *word)
{
	size_t size = strlen(word);
	return !strncmp(text, word, size) && (text[size] == 0 || text[size] == ' ');
}

/* Takes "word" or "word=NUMBER" off the front. */
static bool take_option(const char **text, const char *word, long *value)
{
	size_t size = strlen(word);
	if (strncmp(*text, word, size) || !(*text)[0])
		return false;
	if ((*text)[size] == '=' && value)
		*value = strtol(*text + size + 1, NULL, 10);
	else if ((*text)[size] && (*text)[size] != ' ')
		return false;
	*text = after_word(*text);
	return true;
}

static long number_in(const char *text, const char *word, long standard)
{
	const char *at = strstr(text, word);
	size_t size = strlen(word);
	return at && at[size] == '=' ? strtol(at + size + 1, NULL, 10) : standard;
}

static enum next wait_for(struct carrier_call *call, enum script_wait what)
{
	call->waits = what;
	return WAITS;
}

static size_t fork_number(long wanted)
{
	return wanted > 0 && wanted < CARRIER_FORKS_MAX ? (size_t)wanted : 0;
}

/* --- steps ------------------------------------------------------------------------------------------- */

/* "183 sdp reliably fork=1 Session Progress | Name: value" */
static enum next say(struct carrier_call *call, const char *text)
{
	char reason[96], extra[CARRIER_SCRIPT_MAX];
	long fork = 0;
	struct carrier_say s = {.status = (unsigned)strtoul(text, NULL, 10)};
	if (call->state > CALL_RINGING)
		return NEXT;
	text = after_word(text);
	for (bool more = true; more;) {
		more = false;
		if (take_option(&text, "sdp", NULL))
			more = s.sdp = true;
		else if (take_option(&text, "reliably", NULL))
			more = s.reliably = true;
		else if (take_option(&text, "fork", &fork))
			more = true;
	}
	size_t size = strcspn(text, "|");
	snprintf(reason, sizeof reason, "%.*s", (int)sip_trim(span_of(text, size)).size, text);
	snprintf(extra, sizeof extra, "%s", text[size] ? text + size + 1 : "");
	s.reason = reason[0] ? reason : NULL;
	s.extra = extra;
	s.fork = fork_number(fork);
	if (s.reliably && !sip_message_lists(&call->invite, SIP_H_SUPPORTED, "100rel") &&
		!sip_message_lists(&call->invite, SIP_H_REQUIRE, "100rel")) {
		carrier_call_move(call, CALL_REFUSED);
		carrier_call_say(call, &(struct carrier_say){.status = 421, .extra = "Require: 100rel"});
		return STOPS;
	}
	if (s.status > 100)
		carrier_call_move(call, s.status < 300 ? CALL_RINGING : CALL_REFUSED);
	carrier_call_say(call, &s);
	if (s.sdp)
		carrier_media_apply(call);
	if (s.reliably)
		return wait_for(call, WAIT_PRACK);
	return s.status < 300 ? NEXT : STOPS;
}

/* "answer [fork=N] [now]": `now` does not wait for the ACK. */
static enum next answer(struct carrier_call *call, const char *args)
{
	struct carrier_say s = {.status = 200, .sdp = true, .fork = fork_number(number_in(args, "fork", 0))};
	if (call->state > CALL_UP)
		return STOPS;
	if (!call->media.format_count)
		call->owes_answer = true;
	call->forks[s.fork].answered = true;
	if (call->state < CALL_ANSWERED)
		carrier_call_move(call, CALL_ANSWERED);
	carrier_call_say(call, &s);
	return strstr(args, "now") ? NEXT : wait_for(call, WAIT_ACK);
}

static enum next pause_for(struct carrier_call *call, const char *args)
{
	timer_start(&call->wait, strtoul(args, NULL, 10), 0);
	return wait_for(call, WAIT_TIME);
}

static enum next await(struct carrier_call *call, const char *args)
{
	return wait_for(call, is_word(args, "cancel") ? WAIT_CANCEL
		: is_word(args, "key") ? WAIT_KEY : is_word(args, "sound") ? WAIT_SOUND : WAIT_BYE);
}

static const struct {
	const char *name;
	void (*play)(struct voice *v);
} sounds[] = {
	{"ringback", voice_ringback},
	{"echo", voice_echo},
	{"comfort-noise", voice_noise},
	{"nothing", voice_nothing},
	{"recorded", voice_play_back},
};

/* "tone [MS]", "silence [MS]", "record MS", one of the sounds, or a prompt */
static enum next play(struct carrier_call *call, const char *args)
{
	uint32_t ms = (uint32_t)strtoul(after_word(args), NULL, 10);
	call->bank_is_there = false;
	for (size_t i = 0; i < COUNT_OF(sounds); ++i) {
		if (!is_word(args, sounds[i].name))
			continue;
		sounds[i].play(call->voice);
		return NEXT;
	}
	if (is_word(args, "tone"))
		voice_tone(call->voice, ms);
	else if (is_word(args, "silence"))
		voice_pause(call->voice, ms);
	else if (is_word(args, "record"))
		voice_record(call->voice, ms);
	else
		voice_play(call->voice, args);
	return NEXT;
}

static enum next press(struct carrier_call *call, const char *args)
{
	voice_press(call->voice, args);
	return NEXT;
}

/* "line loss=5 jitter=30 reorder=2 duplicate=1" */
static enum next spoil(struct carrier_call *call, const char *args)
{
	voice_spoil(call->voice, &(struct line_faults){.loss = number_in(args, "loss", 0), .jitter_ms = number_in(args, "jitter", 0),
		.reorder = number_in(args, "reorder", 0), .duplicate = number_in(args, "duplicate", 0)});
	return NEXT;
}

/* "rtp ssrc", "rtp port", "rtp odd N": the stream changes without a word of SIP */
static enum next rtp(struct carrier_call *call, const char *args)
{
	if (is_word(args, "ssrc"))
		voice_new_ssrc(call->voice);
	else if (is_word(args, "port"))
		return voice_move(call->voice) < 0 ? STOPS : NEXT;
	else if (is_word(args, "odd"))
		voice_send_odd(call->voice, (uint8_t)(strtoul(after_word(args), NULL, 10) & 0x7f));
	return NEXT;
}

static enum next bank(struct carrier_call *call, const char *args)
{
	carrier_bank_begin(call, is_word(args, "echo") ? BANK_ECHO : is_word(args, "tone") ? BANK_TONE
		: is_word(args, "hang-up") ? BANK_HANG_UP : BANK_MENU);
	return NEXT;
}

static enum next bye(struct carrier_call *call, const char *args)
{
	carrier_bye(call, *args ? args : NULL);
	return STOPS;
}

/* "sendonly", "inactive", "zero", "resume", "refresh", "no-offer", "port", "codec PCMA" */
static enum next change(struct carrier_call *call, enum sip_method method, const char *args)
{
	struct carrier_ask ask = {.method = method, .offer = true};
	if (is_word(args, "sendonly"))
		call->direction = SDP_SENDONLY;
	else if (is_word(args, "inactive"))
		call->direction = SDP_INACTIVE;
	else if (is_word(args, "resume"))
		call->direction = SDP_SENDRECV;
	call->zero_hold = is_word(args, "zero");
	if (is_word(args, "no-offer")) {
		ask.offer = false;
		ask.no_offer = true;
	} else if (is_word(args, "refresh")) {
		ask.offer = method == SIP_INVITE;
		ask.extra = "Session-Expires: 1800;refresher=uac";
	} else if (is_word(args, "port")) {
		if (voice_move(call->voice) < 0)
			return STOPS;
	} else if (is_word(args, "codec")) {
		bool alaw = is_word(after_word(args), "PCMA");
		call->media.formats[0] = (struct carrier_format){alaw ? CODEC_PCMA : CODEC_PCMU, alaw ? 8 : 0};
		call->media.format_count = 1;
	}
	carrier_ask(call, &ask);
	return wait_for(call, WAIT_ANSWER);
}

static enum next reinvite(struct carrier_call *call, const char *args)
{
	return change(call, SIP_INVITE, args);
}

static enum next update(struct carrier_call *call, const char *args)
{
	return change(call, SIP_UPDATE, args);
}

/* "request OPTIONS", "request INFO" */
static enum next request(struct carrier_call *call, const char *args)
{
	enum sip_method method = sip_method_of(span_text(args));
	static const char relay[] = "Signal=5\r\nDuration=160\r\n";
	struct carrier_ask ask = {.method = method};
	if (method == SIP_INFO) {
		ask.content_type = "application/dtmf-relay";
		ask.body = span_of(relay, sizeof relay - 1);
	} else if (method == SIP_MESSAGE) {
		ask.content_type = "text/plain";
		ask.body = span_text("hello");
	} else if (method == SIP_NOTIFY) {
		ask.extra = "Event: talk|Subscription-State: active";
	}
	carrier_ask(call, &ask);
	return wait_for(call, WAIT_ANSWER);
}

/* "notify 200 OK": what came of a REFER, as a piece of a response (RFC 3515 section 2.4.5) */
static enum next notify(struct carrier_call *call, const char *args)
{
	char fragment[128];
	int size = snprintf(fragment, sizeof fragment, "SIP/2.0 %.100s\r\n", args);
	bool over = args[0] != '1';
	carrier_ask(call, &(struct carrier_ask){.method = SIP_NOTIFY, .content_type = "message/sipfrag;version=2.0",
		.extra = over ? "Event: refer|Subscription-State: terminated;reason=noresource"
			      : "Event: refer|Subscription-State: active;expires=60",
		.body = span_of(fragment, (size_t)size)});
	return wait_for(call, WAIT_ANSWER);
}

static enum next again(struct carrier_call *call, const char *args)
{
	call->step = 0;
	return NEXT;
}

static enum next nothing(struct carrier_call *call, const char *args)
{
	return STOPS;
}

static const struct {
	const char *name;
	enum next (*run)(struct carrier_call *call, const char *args);
} verbs[] = {
	{"answer", answer},
	{"wait", pause_for},
	{"await", await},
	{"play", play},
	{"press", press},
	{"line", spoil},
	{"rtp", rtp},
	{"bank", bank},
	{"bye", bye},
	{"reinvite", reinvite},
	{"update", update},
	{"request", request},
	{"notify", notify},
	{"again", again},
	{"vanish", nothing},
};

static bool is_status(const char *text)
{
	return isdigit((unsigned char)text[0]) && isdigit((unsigned char)text[1]) && isdigit((unsigned char)text[2]) &&
		(!text[3] || text[3] == ' ');
}

static enum next run_step(struct carrier_call *call, const char *step)
{
	if (is_status(step))
		return say(call, step);
	for (size_t i = 0; i < COUNT_OF(verbs); ++i)
		if (is_word(step, verbs[i].name))
			return verbs[i].run(call, after_word(step));
	return STOPS;
}

/* The step at `at`, without blanks around it. False at the end. */
static bool take_step(const char *script, size_t *at, char out[CARRIER_SCRIPT_MAX])
{
	if (!script[*at])
		return false;
	const char *end = strstr(script + *at, " / "); /* headers may hold everything but this */
	size_t size = end ? (size_t)(end - script) - *at : strlen(script + *at);
	struct span s = sip_trim(span_of(script + *at, size));
	snprintf(out, CARRIER_SCRIPT_MAX, "%.*s", (int)s.size, (const char *)s.data);
	*at += size + (end ? 3 : 0);
	return true;
}

void carrier_script_run(struct carrier_call *call)
{
	char step[CARRIER_SCRIPT_MAX];
	enum next next = NEXT;
	call->waits = WAIT_NOT;
	for (int i = 0; i < STEPS_AT_ONCE_MAX && next == NEXT && call->state < CALL_REFUSED &&
		take_step(call->script, &call->step, step); ++i)
		if (*step)
			next = run_step(call, step);
	if (next != WAITS)
		call->waits = WAIT_BYE;
}

void carrier_script_woken(struct carrier_call *call, enum script_wait by)
{
	if (call->waits == by && by != WAIT_BYE)
		carrier_script_run(call);
}

bool carrier_script_is_good(const char *script, char why[96])
{
	char step[CARRIER_SCRIPT_MAX];
	size_t at = 0, count = 0;
	if (strlen(script) >= CARRIER_SCRIPT_MAX || strpbrk(script, "\r\n")) {
		snprintf(why, 96, "longer than %d characters, or more than a line", CARRIER_SCRIPT_MAX - 1);
		return false;
	}
	for (; take_step(script, &at, step); ++count) {
		bool known = !*step || is_status(step);
		for (size_t i = 0; i < COUNT_OF(verbs); ++i)
			known |= is_word(step, verbs[i].name);
		if (!known) {
			snprintf(why, 96, "there is no step \"%.40s\"", step);
			return false;
		}
	}
	snprintf(why, 96, "%s", count ? "" : "it has no step");
	return count > 0;
}
