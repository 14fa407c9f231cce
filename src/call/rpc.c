/* call/rpc.c - what those in the room can ask of a phone by RPC: livekit-sip's two methods. */
#include "call/call_private.h"

#include "base/log.h"
#include "base/mem.h"

static void end_now(struct deferred *d)
{
	call_hang_up(container_of(d, struct call, end_later));
}

static void get_remote_headers(struct call *c, const struct seat_rpc *rpc)
{
	char *text = NULL;
	int r = headers_to_json(&text, c->far_headers, c->far_header_count, rpc->payload);
	if (r)
		seat_rpc_answer(c->seat, rpc, SEAT_RPC_APPLICATION,
			r > 0 ? "the payload is not {\"include\":[...],\"exclude\":[...]}" : "out of memory");
	else
		seat_rpc_answer(c->seat, rpc, SEAT_RPC_OK, text);
	mem_free(text);
}

static void end_call(struct call *c, const struct seat_rpc *rpc)
{
	int r = headers_from_json(&c->end_headers, &c->end_header_count, &c->kept, rpc->payload);
	if (r) {
		seat_rpc_answer(c->seat, rpc, SEAT_RPC_APPLICATION,
			r > 0 ? "the payload is not {\"headers\":{NAME:VALUE...}} of headers that a BYE may carry"
			      : "out of memory");
		return;
	}
	log_info(c->id, "\"%s\" ends the call by RPC", rpc->from);
	seat_rpc_answer(c->seat, rpc, SEAT_RPC_OK, "{}");
	/* The seat that brought this is still on the stack. */
	loop_defer(c->calls->loop, &c->end_later, end_now);
}

void call_rpc(struct call *c, const struct seat_rpc *rpc)
{
	if (c->state == CALL_ENDED || !c->seat)
		return;
	if (!strcmp(rpc->method, "lk.sip.GetRemoteHeaders")) {
		get_remote_headers(c, rpc);
	} else if (!strcmp(rpc->method, "lk.sip.EndCall")) {
		end_call(c, rpc);
	} else {
		seat_rpc_answer(c->seat, rpc, SEAT_RPC_UNSUPPORTED, "Method not supported at destination");
	}
}
