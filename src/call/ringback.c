#include "call/ringback.h"

#include "trunk/country.h"

static const struct country_tone {
	const char *prefix;
	struct media_ringback tone;
} tones[] = {
	{"+1", {{440, 480}, {2000, 4000}}},
	{"+33", {{440}, {1500, 3500}}},
	{"+353", {{400, 450}, {400, 200, 400, 2000}}},
	{"+44", {{400, 450}, {400, 200, 400, 2000}}},
	{"+61", {{400, 450}, {400, 200, 400, 2000}}},
	{"+64", {{400, 450}, {400, 200, 400, 2000}}},
	{"+65", {{400, 425}, {400, 200, 400, 2000}}},
	{"+81", {{384, 416}, {1000, 2000}}}, /* 400 Hz, modulated with 16 */
	{"+82", {{440, 480}, {1000, 2000}}},
	{"+852", {{440, 480}, {400, 200, 400, 3000}}},
	{"+86", {{450}, {1000, 4000}}},
	{"+91", {{400}, {400, 200, 400, 2000}}},
};

const struct media_ringback *ringback_of(const char *number)
{
	static const struct media_ringback others = {{425}, {1000, 4000}};
	const struct country *country = country_of(number);

	/* Each island behind +1 is a country of its own, but rings like all of them. */
	for (size_t i = 0; country && i < COUNT_OF(tones); ++i)
		if (!strcmp(country->prefix, tones[i].prefix) ||
			(!strcmp(tones[i].prefix, "+1") && country->prefix[1] == '1'))
			return &tones[i].tone;
	return &others;
}
