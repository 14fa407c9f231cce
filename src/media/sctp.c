#include "media/sctp.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "media/dtls.h"
#include "wire/dcep.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <usrsctp.h>

enum {
	PORT = 5000, /* "a=sctp-port:5000"; both sides */
	STREAMS = 64,
	TIMER_MS = 40, /* each association is looked at; the shortest wait in SCTP is 200 ms */
	LABEL_SIZE = 64,
	OUTPUT_PACKETS_MAX = 1024, /* more are dropped: SCTP sends them again */
	SOCKET_BUFFER_BYTES = 256 << 10,
	COMMON_HEADER_BYTES = 12, /* usrsctp's path MTU leaves it out */
	PATH_MTU = (DTLS_DATA_BYTES_MAX - COMMON_HEADER_BYTES) & ~3,
};

/* Something that waits for the end of the turn: a packet out, an event up, a message to send. */
struct item {
	struct list link;
	enum { ITEM_OPEN, ITEM_MESSAGE, ITEM_CLOSED, ITEM_PACKET, ITEM_SEND } kind;
	uint16_t channel;
	uint32_t payload; /* enum dcep_payload */
	size_t size;
	uint8_t bytes[]; /* and a zero */
};

struct channel {
	bool used, ours, acked, ordered;
	uint16_t id; /* the stream, in both directions */
	int max_retransmits;
	char label[LABEL_SIZE];
};

struct sctp_association {
	struct map_node by_id;
	uintptr_t id; /* what usrsctp has for an address: never a pointer that may be gone */
	const struct sctp_events *events;
	void *owner;
	struct socket *socket;
	bool is_dtls_client, up, ended;
	struct channel channels[LIMIT_DATA_CHANNELS];

	struct list output, received, waiting; /* struct item.link */
	unsigned output_count;
	size_t waiting_bytes;
	struct buf partial; /* a message that comes in pieces */
	bool partial_bad;
	struct deferred turn;
	bool delivering, freed; /* an event of ours is on the stack; it freed us */
};

/* usrsctp is one in the process, so its timer and its addresses are too. */
static struct {
	struct loop *loop; /* NULL = not started */
	struct map associations;
	struct timer timer;
	uint64_t last_ms;
	uintptr_t last_id;
	size_t waiting_bytes; /* of all associations */
} stack;

static void on_turn(struct deferred *d);

static void wake(struct sctp_association *a)
{
	loop_defer(stack.loop, &a->turn, on_turn);
}

static struct item *add_item(struct list *to, int kind, const void *bytes, size_t size)
{
	struct item *i = mem_zalloc(sizeof *i + size + 1);
	if (!i)
		return NULL;
	i->kind = kind;
	i->size = size;
	if (size)
		memcpy(i->bytes, bytes, size);
	list_add(to, &i->link);
	return i;
}

static void drop_item(struct item *i)
{
	list_remove(&i->link);
	mem_free(i);
}

static void drop_all(struct list *items)
{
	while (!list_empty(items))
		drop_item(list_first(items, struct item, link));
}

/* ---- channels ---- */

static struct channel *find_channel(struct sctp_association *a, uint16_t id)
{
	for (size_t i = 0; i < COUNT_OF(a->channels); ++i)
		if (a->channels[i].used && a->channels[i].id == id)
			return &a->channels[i];
	return NULL;
}

static struct channel *add_channel(struct sctp_association *a, uint16_t id, struct span label)
{
	for (size_t i = 0; i < COUNT_OF(a->channels); ++i) {
		struct channel *c = &a->channels[i];
		if (c->used)
			continue;
		*c = (struct channel){.used = true, .id = id, .max_retransmits = -1};
		size_t size = label.size < LABEL_SIZE - 1 ? label.size : LABEL_SIZE - 1;
		if (size)
			memcpy(c->label, label.data, size);
		return c;
	}
	return NULL;
}

