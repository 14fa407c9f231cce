#include "media/jitter.h"

#include <assert.h>

enum {
	WINDOW_US = 2000000,
	RESET_US = 2000000,     /* a transit this far off is another clock, not a late packet */
	SHARE_ALL = 65536,
	SHARE_OUTSIDE = SHARE_ALL * 3 / 100,
	GAP_SECONDS_MAX = 60,   /* a longer gap in the timestamps is a jump */
	CUT_BEATS = 25,         /* half a second */
	CUT_SOON_BEATS = 5,
	CUT_SPARE_US = 25000,   /* held for the whole window without ever being needed */
	CUT_SPARE_MUCH_US = 80000,
	LATE_LATELY_MAX = 2,
};

/* ---- transit times ---- */

static void delay_forget(struct jitter_delay *d)
{
	uint32_t target_us = d->target_us;
	*d = (struct jitter_delay){.target_us = target_us};
}

static void delay_begin(struct jitter_delay *d, uint32_t timestamp, uint64_t now_us)
{
	d->started = true;
	d->timestamp = timestamp;
	d->ticks = 0;
	d->least_us = d->least_before_us = (int64_t)now_us;
	d->window_us = now_us;
}

static void delay_share(struct jitter_delay *d, unsigned bucket)
{
	/* Quick to learn at first, then an average over about a hundred packets. */
	unsigned shift = d->packets < 16 ? 3 : d->packets < 64 ? 5 : 7;
	for (unsigned i = 0; i < JITTER_BUCKETS; ++i)
		d->share[i] -= d->share[i] >> shift;
	d->share[bucket] += SHARE_ALL >> shift;
	++d->packets;

	uint32_t all = 0, outside = 0;
	for (unsigned i = 0; i < JITTER_BUCKETS; ++i)
		all += d->share[i];
	unsigned last = JITTER_BUCKETS - 1;
	uint32_t allowed = (uint32_t)((uint64_t)all * SHARE_OUTSIDE / SHARE_ALL);
	for (; last > 0 && outside + d->share[last] <= allowed; --last)
		outside += d->share[last];
	uint32_t target_us = last ? (last + 1) * JITTER_BUCKET_US : 0;
	d->target_us = target_us < JITTER_TARGET_MAX_US ? target_us : JITTER_TARGET_MAX_US;
}

static void delay_put(struct jitter *j, uint32_t timestamp, uint64_t now_us)
{
	struct jitter_delay *d = &j->delay;
	if (!d->started)
		delay_begin(d, timestamp, now_us);
	d->ticks += (int32_t)(timestamp - d->timestamp);
	d->timestamp = timestamp;

	int64_t transit_us = (int64_t)now_us - d->ticks * 1000000 / (int64_t)j->clock_hz;
	int64_t base_us = d->least_us < d->least_before_us ? d->least_us : d->least_before_us;
	if (transit_us - base_us > RESET_US || base_us - transit_us > RESET_US) {
		delay_begin(d, timestamp, now_us);
		transit_us = base_us = (int64_t)now_us;
	}
	if (now_us - d->window_us >= WINDOW_US) {
		d->least_before_us = d->least_us;
		d->least_us = transit_us;
		d->window_us = now_us;
		j->late_lately = 0;
	}
	if (transit_us < d->least_us)
		d->least_us = transit_us;
	int64_t late_us = transit_us > base_us ? transit_us - base_us : 0;
	int64_t bucket = late_us / JITTER_BUCKET_US;
	delay_share(d, bucket < JITTER_BUCKETS ? (unsigned)bucket : JITTER_BUCKETS - 1);
}

/* ---- slots ---- */

static struct jitter_slot *slot_at(struct jitter *j, uint16_t seq)
{
	return &j->slots[seq % JITTER_SLOTS];
}

static bool slot_is(const struct jitter_slot *s, uint16_t seq, enum jitter_slot_state state)
{
	return s->state == state && s->seq == seq;
}

/* The arena is a ring: what lies further back than its size has been written over. */
static bool slot_intact(const struct jitter *j, const struct jitter_slot *s)
{
	return j->arena_head - s->position <= JITTER_ARENA_BYTES;
}

static struct span slot_payload(const struct jitter *j, const struct jitter_slot *s)
{
	return span_of(j->arena + s->position % JITTER_ARENA_BYTES, s->size);
}

static uint32_t arena_store(struct jitter *j, struct span payload)
{
	uint32_t left = JITTER_ARENA_BYTES - j->arena_head % JITTER_ARENA_BYTES;
	if (left < payload.size)
		j->arena_head += left;
	uint32_t position = j->arena_head;
	if (payload.size)
		memcpy(j->arena + position % JITTER_ARENA_BYTES, payload.data, payload.size);
	j->arena_head += (uint32_t)payload.size;
	return position;
}

