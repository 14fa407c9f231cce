/* cli/server_media.c - the media plane of a server, and its events brought to their doors. */
#include "cli/server_build.h"

#include "base/log.h"

#include <errno.h>

/* ---- events of the planes, brought to their doors; while stopping, letters still come when the door
 * of signalling has gone ---- */

static void on_transport_state(void *owner, media_id transport, enum media_transport_state state)
{
	struct server *s = owner;
	if (s->signal)
		signal_transport_state(s->signal, transport, state);
}

static void on_transport_sctp(void *owner, media_id transport, struct span packet)
{
	struct server *s = owner;
	if (s->signal)
		signal_transport_sctp(s->signal, transport, packet);
}

static void on_transport_stats(void *owner, media_id transport,
	const struct media_voice_stats *stats, size_t count)
{
	struct server *s = owner;
	if (s->signal)
		signal_transport_stats(s->signal, transport, stats, count);
}

static void on_levels(void *owner, const struct media_level *levels, size_t count)
{
	struct server *s = owner;
	if (s->signal)
		signal_levels(s->signal, levels, count);
	calls_levels(s->calls, levels, count);
	rooms_levels_came(s->rooms);
}

static void on_leg_event(void *owner, media_id leg, enum media_leg_event event)
{
	struct server *s = owner;
	calls_leg_event(s->calls, leg, event);
}

static void on_leg_digit(void *owner, media_id leg, char digit)
{
	struct server *s = owner;
	calls_leg_digit(s->calls, leg, digit);
}

static void on_leg_digits_done(void *owner, media_id leg)
{
	struct server *s = owner;
	calls_leg_digits_done(s->calls, leg);
}

static void on_leg_key(void *owner, media_id leg, char digit)
{
	struct server *s = owner;
	calls_leg_key(s->calls, leg, digit);
}

static void on_leg_stats(void *owner, media_id leg, const struct media_leg_stats *stats)
{
	struct server *s = owner;
	calls_leg_stats(s->calls, leg, stats);
}

static const struct media_events media_events = {
	.transport_state = on_transport_state,
	.transport_sctp = on_transport_sctp,
	.transport_stats = on_transport_stats,
	.levels = on_levels,
	.leg_event = on_leg_event,
	.leg_digit = on_leg_digit,
	.leg_digits_done = on_leg_digits_done,
	.leg_key = on_leg_key,
	.leg_stats = on_leg_stats,
};

/* One for each core, as many as there may be. */
static unsigned default_workers(void)
{
	unsigned cores = uv_available_parallelism();
	return cores < MEDIA_WORKERS_MAX ? cores : MEDIA_WORKERS_MAX;
}

/* As many as the operator says, or one for each core; a range of ports may be shorter. */
static unsigned count_workers(const struct config *c)
{
	unsigned ports = c->rtc.udp_port.last - c->rtc.udp_port.first + 1u;
	unsigned workers = c->workers ? c->workers : default_workers();
	return ports > 1 && workers > ports ? ports : workers;
}

int server_build_media(struct server *s)
{
	const char *ip = s->loopback ? "127.0.0.1" : "0.0.0.0";
	struct media_config config = {
		.workers = count_workers(&s->config),
		.rtc_bind_count = s->rtc_bind_count,
		.rtc_port = s->config.rtc.udp_port.first,
		.rtc_tcp = s->config.rtc.tcp_port != 0,
		.rtc_tcp_port = s->config.rtc.tcp_port,
		.rtp_ip = s->config.sip.listen_ip ? s->config.sip.listen_ip : ip,
		.rtp_ip6 = !*s->media_ip6 ? NULL : s->loopback ? "::1" : "::",
		.active_level = (uint8_t)s->config.audio.active_level,
		.levels_every_ms = s->config.audio.update_interval_ms,
		.rtp_port_min = s->config.sip.rtp_port.first,
		.rtp_port_max = s->config.sip.rtp_port.last,
	};
	memcpy(config.rtc_binds, s->rtc_binds, sizeof config.rtc_binds);
	int r = media_new(&s->media, &s->loop, &config, &media_events, s);
	if (r == -EADDRINUSE)
		log_error("serve", "media: UDP port %u, one of the next %u, or TCP port %u is in use. Stop what uses it, or choose others: rtc.udp_port, rtc.tcp_port.",
			config.rtc_port, config.workers, config.rtc_tcp_port);
	else if (r < 0)
		server_cannot("media", config.rtc_port, r);
	return r;
}
