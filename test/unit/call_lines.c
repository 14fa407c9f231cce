/* The lines to carriers against a far end that is a bare socket in this process: begun, changed and ended
 * with their trunks, and what they say of a trunk's health. */
#include "call/lines.h"

#include "base/mem.h"
#include "net/address.h"
#include "store/store.h"
#include "wire/sip_write.h"
#include "test/check.h"
#include "loop_wait.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

/* 64*T1 = 640 ms. */
static const struct sip_timers fast = {.t1_ms = 10, .t2_ms = 40, .t4_ms = 20};

struct world {
	struct loop loop;
	struct dns *dns;
	struct store *store;
	struct trunks *trunks;
	struct sip_agent *agent;
	struct lines *lines;
	int fd;
	uint16_t port;
	char id[32];
	char bytes[65536];
	/* what came, repetitions included, and how it is answered */
	unsigned registered, removed, options;
	unsigned register_status, options_status;
	bool silent;
	int stopped;
	struct line_status status;
};

static void on_stopped(void *owner)
{
	++((struct world *)owner)->stopped;
}

static void world_open(struct world *w)
{
	struct sip_agent_config config = {.binds = {"127.0.0.1"}, .timers = fast, .failover_ms = 60};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;

	memset(w, 0, sizeof *w);
	w->register_status = w->options_status = 200;
	w->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CHECK(bind(w->fd, (struct sockaddr *)&at, sizeof at) == 0);
	CHECK(getsockname(w->fd, (struct sockaddr *)&at, &size) == 0);
	w->port = ntohs(at.sin_port);
	CHECK_EQ(loop_init(&w->loop), 0);
	CHECK_EQ(dns_new(&w->dns, &w->loop), 0);
	CHECK_EQ(store_open(&w->store, ":memory:"), 0);
	CHECK_EQ(trunks_new(&w->trunks, w->store), 0);
	CHECK_EQ(sip_agent_new(&w->agent, &w->loop, w->dns, &config, NULL, NULL), 0);
}

static void lines_begin(struct world *w)
{
	CHECK_EQ(lines_new(&w->lines,
			 &(struct lines_config){.loop = &w->loop, .trunks = w->trunks, .sip = w->agent, .own_host = "us.test"}),
		0);
}

static void world_close(struct world *w)
{
	w->lines = lines_free(w->lines);
	sip_agent_free(w->agent);
	trunks_free(w->trunks);
	store_close(w->store);
	dns_free(w->dns);
	loop_fini(&w->loop);
	close(w->fd);
	CHECK_EQ(mem_live(), 0);
}

/* Makes it, or replaces the one there is. */
static void set_trunk(struct world *w, const char *options)
{
	static char *numbers[] = {"+15550100"};
	Livekit__SIPOutboundTrunkInfo t = LIVEKIT__SIPOUTBOUND_TRUNK_INFO__INIT;
	const Livekit__SIPOutboundTrunkInfo *made;
	char address[32], metadata[300], why[TRUNK_WHY_SIZE];

	snprintf(address, sizeof address, "127.0.0.1:%u", w->port);
	snprintf(metadata, sizeof metadata, "{\"ringdown\": {%s}}", options);
	t.name = "line";
	t.address = address;
	t.numbers = numbers;
	t.n_numbers = 1;
	t.auth_username = "me";
	t.metadata = metadata;
	if (*w->id)
		CHECK_EQ(trunks_replace_outbound(&made, w->trunks, w->id, &t, why), 0);
	else
		CHECK_EQ(trunks_create_outbound(&made, w->trunks, &t, why), 0);
	snprintf(w->id, sizeof w->id, "%s", made->sip_trunk_id);
}

static void answer(struct world *w, const struct sip_message *m, const struct sockaddr_in *to, unsigned status)
{
	char text[4096];
	struct writer out = writer_of(text, sizeof text);
	struct sip_response_head head = {.status = status, .to_tag = "far"};

	sip_write_response_head(&out, m, &head);
	sip_write_copies(&out, m, SIP_H_CONTACT);
	sip_write_header(&out, "Expires", sip_message_value_named(m, "Expires"));
	sip_write_end(&out, NULL, (struct span){0});
	struct span bytes = writer_span(&out);
	CHECK(sendto(w->fd, bytes.data, bytes.size, 0, (const struct sockaddr *)to, sizeof *to) > 0);
}

/* One turn of the far end: counts and answers whatever came. Always true. */
static bool serve(struct world *w)
{
	struct sockaddr_in from;
	socklen_t size = sizeof from;
	struct sip_message m;
	ssize_t n;

	while ((n = recvfrom(w->fd, w->bytes, sizeof w->bytes, 0, (struct sockaddr *)&from, &size)) > 0) {
		CHECK_EQ(sip_message_parse(&m, span_of(w->bytes, (size_t)n)), SIP_OK);
		bool leaves = span_is(sip_message_value_named(&m, "Expires"), "0");
		if (m.method == SIP_OPTIONS) {
			CHECK(span_is(m.from.uri, "sip:us.test"));
			++w->options;
		} else if (leaves) {
			++w->removed;
		} else {
			++w->registered;
		}
		if (!w->silent)
			answer(w, &m, &from, m.method == SIP_OPTIONS ? w->options_status : w->register_status);
	}
	return true;
}

static bool is_in(struct world *w, enum line_state state)
{
	serve(w);
	return lines_status(w->lines, w->id, &w->status) && w->status.state == state;
}

