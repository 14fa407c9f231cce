#include "media/sender_clock.h"

enum { FOLLOW = 32 }; /* clocks drift apart: a later minimum is believed slowly */
static const int64_t jump = (int64_t)1 << 32; /* a second: a clock was set */

uint64_t sender_clock_put(struct sender_clock *c, uint64_t theirs, uint64_t ours)
{
	int64_t apart = (int64_t)(ours - theirs), more = (int64_t)((uint64_t)apart - (uint64_t)c->apart);

	if (!c->known || more < 0 || more > jump)
		c->apart = apart;
	else
		c->apart += more / FOLLOW;
	c->known = true;
	return theirs + (uint64_t)c->apart;
}
