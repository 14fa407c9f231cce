/* api/router.c - which path goes where, on both ports. The only place that knows paths. */
#include "api/api_private.h"

#include "api/agent_service.h"
#include "api/rpc.h"
#include "api/sip_service.h"
#include "api/static_files.h"

#include "base/err.h"
#include "base/mem.h"

#include "api/wait.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

static const char text_type[] = "text/plain; charset=utf-8";

void api_text(struct http_exchange *x, unsigned status, const char *text)
{
	http_reply(x, status, text_type, NULL, span_text(text));
}

void api_not_found(struct http_exchange *x)
{
	api_text(x, 404, "404 page not found\n");
}

/* ---- LiveKit's port ---- */

static void server_request(void *owner, struct http_exchange *x)
{
	struct api *a = owner;
	const char *path = http_path(x);

	if (a->config.signal_request && a->config.signal_request(a->config.signal_owner, x))
		return;
	if (!strcmp(path, "/"))
		api_text(x, 200, "OK");
	else if (!strncmp(path, "/twirp/", 7))
		api_twirp(a, x);
	else if (api_is_operator_path(path))
		api_backend(a, x);
	else if (!strcmp(path, "/agent"))
		http_reply(x, 404, NULL, NULL, (struct span){0}); /* agents' workers come by WebSocket */
	else
		api_not_found(x);
}

static void server_upgrade(void *owner, struct http_exchange *x)
{
	struct api *a = owner;
	if (!strcmp(http_path(x), "/agent"))
		agent_upgrade(a, x);
	else if (!a->config.signal_upgrade || !a->config.signal_upgrade(a->config.signal_owner, x))
		api_not_found(x);
}

const struct http_events api_server_events = {.request = server_request, .upgrade = server_upgrade};

/* ---- the app's port ---- */

static void backend_request(void *owner, struct http_exchange *x)
{
	struct api *a = owner;
	if (api_is_backend_path(http_path(x)))
		api_backend(a, x);
	else
		static_file(a, x);
}

static void backend_upgrade(void *owner, struct http_exchange *x)
{
	api_not_found(x);
}

const struct http_events api_backend_events = {.request = backend_request, .upgrade = backend_upgrade};

/* Host names and addresses, a port, brackets: nothing that could end a header or a URL. */
static bool is_plain_host(const char *host)
{
	return *host && strlen(host) < 256 &&
		strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") ==
			strlen(host);
}

const char *api_server_url(char out[API_URL_SIZE], const struct api *a, const struct http_exchange *x)
{
	const char *host = http_header(x, "Host");
	if (a->config.server_url) {
		snprintf(out, API_URL_SIZE, "%s", a->config.server_url);
		return out;
	}
	if (!host || !is_plain_host(host))
		host = "127.0.0.1";
	size_t size = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	snprintf(out, API_URL_SIZE, "%s://%.*s:%u", a->config.server_tls ? "wss" : "ws", (int)size, host, a->config.server_port);
	return out;
}

/* ---- life ---- */

int api_new(struct api **ret, const struct api_config *config)
{
	assert(ret && config->loop && config->rooms && config->agents && config->trunks && config->calls && config->secret_of);

	struct api *a = mem_zalloc(sizeof *a);
	if (!a)
		return err_new(-ENOMEM);
	a->config = *config;
	list_init(&a->waits);
	list_init(&a->transfers);
	list_init(&a->rpcs);
	int r = idempotency_new(&a->answers);
	if (r < 0) {
		api_free(a);
		return r;
	}
	*ret = a;
	return 0;
}

void api_close(struct api *a)
{
	a->closed = true;
	wait_refuse_all(a);
	sip_transfers_refuse_all(a);
	rpc_refuse_all(a);
}

struct api *api_free(struct api *a)
{
	if (!a)
		return NULL;
	wait_refuse_all(a);
	sip_transfers_refuse_all(a);
	rpc_refuse_all(a);
	idempotency_free(a->answers);
	mem_free(a);
	return NULL;
}
