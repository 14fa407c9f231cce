#include "simulator/bank.h"

#include <assert.h>

enum {
	LISTEN_MS = 8000,
	TONE_MS = 4000,
	HANG_UP_MS = 2000,
	UNANSWERED_MAX = 2,
};

static const struct {
	unsigned next;
} states[BANK__COUNT] = {
	[BANK_GREETING] = {BIT(BANK_AT_MENU) | BIT(BANK_LISTENING) | BIT(BANK_ANSWERING) | BIT(BANK_ECHOING) |
			   BIT(BANK_TONING) | BIT(BANK_LEAVING)},
	[BANK_AT_MENU] = {BIT(BANK_AT_MENU) | BIT(BANK_LISTENING) | BIT(BANK_ANSWERING) | BIT(BANK_ECHOING) |
			  BIT(BANK_TONING) | BIT(BANK_LEAVING)},
	[BANK_LISTENING] = {BIT(BANK_AT_MENU) | BIT(BANK_ANSWERING) | BIT(BANK_ECHOING) | BIT(BANK_TONING) |
			    BIT(BANK_LEAVING)},
	[BANK_ANSWERING] = {BIT(BANK_AT_MENU) | BIT(BANK_ANSWERING) | BIT(BANK_ECHOING) | BIT(BANK_TONING) |
			    BIT(BANK_LEAVING)},
	[BANK_ECHOING] = {BIT(BANK_AT_MENU) | BIT(BANK_LEAVING)},
	[BANK_TONING] = {BIT(BANK_AT_MENU) | BIT(BANK_ANSWERING) | BIT(BANK_ECHOING) | BIT(BANK_TONING) |
			 BIT(BANK_LEAVING)},
	[BANK_LEAVING] = {BIT(BANK_GONE)},
	[BANK_GONE] = {0},
};

static struct bank_step move(struct bank *b, enum bank_state next, struct bank_step step)
{
	assert(states[b->state].next & BIT(next));
	b->state = next;
	return step;
}

static struct bank_step say(const char *prompt)
{
	return (struct bank_step){.action = BANK_PLAY, .prompt = prompt};
}

static struct bank_step leave(struct bank *b)
{
	return move(b, BANK_LEAVING, say("goodbye"));
}

struct bank_step bank_begin(struct bank *b, enum bank_script script)
{
	*b = (struct bank){.script = script, .state = BANK_GREETING};
	switch (script) {
	case BANK_ECHO:
		return move(b, BANK_ECHOING, (struct bank_step){.action = BANK_SEND_BACK});
	case BANK_TONE:
		return move(b, BANK_TONING, (struct bank_step){.action = BANK_SEND_TONE});
	case BANK_HANG_UP:
		return move(b, BANK_LEAVING, (struct bank_step){.action = BANK_WAIT, .wait_ms = HANG_UP_MS});
	default:
		return say("greeting");
	}
}

static struct bank_step choose(struct bank *b, char key)
{
	switch (key) {
	case '1':
		return move(b, BANK_ANSWERING, say("balance"));
	case '2':
		return move(b, BANK_ECHOING, (struct bank_step){.action = BANK_SEND_BACK});
	case '3':
		return move(b, BANK_TONING, (struct bank_step){.action = BANK_SEND_TONE, .wait_ms = TONE_MS});
	case '9':
		return leave(b);
	case '0':
	case '*':
		return move(b, BANK_AT_MENU, say("menu"));
	default:
		return move(b, BANK_ANSWERING, say("sorry"));
	}
}

struct bank_step bank_key(struct bank *b, char key)
{
	b->unanswered = 0;
	if (b->state == BANK_LEAVING || b->state == BANK_GONE)
		return (struct bank_step){.action = BANK_WAIT};
	if (b->state == BANK_ECHOING)
		return key == '9' ? leave(b) : move(b, BANK_AT_MENU, say("menu"));
	return choose(b, key);
}

struct bank_step bank_prompt_ended(struct bank *b)
{
	switch (b->state) {
	case BANK_AT_MENU:
		return move(b, BANK_LISTENING, (struct bank_step){.action = BANK_WAIT, .wait_ms = LISTEN_MS});
	case BANK_LISTENING:
		if (++b->unanswered >= UNANSWERED_MAX)
			return leave(b);
		return move(b, BANK_AT_MENU, say("menu"));
	case BANK_LEAVING:
		return move(b, BANK_GONE, (struct bank_step){.action = BANK_BYE});
	case BANK_GONE:
		return (struct bank_step){.action = BANK_BYE};
	default:
		return move(b, BANK_AT_MENU, say("menu"));
	}
}
