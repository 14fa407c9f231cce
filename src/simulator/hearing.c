#include "simulator/hearing.h"

#include "media/g711.h"

enum {
	GAP_US = 200000,
	LOUD = 200, /* mean of |sample|: about -44 dBov */
	CN_TYPE = 13,
	MEAN_LOW_US = 18500, /* of 20 ms packets */
	MEAN_HIGH_US = 21500,
	ENOUGH = 25, /* packets, to judge the cadence */
	SAMPLES_MAX = 480,
};

static bool is_sound(const struct hearing_expects *e, uint8_t type)
{
	for (size_t i = 0; i < e->type_count; ++i)
		if (e->types[i] == type)
			return true;
	return false;
}

/* Decodes; returns the number of samples. */
static size_t decode(struct hearing *h, int16_t *out, struct span payload, enum codec codec)
{
	size_t size = payload.size < SAMPLES_MAX ? payload.size : SAMPLES_MAX;
	if (codec == CODEC_G722) {
		g722_decode(&h->g722, out, payload.data, size);
		return size * G722_SAMPLES_PER_BYTE;
	}
	g711_decode(out, payload.data, size, codec == CODEC_PCMA ? G711_ALAW : G711_ULAW);
	return size;
}

static bool is_loud(struct hearing *h, const struct rtp_view *rtp, enum codec codec)
{
	int16_t samples[SAMPLES_MAX * G722_SAMPLES_PER_BYTE];
	uint32_t sum = 0;
	size_t count = decode(h, samples, rtp->payload, codec);
	for (size_t i = 0; i < count; ++i)
		sum += (uint32_t)(samples[i] < 0 ? -samples[i] : samples[i]);
	return count && sum / count > LOUD;
}

static void start_stream(struct hearing *h, const struct rtp_view *rtp)
{
	++h->ssrcs;
	h->started = true;
	g722_init(&h->g722);
	h->ssrc = rtp->ssrc;
	h->seq = (uint16_t)(rtp->seq - 1);
	h->sound_us = 0;
	h->event_between = false;
}

/* False: it is not the next one, so its timestamp says nothing. */
static bool follow_sequence(struct hearing *h, const struct rtp_view *rtp)
{
	int16_t ahead = (int16_t)(rtp->seq - h->seq);
	if (ahead <= 0) {
		++*(ahead == 0 ? &h->doubled : &h->late);
		return false;
	}
	h->lost += (uint32_t)(ahead - 1);
	h->seq = rtp->seq;
	return true;
}

static void follow_clock(struct hearing *h, const struct rtp_view *rtp, uint64_t now_us)
{
	uint32_t step = rtp->timestamp - h->timestamp;
	uint32_t expected = (uint32_t)rtp->payload.size * (uint16_t)(rtp->seq - h->sound_seq);
	if (h->sound_us) {
		uint64_t interval = now_us - h->sound_us;
		bool pause = interval >= GAP_US || rtp->marker || h->event_between;
		if (!pause && step != expected)
			++h->bad_timestamps;
		h->gaps += interval >= GAP_US;
		if (!pause) {
			h->interval_sum_us += interval;
			++h->intervals;
			if (interval > h->interval_max_us)
				h->interval_max_us = interval;
		}
	}
	h->timestamp = rtp->timestamp;
	h->sound_seq = rtp->seq;
	h->sound_us = now_us;
	h->event_between = false;
}

static void listen(struct hearing *h, const struct hearing_expects *e, const struct rtp_view *rtp)
{
	uint32_t ms = (uint32_t)rtp->payload.size / 8;
	if (rtp->payload.size % 80 || rtp->payload.size > SAMPLES_MAX)
		++h->wrong_size;
	if (is_loud(h, rtp, e->codec)) {
		h->sound_ms += ms;
		h->last_sound_at = h->sound_ms + h->quiet_ms;
	} else {
		h->quiet_ms += ms;
	}
}

enum heard hearing_packet(
	struct hearing *h, const struct hearing_expects *e, const struct rtp_view *rtp, uint64_t now_us)
{
	if (!h->started || rtp->ssrc != h->ssrc)
		start_stream(h, rtp);
	bool next = follow_sequence(h, rtp);
	h->last_us = now_us;
	if (e->dtmf_type && rtp->payload_type == e->dtmf_type) {
		++h->events;
		h->event_between = true;
		return HEARD_EVENT;
	}
	if (rtp->payload_type == CN_TYPE) {
		++h->noise;
		h->event_between = true;
		return HEARD_NOISE;
	}
	if (!is_sound(e, rtp->payload_type)) {
		++h->wrong_type;
		return HEARD_NOTHING;
	}
	++h->packets;
	if (next)
		follow_clock(h, rtp, now_us);
	listen(h, e, rtp);
	return HEARD_SOUND;
}

uint32_t hearing_mean_us(const struct hearing *h)
{
	return h->intervals ? (uint32_t)(h->interval_sum_us / h->intervals) : 0;
}

const char *hearing_verdict(const struct hearing *h)
{
	uint32_t mean = hearing_mean_us(h);
	if (!h->packets && !h->events)
		return h->wrong_source ? "source" : h->malformed ? "key" : h->wrong_type ? "type" : "nothing";
	if (h->wrong_source)
		return "source";
	if (h->wrong_type || h->wrong_size)
		return "type";
	if (h->ssrcs > 1)
		return "ssrc";
	if (h->bad_timestamps)
		return "timestamps";
	/* Lost packets make longer intervals: they are not the caller's fault. */
	if (h->intervals >= ENOUGH && !h->lost && (mean < MEAN_LOW_US || mean > MEAN_HIGH_US))
		return "cadence";
	return "good";
}
