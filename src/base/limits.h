/* base/limits.h - every number that bounds what a stranger can make us hold, in one place. */
#pragma once

/* Words of LiveKit's own defaults (livekit-server config.go, `limit`). */
enum {
	LIMIT_NAME_BYTES = 256,          /* room name, identity, participant name */
	LIMIT_METADATA_BYTES = 512 << 10,
	LIMIT_ATTRIBUTES_BYTES = 64 << 10, /* sum of keys and values */
	/* ... and how far an operator may raise them. */
	LIMIT_NAME_BYTES_MAX = 4096,
	LIMIT_METADATA_BYTES_MAX = 1 << 20,
	LIMIT_ATTRIBUTES_BYTES_MAX = 512 << 10,
	LIMIT_ROOM_PRESETS = 200,
};

/* HTTP and WebSocket. */
enum {
	LIMIT_HTTP_CONNECTIONS = 4096,
	LIMIT_HTTP_URL_BYTES = 40 << 10, /* a join_request with its offer travels in the URL */
	LIMIT_HTTP_HEADER_BYTES = 64 << 10,
	LIMIT_HTTP_BODY_BYTES = 10 << 20,
	LIMIT_WS_MESSAGE_BYTES = 2 << 20,
	LIMIT_WS_FRAGMENTS = 1024, /* of one message: each costs more than its bytes */
	LIMIT_WS_QUEUE_BYTES = 4 << 20, /* not yet sent; more closes the connection */
	LIMIT_HTTP_HEADER_S = 10,       /* to send a request's headers, then its body */
	LIMIT_HTTP_IDLE_S = 60,
};

/* DNS. */
enum {
	LIMIT_DNS_CACHE = 256,         /* answers that are kept */
	LIMIT_DNS_CACHED_BYTES = 4096, /* of one */
	LIMIT_DNS_TTL_MIN_S = 5,       /* ... for so long, whatever they say */
	LIMIT_DNS_TTL_MAX_S = 3600,
	LIMIT_DNS_NEGATIVE_S = 30, /* ... that there is none */
};

/* TLS. */
enum {
	LIMIT_TLS_HANDSHAKES = 256, /* under way at a time, each some 40 KB; the oldest gives way */
	LIMIT_TLS_HANDSHAKE_S = 10,
};

/* Rooms. */
enum {
	LIMIT_ROOMS = 10000,
	LIMIT_PARTICIPANTS_PER_ROOM = 1000,
	LIMIT_TRACKS_PER_PARTICIPANT = 64,
	LIMIT_WISHES_PER_PARTICIPANT = 1024, /* subscriptions asked for or refused */
	LIMIT_TRACK_PERMISSIONS = 1024,      /* names and tracks in a publisher's list of who may hear it */
	/* What one client may ask over its WebSocket, at once and each second; more ends its session. */
	LIMIT_REQUESTS = 2000,
	LIMIT_REQUESTS_S = 100,
	LIMIT_REQUEST_BYTES = 16 << 20,
	LIMIT_REQUEST_BYTES_S = 1 << 20,
	/* What all others together are told of one participant, in bytes; more is told in batches. */
	LIMIT_TELL_BYTES = 64 << 20,
	LIMIT_TELL_BYTES_S = 8 << 20,
	LIMIT_SDP_BYTES = 256 << 10,
	LIMIT_SDP_MEDIA = 256,
	LIMIT_JOIN_REQUEST_BYTES = 1 << 20, /* after inflating */
	LIMIT_DATA_CHANNELS = 16,
	LIMIT_DATA_PACKET_BYTES = 64 << 10,
	LIMIT_DATA_HELD_BYTES = 100 << 10, /* reliable data waiting for a channel to open */
	LIMIT_MISSED_LEAVERS = 256,        /* remembered for a client that resumes */
	LIMIT_ICE_WAYS = 1024,             /* people who are to come back by TCP or TURN */
	LIMIT_ADD_TRACK_BYTES = 16 << 10,  /* one announced track, as kept */
};

/* SIP. */
enum {
	LIMIT_SIP_MESSAGE_BYTES = 64 << 10,
	LIMIT_SIP_HEADERS = 128,
	LIMIT_SIP_TRANSACTIONS = 20000,
	LIMIT_SIP_CONNECTIONS = 512, /* TCP and TLS, ours and theirs */
	LIMIT_SIP_CONNECTIONS_PER_SOURCE = 64, /* that one address opened to us */
	LIMIT_SIP_QUEUE_BYTES = 256 << 10, /* what one may leave unread */
	LIMIT_SIP_CONNECT_S = 10,          /* for one of ours to be there */
	LIMIT_SIP_MESSAGE_S = 10,          /* for a message to come whole, once it has begun */
	LIMIT_SIP_PONG_S = 10,             /* RFC 5626 section 4.4.1 */
	LIMIT_SIP_DEAD_TARGETS = 64,       /* addresses that did not answer, remembered */
	LIMIT_SIP_DEAD_S = 60,             /* ... for so long, or what Retry-After says up to */
	LIMIT_SIP_DEAD_MAX_S = 300,
	LIMIT_SIP_IDLE_S = 300,            /* for one that no call needs */
	LIMIT_SIP_INFOS = 64, /* of one call, each waiting for the answer to the one before */
	LIMIT_SIP_REGISTER_MS = 2000,      /* no registrar makes us refresh more often: it grants 4 s at least */
	LIMIT_CALLS = 2000,
	LIMIT_SIP_LINGERING = 8000, /* ended calls that still answer repetitions; the oldest gives way */
	LIMIT_CALLS_PER_ROOM = 32,
	LIMIT_IDEMPOTENCY_KEYS = 4096,
	/* The SIP messages that are kept of one call. */
	LIMIT_LADDER_MESSAGES = 400,
	LIMIT_LADDER_BYTES = 256 << 10,
	LIMIT_LADDER_MESSAGE_BYTES = 16 << 10, /* what is longer is cut */
	LIMIT_LADDER_RESERVE = 16,             /* of the messages, for those that end the call */
	/* Records of attempts that the policy refused: one each, then one that counts the rest; and all that are
	 * kept, some 2 MB. */
	LIMIT_REFUSED_A_MINUTE = 10,
	LIMIT_REFUSED_RECORDS = 1000,
};

