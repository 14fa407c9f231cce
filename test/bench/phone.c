#include "test/bench/phone.h"

#include "base/rng.h"
#include "test/bench/udp_end.h"
#include "wire/rtp.h"

#include <unistd.h>

int phone_open(struct phone *p, uint16_t leg_port)
{
	int r = udp_end_open(&p->fd, &p->port);
	if (r == 0)
		r = udp_end_connect(p->fd, leg_port);
	p->ssrc = rng_u32();
	p->seq = (uint16_t)rng_u32();
	p->timestamp = rng_u32();
	return r;
}

void phone_close(struct phone *p)
{
	close(p->fd);
}

void phone_send(struct phone *p, struct span g711)
{
	uint8_t out[1500];
	struct writer w = writer_of(out, sizeof out);

	rtp_write(&w, &(struct rtp_view){.payload_type = 0,
			      .seq = p->seq++,
			      .timestamp = p->timestamp,
			      .ssrc = p->ssrc,
			      .payload = g711});
	p->timestamp += (uint32_t)g711.size;
	udp_end_send(p->fd, writer_span(&w));
}
