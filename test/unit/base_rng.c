#include "base/rng.h"
#include "test/check.h"

static void ids_look_like_livekits(void)
{
	char id[RNG_ID_SIZE];
	rng_id(id, "RM_");
	CHECK_EQ(strlen(id), 3 + RNG_ID_CHARS);
	CHECK(!strncmp(id, "RM_", 3));
	CHECK(!strpbrk(id + 3, "01IOl"));
}

static void uuids_have_their_form(void)
{
	for (int i = 0; i < 200; ++i) {
		char u[RNG_UUID_SIZE], again[RNG_UUID_SIZE];
		rng_uuid(u);
		rng_uuid(again);
		CHECK_EQ(strlen(u), 36);
		CHECK(strcmp(u, again));
		CHECK(u[8] == '-' && u[13] == '-' && u[18] == '-' && u[23] == '-');
		CHECK_EQ(u[14], '4');
		CHECK(strchr("89ab", u[19]));
		CHECK_EQ(strspn(u, "0123456789abcdef-"), 36);
	}
}

int main(void)
{
	ids_look_like_livekits();
	uuids_have_their_form();
	return 0;
}
