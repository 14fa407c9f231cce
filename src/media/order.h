/* media/order.h - the letters between the control thread and a worker: orders down, reports up.
 *
 * Owner:   media.c and the worker, each the reader of the other's.
 * Owns:    the payload, if any, belongs to whoever has the letter; the reader frees it.
 * Thread:  see net/mailbox.h.
 */
#pragma once

#include "base/limits.h"
#include "media/media.h"

enum { ORDERS_MAX = 4096, REPORTS_MAX = 4096 };

enum order_kind {
	ORDER_STOP, /* the last one: the thread ends */
	ORDER_TRANSPORT_OPEN,   /* struct media_ice */
	ORDER_TRANSPORT_REMOTE, /* struct order_remote */
	ORDER_TRANSPORT_SCTP,   /* the packet */
	ORDER_TRANSPORT_CLOSE,
	ORDER_STREAM,      /* struct order_stream: its bytes end with the payload */
	ORDER_SOURCE_OPEN, /* struct media_source_config */
	ORDER_SOURCE_MUTE, /* value: muted */
	ORDER_SOURCE_CLOSE,
	ORDER_SINK_OPEN,  /* struct media_sink_config */
	ORDER_SINK_PAUSE, /* value: paused */
	ORDER_SINK_CLOSE,
	ORDER_LEG_OPEN,    /* struct order_leg */
	ORDER_LEG_MOVE,    /* struct order_leg_sockets */
	ORDER_LEG_CONNECT, /* struct media_leg_remote */
	ORDER_LEG_HEAR,    /* other: the source */
	ORDER_LEG_UNHEAR,  /* other: the source */
	ORDER_LEG_DIGITS,  /* the text, with its zero */
	ORDER_LEG_RINGBACK, /* struct media_ringback */
	ORDER_LEG_RING,     /* struct media_ringback */
	ORDER_LEG_DRAIN,    /* value: ms for voices; other: ms for digits */
	ORDER_LEG_CLOSE,
	ORDER__COUNT,
};

struct order {
	enum order_kind kind;
	media_id id, other;
	uint32_t value;
	void *payload;
	size_t size; /* of the payload */
};

struct order_remote {
	struct media_remote remote;
	bool restart;
	struct media_ice ice; /* when restart */
};

/* A TCP connection for one of the worker's transports. */
struct order_stream {
	int fd, place;
	uint8_t read[LIMIT_ICE_TCP_FIRST_BYTES];
};

struct order_leg_sockets {
	int rtp_fd, rtcp_fd;
};

struct order_leg {
	struct media_leg_config config;
	int rtp_fd, rtcp_fd;
};

enum report_kind {
	REPORT_TRANSPORT_STATE, /* value: enum media_transport_state */
	REPORT_TRANSPORT_SCTP,  /* the packet */
	REPORT_TRANSPORT_STATS, /* struct media_voice_stats[] */
	REPORT_LEVELS,          /* struct media_level[] */
	REPORT_LEG_EVENT,       /* value: enum media_leg_event */
	REPORT_LEG_DIGIT,       /* value: the character */
	REPORT_LEG_DIGITS_DONE,
	REPORT_LEG_KEY,         /* value: the character */
	REPORT_LEG_STATS, /* struct media_leg_stats */
	REPORT__COUNT,
};

struct report {
	enum report_kind kind;
	media_id id;
	uint32_t value;
	void *payload;
	size_t size;
};
