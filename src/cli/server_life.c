/* cli/server_life.c - runs a server: builds it, waits for a signal, takes it down in order. */
#include "cli/server_build.h"

#include "base/log.h"

#include <unistd.h>

/* Children before what they stand on; NULL is fine everywhere, so a half-built tree goes too. */
static void end_rooms(struct server *s)
{
	timer_fini(&s->tick);
	server_stop_learning(s);
	s->lines = lines_free(s->lines);
	s->sip = sip_agent_free(s->sip);
	s->calls = calls_free(s->calls);
	s->signal = signal_free(s->signal);
	server_free_api(s);
	s->simulator = simulator_free(s->simulator);
	s->rooms = rooms_free(s->rooms);
	s->agents = agents_free(s->agents);
}

static void take_down(struct server *s)
{
	end_rooms(s);
	s->metrics = metrics_free(s->metrics);
	s->webhooks = webhooks_free(s->webhooks);
	s->media = media_free(s->media);
	s->policy = policy_free(s->policy);
	s->trunks = trunks_free(s->trunks);
	s->store = store_close(s->store);
	s->records = records_close(s->records);
	s->dns = dns_free(s->dns);
	s->tls = tls_context_free(s->tls);
}

/* ---- stopping: calls say BYE, people are sent away, connections are flushed, the operator's servers
 * are told, then all goes ---- */

static void on_all_told(void *owner)
{
	struct server *s = owner;
	uv_close((uv_handle_t *)&s->on_term, NULL);
	uv_close((uv_handle_t *)&s->on_int, NULL);
	uv_close((uv_handle_t *)&s->on_hup, NULL);
	take_down(s);
}

static void on_doors_closed(struct server *s)
{
	end_rooms(s);
	if (s->webhooks)
		webhooks_close(s->webhooks, on_all_told, s);
	else
		on_all_told(s);
}

static void on_lines_stopped(void *owner)
{
	struct server *s = owner;
	s->signal = signal_free(s->signal);
	server_close_doors(s, on_doors_closed);
}

static void on_calls_closed(void *owner)
{
	struct server *s = owner;
	lines_stop(s->lines, on_lines_stopped, s);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct server *s = handle->data;
	if (s->stopping)
		_exit(128 + number); /* asked twice: at once */
	s->stopping = true;
	log_info("serve", "stopping: %zu calls, %zu people", calls_count(s->calls), signal_session_count(s->signal));
	calls_close(s->calls, on_calls_closed, s);
}

static void watch_signals(struct server *s)
{
	uv_signal_init(&s->loop.uv, &s->on_term);
	uv_signal_init(&s->loop.uv, &s->on_int);
	s->on_term.data = s->on_int.data = s;
	uv_signal_start(&s->on_term, on_signal, SIGTERM);
	uv_signal_start(&s->on_int, on_signal, SIGINT);
	server_watch_hangup(s);
}

int server_run(struct server *s)
{
	signal(SIGPIPE, SIG_IGN);
	int r = loop_init(&s->loop);
	if (r < 0)
		return r;
	r = server_build(s);
	if (r == 0) {
		watch_signals(s);
		server_announce(s);
		loop_run(&s->loop);
	} else if (s->doors_open) {
		server_close_doors(s, take_down);
		loop_run(&s->loop);
	} else {
		take_down(s);
	}
	loop_fini(&s->loop);
	server_close_files(s);
	return r;
}
