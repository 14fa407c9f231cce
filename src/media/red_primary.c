#include "media/red_primary.h"

#include "media/opus_voice.h"

enum { WINDOW = 64 /* bits of `seen` */ };

uint32_t red_block_ticks(const struct red_block *block, unsigned back)
{
	uint32_t ticks = opus_voice_packet_ticks(block->payload);
	return block->offset == back * ticks ? ticks : 0;
}

void red_primary_restart(struct red_primary *r)
{
	r->started = false;
}

/* True when `seq` was not there yet; then it is. */
static bool take_number(struct red_primary *r, uint16_t seq)
{
	int16_t ahead = (int16_t)(seq - r->highest);

	if (ahead > 0) {
		r->seen = ahead < WINDOW ? r->seen << ahead | 1 : 1;
		r->highest = seq;
		return true;
	}
	if (-ahead >= WINDOW || r->seen >> -ahead & 1)
		return false;
	r->seen |= (uint64_t)1 << -ahead;
	return true;
}

/* Another sender, or one that jumped: what lies before its first packet is not wanted. */
static void follow(struct red_primary *r, const struct rtp_view *v)
{
	int16_t ahead = (int16_t)(v->seq - r->highest);

	if (r->started && v->ssrc == r->ssrc && ahead < WINDOW && ahead > -WINDOW)
		return;
	r->started = true;
	r->ssrc = v->ssrc;
	r->highest = (uint16_t)(v->seq - 1);
	r->seen = UINT64_MAX;
}

bool red_primary_note(struct red_primary *r, const struct rtp_view *plain)
{
	follow(r, plain);
	return take_number(r, plain->seq);
}

static struct rtp_view packet_of(const struct rtp_view *red, const struct red_block *b, unsigned back)
{
	struct rtp_view v = *red;

	v.payload = b->payload;
	v.payload_type = b->payload_type;
	if (!back)
		return v;
	v.seq = (uint16_t)(red->seq - back);
	v.timestamp = red->timestamp - b->offset;
	v.marker = false;
	v.extension_profile = 0; /* they were the other packet's */
	v.extension = (struct span){0};
	return v;
}

/* The primary goes forward first: `highest` then knows which numbers before it are holes. */
size_t red_primary_take(
	struct red_primary *r, struct rtp_view ret[RED_BLOCKS_MAX], const struct rtp_view *red)
{
	struct red_block blocks[RED_BLOCKS_MAX];
	size_t count = red_parse(blocks, red->payload), taken = 0;

	if (!count || !blocks[count - 1].payload.size)
		return 0;
	follow(r, red);
	bool fresh = take_number(r, red->seq);
	for (size_t i = 0; i + 1 < count; ++i) {
		unsigned back = (unsigned)(count - 1 - i);
		if (red_block_ticks(&blocks[i], back) && take_number(r, (uint16_t)(red->seq - back)))
			ret[taken++] = packet_of(red, &blocks[i], back);
	}
	if (fresh)
		ret[taken++] = packet_of(red, &blocks[count - 1], 0);
	return taken;
}
