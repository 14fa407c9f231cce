/* media/media.h - the data plane as the control thread sees it: commands down, events up, things
 * named by id.
 *
 * Owner:   the server (cli/serve.c).
 * Owns:    the workers: their threads, sockets, transports, sources, sinks and phone legs.
 * Thread:  all functions here on the control thread. With `workers` = 0 the one worker runs inside
 *          the control thread's loop; nothing else changes.
 * Words:   transport = one WebRTC peer connection (ICE-lite, DTLS, SRTP);
 *          source    = one incoming voice; sink = one outgoing copy of a source on a transport;
 *          leg       = the RTP side of one phone call. A leg is a source too (the phone's voice).
 *
 * Every open returns its id at once; what goes wrong later is an event. Commands for an id that is
 * gone are ignored: the object may have died while the command was under way.
 */
#pragma once

#include "media/codec.h"
#include "media/srtp_keys.h"
#include "net/loop.h"

#include <sys/socket.h>

struct media;
typedef uint32_t media_id; /* 0 = none. Unique over all workers and kinds */

enum { MEDIA_WORKERS_MAX = 64, MEDIA_RTC_BINDS_MAX = 2, MEDIA_STATS_EVERY_MS = 5000 };

struct media_config {
	unsigned workers;                        /* 0 = inside the control loop */
	/* Where WebRTC is served; at most one address of each family, their ports do not count. */
	struct sockaddr_storage rtc_binds[MEDIA_RTC_BINDS_MAX];
	size_t rtc_bind_count;
	uint16_t rtc_port;     /* UDP: worker n takes this + n; 0 = any that is free */
	bool rtc_tcp;          /* ICE over TCP, too */
	uint16_t rtc_tcp_port; /* one for all workers; 0 = any that is free */
	const char *rtp_ip;                      /* where phone legs bind, unless they are moved */
	const char *rtp_ip6;                     /* where they bind when moved to IPv6; NULL = they cannot */
	uint8_t active_level;      /* -dBov: as loud or louder is speech; 0 = 35 */
	uint32_t levels_every_ms;  /* 0 = 400 */
	uint32_t stats_every_ms;   /* 0 = MEDIA_STATS_EVERY_MS */
	uint16_t rtp_port_min, rtp_port_max;     /* even ports of this range; RTCP = port + 1 */
};

enum media_transport_state {
	MEDIA_TRANSPORT_NEW,
	MEDIA_TRANSPORT_CONNECTED,    /* ICE checked and DTLS done: media and SCTP may flow */
	MEDIA_TRANSPORT_DISCONNECTED, /* nothing heard for 10 s; may come back as CONNECTED */
	MEDIA_TRANSPORT_FAILED,       /* 15 s, or DTLS failed; final unless restarted */
};

struct media_level {
	media_id source;
	uint8_t level; /* RFC 6464: 0 loud ... 127 silent, loudest of the window */
	uint16_t active_ms, observed_ms; /* of the last window, see room/speakers.h */
};

enum media_leg_event {
	MEDIA_LEG_FIRST_RTP, /* sound from the phone arrives */
	MEDIA_LEG_SILENT,    /* neither RTP nor RTCP for the configured media timeout */
	MEDIA_LEG_DRAINED,   /* what media_leg_drain() was for is done */
};

/* Since the leg was opened. */
struct media_leg_stats {
	/* From the phone: packets. `late` came, but after their sound had been made up; `dropped` were not
	 * to be used (another address, a strange payload type, come already). */
	enum codec codec_in;
	uint64_t received, lost, holes, late, dropped;
	uint64_t elsewhere; /* of `dropped`: from another address than the SDP names */
	uint64_t locked; /* came, but the key did not open them: forged, replayed, of another key */
	uint32_t jitter_us;
	uint16_t in_buffer_ms; /* how long the phone's sound may wait for a packet that is missing */
	/* To the phone. `concealed`: frames of either way with made-up sound in them. */
	enum codec codec_out;
	uint8_t ptime_ms;
	uint64_t sent, concealed;
	uint16_t buffer_ms; /* of the voices that it hears */
	/* What the phone reports; zeros until it does. */
	uint64_t far_expected, far_lost;
	uint32_t far_jitter_us, rtt_us;
};