static void a_line_lives_with_its_trunk(void)
{
	struct world w;

	world_open(&w);
	lines_begin(&w);
	set_trunk(&w, "\"number_format\": \"e164\"");
	lines_look(w.lines);
	CHECK(!lines_status(w.lines, w.id, &w.status));
	CHECK_EQ(w.status.state, LINE_UNKNOWN);
	CHECK(!lines_status(NULL, w.id, &w.status));

	set_trunk(&w, "\"register\": {\"expires_s\": 60}");
	lines_look(w.lines);
	LOOP_WAIT(&w.loop, is_in(&w, LINE_UP));
	CHECK(w.status.registers && !w.status.asks);
	CHECK_EQ(w.status.registration.expires_s, 60u);
	CHECK_STR(w.status.address, "sip:me@127.0.0.1");
	CHECK_STR(w.status.problem, "");
	lines_look(w.lines); /* nothing has changed */
	CHECK_EQ(w.removed, 0u);

	set_trunk(&w, "\"register\": {\"expires_s\": 90}");
	lines_look(w.lines);
	LOOP_WAIT(&w.loop, serve(&w) && w.removed && is_in(&w, LINE_UP));
	CHECK_EQ(w.status.registration.expires_s, 90u);

	unsigned removed = w.removed;
	CHECK_EQ(trunks_delete(w.trunks, w.id), 0);
	lines_look(w.lines);
	LOOP_WAIT(&w.loop, serve(&w) && w.removed > removed);
	CHECK(!lines_status(w.lines, w.id, &w.status));
	world_close(&w);
}

static void a_refusal_is_down(void)
{
	struct world w;

	world_open(&w);
	lines_begin(&w);
	w.register_status = 403;
	set_trunk(&w, "\"register\": {\"enabled\": true}");
	lines_look(w.lines);
	LOOP_WAIT(&w.loop, is_in(&w, LINE_DOWN));
	CHECK(strstr(w.status.problem, "403"));
	CHECK(w.status.next_in_ms > 60000);
	world_close(&w);
}

static const struct {
	unsigned status;
	enum line_state state;
} answers[] = {
	{200, LINE_UP}, {404, LINE_UP}, {405, LINE_UP}, {401, LINE_UP}, {408, LINE_DOWN}, {503, LINE_DOWN}, {500, LINE_DOWN},
};

static void options_tell(void)
{
	for (size_t i = 0; i < COUNT_OF(answers); ++i) {
		struct world w;
		world_open(&w);
		lines_begin(&w);
		w.options_status = answers[i].status;
		set_trunk(&w, "\"options_interval_s\": 30");
		lines_look(w.lines);
		CHECK(lines_status(w.lines, w.id, &w.status) && w.status.asks);
		LOOP_WAIT(&w.loop, is_in(&w, answers[i].state));
		CHECK_EQ(w.status.options_status, answers[i].status);
		CHECK(w.status.options_asked_unix_ms > 0);
		CHECK_EQ(*w.status.problem != 0, answers[i].state == LINE_DOWN);
		world_close(&w);
	}
}

static void stopping(void)
{
	struct world w;

	world_open(&w); /* no line at all */
	lines_begin(&w);
	lines_stop(w.lines, on_stopped, &w);
	CHECK_EQ(w.stopped, 0);
	LOOP_WAIT(&w.loop, w.stopped);
	world_close(&w);

	world_open(&w); /* taken away */
	lines_begin(&w);
	set_trunk(&w, "\"register\": {\"enabled\": true}, \"options_interval_s\": 30");
	lines_look(w.lines);
	LOOP_WAIT(&w.loop, is_in(&w, LINE_UP));
	lines_stop(w.lines, on_stopped, &w);
	LOOP_WAIT(&w.loop, serve(&w) && w.stopped);
	CHECK_EQ(w.removed, 1u);
	unsigned registered = w.registered;
	lines_look(w.lines); /* nothing begins anew */
	uv_run(&w.loop.uv, UV_RUN_NOWAIT);
	CHECK(serve(&w) && w.registered == registered);
	world_close(&w);

	world_open(&w); /* nobody answers any more */
	lines_begin(&w);
	set_trunk(&w, "\"register\": {\"enabled\": true}");
	lines_look(w.lines);
	LOOP_WAIT(&w.loop, is_in(&w, LINE_UP));
	w.silent = true;
	lines_stop(w.lines, on_stopped, &w);
	LOOP_WAIT(&w.loop, serve(&w) && w.stopped);
	CHECK_EQ(w.stopped, 1);
	world_close(&w);
}

static void without_memory(void)
{
	struct world w;

	world_open(&w);
	set_trunk(&w, "\"register\": {\"enabled\": true}, \"options_interval_s\": 30");
	for (int n = 0; n < 60; ++n) {
		struct lines *ls = NULL;
		mem_fail_after(n);
		int r = lines_new(&ls,
			&(struct lines_config){.loop = &w.loop, .trunks = w.trunks, .sip = w.agent, .own_host = "us.test"});
		if (r == 0)
			lines_look(ls);
		uv_run(&w.loop.uv, UV_RUN_NOWAIT);
		mem_fail_after(-1);
		lines_free(ls);
	}
	world_close(&w);
}

int main(void)
{
	a_line_lives_with_its_trunk();
	a_refusal_is_down();
	options_tell();
	stopping();
	without_memory();
	return 0;
}
