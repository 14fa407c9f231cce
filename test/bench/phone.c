#include "test/bench/phone.h"

#include "base/rng.h"
#include "test/bench/udp_end.h"
#include "wire/rtp.h"

#include <unistd.h>

int phone_open(struct phone *p, uint16_t leg_port, const struct srtp_keys *keys)
{
	int r = udp_end_open(&p->fd, &p->port);
	if (r == 0)
		r = udp_end_connect(p->fd, leg_port);
	p->ssrc = rng_u32();
	p->seq = (uint16_t)rng_u32();
	p->timestamp = rng_u32();
	if (r == 0 && keys) {
		p->seq &= SRTP_FIRST_SEQ_MAX;
		r = srtp_pair_new(&p->srtp, keys, false);
	}
	return r;
}

void phone_close(struct phone *p)
{
	close(p->fd);
	p->srtp = srtp_pair_free(p->srtp);
}

void phone_send(struct phone *p, struct span g711)
{
	uint8_t out[1500];
	struct writer w = writer_of(out, sizeof out - SRTP_TRAILER_BYTES);

	rtp_write(&w, &(struct rtp_view){.payload_type = 0,
			      .seq = p->seq++,
			      .timestamp = p->timestamp,
			      .ssrc = p->ssrc,
			      .payload = g711});
	p->timestamp += (uint32_t)g711.size;
	size_t size = w.used;
	if (!p->srtp || srtp_pair_protect(p->srtp, out, &size))
		udp_end_send(p->fd, span_of(out, size));
}

bool phone_input(struct phone *p, uint8_t *packet, size_t *size)
{
	return !p->srtp || srtp_pair_unprotect(p->srtp, packet, size);
}