/* How one voice fares, since its source or sink was opened. */
struct media_voice_stats {
	media_id id;
	bool sink;        /* or a source */
	uint64_t packets; /* a source: that came; a sink: that were sent */
	/* Of `expected` packets, on the way to us, or to the listener as far as it has reported. */
	uint64_t expected, lost;
	uint32_t jitter_us;
	uint32_t rtt_us;    /* 0 = not known */
	uint32_t asked;     /* packets that we missed and asked for, or that the listener did */
	uint32_t resent;    /* a sink: how many of those it was sent */
	uint32_t silent_ms; /* since the last packet or report of the source, or report about the sink */
};

/* Called on the control thread, never inside a call into media. */
struct media_events {
	void (*transport_state)(void *owner, media_id transport, enum media_transport_state state);
	/* One decrypted DTLS application datagram: an SCTP packet. */
	void (*transport_sctp)(void *owner, media_id transport, struct span packet);
	/* Every `levels_every_ms` and worker: each source that was heard in that window. */
	void (*levels)(void *owner, const struct media_level *levels, size_t count);
	void (*leg_event)(void *owner, media_id leg, enum media_leg_event event);
	/* A digit from the phone, by RFC 4733 or as a tone, once, when it is known to have begun. */
	void (*leg_digit)(void *owner, media_id leg, char digit);
	/* A digit that we send has been played out. */
	void (*leg_digits_done)(void *owner, media_id leg);
	/* A digit that we send is due now (MEDIA_KEYS_INFO); may be NULL. */
	void (*leg_key)(void *owner, media_id leg, char digit);
	/* Its figures, every second once it is connected; may be NULL. */
	void (*leg_stats)(void *owner, media_id leg, const struct media_leg_stats *stats);
	/* Its voices' figures; may be NULL. */
	void (*transport_stats)(void *owner, media_id transport,
		const struct media_voice_stats *stats, size_t count);
};

MUST_USE int media_new(struct media **ret, struct loop *l, const struct media_config *config,
	const struct media_events *events, void *owner);
struct media *media_free(struct media *m); /* stops and joins the workers; everything goes */

unsigned media_worker_count(const struct media *m);
unsigned media_pick_worker(struct media *m); /* the least used; a room stays on it for life */
uint16_t media_rtc_port(const struct media *m, unsigned worker); /* UDP */
uint16_t media_rtc_tcp_port(const struct media *m);              /* 0 = none */
const char *media_fingerprint(const struct media *m); /* "AB:CD:..." SHA-256 of the certificate */

/* Why a datagram of the WebRTC ports was not used. */
enum media_drop {
	MEDIA_DROP_SIZE,     /* empty, or longer than LIMIT_PACKET_BYTES */
	MEDIA_DROP_KIND,     /* first byte outside RFC 7983's table */
	MEDIA_DROP_STUN,     /* malformed, or a check for a name that we do not know */
	MEDIA_DROP_STRANGER, /* from an address that passed no check */
	MEDIA_DROP_CHECK,    /* refused by ICE: password, role, kind */
	MEDIA_DROP_EARLY,    /* media before the keys are known */
	MEDIA_DROP_CRYPTO,   /* SRTP: forged, replayed, malformed */
	MEDIA_DROP_RTP,      /* malformed inside */
	MEDIA_DROP_SOURCE,   /* of no source that we know, or about no sink */
	MEDIA_DROP_PAYLOAD,  /* in a codec that was not agreed on */
	MEDIA_DROP_SEND,     /* ours, and the kernel took no more */
	MEDIA_DROP__COUNT,
};
/* What went through the WebRTC ports of all workers so far, whatever it was. */
struct media_traffic {
	uint64_t packets_in, bytes_in, packets_out, bytes_out;
};
struct media_traffic media_traffic(const struct media *m);
uint64_t media_drops(const struct media *m, enum media_drop why); /* of all workers so far */
const char *media_drop_name(enum media_drop why);                 /* "stranger": for metrics */

