#include "base/budget.h"

#include "test/check.h"

enum { AT_ONCE = 10, PER_SECOND = 2 };

static struct budget b;

static bool take(uint64_t now_ms, int64_t cost)
{
	return budget_take(&b, now_ms, cost, AT_ONCE, PER_SECOND);
}

int main(void)
{
	for (int i = 0; i < AT_ONCE; ++i)
		CHECK(take(1, 1));
	for (uint64_t ms = 1; ms <= 500; ++ms)
		CHECK(!take(ms, 1));
	CHECK(take(501, 1)); /* asking did not lose what was gained */
	CHECK(!take(1000, 1));
	CHECK(take(1001, 1));
	CHECK(!take(400, 1));

	/* A debt is paid back before anything else is taken. */
	b = (struct budget){0};
	CHECK(take(1000, 30));
	CHECK(!take(10500, 1));
	CHECK(take(11600, 1));

	/* Never more than AT_ONCE, however long it was left alone. */
	CHECK(take(UINT64_MAX / 2, AT_ONCE));
	CHECK(!take(UINT64_MAX / 2, 1));
	b = (struct budget){0};
	CHECK(take(1, INT64_MAX / 2));
	CHECK(!take(2, 1));
	return 0;
}
