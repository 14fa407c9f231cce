#include "base/map.h"
#include "base/mem.h"
#include "test/check.h"

#include <pthread.h>

struct element {
	struct map_node node;
	char name[16];
};

static void a_thousand_names_come_and_go(void)
{
	static struct element all[1000];
	struct map m = {0};

	for (int i = 0; i < 1000; ++i) {
		snprintf(all[i].name, sizeof all[i].name, "room-%d", i);
		CHECK_EQ(map_put(&m, &all[i].node, all[i].name), 0);
	}
	CHECK_EQ(map_put(&m, &(struct map_node){0}, "room-7"), MAP_E_EXISTS);
	CHECK(map_entry(map_get(&m, "room-999"), struct element, node) == &all[999]);
	CHECK(!map_get(&m, "room-1000"));

	size_t seen = 0;
	for (struct map_node *n = map_next(&m, NULL); n; n = map_next(&m, n))
		++seen;
	CHECK_EQ(seen, 1000);

	for (int i = 0; i < 1000; i += 2)
		map_remove(&m, &all[i].node);
	CHECK_EQ(m.count, 500);
	CHECK(!map_get(&m, "room-0"));
	CHECK(map_get(&m, "room-1"));
	map_fini(&m);
	CHECK_EQ(mem_live(), 0);
}

static void an_allocation_may_fail(void)
{
	struct map m = {0};
	struct map_node node = {0};

	mem_fail_after(0);
	int r = map_put_id(&m, &node, 7);
	mem_fail_after(-1);
	CHECK(r < 0);
	CHECK(!map_get_id(&m, 7));
	CHECK_EQ(map_put_id(&m, &node, 7), 0);
	CHECK(map_get_id(&m, 7) == &node);
	map_fini(&m);
	CHECK_EQ(mem_live(), 0);
}

static void *put_and_look(void *arg)
{
	struct map *m = arg;
	struct map_node node = {0};

	CHECK_EQ(map_put(m, &node, "room"), 0); /* by text: numbers are not hashed */
	CHECK(map_get(m, "room") == &node);
	map_fini(m);
	return NULL;
}

/* Each worker has maps of its own; nothing behind them may be shared (run under `make tsan`).
 * First in main(): what is made lazily must be made here. */
static void two_threads_use_maps_of_their_own(void)
{
	struct map maps[2] = {0};
	pthread_t threads[2];

	for (int i = 0; i < 2; ++i)
		CHECK_EQ(pthread_create(&threads[i], NULL, put_and_look, &maps[i]), 0);
	for (int i = 0; i < 2; ++i)
		pthread_join(threads[i], NULL);
	CHECK_EQ(mem_live(), 0);
}

int main(void)
{
	two_threads_use_maps_of_their_own();
	a_thousand_names_come_and_go();
	an_allocation_may_fail();
	return 0;
}