/* RFC 8832, 6: the DTLS client has the even ones. */
static int free_channel_id(struct sctp_association *a)
{
	for (unsigned id = a->is_dtls_client ? 0 : 1; id < STREAMS; id += 2)
		if (!find_channel(a, (uint16_t)id))
			return (int)id;
	return -1;
}

/* ---- sending ---- */

static void account(struct sctp_association *a, ptrdiff_t bytes)
{
	a->waiting_bytes += (size_t)bytes;
	stack.waiting_bytes += (size_t)bytes;
}

/* What keeping it costs counts too: messages may be tiny. Many slow readers at once get less each. */
static bool has_room(const struct sctp_association *a, size_t size)
{
	size_t limit = stack.waiting_bytes < LIMIT_SCTP_QUEUES_BYTES ? LIMIT_SCTP_QUEUE_BYTES
								      : LIMIT_SCTP_QUEUE_BYTES_SCARCE;
	return a->waiting_bytes + sizeof(struct item) + size <= limit;
}

/* 0, or -errno as usrsctp has it: -EAGAIN when its buffer is full. */
static int send_now(struct sctp_association *a, const struct item *i)
{
	const struct channel *c = find_channel(a, i->channel);
	struct sctp_sendv_spa spa = {.sendv_flags = SCTP_SEND_SNDINFO_VALID};

	spa.sendv_sndinfo.snd_sid = i->channel;
	spa.sendv_sndinfo.snd_ppid = htonl(i->payload);
	/* RFC 8832, 6: ordered until the peer has taken the channel; control always. */
	if (c && c->acked && i->payload != DCEP_PAYLOAD_CONTROL) {
		if (!c->ordered)
			spa.sendv_sndinfo.snd_flags |= SCTP_UNORDERED;
		if (c->max_retransmits >= 0) {
			spa.sendv_flags |= SCTP_SEND_PRINFO_VALID;
			spa.sendv_prinfo.pr_policy = SCTP_PR_SCTP_RTX;
			spa.sendv_prinfo.pr_value = (uint32_t)c->max_retransmits;
		}
	}
	ssize_t n = usrsctp_sendv(
		a->socket, i->bytes, i->size, NULL, 0, &spa, sizeof spa, SCTP_SENDV_SPA, 0);
	return n < 0 ? -errno : 0;
}

static void send_waiting(struct sctp_association *a)
{
	while (a->up && !list_empty(&a->waiting)) {
		struct item *i = list_first(&a->waiting, struct item, link);
		int r = send_now(a, i);
		if (r == -EAGAIN || r == -EWOULDBLOCK)
			return;
		if (r < 0)
			log_debug("sctp", "a message could not be sent: %s", strerror(-r));
		account(a, -(ptrdiff_t)(sizeof *i + i->size));
		drop_item(i);
	}
}

static int queue(struct sctp_association *a, uint16_t channel, uint32_t payload, struct span bytes)
{
	if (!has_room(a, bytes.size))
		return SCTP_E_FULL;
	struct item *i = add_item(&a->waiting, ITEM_SEND, bytes.data, bytes.size);
	if (!i)
		return err_new(-ENOMEM);
	i->channel = channel;
	i->payload = payload;
	account(a, (ptrdiff_t)(sizeof *i + i->size));
	wake(a);
	return 0;
}

static int queue_open(struct sctp_association *a, const struct channel *c)
{
	uint8_t bytes[128];
	struct writer w = writer_of(bytes, sizeof bytes);
	struct dcep_open open = {.ordered = c->ordered,
		.kind = c->max_retransmits < 0 ? DCEP_RELIABLE : DCEP_RETRANSMITS,
		.reliability = c->max_retransmits < 0 ? 0 : (uint32_t)c->max_retransmits,
		.label = span_text(c->label)};

	dcep_write_open(&w, &open);
	return queue(a, c->id, DCEP_PAYLOAD_CONTROL, writer_span(&w));
}

