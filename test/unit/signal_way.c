#include "signal/way.h"

#include "base/limits.h"
#include "base/mem.h"
#include "test/check.h"

enum { FIVE_MINUTES_MS = 300000 };

static void it_is_remembered_for_five_minutes(void)
{
	struct ways w;

	ways_init(&w);
	CHECK_EQ(ways_find(&w, "room", "ann", 0), WAY_ANY);
	ways_remember(&w, "room", "ann", WAY_TCP, 1000);
	ways_remember(&w, "room", "bob", WAY_RELAY, 2000);
	CHECK_EQ(ways_find(&w, "room", "ann", 3000), WAY_TCP);
	CHECK_EQ(ways_find(&w, "room", "bob", 3000), WAY_RELAY);
	CHECK_EQ(ways_find(&w, "roo", "mann", 3000), WAY_ANY);
	ways_remember(&w, "room", "ann", WAY_ANY, 4000);
	CHECK_EQ(ways_find(&w, "room", "ann", 4000), WAY_ANY);
	ways_remember(&w, "room", "ann", WAY_TCP, 5000);
	CHECK_EQ(ways_find(&w, "room", "bob", 2000 + FIVE_MINUTES_MS), WAY_ANY);
	CHECK_EQ(ways_find(&w, "room", "ann", 2000 + FIVE_MINUTES_MS), WAY_TCP);
	ways_fini(&w);
}

static void no_more_than_so_many(void)
{
	struct ways w;
	char name[32];

	ways_init(&w);
	for (int i = 0; i < 2 * LIMIT_ICE_WAYS; ++i) {
		snprintf(name, sizeof name, "%d", i);
		ways_remember(&w, "room", name, WAY_TCP, 1);
		CHECK(w.count <= LIMIT_ICE_WAYS);
	}
	CHECK_EQ(ways_find(&w, "room", "0", 1), WAY_ANY);
	CHECK_EQ(ways_find(&w, "room", name, 1), WAY_TCP);
	ways_fini(&w);
}

static void without_memory_it_is_forgotten(void)
{
	struct ways w;

	ways_init(&w);
	mem_fail_after(0);
	ways_remember(&w, "room", "ann", WAY_TCP, 1);
	mem_fail_after(-1);
	CHECK_EQ(ways_find(&w, "room", "ann", 1), WAY_ANY);
	ways_fini(&w);
}

int main(void)
{
	it_is_remembered_for_five_minutes();
	no_more_than_so_many();
	without_memory_it_is_forgotten();
	CHECK_EQ(mem_live(), 0);
	return 0;
}
