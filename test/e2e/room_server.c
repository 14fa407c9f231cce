/* A room server and nothing else: door 1 with rooms and media, for real clients to try before the
 * whole program stands. Keys are fixed, nothing is stored.
 *
 *     room_server [http port] [rtc port] [node ip] [workers]
 */
#include "base/clock.h"
#include "base/log.h"
#include "media/media.h"
#include "net/address.h"
#include "net/http_server.h"
#include "signal/door.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
	struct loop loop;
	struct http_server *http;
	struct media *media;
	struct rooms *rooms;
	struct signal_door *door;
	struct timer tick;
	uv_signal_t stop;
} server;

static const char *secret_of(void *owner, const char *key)
{
	return strcmp(key, "devkey") == 0 ? "secret" : NULL;
}

static void on_request(void *owner, struct http_exchange *x)
{
	if (signal_request(server.door, x))
		return;
	bool root = strcmp(http_path(x), "/") == 0;
	http_reply(x, root ? 200 : 404, "text/plain", NULL, span_text(root ? "OK" : ""));
}

static void on_upgrade(void *owner, struct http_exchange *x)
{
	if (!signal_upgrade(server.door, x))
		http_reply(x, 404, "text/plain", NULL, span_text(""));
}

static const struct http_events http_events = {.request = on_request, .upgrade = on_upgrade};

static void on_transport_state(void *owner, media_id transport, enum media_transport_state state)
{
	signal_transport_state(server.door, transport, state);
}

static void on_transport_sctp(void *owner, media_id transport, struct span packet)
{
	signal_transport_sctp(server.door, transport, packet);
}

static void on_levels(void *owner, const struct media_level *levels, size_t count)
{
	signal_levels(server.door, levels, count);
}

static void on_leg_event(void *owner, media_id leg, enum media_leg_event event)
{
}

static void on_leg_digit(void *owner, media_id leg, char digit)
{
}

static void on_leg_digits_done(void *owner, media_id leg)
{
}

static const struct media_events media_events = {
	.transport_state = on_transport_state,
	.transport_sctp = on_transport_sctp,
	.levels = on_levels,
	.leg_event = on_leg_event,
	.leg_digit = on_leg_digit,
	.leg_digits_done = on_leg_digits_done,
};

static uint64_t now_ms(void *owner)
{
	return clock_ms();
}

static unsigned pick_worker(void *owner)
{
	return media_pick_worker(server.media);
}

static void on_tick(void *owner)
{
	rooms_tick(server.rooms);
}

static void on_http_closed(void *owner)
{
	loop_stop(&server.loop);
}

static void on_stop(uv_signal_t *handle, int number)
{
	uv_signal_stop(&server.stop);
	uv_close((uv_handle_t *)&server.stop, NULL);
	server.door = signal_free(server.door);
	http_server_close(server.http, on_http_closed, NULL);
}

static int start(uint16_t http_port, uint16_t rtc_port, const char *ip, unsigned workers)
{
	struct sockaddr_storage bind, rtc;
	struct media_config media = {.workers = workers, .rtc_bind = &rtc, .rtp_ip = ip,
		.rtp_port_min = 40000, .rtp_port_max = 40100};
	struct rooms_config rooms = {.empty_timeout_s = 300, .departure_timeout_s = 20,
		.auto_create = true, .now_ms = now_ms, .pick_worker = pick_worker};
	struct http_server_config http = {.bind = &bind, .bind_count = 1, .name = "room-server"};
	struct signal_config door = {.loop = &server.loop, .secret = secret_of, .sign_key = "devkey",
		.node_ips = &ip, .node_ip_count = 1, .version = "1.13.5", .node_id = "ND_roomserver"};
	int r = address_parse(&bind, "127.0.0.1", http_port);

	r = r ? r : address_parse(&rtc, ip, rtc_port);
	r = r ? r : loop_init(&server.loop);
	r = r ? r : media_new(&server.media, &server.loop, &media, &media_events, NULL);
	r = r ? r : rooms_new(&server.rooms, &rooms, NULL, NULL);
	door.rooms = server.rooms;
	door.media = server.media;
	r = r ? r : signal_new(&server.door, &door);
	r = r ? r : http_server_new(&server.http, &server.loop, &http, &http_events, NULL);
	r = r ? r : timer_init(&server.tick, &server.loop, on_tick, NULL);
	r = r ? r : uv_signal_init(&server.loop.uv, &server.stop);
	return r ? r : uv_signal_start(&server.stop, on_stop, SIGTERM);
}

int main(int argc, char **argv)
{
	uint16_t http_port = (uint16_t)(argc > 1 ? atoi(argv[1]) : 7880);
	uint16_t rtc_port = (uint16_t)(argc > 2 ? atoi(argv[2]) : 7882);

	signal(SIGPIPE, SIG_IGN);
	log_configure(getenv("DEBUG") ? LOG_DEBUG : LOG_INFO, false);
	if (start(http_port, rtc_port, argc > 3 ? argv[3] : "127.0.0.1",
		    (unsigned)(argc > 4 ? atoi(argv[4]) : 1)))
		return 1;
	timer_start(&server.tick, 400, 400);
	printf("http %u\n", http_server_port(server.http));
	fflush(stdout);
	loop_run(&server.loop);

	timer_fini(&server.tick);
	rooms_free(server.rooms);
	media_free(server.media);
	loop_fini(&server.loop);
	return 0;
}