/* ---- transports ---- */
enum { MEDIA_UFRAG_SIZE = 9, MEDIA_PWD_SIZE = 25, MEDIA_FINGERPRINT_SIZE = 32 * 3 };
struct media_ice {
	char ufrag[MEDIA_UFRAG_SIZE]; /* ours, made by the control thread: the demux key */
	char pwd[MEDIA_PWD_SIZE];
};
/* For a transport of this worker: the first letter names it, for whoever comes by TCP. */
void media_ice_make(struct media_ice *ret, unsigned worker);

struct media_remote {
	char ufrag[257]; /* RFC 8839: up to 256 */
	char fingerprint[MEDIA_FINGERPRINT_SIZE]; /* sha-256 only */
	bool dtls_client; /* we start the handshake ("setup:active" on our side) */
};
MUST_USE int media_transport_open(
	media_id *ret, struct media *m, unsigned worker, const struct media_ice *ice);
/* Also after an ICE restart (`ice` not NULL: our new credentials; DTLS and SRTP stay). */
void media_transport_remote(
	struct media *m, media_id transport, const struct media_remote *remote, const struct media_ice *ice);
void media_transport_sctp(struct media *m, media_id transport, struct span packet);
void media_transport_close(struct media *m, media_id transport);
/* The last figures of its voices, 0 when there are none yet. Valid until control returns to the loop. */
size_t media_transport_stats(
	const struct media_voice_stats **ret, const struct media *m, media_id transport);

/* ---- sources: what a participant publishes ---- */
enum { MEDIA_TRAILER_SIZE = 33 };
struct media_source_config {
	media_id transport;
	/* Not "": its sound is encrypted, and what we put in ends with this text, as its listeners know. */
	char sif_trailer[MEDIA_TRAILER_SIZE];
	char mid[17];            /* demux by the mid extension ... */
	uint32_t ssrc;           /* ... or by SSRC when the SDP names it; 0 = unknown */
	uint8_t mid_ext, level_ext; /* RFC 8285 ids, 0 = not negotiated */
	bool nack; /* it sends again what we ask for (RFC 4585) */
	struct {
		uint8_t pt;
		enum codec codec;
	} payloads[8];
	size_t payload_count;
};
MUST_USE int media_source_open(media_id *ret, struct media *m, const struct media_source_config *c);
void media_source_mute(struct media *m, media_id source, bool muted); /* drop what comes */
void media_source_close(struct media *m, media_id source);            /* and its sinks */

/* ---- sinks: what a participant hears ---- */
struct media_sink_config {
	media_id source, transport; /* on the same worker */
	/* Ours, as announced in the SDP. Never one that this transport had before, not even for a
	 * sink that is closed: the keystream would begin anew under the same key (RFC 3711, 9.1). */
	uint32_t ssrc;
	uint8_t pt;      /* of `codec` */
	uint8_t opus_pt; /* with CODEC_RED: of the Opus inside, and of packets that come without RED */
	enum codec codec; /* what the receiver negotiated; a leg's source makes Opus when asked for it */
	bool nack; /* it may ask for packets again (RFC 4585); never with CODEC_RED */
	char cname[32];
};
MUST_USE int media_sink_open(media_id *ret, struct media *m, const struct media_sink_config *c);
void media_sink_pause(struct media *m, media_id sink, bool paused);
void media_sink_close(struct media *m, media_id sink);

/* ---- phone legs ---- */
/* How keys reach the phone. */
enum media_leg_keys {
	MEDIA_KEYS_AUTO,   /* RFC 4733 when it was agreed on, else as tones */
	MEDIA_KEYS_EVENT,  /* likewise */
	MEDIA_KEYS_INFO,   /* somebody else sends them: leg_key() says when each is due */
	MEDIA_KEYS_INBAND, /* as tones, whatever was agreed on */
};

struct media_leg_config {
	enum media_leg_keys keys;
	bool latch;               /* follow the first source address once ("symmetric RTP") */
	uint32_t media_timeout_initial_ms, media_timeout_ms; /* 0 = never */
};
struct media_leg_local {
	uint16_t rtp_port; /* bound now, before this returns, so that an offer can name it */
};
MUST_USE int media_leg_open(media_id *ret, struct media_leg_local *local, struct media *m,
	unsigned worker, const struct media_leg_config *c);
