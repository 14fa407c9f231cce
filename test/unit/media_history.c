#include "media/history.h"
#include "media/resend.h"

#include "base/mem.h"
#include "test/check.h"

static struct rtp_view packet(uint16_t seq, const char *payload)
{
	return (struct rtp_view){.seq = seq,
		.ssrc = 7,
		.timestamp = seq * 960u,
		.marker = seq % 2,
		.payload_type = 111,
		.payload = span_text(payload)};
}

static bool has(const struct history *h, unsigned epoch, uint16_t seq, const char *payload)
{
	struct rtp_view v;
	return history_get(&v, h, epoch, 7, seq) && span_is(v.payload, payload) && v.seq == seq &&
	       v.ssrc == 7 && v.timestamp == seq * 960u && v.marker == seq % 2 &&
	       v.payload_type == 111;
}

static void put(struct history *h, unsigned epoch, uint16_t seq, const char *payload)
{
	struct rtp_view v = packet(seq, payload);
	history_put(h, epoch, &v);
}

static void what_is_kept_does_not_change(void)
{
	struct history *h = NULL;
	struct rtp_view v;

	CHECK(history_new(&h) == 0);
	CHECK(!history_get(&v, h, 0, 7, 0) && !history_get(&v, h, 0, 0, 0));
	put(h, 0, 65535, "last");
	put(h, 0, 0, "first");
	put(h, 0, 65535, "other");
	CHECK(has(h, 0, 65535, "last") && has(h, 0, 0, "first"));
	CHECK(!history_get(&v, h, 1, 7, 0) && !history_get(&v, h, 0, 8, 0));
	put(h, 0, 64, "newer"); /* the place of 0 */
	put(h, 0, 0, "late");
	CHECK(has(h, 0, 64, "newer") && !history_get(&v, h, 0, 7, 0));
	put(h, 1, 64, "unmuted");
	CHECK(has(h, 1, 64, "unmuted"));
	put(h, 1, 0, "late"); /* its place is taken */
	CHECK(!history_get(&v, h, 1, 7, 0));
	put(h, 1, (uint16_t)(64 - 640), "anew");
	CHECK(has(h, 1, (uint16_t)(64 - 640), "anew"));
	put(h, 1, 64, "again"); /* another packet 64, by way of another beginning */
	CHECK(has(h, 1, 64, "again"));
	put(h, 1, 64 + 128, "far");
	CHECK(!history_get(&v, h, 1, 7, 64) && !history_get(&v, h, 1, 7, 64 + 64));
	CHECK(history_free(h) == NULL);
}

static void the_ring_of_bytes_is_bounded(void)
{
	static char large[HISTORY_BYTES];
	struct history *h = NULL;
	struct rtp_view v = packet(1, ""), got;
	enum { SIZE = 1000, FIT = HISTORY_BYTES / SIZE };

	CHECK(history_new(&h) == 0);
	memset(large, 'x', sizeof large);
	for (uint16_t seq = 1; seq <= 60; ++seq) {
		v.seq = seq;
		v.payload = span_of(large, SIZE);
		large[0] = (char)seq;
		history_put(h, 0, &v);
	}
	for (uint16_t seq = 1; seq <= 60; ++seq) {
		bool there = history_get(&got, h, 0, 7, seq);
		CHECK(there ? seq > 60 - FIT - 1 && got.payload.data[0] == seq : seq <= 60 - FIT + 1);
	}
	v.seq = 61;
	v.payload = span_of(large, HISTORY_BYTES / 2);
	history_put(h, 0, &v);
	CHECK(!history_get(&got, h, 0, 7, 61));
	v.payload = span_of(large, 3);
	history_put(h, 0, &v); /* its number is taken */
	CHECK(!history_get(&got, h, 0, 7, 61));
	history_free(h);
}

static void only_what_has_left_is_sent_again(void)
{
	struct resend r = {0};

	CHECK(!resend_allow(&r, 65534, 1000, 0));
	resend_note(&r, 65534);
	resend_note(&r, 1);
	CHECK(!resend_allow(&r, 65535, 1000, 0) && !resend_allow(&r, 0, 1000, 0));
	CHECK(resend_allow(&r, 65534, 1000, 0) && resend_allow(&r, 1, 1000, 0));
	resend_note(&r, 0); /* overtaken */
	CHECK(resend_allow(&r, 0, 1000, 0) && !resend_allow(&r, 2, 1000, 0));
	resend_note(&r, 1000);
	CHECK(!resend_allow(&r, 999, 2000, 0) && !resend_allow(&r, 1, 2000, 0));
}

static void nobody_gets_more_than_its_share(void)
{
	struct resend r = {0};
	uint64_t now = 1000;

	for (uint16_t seq = 1; seq <= 100; ++seq)
		if (seq != 98)
			resend_note(&r, seq);
	CHECK(!resend_allow(&r, 98, now, 0) && !resend_allow(&r, 101, now, 0));
	CHECK(!resend_allow(&r, 36, now, 0)); /* too old */
	CHECK(resend_allow(&r, 99, now, 200));
	CHECK(!resend_allow(&r, 99, now + 199, 200));
	CHECK(resend_allow(&r, 99, now + 200, 200));
	CHECK(resend_allow(&r, 99, now + 700, 9000));
	CHECK(!resend_allow(&r, 99, now + 9000, 0)); /* three times */

	unsigned got = 0;
	r.credit_ms = 0;
	for (unsigned round = 0; round < 40; ++round) /* of 50 ms: all it knows, again and again */
		for (uint16_t seq = 37; seq <= 100; ++seq) {
			r.turns[seq % RESEND_WINDOW].times = 0;
			got += resend_allow(&r, seq, now + round * 50, 0);
		}
	CHECK(got >= RESEND_BURST && got <= RESEND_BURST + 2 * RESEND_PER_SECOND);
}

int main(void)
{
	what_is_kept_does_not_change();
	the_ring_of_bytes_is_bounded();
	only_what_has_left_is_sent_again();
	nobody_gets_more_than_its_share();
	CHECK_EQ(mem_live(), 0);
	mem_fail_after(0);
	struct history *h = NULL;
	CHECK(history_new(&h) < 0 && !h);
	return 0;
}
