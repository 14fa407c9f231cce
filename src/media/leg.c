#include "media/leg_private.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

static void post_stats(struct leg *l)
{
	struct media_leg_stats stats;
	leg_receive_stats(l, &stats);
	leg_send_stats(l, &stats);
	worker_post_leg_stats(l->worker, l->id, &stats);
}

static void on_beat(struct beat *b, uint64_t now_us)
{
	struct leg *l = container_of(b, struct leg, beat);
	leg_wire_beat(l);
	leg_receive_beat(l, now_us);
	leg_send_beat(l, now_us);
	leg_rtcp_beat(l, now_us);
	leg_drain_beat(l);
	if (--l->beats_to_stats == 0) {
		l->beats_to_stats = LEG_BEATS_PER_S;
		post_stats(l);
	}
}

static int leg_open(struct leg *l, int rtp_fd, int rtcp_fd)
{
	int r = leg_wire_open(l, rtp_fd, rtcp_fd);
	if (r < 0)
		return r;
	r = worker_add_source(l->worker, &l->source);
	if (r < 0)
		return r;
	l->is_source = true;
	return 0;
}

int leg_new(struct leg **ret, struct worker *w, media_id id, int rtp_fd, int rtcp_fd,
	const struct media_leg_config *c)
{
	assert(ret && w && id && c);

	struct leg *l = mem_zalloc(sizeof *l);
	if (!l) {
		close(rtp_fd);
		close(rtcp_fd);
		return err_new(-ENOMEM);
	}
	l->worker = w;
	l->id = id;
	l->config = *c;
	l->beats_to_stats = 1 + id % LEG_BEATS_PER_S; /* legs do not all report in one beat */
	list_init(&l->beat.link);
	l->beat.tick = on_beat;
	source_init(&l->source, id);
	leg_receive_init(l);
	leg_send_init(l);
	leg_rtcp_init(l);
	leg_ringback_init(l);

	int r = leg_open(l, rtp_fd, rtcp_fd);
	if (r < 0) {
		leg_free(l);
		return r;
	}
	*ret = l;
	return 0;
}

int leg_move(struct leg *l, int rtp_fd, int rtcp_fd)
{
	return leg_wire_move(l, rtp_fd, rtcp_fd);
}

static void log_drops(const struct leg *l)
{
	const uint64_t *d = l->in.drops;
	if (d[LEG_DROP_SOURCE] || d[LEG_DROP_MALFORMED] || d[LEG_DROP_PAYLOAD] || d[LEG_DROP_REPLAYED] ||
		d[LEG_DROP_WINDOW] || d[LEG_DROP_LOCKED])
		log_info("media", "leg %u dropped packets: %llu from another address, %llu malformed, "
				  "%llu of a payload type or size that was not agreed on, %llu repeated, %llu "
				  "far off, %llu that SRTP's key did not open",
			(unsigned)l->id, (unsigned long long)d[LEG_DROP_SOURCE],
			(unsigned long long)d[LEG_DROP_MALFORMED],
			(unsigned long long)d[LEG_DROP_PAYLOAD], (unsigned long long)d[LEG_DROP_REPLAYED],
			(unsigned long long)d[LEG_DROP_WINDOW], (unsigned long long)d[LEG_DROP_LOCKED]);
}

struct leg *leg_free(struct leg *l)
{
	if (!l)
		return NULL;
	worker_remove_beat(&l->beat);
	leg_ringback_stop(l);
	if (l->is_source)
		worker_remove_source(l->worker, &l->source);
	leg_wire_close(l);
	leg_send_fini(l);
	source_fini(&l->source);
	leg_receive_fini(l);
	log_drops(l);
	mem_free(l);
	return NULL;
}

struct source *leg_source(struct leg *l)
{
	return &l->source;
}

/* Sanitised rather than refused: the address and codec were negotiated, the rest has defaults. */
static void settle(struct media_leg_remote *r)
{
	assert(codec_facts(r->codec)->leg_hz && r->payload_count <= MEDIA_LEG_PAYLOADS_MAX);
	r->ptime_ms -= r->ptime_ms % 10;
	/* There are Opus packets of 10, 20, 40 and 60 ms (RFC 6716, 2.1.4). */
	if (r->codec == CODEC_OPUS && r->ptime_ms > 20 && r->ptime_ms < LEG_PTIME_MAX_MS)
		r->ptime_ms -= r->ptime_ms % 20;
	if (r->ptime_ms == 0)
		r->ptime_ms = LEG_BEAT_MS;
	if (r->ptime_ms > LEG_PTIME_MAX_MS)
		r->ptime_ms = LEG_PTIME_MAX_MS;
	if (r->payload_count)
		return;
	r->payloads[r->payload_count++] = (struct media_leg_payload){r->pt, r->codec};
	if (r->dtmf_pt)
		r->payloads[r->payload_count++] = (struct media_leg_payload){r->dtmf_pt, CODEC_NONE};
}

/* Also for a new answer during the call: hold, another codec, another address. */
void leg_connect(struct leg *l, const struct media_leg_remote *remote)
{
	bool answered = l->remote.early && !remote->early;

	l->remote = *remote;
	settle(&l->remote);
	if (answered)
		l->in.heard = false; /* that was an announcement, from anybody */
	if (!l->remote.early)
		leg_ringback_stop(l);
	leg_receive_connect(l);
	leg_send_connect(l);
	leg_wire_connect(l);
	/* Not before: the first beat comes soon after this, and with it the phone's first sound. */
	if (!l->connected)
		worker_add_beat(l->worker, &l->beat);
	l->connected = true;
}