enum { MEDIA_LEG_E_FAMILY = 1 }; /* the configuration has no address of that family */
/* To sockets of this family (AF_INET, AF_INET6) and another port: the far end's family is known only after
 * the leg was opened. What comes to the old ones is lost. Returns 0, MEDIA_LEG_E_FAMILY, or a negative
 * error; nothing has changed then. */
MUST_USE int media_leg_move(struct media_leg_local *local, struct media *m, media_id leg, int family);

/* One payload type that the phone may send. */
struct media_leg_payload {
	uint8_t pt;
	enum codec codec; /* CODEC_NONE: telephone-event (RFC 4733) */
};
enum { MEDIA_LEG_PAYLOADS_MAX = 12 };

struct media_leg_remote {
	struct sockaddr_storage rtp, rtcp;
	enum codec codec;       /* what we send: one that has a leg_hz, see media/codec.h */
	uint8_t pt;             /* of `codec`, as the phone numbers it */
	uint8_t dtmf_pt;        /* likewise; 0 = the answer has no telephone-event */
	uint32_t dtmf_hz;       /* clock of its durations; 0 = the codec's */
	bool fec;               /* Opus: it understands in-band FEC */
	/* What it may send, as we number it; none = what we send, and in the same numbers. */
	struct media_leg_payload payloads[MEDIA_LEG_PAYLOADS_MAX];
	size_t payload_count;
	uint8_t ptime_ms;       /* what we send: 20 unless the answer says otherwise */
	bool send, receive;     /* a=sendrecv and so on */
	/* Before the answer: it is heard, but is sent silence in place of the room (some carriers and
	 * every NAT want packets before they let any through), and may be silent for as long as it likes. */
	bool early;
	bool rtcp_mux;          /* RTCP comes and goes on the RTP port (RFC 5761) */
	bool secure;            /* SRTP; nothing in clear */
	struct srtp_keys keys;  /* of which "client" are ours; not with `dtls` */
	bool dtls;              /* the keys come of a handshake (RFC 5764) on the RTP port, with whom */
	char fingerprint[MEDIA_FINGERPRINT_SIZE]; /* says; sha-256 only */
	bool dtls_client;       /* we begin it */
	bool ice;               /* the far end checks our port (RFC 8445), and chooses where we send to */
	struct media_ice local_ice;
};
/* From here on RTP flows: 20 ms of sound every 20 ms, silence included. Again for a later answer or
 * offer: SRTP whose keys stay goes on with its numbers, and packets of the former key that are under
 * way are still taken. The caller wipes its `keys`. */
void media_leg_connect(struct media *m, media_id leg, const struct media_leg_remote *remote);
void media_leg_hear(struct media *m, media_id leg, media_id source); /* mix this voice in */
void media_leg_unhear(struct media *m, media_id leg, media_id source);
/* Queue digits "0-9*#A-D" and 'w' (half a second), at most LIMIT_DTMF_QUEUE waiting. */
void media_leg_digits(struct media *m, media_id leg, const char *digits);
/* The room hears this tone until the phone is heard itself, or is connected after its answer. */
struct media_ringback {
	uint16_t hz[2];         /* both at once; 0 = none */
	uint16_t cadence_ms[4]; /* on, off, on, off; ends with the first 0 */
};
void media_leg_ringback(struct media *m, media_id leg, const struct media_ringback *tone);
/* The phone hears this tone in place of the room, until it is told NULL. */
void media_leg_ring(struct media *m, media_id leg, const struct media_ringback *tone);
/* Nobody of the room is heard any more, but what is on its way to the phone still is: for up to
 * `voice_ms`, and `digits_ms` when digits wait. MEDIA_LEG_DRAINED follows, once. */
void media_leg_drain(struct media *m, media_id leg, uint32_t voice_ms, uint32_t digits_ms);
void media_leg_close(struct media *m, media_id leg);
/* Last figures the worker reported (each second); zeros when unknown. */
void media_leg_stats(struct media *m, media_id leg, struct media_leg_stats *ret);
