/* test/unit/leg_absent.c - stands where media/leg.c will be: no leg can be opened. */
#include "media/leg.h"

#include <errno.h>
#include <unistd.h>

int leg_new(struct leg **ret, struct worker *w, media_id id, int rtp_fd, int rtcp_fd,
	const struct media_leg_config *c)
{
	close(rtp_fd);
	close(rtcp_fd);
	return -ENOSYS;
}

struct leg *leg_free(struct leg *l)
{
	return NULL;
}

struct source *leg_source(struct leg *l)
{
	return NULL;
}

void leg_connect(struct leg *l, const struct media_leg_remote *remote)
{
}

void leg_hear(struct leg *l, struct source *s)
{
}

void leg_unhear(struct leg *l, media_id source)
{
}

void leg_digits(struct leg *l, const char *digits)
{
}
