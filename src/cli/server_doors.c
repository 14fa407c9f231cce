/* cli/server_doors.c - the two HTTP ports: LiveKit's (rooms, Twirp) and the app's (backend, page). */
#include "cli/server.h"

#include "base/log.h"
#include "net/address.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { BANKS_MAX = 64 };

static bool signal_takes_request(void *owner, struct http_exchange *x)
{
	struct server *s = owner;
	return s->signal && signal_request(s->signal, x);
}

static bool signal_takes_upgrade(void *owner, struct http_exchange *x)
{
	struct server *s = owner;
	return s->signal && signal_upgrade(s->signal, x);
}

/* The page beside the program: in the source tree, or where `ninja install` would put it. */
static const char *find_web_dir(struct server *s)
{
	static const char *const places[] = {"../web/dist", "../share/ringdown/web"};
	char program[512];
	ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
	if (s->config.backend.web_dir || n < 0)
		return s->config.backend.web_dir;
	program[n] = 0;
	char *slash = strrchr(program, '/');
	if (slash)
		*slash = 0;
	for (size_t i = 0; i < COUNT_OF(places); ++i) {
		snprintf(s->web_dir, sizeof s->web_dir, "%s/%s", program, places[i]);
		if (access(s->web_dir, R_OK) == 0)
			return s->web_dir;
	}
	return NULL;
}

/* The banks that the page offers: the configuration's, or else those of the simulator. */
static size_t collect_banks(struct server *s)
{
	size_t count = s->config.banks.count < BANKS_MAX ? s->config.banks.count : BANKS_MAX;
	for (size_t i = 0; i < count; ++i)
		s->banks[i] = (struct api_bank){s->config.banks.items[i].id, s->config.banks.items[i].name,
			s->config.banks.items[i].phone_number};
	if (count || !s->simulator)
		return count;
	size_t number_count;
	const struct simulator_number *numbers = simulator_numbers(&number_count);
	for (size_t i = 0; i < number_count && count < BANKS_MAX; ++i)
		if (numbers[i].bank)
			s->banks[count++] = (struct api_bank){numbers[i].id, numbers[i].name, numbers[i].number};
	return count;
}

static int open_api(struct server *s)
{
	size_t count = collect_banks(s);
	return api_new(&s->api, &(struct api_config){
					.loop = &s->loop,
					.rooms = s->rooms,
					.agents = s->agents,
					.trunks = s->trunks,
					.calls = s->calls,
			.policy = s->policy,
					.records = s->records,
					.lines = s->lines,
					.sip_host = s->sip_host,
					.media_ip = s->media_ip,
					.media_ip6 = s->media_ip6,
					.sip_port = sip_agent_port(s->sip),
					.rtp_port_first = s->config.sip.rtp_port.first,
					.rtp_port_last = s->config.sip.rtp_port.last,
					.secret_of = server_secret,
					.secret_owner = s,
					.sign_key = s->sign_key,
					.trunk = s->config.sip.trunk,
					.server_url = s->config.backend.server_url,
					.server_port = s->config.port,
					.server_tls = s->tls != NULL,
					.development = s->config.dev || s->config.development,
					.remote_unmute = s->config.room.enable_remote_unmute,
					.web_dir = find_web_dir(s),
					.banks = s->banks,
					.bank_count = count,
					.signal_request = signal_takes_request,
					.signal_upgrade = signal_takes_upgrade,
					.signal_owner = s,
				});
}

/* Where and for whom we listen. `optional`: the last so many addresses may fail. */
struct door {
	const char *const *ips;
	size_t ip_count, optional;
	uint16_t port;
	size_t body_bytes_max;
	const struct http_events *events;
	void *owner;
};

static int open_door(struct http_server **ret, struct server *s, const struct door *d)
{
	struct sockaddr_storage binds[CONFIG_BINDS_MAX];
	/* Any free port is one port: of the first address. */
	size_t count = d->port ? d->ip_count : d->ip_count - d->optional;
	for (size_t i = 0; i < count; ++i)
		if (address_parse(&binds[i], d->ips[i], d->port) < 0)
			return -EINVAL;
	const struct http_server_config config = {
		.bind = binds,
		.bind_count = count,
		.bind_optional = d->port ? d->optional : 0,
		.name = "Ringdown/" RINGDOWN_VERSION,
		.body_bytes_max = d->body_bytes_max,
		.tls = s->tls,
	};
	int r = http_server_new(ret, &s->loop, &config, d->events, d->owner);
	if (r < 0)
		log_error("serve", "HTTP port %u cannot be opened: %s. Stop what uses it, or choose another.", d->port,
			strerror(-r));
	s->doors_open += r == 0;
	return r;
}

static struct door door_at(const struct config *c)
{
	static const char *const everywhere[] = {"0.0.0.0", "::"};
	if (!c->bind_addresses.count)
		return (struct door){.ips = everywhere, .ip_count = COUNT_OF(everywhere), .optional = 1};
	return (struct door){
		.ips = (const char *const *)c->bind_addresses.items,
		.ip_count = c->bind_addresses.count,
		.optional = !c->binds_chosen,
	};
}

static int open_livekit(struct server *s)
{
	struct door d = door_at(&s->config);
	d.port = s->config.port;
	d.events = &api_server_events;
	d.owner = s->api;
	return open_door(&s->http, s, &d);
}

static int open_backend(struct server *s)
{
	const char *own[] = {s->config.backend.bind_address};
	struct door d = door_at(&s->config);
	if (*own) {
		d.ips = own;
		d.ip_count = 1;
		d.optional = 0;
	}
	d.port = s->config.backend.port;
	d.body_bytes_max = BACKEND_HTTP_BODY_BYTES;
	d.events = &api_backend_events;
	d.owner = s->api;
	return open_door(&s->backend, s, &d);
}

static int open_prometheus(struct server *s)
{
	struct door d = door_at(&s->config);
	if (!s->metrics)
		return 0;
	d.port = s->config.prometheus.port;
	d.events = &metrics_http_events;
	d.owner = s->metrics;
	return open_door(&s->prometheus, s, &d);
}

int server_open_doors(struct server *s)
{
	int r = open_api(s);
	if (r == 0)
		r = open_livekit(s);
	if (r == 0)
		r = open_backend(s);
	return r == 0 ? open_prometheus(s) : r;
}

static void on_closed(void *owner)
{
	struct server *s = owner;
	if (--s->doors_open == 0)
		s->doors_closed(s);
}

void server_close_doors(struct server *s, void (*closed)(struct server *s))
{
	s->doors_closed = closed;
	api_close(s->api);
	if (s->http)
		http_server_close(s->http, on_closed, s);
	if (s->backend)
		http_server_close(s->backend, on_closed, s);
	if (s->prometheus)
		http_server_close(s->prometheus, on_closed, s);
}

void server_free_api(struct server *s)
{
	s->api = api_free(s->api);
}
