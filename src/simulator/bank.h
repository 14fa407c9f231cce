/* simulator/bank.h - what the bank's machine says and does: a pure script. It is told the keys that
 * were pressed and when a prompt has ended, and answers what to do next.
 *
 * Owner:   the far end's call embeds it. Owns: nothing. Thread: its owner's.
 */
#pragma once

#include "base/base.h"

enum bank_script {
	BANK_MENU,
	BANK_ECHO,
	BANK_TONE,
	BANK_HANG_UP,
};

enum bank_action {
	BANK_PLAY,    /* play `prompt`, then tell bank_prompt_ended() */
	BANK_WAIT,    /* be silent for `wait_ms`, then tell bank_prompt_ended(); keys interrupt */
	BANK_SEND_BACK, /* send the caller's voice back, until a key comes */
	BANK_SEND_TONE, /* 1000 Hz for `wait_ms` (0 = until a key comes), then bank_prompt_ended() */
	BANK_BYE,
};

struct bank_step {
	enum bank_action action;
	const char *prompt; /* a name of simulator/prompts.h */
	uint32_t wait_ms;
};

/*
 *   GREETING -> MENU <-----------------------.
 *                |  1 BALANCE, 2 ECHO, 3 TONE, other key SORRY, nothing for 8 s: MENU again, then
 *                '--> 9 GOODBYE -> BYE                                    GOODBYE
 */
enum bank_state {
	BANK_GREETING,
	BANK_AT_MENU,
	BANK_LISTENING, /* the menu was read, a key is awaited */
	BANK_ANSWERING, /* one of the choices speaks; then the menu again */
	BANK_ECHOING,
	BANK_TONING,
	BANK_LEAVING,
	BANK_GONE,
	BANK__COUNT,
};

struct bank {
	enum bank_script script;
	enum bank_state state;
	unsigned unanswered; /* how often nobody pressed a key */
};

struct bank_step bank_begin(struct bank *b, enum bank_script script);
struct bank_step bank_key(struct bank *b, char key);
struct bank_step bank_prompt_ended(struct bank *b);
