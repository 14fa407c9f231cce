#include "api_harness.h"

#include "agent/agents.h"
#include "base/clock.h"
#include "base/mem.h"
#include "net/address.h"
#include "room/room.h"
#include "store/store.h"
#include "test/check.h"
#include "trunk/trunk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

enum { DEADLINE_MS = 5000 };

static const char *secret_of(void *owner, const char *key)
{
	return !strcmp(key, HARNESS_KEY) ? HARNESS_SECRET : NULL;
}

static uint64_t now_ms(void *owner)
{
	return clock_ms();
}

static void on_rpc_answer(void *owner, struct room *r, const struct data_packet *d)
{
	api_rpc_answer(((struct harness *)owner)->api, d);
}

static void open_server(struct http_server **s, struct harness *h, size_t body_max, const struct http_events *e)
{
	struct sockaddr_storage bind;
	CHECK_EQ(address_parse(&bind, "127.0.0.1", 0), 0);
	const struct http_server_config config = {
		.bind = &bind, .bind_count = 1, .name = "test", .body_bytes_max = body_max};
	CHECK_EQ(http_server_new(s, &h->loop, &config, e, h->api), 0);
	++h->open;
}

void harness_start(struct harness *h, bool development, const char *web_dir)
{
	static const struct api_bank banks[] = {{"one", "One Bank", "+14155550123"}};
	static const struct rooms_events rooms_events = {.rpc_answer = on_rpc_answer};
	memset(h, 0, sizeof *h);
	CHECK_EQ(loop_init(&h->loop), 0);
	CHECK_EQ(rooms_new(&h->rooms, &(struct rooms_config){.auto_create = true, .now_ms = now_ms,
		.empty_timeout_s = 300, .departure_timeout_s = 20}, &rooms_events, h), 0);
	CHECK_EQ(agents_new(&h->agents, &(struct agents_config){.loop = &h->loop, .rooms = h->rooms,
		.secret_of = secret_of, .version = "1.0.0", .node_id = "ND_test",
		.register_ms = 300, .answer_ms = 300, .leave_ms = 300}), 0);
	CHECK_EQ(store_open(&h->store, ":memory:"), 0);
	CHECK_EQ(trunks_new(&h->trunks, h->store), 0);
	h->calls = fake_calls_new(&h->loop);
	CHECK_EQ(api_new(&h->api, &(struct api_config){
					  .loop = &h->loop,
					  .rooms = h->rooms,
					  .agents = h->agents,
					  .trunks = h->trunks,
					  .calls = h->calls,
					  .secret_of = secret_of,
					  .sign_key = HARNESS_KEY,
					  .server_port = 7880,
					  .development = development,
					  .web_dir = web_dir,
					  .banks = banks,
					  .bank_count = 1,
				  }), 0);
	open_server(&h->server, h, 0, &api_server_events);
	open_server(&h->backend, h, BACKEND_HTTP_BODY_BYTES, &api_backend_events);
}

static void on_closed(void *owner)
{
	--((struct harness *)owner)->open;
}

void harness_stop(struct harness *h)
{
	api_close(h->api);
	http_server_close(h->server, on_closed, h);
	http_server_close(h->backend, on_closed, h);
	uint64_t end = clock_ms() + DEADLINE_MS;
	while (h->open && clock_ms() < end)
		uv_run(&h->loop.uv, UV_RUN_ONCE);
	CHECK_EQ(h->open, 0);
	api_free(h->api);
	fake_calls_free(h->calls);
	trunks_free(h->trunks);
	store_close(h->store);
	rooms_free(h->rooms);
	agents_free(h->agents);
	loop_fini(&h->loop);
	ask(NULL, false, "", "", "", NULL); /* lets go of the last answer */
	CHECK_EQ(mem_live(), 0);
}

const char *harness_add_trunk(struct harness *h, const char *name, const char *number)
{
	char why[TRUNK_WHY_SIZE], *numbers[] = {(char *)number};
	const Livekit__SIPOutboundTrunkInfo *made = NULL;
	Livekit__SIPOutboundTrunkInfo t = LIVEKIT__SIPOUTBOUND_TRUNK_INFO__INIT;
	t.name = (char *)name;
	t.address = "127.0.0.1";
	t.numbers = numbers;
	t.n_numbers = 1;
	CHECK_EQ(trunks_create_outbound(&made, h->trunks, &t, why), 0);
	return made->sip_trunk_id;
}