static void slot_let_go(struct jitter *j, struct jitter_slot *s, enum jitter_slot_state state)
{
	if (s->state == JITTER_SLOT_HELD) {
		--j->held;
		j->held_ticks -= s->duration;
	}
	s->state = (uint8_t)state;
}

void jitter_init(struct jitter *j, enum jitter_mode mode, uint32_t clock_hz)
{
	assert(clock_hz > 0);
	*j = (struct jitter){.mode = mode, .clock_hz = clock_hz};
}

/* The stream goes on somewhere else: what is held belongs to the past. */
static void restart(struct jitter *j, const struct jitter_packet *p)
{
	if (j->started)
		++j->stats.jumps;
	for (unsigned i = 0; i < JITTER_SLOTS; ++i)
		slot_let_go(j, &j->slots[i], JITTER_SLOT_EMPTY);
	if (!j->started || p->ssrc != j->ssrc)
		delay_forget(&j->delay);
	j->started = true;
	j->odd = false;
	j->ssrc = p->ssrc;
	j->next_seq = p->seq;
	j->next_timestamp = p->timestamp;
	j->last_duration = p->duration;
}

/* Whether the packet is in the reach of the slots, after following a stream that jumped. */
static bool in_reach(struct jitter *j, const struct jitter_packet *p)
{
	int ahead = (int16_t)(p->seq - j->next_seq);
	if (ahead > -JITTER_SLOTS && ahead < JITTER_SLOTS) {
		j->odd = false;
		return true;
	}
	/* One packet may be a stray; two in a row are where the stream is now (RFC 3550, A.1).
	 * With nothing left to play there is nothing to spoil. */
	bool confirmed = (j->odd && p->seq == j->odd_seq) || (ahead > 0 && j->held == 0);
	if (!confirmed) {
		j->odd = true;
		j->odd_seq = (uint16_t)(p->seq + 1);
		return false;
	}
	restart(j, p);
	return true;
}

static enum jitter_put put_late(struct jitter *j, const struct jitter_packet *p, uint64_t now_us)
{
	struct jitter_slot *s = slot_at(j, p->seq);
	if (slot_is(s, p->seq, JITTER_SLOT_TAKEN)) {
		++j->stats.duplicate;
		return JITTER_E_DUPLICATE;
	}
	if (slot_is(s, p->seq, JITTER_SLOT_LOST)) {
		s->state = JITTER_SLOT_TAKEN;
		++j->late_lately;
		delay_put(j, p->timestamp, now_us);
	}
	++j->stats.late;
	return JITTER_E_LATE;
}

enum jitter_put jitter_put(struct jitter *j, const struct jitter_packet *p, uint64_t now_us)
{
	if (p->payload.size > JITTER_ARENA_BYTES / 4 || p->duration == 0 ||
		p->duration > j->clock_hz)
		return JITTER_E_SIZE;
	if (!j->started || p->ssrc != j->ssrc)
		restart(j, p);
	if (!in_reach(j, p)) {
		++j->stats.odd;
		return JITTER_E_ODD;
	}
	if ((int16_t)(p->seq - j->next_seq) < 0)
		return put_late(j, p, now_us);

	struct jitter_slot *s = slot_at(j, p->seq);
	if (slot_is(s, p->seq, JITTER_SLOT_HELD)) {
		++j->stats.duplicate;
		return JITTER_E_DUPLICATE;
	}
	if (j->held == 0)
		j->waiting_us = now_us;
	*s = (struct jitter_slot){
		.arrived_us = now_us,
		.timestamp = p->timestamp,
		.duration = p->duration,
		.position = arena_store(j, p->payload),
		.seq = p->seq,
		.size = (uint16_t)p->payload.size,
		.state = JITTER_SLOT_HELD,
		.silent = p->silent,
		.noise = p->noise,
	};
	++j->held;
	j->held_ticks += p->duration;
	++j->stats.put;
	if (!p->copy)
		delay_put(j, p->timestamp, now_us);
	return JITTER_OK;
}

bool jitter_lacks(const struct jitter *j, uint32_t ssrc, uint16_t seq)
{
	int ahead = (int16_t)(seq - j->next_seq);
	return j->started && ssrc == j->ssrc && ahead >= 0 && ahead < JITTER_SLOTS &&
		!slot_is(&j->slots[seq % JITTER_SLOTS], seq, JITTER_SLOT_HELD);
}

/* ---- taking ---- */

/* Ticks that the sender left out before `timestamp`: 0 when it goes straight on, or when its
 * clock jumped. */
static uint32_t gap_before(const struct jitter *j, uint32_t timestamp)
{
	int32_t gap = (int32_t)(timestamp - j->next_timestamp);
	return gap > 0 && (uint32_t)gap < GAP_SECONDS_MAX * j->clock_hz ? (uint32_t)gap : 0;
}

