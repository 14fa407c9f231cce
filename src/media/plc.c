#include "media/plc.h"

void plc_reset(struct plc *p)
{
	plc_init(&p->state);
}

void plc_received(struct plc *p, int16_t *pcm, size_t count)
{
	plc_rx(&p->state, pcm, (int)count);
}

void plc_missing(struct plc *p, int16_t *out, size_t count)
{
	plc_fillin(&p->state, out, (int)count);
}