/* ---- what usrsctp tells us; no event from here, because it is on the stack ---- */

static int on_output(void *address, void *packet, size_t size, uint8_t tos, uint8_t do_not_fragment)
{
	struct sctp_association *a = map_entry(map_get_id(&stack.associations, (uintptr_t)address),
		struct sctp_association, by_id);

	if (!a || a->output_count >= OUTPUT_PACKETS_MAX ||
		!add_item(&a->output, ITEM_PACKET, packet, size))
		return 0; /* lost like on any wire */
	++a->output_count;
	wake(a);
	return 0;
}

static void note_received(
	struct sctp_association *a, int kind, uint16_t channel, uint32_t payload, struct span bytes)
{
	struct item *i = add_item(&a->received, kind, bytes.data, bytes.size);
	if (!i)
		return;
	i->channel = channel;
	i->payload = payload;
	wake(a);
}

static void on_peer_opens(struct sctp_association *a, uint16_t id, const struct dcep_open *open)
{
	uint8_t bytes[1];
	struct writer w = writer_of(bytes, sizeof bytes);

	if (find_channel(a, id))
		return; /* the channel is taken: RFC 8832, 6 would have it closed */
	struct channel *c = add_channel(a, id, open->label);
	if (!c)
		return;
	c->acked = true;
	c->ordered = open->ordered;
	if (open->kind == DCEP_RETRANSMITS)
		c->max_retransmits = (int)(open->reliability & 0xffff);
	dcep_write_ack(&w);
	if (queue(a, id, DCEP_PAYLOAD_CONTROL, writer_span(&w)) == 0)
		note_received(a, ITEM_OPEN, id, 0, span_text(c->label));
}

static void on_control(struct sctp_association *a, uint16_t id, struct span message)
{
	enum dcep_type type;
	struct dcep_open open;
	struct channel *c = find_channel(a, id);

	if (!dcep_parse(&type, &open, message))
		return;
	if (type == DCEP_OPEN) {
		on_peer_opens(a, id, &open);
	} else if (c && c->ours && !c->acked) {
		c->acked = true;
		note_received(a, ITEM_OPEN, id, 0, span_text(c->label));
	}
}

static void on_message(
	struct sctp_association *a, uint16_t id, uint32_t payload, struct span message)
{
	if (payload == DCEP_PAYLOAD_CONTROL)
		on_control(a, id, message);
	else if (find_channel(a, id))
		note_received(a, ITEM_MESSAGE, id, payload, message);
}

/* Messages over 64 KB come in pieces; one that is over the limit is dropped whole. */
static void on_piece(struct sctp_association *a, const void *bytes, size_t size,
	const struct sctp_rcvinfo *info, bool last)
{
	a->partial.max = LIMIT_DATA_PACKET_BYTES;
	if (!a->partial_bad && buf_add(&a->partial, bytes, size) != 0)
		a->partial_bad = true;
	if (!last)
		return;
	if (!a->partial_bad)
		on_message(a, info->rcv_sid, ntohl(info->rcv_ppid), buf_span(&a->partial));
	buf_fini(&a->partial);
	a->partial_bad = false;
}

static void on_association_change(
	struct sctp_association *a, const struct sctp_assoc_change *change)
{
	switch (change->sac_state) {
	case SCTP_COMM_UP:
		a->up = true;
		wake(a);
		break;
	case SCTP_COMM_LOST:
	case SCTP_SHUTDOWN_COMP:
	case SCTP_CANT_STR_ASSOC:
		if (!a->ended)
			note_received(a, ITEM_CLOSED, 0, 0, (struct span){0});
		a->ended = true;
		a->up = false;
		break;
	default:
		break;
	}
}

