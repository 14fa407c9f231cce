#include "simulator/bank.h"
#include "simulator/carrier_inside.h"
#include "simulator/numbers.h"
#include "simulator/prompts.h"
#include "test/check.h"

static bool has_prompt(const char *name)
{
	const struct prompt *p = prompts;
	while (p->name && strcmp(p->name, name))
		++p;
	return p->name && p->size > 800; /* a tenth of a second at least */
}

static void expect(struct bank_step got, enum bank_action action, const char *prompt)
{
	CHECK_EQ(got.action, action);
	if (prompt) {
		CHECK_STR(got.prompt, prompt);
		CHECK(has_prompt(prompt));
	}
}

static void the_menu_reacts_to_keys(void)
{
	struct bank b;
	expect(bank_begin(&b, BANK_MENU), BANK_PLAY, "greeting");
	expect(bank_prompt_ended(&b), BANK_PLAY, "menu");
	expect(bank_prompt_ended(&b), BANK_WAIT, NULL);
	expect(bank_key(&b, '1'), BANK_PLAY, "balance");
	expect(bank_prompt_ended(&b), BANK_PLAY, "menu");
	expect(bank_key(&b, '2'), BANK_SEND_BACK, NULL);
	expect(bank_key(&b, '5'), BANK_PLAY, "menu"); /* any key leaves the echo */
	expect(bank_key(&b, '3'), BANK_SEND_TONE, NULL);
	expect(bank_key(&b, '7'), BANK_PLAY, "sorry");
	expect(bank_key(&b, '9'), BANK_PLAY, "goodbye");
	expect(bank_key(&b, '1'), BANK_WAIT, NULL); /* it is leaving: keys come too late */
	expect(bank_prompt_ended(&b), BANK_BYE, NULL);
}

static void keys_interrupt_the_greeting(void)
{
	struct bank b;
	(void)bank_begin(&b, BANK_MENU);
	expect(bank_key(&b, '3'), BANK_SEND_TONE, NULL);
}

static void nobody_pressing_ends_the_call(void)
{
	struct bank b;
	(void)bank_begin(&b, BANK_MENU);
	expect(bank_prompt_ended(&b), BANK_PLAY, "menu");
	expect(bank_prompt_ended(&b), BANK_WAIT, NULL);
	expect(bank_prompt_ended(&b), BANK_PLAY, "menu");
	expect(bank_prompt_ended(&b), BANK_WAIT, NULL);
	expect(bank_prompt_ended(&b), BANK_PLAY, "goodbye");
}

/* Any order of keys and endings, from any start: never an assert, never a prompt that is not there. */
static void no_order_of_events_confuses_it(void)
{
	uint32_t random = 7;
	for (int run = 0; run < 2000; ++run) {
		struct bank b;
		(void)bank_begin(&b, (enum bank_script)(run % 4));
		for (int i = 0; i < 40; ++i) {
			random = random * 1664525u + 1013904223u;
			char key = "0123456789*#ABCD"[random >> 28];
			struct bank_step s = random & 0x10000 ? bank_key(&b, key) : bank_prompt_ended(&b);
			CHECK(s.action != BANK_PLAY || has_prompt(s.prompt));
		}
	}
}

static void every_number_is_told_apart(void)
{
	for (size_t i = 0; number_at(i); ++i)
		CHECK(number_find(span_text(number_at(i)->number)) == number_at(i));
	CHECK(!number_find(span_text("+12025550999")));
	CHECK(!number_find(span_text("12025550100"))); /* E.164 wants its '+' */
}

int main(void)
{
	the_menu_reacts_to_keys();
	keys_interrupt_the_greeting();
	nobody_pressing_ends_the_call();
	no_order_of_events_confuses_it();
	every_number_is_told_apart();
	return 0;
}
