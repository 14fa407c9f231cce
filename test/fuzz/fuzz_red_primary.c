/* Packets of one stream in any order: each is two bytes of sequence number, one of length, and that
 * many of payload; an odd length is a plain packet. What comes out comes once and in order. */
#include "base/reader.h"
#include "media/red_primary.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FORGOTTEN = 64 }; /* a jump of more than that begins anew, and may bring a number again */

struct model {
	bool any;
	uint16_t last_in;
	bool out[1 << 16];
};

static void jump(struct model *m, uint16_t seq)
{
	int16_t step = (int16_t)(seq - m->last_in);
	if (!m->any || step >= FORGOTTEN / 2 || step <= -FORGOTTEN / 2)
		memset(m->out, 0, sizeof m->out);
	m->any = true;
	m->last_in = seq;
}

static void check(struct model *m, const struct rtp_view *in, const struct rtp_view *out, size_t count)
{
	assert(count <= RED_BLOCKS_MAX);
	for (size_t i = 0; i < count; ++i) {
		assert(out[i].payload.size > 0 && out[i].payload.data >= in->payload.data);
		assert(out[i].payload.data + out[i].payload.size <=
			in->payload.data + in->payload.size);
		assert((int16_t)(in->seq - out[i].seq) >= 0);
		assert(i == 0 || (int16_t)(out[i].seq - out[i - 1].seq) > 0);
		assert(!m->out[out[i].seq]);
		m->out[out[i].seq] = true;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct model m;
	struct red_primary r = {0};
	struct reader in = reader_of(span_of(data, size));

	m = (struct model){0};
	while (reader_left(&in) >= 3) {
		struct rtp_view v = {.seq = read_u16(&in)}, out[RED_BLOCKS_MAX];
		uint8_t length = read_u8(&in);
		v.timestamp = v.seq * 960u;
		v.payload = read_bytes(&in, length < reader_left(&in) ? length : reader_left(&in));
		jump(&m, v.seq);
		if (length & 1) {
			if (red_primary_note(&r, &v)) {
				assert(!m.out[v.seq]);
				m.out[v.seq] = true;
			}
		} else {
			check(&m, &v, out, red_primary_take(&r, out, &v));
		}
	}
	return 0;
}