/* The peer closes channels by resetting its streams; ours are reset in answer (RFC 8831, 6.7). */
static void on_reset(struct sctp_association *a, const struct sctp_stream_reset_event *e)
{
	size_t count = (e->strreset_length - sizeof *e) / sizeof(uint16_t);
	uint8_t bytes[sizeof(struct sctp_reset_streams) + STREAMS * sizeof(uint16_t)] = {0};
	struct sctp_reset_streams *reset = (struct sctp_reset_streams *)bytes;

	if (!(e->strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN))
		return;
	for (size_t i = 0; i < count && reset->srs_number_streams < STREAMS; ++i) {
		struct channel *c = find_channel(a, e->strreset_stream_list[i]);
		if (!c)
			continue;
		c->used = false;
		reset->srs_stream_list[reset->srs_number_streams++] = c->id;
	}
	if (!reset->srs_number_streams)
		return;
	reset->srs_flags = SCTP_STREAM_RESET_OUTGOING;
	size_t size = sizeof *reset + reset->srs_number_streams * sizeof(uint16_t);
	if (usrsctp_setsockopt(
		    a->socket, IPPROTO_SCTP, SCTP_RESET_STREAMS, reset, (socklen_t)size) < 0)
		log_debug("sctp", "a channel could not be closed: %s", strerror(errno));
}

static void on_notification(
	struct sctp_association *a, const union sctp_notification *n, size_t size)
{
	if (size < sizeof n->sn_header || n->sn_header.sn_length != size)
		return;
	if (n->sn_header.sn_type == SCTP_ASSOC_CHANGE)
		on_association_change(a, &n->sn_assoc_change);
	else if (n->sn_header.sn_type == SCTP_STREAM_RESET_EVENT)
		on_reset(a, &n->sn_strreset_event);
}

static int on_receive(struct socket *socket, union sctp_sockstore from, void *bytes, size_t size,
	struct sctp_rcvinfo info, int flags, void *id)
{
	struct sctp_association *a = map_entry(
		map_get_id(&stack.associations, (uintptr_t)id), struct sctp_association, by_id);

	if (a && bytes && flags & MSG_NOTIFICATION)
		on_notification(a, bytes, size);
	else if (a && bytes)
		on_piece(a, bytes, size, &info, flags & MSG_EOR);
	free(bytes); /* the library's own */
	return 1;
}

/* ---- the end of the turn ---- */

static void deliver(struct sctp_association *a, const struct item *i)
{
	bool binary = i->payload == DCEP_PAYLOAD_BINARY || i->payload == DCEP_PAYLOAD_BINARY_EMPTY;
	bool empty = i->payload == DCEP_PAYLOAD_TEXT_EMPTY ||
		     i->payload == DCEP_PAYLOAD_BINARY_EMPTY;

	switch (i->kind) {
	case ITEM_OPEN:
		a->events->channel_open(a->owner, (const char *)i->bytes, i->channel);
		break;
	case ITEM_MESSAGE:
		a->events->message(
			a->owner, i->channel, span_of(i->bytes, empty ? 0 : i->size), binary);
		break;
	case ITEM_CLOSED:
		if (a->events->closed)
			a->events->closed(a->owner);
		break;
	case ITEM_PACKET:
		a->events->output(a->owner, span_of(i->bytes, i->size));
		break;
	case ITEM_SEND:
		break;
	}
}

/* False when the owner freed us meanwhile; then `a` is gone. */
static bool deliver_all(struct sctp_association *a, struct list *items)
{
	a->delivering = true;
	while (!list_empty(items)) { /* it is empty after being freed */
		struct item *i = list_first(items, struct item, link);
		list_remove(&i->link);
		deliver(a, i);
		mem_free(i);
	}
	a->delivering = false;
	if (!a->freed)
		return true;
	mem_free(a);
	return false;
}

static void on_turn(struct deferred *d)
{
	struct sctp_association *a = container_of(d, struct sctp_association, turn);

	send_waiting(a);
	a->output_count = 0;
	if (deliver_all(a, &a->output))
		(void)deliver_all(a, &a->received);
}