static enum jitter_take hand_out(struct jitter *j, struct jitter_slot *s, struct jitter_out *ret)
{
	*ret = (struct jitter_out){
		.duration = s->duration,
		.gap = gap_before(j, s->timestamp),
		.silent = s->silent,
		.noise = s->noise,
		.payload = slot_payload(j, s),
	};
	bool intact = slot_intact(j, s);
	slot_let_go(j, s, intact ? JITTER_SLOT_TAKEN : JITTER_SLOT_LOST);
	j->next_seq = (uint16_t)(s->seq + 1);
	j->next_timestamp = s->timestamp + s->duration;
	j->last_duration = s->duration;
	if (intact)
		return JITTER_PACKET;
	++j->stats.lost;
	ret->payload = (struct span){0};
	return JITTER_LOST;
}

/* How many sequence numbers ahead the next held packet is; at least one is held. */
static unsigned next_held(struct jitter *j)
{
	unsigned ahead = 0;
	while (!slot_is(slot_at(j, (uint16_t)(j->next_seq + ahead)), (uint16_t)(j->next_seq + ahead),
		JITTER_SLOT_HELD)) {
		++ahead;
		assert(ahead < JITTER_SLOTS);
	}
	return ahead;
}

static enum jitter_take give_up(struct jitter *j, struct jitter_out *ret, unsigned missing)
{
	struct jitter_slot *next = slot_at(j, (uint16_t)(j->next_seq + missing));
	int32_t ticks = (int32_t)(next->timestamp - j->next_timestamp);

	if (missing > JITTER_LOST_MAX || ticks <= 0) {
		j->stats.lost += missing;
		return hand_out(j, next, ret); /* its gap says how much there was */
	}
	uint32_t each = (uint32_t)ticks / missing;
	if (each > j->last_duration)
		each = j->last_duration; /* the rest is silence that was never sent */
	*slot_at(j, j->next_seq) = (struct jitter_slot){.seq = j->next_seq, .state = JITTER_SLOT_LOST};
	++j->next_seq;
	j->next_timestamp += each;
	++j->stats.lost;
	*ret = (struct jitter_out){.duration = each};
	if (missing == 1 && slot_intact(j, next))
		ret->payload = slot_payload(j, next);
	return JITTER_LOST;
}

static bool ready_to_play(struct jitter *j, uint64_t now_us)
{
	if (!j->playing)
		j->playing = jitter_depth_us(j) >= j->delay.target_us ||
			now_us - j->waiting_us >= j->delay.target_us;
	return j->playing;
}

static bool wait_is_over(struct jitter *j, const struct jitter_slot *next, uint64_t now_us)
{
	if (j->mode == JITTER_PLAY)
		return true;
	uint32_t wait_us = j->delay.target_us > JITTER_ORDER_WAIT_US ? j->delay.target_us
								    : JITTER_ORDER_WAIT_US;
	return now_us - next->arrived_us >= wait_us || j->held > JITTER_SLOTS / 2;
}

enum jitter_take jitter_take(struct jitter *j, struct jitter_out *ret, uint64_t now_us)
{
	if (j->held == 0)
		return JITTER_NOTHING;
	if (j->mode == JITTER_PLAY) {
		if (!ready_to_play(j, now_us))
			return JITTER_NOTHING;
		/* Several came too late: one beat of made-up sound buys them time. */
		if (j->late_lately >= LATE_LATELY_MAX) {
			j->late_lately = 0;
			return JITTER_NOTHING;
		}
	}

	struct jitter_slot *s = slot_at(j, j->next_seq);
	if (slot_is(s, j->next_seq, JITTER_SLOT_HELD))
		return hand_out(j, s, ret);
	unsigned missing = next_held(j);
	s = slot_at(j, (uint16_t)(j->next_seq + missing));
	return wait_is_over(j, s, now_us) ? give_up(j, ret, missing) : JITTER_NOTHING;
}

void jitter_rest(struct jitter *j)
{
	j->playing = false;
	j->beats = 0;
}

bool jitter_may_cut(struct jitter *j, uint32_t pending)
{
	uint32_t depth_us = jitter_us(j, j->held_ticks + pending);
	if (j->beats == 0 || depth_us < j->least_depth)
		j->least_depth = depth_us;
	++j->beats;
	bool cut = (j->beats >= CUT_BEATS && j->least_depth >= CUT_SPARE_US) ||
		(j->beats >= CUT_SOON_BEATS && j->least_depth >= JITTER_TARGET_MAX_US) ||
		(j->beats >= CUT_BEATS / 2 && j->least_depth >= CUT_SPARE_MUCH_US);
	if (cut || j->beats >= CUT_BEATS)
		j->beats = 0;
	return cut;
}
