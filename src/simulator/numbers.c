#include "simulator/numbers.h"

#include "simulator/simulator.h"

/* 555-0100 to 555-0199 belong to nobody: they are kept for stories. */
static const struct number book[] = {
	{"+12025550100", "First National Bank: a menu that reacts to keys", "first-national", "First National Bank",
		NUMBER_ANSWERS, 1200, 0, NULL, BANK_MENU},
	{"+12025550101", "Harbor Credit Union: the same menu, answers at once", "harbor", "Harbor Credit Union",
		NUMBER_ANSWERS, 0, 0, NULL, BANK_MENU},
	{"+1234567890", "the number of the examples: the same menu", NULL, NULL, NUMBER_ANSWERS, 1200, 0, NULL, BANK_MENU},
	{"+12025550110", "is busy (486)", NULL, NULL, NUMBER_REFUSES, 300, 486, "Busy Here", BANK_MENU},
	{"+12025550111", "rings and never answers", NULL, NULL, NUMBER_SILENT, 0, 0, NULL, BANK_MENU},
	{"+12025550112", "declines (603)", NULL, NULL, NUMBER_REFUSES, 300, 603, "Decline", BANK_MENU},
	{"+12025550113", "is not in service (404)", NULL, NULL, NUMBER_REFUSES, 0, 404, "Not Found", BANK_MENU},
	{"+12025550114", "answers late, after eight seconds", NULL, NULL, NUMBER_ANSWERS, 8000, 0, NULL, BANK_MENU},
	{"+12025550115", "answers and hangs up after two seconds", NULL, NULL, NUMBER_ANSWERS, 300, 0, NULL,
		BANK_HANG_UP},
	{"+12025550116", "echoes you", NULL, NULL, NUMBER_ANSWERS, 300, 0, NULL, BANK_ECHO},
	{"+12025550117", "plays a tone of 1000 Hz", NULL, NULL, NUMBER_ANSWERS, 300, 0, NULL, BANK_TONE},
	{"+12025550118", "is unavailable (480)", NULL, NULL, NUMBER_REFUSES, 300, 480, "Temporarily Unavailable",
		BANK_MENU},
	{"+12025550119", "fails at the carrier (503)", NULL, NULL, NUMBER_REFUSES, 0, 503, "Service Unavailable",
		BANK_MENU},
};

const struct number *number_find(struct span digits)
{
	for (size_t i = 0; i < COUNT_OF(book); ++i)
		if (span_is(digits, book[i].number))
			return &book[i];
	return NULL;
}

const struct number *number_at(size_t i)
{
	return i < COUNT_OF(book) ? &book[i] : NULL;
}

const struct simulator_number *simulator_numbers(size_t *count)
{
	static struct simulator_number list[COUNT_OF(book)];
	for (size_t i = 0; i < COUNT_OF(book); ++i)
		list[i] = (struct simulator_number){
			.number = book[i].number,
			.what = book[i].what,
			.bank = book[i].id,
			.id = book[i].id,
			.name = book[i].name,
		};
	*count = COUNT_OF(book);
	return list;
}
