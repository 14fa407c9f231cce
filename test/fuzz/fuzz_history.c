#include "media/history.h"

#include "media/missing.h"
#include "media/replay.h"
#include "media/resend.h"
#include "wire/rtcp.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was first under each number of this epoch; -1 = nothing. Payloads are one byte, repeated. */
struct model {
	struct history *history;
	struct replay left; /* what stands before every sink: nothing is protected twice */
	struct resend resend;
	struct missing missing;
	unsigned epoch, resent;
	uint16_t seq, last;
	int first[65536];
	uint64_t now_ms;
};

/* Another life, as a sink begins it: nothing before it is asked for. */
static void begin(struct model *m)
{
	memset(m->first, -1, sizeof m->first);
	m->left = (struct replay){0};
	m->resend.started = false;
}

static void put(struct model *m, uint16_t seq, uint8_t what)
{
	uint8_t payload[256];
	size_t n = 1u + what;
	struct rtp_view v = {.seq = seq, .ssrc = 1, .payload = span_of(payload, n)};
	int16_t step = (int16_t)(seq - m->last);

	if (step > 500 || step < -500)
		begin(m);
	if (!m->left.started || step > 0)
		m->last = seq;
	memset(payload, what ^ m->epoch, n);
	history_put(m->history, m->epoch, &v);
	missing_note(&m->missing, seq, m->now_ms);
	assert(m->missing.count <= MISSING_MAX);
	if (replay_is_before_all(&m->left, seq))
		return;
	uint64_t index = replay_index(&m->left, seq);
	if (!replay_is_fresh(&m->left, index))
		return;
	replay_note(&m->left, index);
	resend_note(&m->resend, seq);
	m->first[seq] = what;
}

/* Whoever is sent something again gets what it was sent. */
static void get(struct model *m, uint16_t seq)
{
	struct rtp_view v;

	if (!history_get(&v, m->history, m->epoch, 1, seq) ||
		!resend_allow(&m->resend, seq, m->now_ms, 0))
		return;
	assert(m->first[seq] >= 0 && v.payload.size == 1u + (unsigned)m->first[seq]);
	for (size_t i = 0; i < v.payload.size; ++i)
		assert(v.payload.data[i] == (uint8_t)((unsigned)m->first[seq] ^ m->epoch));
	assert(++m->resent <= RESEND_BURST + 1 + m->now_ms * RESEND_PER_SECOND / 1000);
}

static void ask(struct model *m)
{
	uint16_t seqs[MISSING_MAX];
	uint8_t bytes[12 + 4 * MISSING_MAX];
	struct writer w = writer_of(bytes, sizeof bytes);

	rtcp_write_nack(&w, 1, 2, seqs, missing_due(seqs, &m->missing, m->now_ms, 0));
	assert(!w.bad && (!w.used || rtcp_valid(writer_span(&w))));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct model m;

	m = (struct model){0};
	if (history_new(&m.history) < 0)
		return 0;
	begin(&m);
	for (; size >= 3; data += 3, size -= 3) {
		m.now_ms += data[2] % 50u;
		switch (data[0] % 6) {
		case 0:
			m.seq = (uint16_t)(m.seq + data[1]);
			put(&m, m.seq, data[2]);
			break;
		case 1:
			get(&m, (uint16_t)(m.seq - data[1]));
			break;
		case 2:
			put(&m, (uint16_t)(m.seq - data[1]), data[2]);
			break;
		case 3:
			ask(&m);
			break;
		case 4:
			m.seq = (uint16_t)(m.seq + 0x101u * data[1]);
			break;
		default:
			if (data[1] == 255) {
				++m.epoch;
				begin(&m);
			}
		}
	}
	m.history = history_free(m.history);
	return 0;
}