static void on_timer(void *owner)
{
	uint64_t now_ms = clock_ms();
	uint32_t passed_ms = (uint32_t)(now_ms - stack.last_ms);

	stack.last_ms = now_ms;
	usrsctp_handle_timers(passed_ms);
	for (struct map_node *n = map_next(&stack.associations, NULL); n;
		n = map_next(&stack.associations, n)) {
		struct sctp_association *a = map_entry(n, struct sctp_association, by_id);
		if (!list_empty(&a->waiting))
			wake(a);
	}
}

/* ---- life ---- */

int sctp_stack_start(struct loop *l)
{
	assert(!stack.loop);

	int r = timer_init(&stack.timer, l, on_timer, NULL);
	if (r < 0)
		return r;
	usrsctp_init_nothreads(0, on_output, NULL);
	/* What DTLS does already, or what nobody here speaks. */
	usrsctp_sysctl_set_sctp_ecn_enable(0);
	usrsctp_sysctl_set_sctp_asconf_enable(0);
	usrsctp_sysctl_set_sctp_auth_enable(0);
	usrsctp_sysctl_set_sctp_nr_outgoing_streams_default(STREAMS);
	usrsctp_sysctl_set_sctp_sendspace(SOCKET_BUFFER_BYTES);
	usrsctp_sysctl_set_sctp_recvspace(SOCKET_BUFFER_BYTES);
	stack.loop = l;
	return 0;
}

void sctp_stack_stop(void)
{
	if (!stack.loop)
		return;
	assert(stack.associations.count == 0);
	for (int i = 0; i < 100 && usrsctp_finish() != 0; ++i)
		usrsctp_handle_timers(TIMER_MS);
	timer_fini(&stack.timer);
	map_fini(&stack.associations);
	stack.loop = NULL;
}

static bool set_option(struct socket *s, int level, int name, const void *value, size_t size)
{
	return usrsctp_setsockopt(s, level, name, value, (socklen_t)size) == 0;
}

static bool wants_event(struct socket *s, uint16_t type)
{
	struct sctp_event e = {.se_assoc_id = SCTP_ALL_ASSOC, .se_type = type, .se_on = 1};
	return set_option(s, IPPROTO_SCTP, SCTP_EVENT, &e, sizeof e);
}

static bool configure(struct socket *s)
{
	struct linger abort = {.l_onoff = 1}; /* closing is at once */
	struct sctp_initmsg init = {.sinit_num_ostreams = STREAMS, .sinit_max_instreams = STREAMS};
	struct sctp_assoc_value reset = {.assoc_id = SCTP_ALL_ASSOC,
		.assoc_value = SCTP_ENABLE_RESET_STREAM_REQ | SCTP_ENABLE_CHANGE_ASSOC_REQ};
	int on = 1;

	return usrsctp_set_non_blocking(s, 1) == 0 &&
	       set_option(s, SOL_SOCKET, SO_LINGER, &abort, sizeof abort) &&
	       set_option(s, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on) &&
	       set_option(s, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof init) &&
	       set_option(s, IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET, &reset, sizeof reset) &&
	       wants_event(s, SCTP_ASSOC_CHANGE) && wants_event(s, SCTP_STREAM_RESET_EVENT);
}

static bool begin(struct sctp_association *a)
{
	struct sockaddr_conn at = {.sconn_family = AF_CONN,
		.sconn_port = htons(PORT),
		.sconn_addr = (void *)a->id};
	struct sctp_paddrparams path = {.spp_flags = SPP_PMTUD_DISABLE, .spp_pathmtu = PATH_MTU};

	if (usrsctp_bind(a->socket, (struct sockaddr *)&at, sizeof at) < 0)
		return false;
	if (usrsctp_connect(a->socket, (struct sockaddr *)&at, sizeof at) < 0 &&
		errno != EINPROGRESS)
		return false;
	memcpy(&path.spp_address, &at, sizeof at);
	return set_option(a->socket, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &path, sizeof path);
}