/* Media. */
enum {
	LIMIT_PACKET_BYTES = 1500,
	LIMIT_TRANSPORTS = 8192,
	LIMIT_SCTP_QUEUE_BYTES = 8 << 20, /* one peer's messages that wait to be sent */
	LIMIT_SCTP_QUEUES_BYTES = 256 << 20,      /* all peers'; from there on each has only */
	LIMIT_SCTP_QUEUE_BYTES_SCARCE = 256 << 10,
	LIMIT_DTMF_QUEUE = 64,
	LIMIT_LEG_VOICES = 128, /* that one phone hears; about 31 KB each */
	LIMIT_LEG_GUESTS = 4,   /* handshakes with who is not where the SDP says; at most 70 KB each */
};

/* ICE over TCP. */
enum {
	LIMIT_ICE_TCP_CONNECTIONS = 4096,
	LIMIT_ICE_TCP_PER_SOURCE = 1024, /* one address may be a company's; of IPv6, one /64 */
	LIMIT_ICE_TCP_UNPROVEN = 64,     /* of one source, before their first check */
	LIMIT_ICE_TCP_FIRST_S = 10,      /* for that check to come */
	LIMIT_ICE_TCP_FIRST_BYTES = 2048, /* what may come before a worker has the connection */
	LIMIT_ICE_TCP_QUEUE_BYTES = 64 << 10, /* of one connection; what does not fit is lost */
	/* Lost packets of a voice (RFC 4585): what we keep to send again, and what we ask for. */
	LIMIT_HISTORY_PACKETS = 64,
	LIMIT_HISTORY_BYTES = 16 << 10,
	LIMIT_MISSING_PACKETS = 32,
};

/* Protobuf and JSON. */
enum {
	LIMIT_PROTO_ARENA_BYTES = 32 << 20, /* what one message may unfold to in memory */
	LIMIT_JSON_BYTES = 2 << 20,
};

/* Webhooks; all but the last for each URL. */
enum {
	LIMIT_WEBHOOKS_QUEUED = 10000,
	LIMIT_WEBHOOK_QUEUE_BYTES = 16 << 20,
	LIMIT_WEBHOOKS_SENDING = 16, /* requests under way at once */
	LIMIT_WEBHOOK_AGE_S = 300,   /* how long one is tried */
	LIMIT_WEBHOOK_CLOSE_MS = 2000, /* how long the end waits for what is left */
};

/* Agents' workers, and their jobs. */
enum {
	LIMIT_AGENT_WORKERS = 1000,
	LIMIT_AGENT_REGISTER_S = 10, /* for a worker to say who it is */
	LIMIT_AGENT_ANSWER_S = 10,   /* ... and whether it takes a job */
	LIMIT_AGENT_LEAVE_S = 3,     /* for an agent to leave a room when its dispatch is deleted */
	LIMIT_AGENT_DISPATCHES = 100, /* of one room */
	LIMIT_AGENT_DEPLOYMENT_BYTES = 64,
	LIMIT_AGENT_JOBS = 10000,
	LIMIT_AGENT_JOB_BYTES = 64 << 20,  /* what all jobs together say of their rooms and people */
	LIMIT_AGENT_ENDED_JOBS = 32,       /* remembered of one dispatch, for ListDispatch */
	LIMIT_AGENT_ENDED_JOB_BYTES = 8 << 10, /* a larger one keeps less of what it was about */
};

/* Trunks, policy, API. */
enum {
	LIMIT_TRUNKS = 1000,
	LIMIT_QUEUED_CALLS = 64, /* of one trunk, waiting for its calls per second */
	LIMIT_USAGE_KEYS = 1000, /* API keys whose minutes are counted */
	LIMIT_CONFIG_BYTES = 1 << 20,
	LIMIT_TURN_SERVERS = 16,
	LIMIT_BACKEND_BODY_BYTES = 64 << 10,
	LIMIT_STATIC_FILE_BYTES = 16 << 20,
	LIMIT_STATIC_FILES = 256,
	LIMIT_IDEMPOTENCY_S = 24 * 3600, /* how long an answer is kept */
};
