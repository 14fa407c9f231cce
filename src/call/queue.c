#include "call/call_private.h"

#include "base/err.h"
#include "base/log.h"

#include <errno.h>

static void on_turn(void *owner)
{
	struct call *c = owner;
	const struct call_queue *q = &c->queue;

	if (c->state == CALL_ENDED)
		return;
	if (call_invite(c, &q->request, q->caller, q->rtp_port))
		call_fail_as(c, CALL_FAILURE_INTERNAL, "");
}

static const char *keep(struct proto_arena *a, const char *text)
{
	return text ? proto_text(a, text) : NULL;
}

static int keep_trunk(const Livekit__SIPOutboundTrunkInfo **ret, struct proto_arena *a,
	const Livekit__SIPOutboundTrunkInfo *trunk)
{
	struct buf packed = {0};
	ProtobufCMessage *copy = NULL;

	int r = proto_pack(&packed, &trunk->base);
	if (r == 0)
		r = proto_unpack(&copy, a, &livekit__sipoutbound_trunk_info__descriptor, buf_span(&packed));
	buf_fini(&packed);
	*ret = (const Livekit__SIPOutboundTrunkInfo *)copy;
	return r > 0 ? err_new(-EINVAL) : r;
}

/* Only what an INVITE is made of. */
static int keep_request(struct call_request *to, struct proto_arena *a, const struct call_request *from)
{
	struct attribute *headers = proto_alloc(a, (from->header_count + 1) * sizeof *headers);

	if (!headers)
		return err_new(-ENOMEM);
	for (size_t i = 0; i < from->header_count; ++i)
		headers[i] = (struct attribute){keep(a, from->headers[i].key), keep(a, from->headers[i].value)};
	*to = (struct call_request){
		.to_user = keep(a, from->to_user),
		.uri_params = keep(a, from->uri_params),
		.from_host = keep(a, from->from_host),
		.display_name = keep(a, from->display_name),
		.headers = headers,
		.header_count = from->header_count,
	};
	return keep_trunk(&to->trunk, a, from->trunk);
}

int call_queue_wait(struct call *c, const struct call_request *request, const char *caller,
	uint16_t rtp_port, uint32_t wait_ms)
{
	struct call_queue *q = &c->queue;

	int r = keep_request(&q->request, &c->kept, request);
	if (r == 0)
		r = timer_init(&q->timer, c->calls->loop, on_turn, c);
	if (r < 0)
		return r;
	q->caller = proto_text(&c->kept, caller);
	q->rtp_port = rtp_port;
	if (c->kept.failed)
		return err_new(-ENOMEM);
	timer_start(&q->timer, wait_ms, 0);
	log_info(c->id, "waits %u ms for the trunk's calls per second", (unsigned)wait_ms);
	return 0;
}

void call_queue_leave(struct call *c)
{
	timer_fini(&c->queue.timer);
}