static int open_socket(struct sctp_association *a)
{
	usrsctp_register_address((void *)a->id);
	a->socket = usrsctp_socket(
		AF_CONN, SOCK_STREAM, IPPROTO_SCTP, on_receive, NULL, 0, (void *)a->id);
	if (!a->socket || !configure(a->socket) || !begin(a))
		return err_new(-ENOMEM);
	return 0;
}

int sctp_association_new(struct sctp_association **ret, const struct sctp_events *events,
	void *owner, bool is_dtls_client)
{
	assert(stack.loop && events->output && events->channel_open && events->message);

	struct sctp_association *a = mem_zalloc(sizeof *a);
	if (!a)
		return err_new(-ENOMEM);
	a->id = ++stack.last_id;
	a->events = events;
	a->owner = owner;
	a->is_dtls_client = is_dtls_client;
	list_init(&a->output);
	list_init(&a->received);
	list_init(&a->waiting);
	list_init(&a->turn.link);

	int r = map_put_id(&stack.associations, &a->by_id, a->id);
	if (r != 0) {
		mem_free(a);
		return r;
	}
	r = open_socket(a);
	if (r < 0) {
		sctp_association_free(a);
		return r;
	}
	if (!timer_running(&stack.timer)) {
		stack.last_ms = clock_ms();
		timer_start(&stack.timer, TIMER_MS, TIMER_MS);
	}
	*ret = a;
	return 0;
}

struct sctp_association *sctp_association_free(struct sctp_association *a)
{
	if (!a)
		return NULL;
	if (a->socket)
		usrsctp_close(a->socket); /* its ABORT lands in a->output */
	usrsctp_deregister_address((void *)a->id);
	map_remove(&stack.associations, &a->by_id);
	list_remove(&a->turn.link);
	while (!list_empty(&a->output)) {
		struct item *i = list_first(&a->output, struct item, link);
		a->events->output(a->owner, span_of(i->bytes, i->size));
		drop_item(i);
	}
	drop_all(&a->received);
	drop_all(&a->waiting);
	account(a, -(ptrdiff_t)a->waiting_bytes);
	buf_fini(&a->partial);
	a->freed = true;
	if (!a->delivering)
		mem_free(a);
	if (!stack.associations.count)
		timer_stop(&stack.timer);
	return NULL;
}

void sctp_association_input(struct sctp_association *a, struct span packet)
{
	usrsctp_conninput((void *)a->id, packet.data, packet.size, 0);
	if (!list_empty(&a->waiting))
		wake(a); /* an acknowledgement may have made room */
}

int sctp_association_open_channel(uint16_t *ret, struct sctp_association *a, const char *label,
	bool ordered, int max_retransmits)
{
	int id = free_channel_id(a);
	struct channel *c = id < 0 ? NULL : add_channel(a, (uint16_t)id, span_text(label));
	if (!c)
		return SCTP_E_NO_CHANNEL;
	c->ours = true;
	c->ordered = ordered;
	c->max_retransmits = max_retransmits;
	int r = queue_open(a, c);
	if (r) {
		c->used = false;
		return r;
	}
	*ret = c->id;
	return 0;
}

int sctp_association_send(
	struct sctp_association *a, uint16_t channel, struct span bytes, bool binary)
{
	if (!find_channel(a, channel) || a->ended)
		return SCTP_E_NO_CHANNEL;
	if (bytes.size > LIMIT_DATA_PACKET_BYTES)
		return err_new(-EMSGSIZE);
	if (bytes.size == 0)
		return queue(a, channel,
			binary ? DCEP_PAYLOAD_BINARY_EMPTY : DCEP_PAYLOAD_TEXT_EMPTY,
			span_of("", 1));
	return queue(a, channel, binary ? DCEP_PAYLOAD_BINARY : DCEP_PAYLOAD_TEXT, bytes);
}