/* ---- the client ---- */

void request_begin(struct request *r, struct harness *h, bool server, const char *method, const char *path,
	const char *headers, const char *body)
{
	struct sockaddr_storage to;
	size_t body_size = body ? strlen(body) : 0;
	memset(r, 0, sizeof *r);
	CHECK_EQ(address_parse(&to, "127.0.0.1", http_server_port(server ? h->server : h->backend)), 0);
	r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK_EQ(connect(r->fd, (struct sockaddr *)&to, address_size((struct sockaddr *)&to)), 0);
	CHECK_EQ(fcntl(r->fd, F_SETFL, O_NONBLOCK), 0);
	r->out = mem_format("%s %s HTTP/1.1\r\n%s%sConnection: close\r\nContent-Length: %zu\r\n\r\n%s", method, path,
		strstr(headers, "Host:") ? "" : "Host: 127.0.0.1:8000\r\n", headers, body_size, body ? body : "");
	CHECK(r->out);
	r->out_size = strlen(r->out);
}

bool request_turn(struct request *r, struct harness *h)
{
	uv_run(&h->loop.uv, UV_RUN_NOWAIT);
	if (r->sent < r->out_size) {
		ssize_t n = send(r->fd, r->out + r->sent, r->out_size - r->sent, MSG_NOSIGNAL);
		r->sent += n > 0 ? (size_t)n : 0;
	}
	ssize_t n = recv(r->fd, r->in + r->got, sizeof r->in - 1 - r->got, 0);
	if (n > 0)
		r->got += (size_t)n;
	if (n == 0)
		return true;
	struct pollfd p = {.fd = r->fd, .events = POLLIN};
	if (n < 0)
		poll(&p, 1, 1); /* an event or a millisecond: the loop has timers too */
	return false;
}

void request_abandon(struct request *r, struct harness *h)
{
	close(r->fd);
	mem_free(r->out);
	for (int i = 0; i < 20; ++i)
		uv_run(&h->loop.uv, UV_RUN_NOWAIT);
}

void request_finish(struct answer *a, struct request *r, struct harness *h)
{
	uint64_t end = clock_ms() + DEADLINE_MS;
	while (!request_turn(r, h))
		CHECK(clock_ms() < end);
	close(r->fd);
	mem_free(r->out);
	r->in[r->got] = 0;
	char *split = strstr(r->in, "\r\n\r\n");
	CHECK(split);
	*split = 0;
	json_decref(a->json);
	snprintf(a->headers, sizeof a->headers, "%.8000s\r\n", r->in);
	snprintf(a->body, sizeof a->body, "%.65000s", split + 4);
	CHECK_EQ(sscanf(a->headers, "HTTP/1.1 %d", &a->status), 1);
	a->json = json_loads(a->body, 0, NULL);
}

struct answer *ask(struct harness *h, bool server, const char *method, const char *path, const char *headers,
	const char *body)
{
	static struct answer a;
	static struct request r;
	if (!h) {
		json_decref(a.json);
		a.json = NULL;
		return NULL;
	}
	request_begin(&r, h, server, method, path, headers, body);
	request_finish(&a, &r, h);
	return &a;
}

const char *token_header(const char *claims)
{
	static char header[4096];
	char *token = NULL;
	json_t *json = json_loads(claims, 0, NULL);
	CHECK(json);
	json_object_set_new(json, "iss", json_string(HARNESS_KEY));
	json_object_set_new(json, "exp", json_integer(clock_unix_s() + 60));
	CHECK_EQ(jwt_sign(&token, json, HARNESS_SECRET), 0);
	snprintf(header, sizeof header, "Authorization: Bearer %s\r\n", token);
	mem_free(token);
	json_decref(json);
	return header;
}

const char *field(const struct answer *a, const char *path)
{
	const json_t *at = a->json;
	char part[64];
	while (*path) {
		size_t size = strcspn(path, ".");
		snprintf(part, sizeof part, "%.*s", (int)size, path);
		at = json_object_get(at, part);
		path += size + (path[size] == '.');
	}
	return json_is_string(at) ? json_string_value(at) : "";
}
