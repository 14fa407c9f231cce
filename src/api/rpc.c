#include "api/rpc.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdio.h>

enum {
	RPCS_MAX = 1000,
	PAYLOAD_BYTES_MAX = 15360, /* what clients send at most, and take */
	ACK_MS = 7000,             /* as LiveKit's clients wait */
	RESPONSE_MS = 15000,
	RESPONSE_MS_MAX = 10 * 60 * 1000,
	RPC_VERSION = 1,
};

/* RPC errors as LiveKit's clients number them. */
enum {
	RPC_UNSUPPORTED_METHOD = 1400,
	RPC_REQUEST_TOO_LARGE = 1402,
	RPC_UNSUPPORTED_VERSION = 1404,
	RPC_CONNECTION_TIMEOUT = 1501,
	RPC_RESPONSE_TIMEOUT = 1502,
};

struct rpc {
	struct list link;
	struct api *api;
	struct http_exchange *x;
	struct timer deadline;
	char id[RNG_ID_SIZE], caller[RNG_UUID_SIZE];
	uint32_t response_ms; /* from the beginning, as LiveKit counts it */
	uint64_t began_ms;
	bool as_json, acknowledged;
};

static void rpc_free(struct rpc *r)
{
	--r->api->rpc_count;
	list_remove(&r->link);
	timer_fini(&r->deadline);
	mem_free(r);
}

static const char *twirp_code(unsigned code)
{
	switch (code) {
	case RPC_UNSUPPORTED_METHOD:
	case RPC_REQUEST_TOO_LARGE:
	case RPC_UNSUPPORTED_VERSION:
		return "invalid_argument";
	case RPC_CONNECTION_TIMEOUT:
	case RPC_RESPONSE_TIMEOUT:
		return "deadline_exceeded";
	default:
		return "internal";
	}
}

static void fail(struct rpc *r, unsigned code, const char *message)
{
	char text[400];
	snprintf(text, sizeof text, "RpcError %u: %.300s", code, message);
	twirp_send_error(r->x, twirp_code(code), text, NULL, 0);
	rpc_free(r);
}

static void on_deadline(void *owner)
{
	struct rpc *r = owner;
	if (r->acknowledged || r->response_ms <= ACK_MS)
		fail(r, RPC_RESPONSE_TIMEOUT, "Response timeout");
	else
		fail(r, RPC_CONNECTION_TIMEOUT, "Connection timeout");
}

static void on_gone(void *owner)
{
	rpc_free(owner);
}

static void on_response(struct rpc *r, const Livekit__RpcResponse *response)
{
	if (response->value_case == LIVEKIT__RPC_RESPONSE__VALUE_ERROR) {
		fail(r, response->error->code, response->error->message);
		return;
	}
	Livekit__PerformRpcResponse out = LIVEKIT__PERFORM_RPC_RESPONSE__INIT;
	if (response->value_case == LIVEKIT__RPC_RESPONSE__VALUE_PAYLOAD)
		out.payload = response->payload;
	twirp_send(r->x, r->as_json, &out.base);
	rpc_free(r);
}

static void on_ack(struct rpc *r)
{
	if (r->acknowledged)
		return;
	r->acknowledged = true;
	uint64_t spent_ms = loop_now_ms(r->api->config.loop) - r->began_ms;
	timer_start(&r->deadline, spent_ms < r->response_ms ? r->response_ms - spent_ms : 0, 0);
}

static struct rpc *find(struct api *a, const Livekit__DataPacket *packet, const char *id)
{
	list_each(it, &a->rpcs)
	{
		struct rpc *r = container_of(it, struct rpc, link);
		if (!strcmp(r->id, id) && packet->n_destination_identities == 1 &&
			!strcmp(r->caller, packet->destination_identities[0]))
			return r;
	}
	return NULL;
}

void api_rpc_answer(struct api *a, const struct data_packet *d)
{
	const Livekit__DataPacket *packet = d->packet;
	bool is_ack = packet->value_case == LIVEKIT__DATA_PACKET__VALUE_RPC_ACK;
	if (!is_ack && packet->value_case != LIVEKIT__DATA_PACKET__VALUE_RPC_RESPONSE)
		return;
	struct rpc *r = find(a, packet, is_ack ? packet->rpc_ack->request_id : packet->rpc_response->request_id);
	if (r && is_ack)
		on_ack(r);
	else if (r)
		on_response(r, packet->rpc_response);
}

static struct rpc *rpc_new(struct twirp *t, uint32_t response_ms)
{
	struct rpc *r = mem_zalloc(sizeof *r);
	if (!r)
		return NULL;
	if (timer_init(&r->deadline, t->api->config.loop, on_deadline, r) < 0) {
		mem_free(r);
		return NULL;
	}
	r->api = t->api;
	r->as_json = t->as_json;
	r->response_ms = !response_ms ? RESPONSE_MS : response_ms > RESPONSE_MS_MAX ? RESPONSE_MS_MAX : response_ms;
	rng_id(r->id, "RPC_");
	rng_uuid(r->caller); /* nobody may guess whom to answer */
	list_add(&t->api->rpcs, &r->link);
	++t->api->rpc_count;
	return r;
}

static void send_request(struct room *room, struct rpc *r, const Livekit__PerformRpcRequest *in)
{
	Livekit__DataPacket packet = LIVEKIT__DATA_PACKET__INIT;
	Livekit__RpcRequest request = LIVEKIT__RPC_REQUEST__INIT;
	char *destinations[] = {in->destination_identity};
	request.id = r->id;
	request.method = in->method;
	request.payload = in->payload;
	request.response_timeout_ms = r->response_ms;
	request.version = RPC_VERSION;
	packet.participant_identity = r->caller;
	packet.n_destination_identities = 1;
	packet.destination_identities = destinations;
	packet.value_case = LIVEKIT__DATA_PACKET__VALUE_RPC_REQUEST;
	packet.rpc_request = &request;
	/* A phone answers inside: then `r` is gone already. */
	room_send_data(room, &packet, true);
}

void rpc_perform(struct twirp *t, struct participant *p, const Livekit__PerformRpcRequest *in)
{
	if (strlen(in->payload) > PAYLOAD_BYTES_MAX) {
		twirp_fail(t, "invalid_argument", "RpcError %d: Request payload too large", RPC_REQUEST_TOO_LARGE);
		return;
	}
	if (t->api->rpc_count >= RPCS_MAX) {
		twirp_fail(t, "resource_exhausted", "too many RPCs wait for their answers");
		return;
	}
	struct rpc *r = rpc_new(t, in->response_timeout_ms);
	if (!r) {
		twirp_broken(t);
		return;
	}
	r->x = twirp_detach(t);
	http_on_gone(r->x, on_gone, r);
	r->began_ms = loop_now_ms(t->api->config.loop);
	timer_start(&r->deadline, r->response_ms < ACK_MS ? r->response_ms : ACK_MS, 0);
	send_request(participant_room(p), r, in);
}

void rpc_refuse_all(struct api *a)
{
	while (!list_empty(&a->rpcs)) {
		struct rpc *r = list_first(&a->rpcs, struct rpc, link);
		twirp_send_error(r->x, "unavailable", "the server is shutting down", NULL, 0);
		rpc_free(r);
	}
}
