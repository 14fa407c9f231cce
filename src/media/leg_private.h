/* media/leg_private.h - the inside of a leg, shared by its files:
 *
 *   leg.c          life, the beat, statistics
 *   leg_receive.c  phone -> room: RTP, its order, digits, as it is or as Opus
 *   leg_source.c   who may send, and whom the leg follows
 *   leg_send.c     room -> phone: voices, mix, digits, its codec, one even stream
 *   leg_rtcp.c     reports both ways
 *   leg_ringback.c a tone for the room while the phone rings
 *   leg_drain.c    the end: what is on its way to the phone
 *   leg_wire.c     its sockets: SRTP off and on, RTP and RTCP told apart
 *   leg_dtls.c     keys by DTLS, checks of ICE, on the RTP port
 *   leg_guests.c   handshakes with those who are not where the SDP says
 *
 * Owner:   its worker (media/leg.h).
 * Owns:    everything below.
 * Thread:  the worker's.
 */
#pragma once

#include "media/dtmf_inband.h"
#include "media/dtmf_receiver.h"
#include "media/dtmf_sender.h"
#include "media/leg.h"
#include "media/leg_crypt.h"
#include "media/leg_dtls.h"
#include "media/leg_socket.h"
#include "media/line_codec.h"
#include "media/mixer.h"
#include "media/noise.h"
#include "media/opus_voice.h"
#include "media/phone_voice.h"
#include "media/rebase.h"
#include "media/replay.h"
#include "media/ring_tone.h"
#include "media/room_voice.h"
#include "media/rtp_count.h"
#include "media/rtp_heard.h"

enum {
	LEG_FRAME_MAX = CODEC_LEG_HZ_MAX / 50, /* samples of a beat */
	LEG_BEAT_MS = 20,
	LEG_BEATS_PER_S = 50,
	LEG_RTCP_BEATS = 5 * LEG_BEATS_PER_S,
	LEG_PTIME_MAX_MS = 60,
	LEG_PT_COMFORT_NOISE = 13,
	LEG_PAYLOAD_MAX = 960, /* 120 ms of G.711 or G.722 */
	LEG_STUN_FIRST_MAX = 3, /* RFC 7983: the first byte tells STUN, DTLS and RTP apart */
	LEG_DTLS_FIRST = 20,
	LEG_DTLS_FIRST_MAX = 63,
};

/* Why a packet from the network was not used. */
enum leg_drop {
	LEG_DROP_EARLY,     /* before the SDP named who may send */
	LEG_DROP_HELD,      /* the direction is closed */
	LEG_DROP_SOURCE,    /* from another address */
	LEG_DROP_KNOCK,     /* STUN outside of ICE, or nothing: what keeps their NAT open (RFC 6263) */
	LEG_DROP_MALFORMED, /* no RTP */
	LEG_DROP_PAYLOAD,   /* of a type that was not agreed on, or of no or too much length */
	LEG_DROP_REPLAYED,  /* came already */
	LEG_DROP_WINDOW,    /* far from where the stream is */
	LEG_DROP_RTCP,
	LEG_DROP_LOCKED,    /* SRTP: forged, replayed, of another key; or in clear */
	LEG_DROP__COUNT,
};

/* One voice that the phone hears. */
struct leg_voice {
	struct list link; /* leg.voices */
	struct leg *leg;
	struct source_sink sink;
	media_id source;
	struct room_voice voice;
	bool gone; /* its source is; what came of it is still played */
};

/* Where the phone's packets may come from: of the SDP, which may be wrong about it. */
struct leg_whence {
	bool locked;   /* the address is settled ... */
	bool moved;    /* ... and is another one than the SDP says */
	uint16_t port; /* of the address that is believed now; 0 = the one that the SDP says */
	uint16_t named, former; /* ports that the SDP says, and said before that; 0 = none */
	struct sockaddr_storage said_rtp, said_rtcp;
	/* Who may be the phone behind a NAT, when `run` packets in a row have come from there. */
	struct sockaddr_storage candidate;
	uint32_t ssrc;
	uint16_t next_seq;
	unsigned run;
};

struct leg_receiver {
	struct leg_whence whence;
	bool heard;       /* MEDIA_LEG_FIRST_RTP was posted */
	bool silent;      /* MEDIA_LEG_SILENT was posted */
	uint64_t sound_us; /* the last packet that was taken; 0 = none yet */
	uint64_t heard_us; /* the last packet, or when the leg was connected */
	uint64_t drops[LEG_DROP__COUNT];
	enum codec codec; /* of the latest sound */
	struct {
		uint32_t ssrc;
		struct replay seen;
		bool odd; /* the last packet was far off; `odd_seq` would confirm that the stream jumped */
		uint16_t odd_seq;
	} order;
	struct rtp_count count;
	struct rebase rebase;
	struct line_codec meter;            /* decodes what comes, for its level */
	struct opus_voice_decoder *opus;    /* the same for Opus; NULL = it was not agreed on */
	struct {
		bool on;       /* between comfort noise and the next sound */
		uint8_t level;
		uint64_t due_us; /* when the next frame of it is made */
		struct noise noise;
	} comfort;
	struct dtmf_inband inband; /* on where telephone-event was not agreed on */
	uint32_t dtmf_ssrc; /* whose tones `dtmf` knows */
	struct dtmf_receiver dtmf;
	struct phone_voice voice;
	uint32_t ssrc; /* ours, towards the room */
};

struct leg_sender {
	struct list voices;
	unsigned voice_count;
	struct dtmf_sender dtmf;
	enum codec codec;  /* NONE until connected */
	uint32_t hz;       /* of the sound that is mixed: the codec's leg_hz */
	uint32_t clock_hz; /* of the RTP timestamps */
	uint32_t dtmf_hz;  /* of the durations of digits */
	struct line_codec line;
	struct opus_voice_encoder *opus; /* NULL = the phone does not take it */
	uint32_t ssrc;
	uint16_t seq;
	uint32_t timestamp; /* of the first sample in `pcm` */
	struct ring_tone ring; /* heard in place of the room while it is on */
	unsigned quiet_beats; /* since somebody of the room was heard */
	bool resumed;       /* the next packet of sound gets the marker */
	size_t count;
	int16_t pcm[LEG_FRAME_MAX + LEG_PTIME_MAX_MS * CODEC_LEG_HZ_MAX / 1000];
	uint64_t packets, octets; /* of this SSRC */
	uint64_t packets_before;  /* of those before it */
};

struct leg_reports {
	struct rtp_heard heard; /* what the phone says of our stream */
	uint32_t last_sr;       /* middle of the phone's NTP time, 0 = none yet */
	uint64_t last_sr_us;    /* when it came */
	unsigned beats_to_next; /* until ours goes out */
	char cname[16];
};

struct leg_ringback {
	struct beat beat;
	struct ring_tone ring;
	uint32_t ssrc, timestamp;
	uint16_t seq;
};

struct leg_drain {
	bool on;
	bool played; /* there was something */
	unsigned voice_beats, digit_beats, tail_beats; /* that are left */
};

struct leg {
	struct worker *worker;
	media_id id;
	struct media_leg_config config;
	struct media_leg_remote remote;
	bool connected;
	bool is_source; /* known to the worker */
	struct leg_socket *rtp, *rtcp;
	struct leg_crypt crypt;
	struct leg_dtls dtls;
	struct beat beat;
	unsigned beats_to_stats;
	struct source source;
	struct leg_receiver in;
	struct leg_sender out;
	struct leg_reports reports;
	struct leg_ringback ringback;
	struct leg_drain drain;
};

/* leg_receive.c */
void leg_receive_init(struct leg *l);
void leg_receive_fini(struct leg *l);
void leg_receive_connect(struct leg *l);
void leg_receive_rtp(
	struct leg *l, const struct sockaddr *from, struct span datagram, uint64_t now_us);
void leg_receive_beat(struct leg *l, uint64_t now_us);
/* Begins `ret`; leg_send_stats() adds the other direction. */
void leg_receive_stats(const struct leg *l, struct media_leg_stats *ret);
/* A sign of life that is no sound. */
void leg_receive_alive(struct leg *l, uint64_t now_us);
/* A tone of our own (G.711, mu-law) in place of the phone's sound. */
void leg_receive_own(struct leg *l, struct rtp_view *v, uint64_t now_us);

/* leg_source.c */
void leg_source_connect(struct leg *l);
/* A packet that makes sense came from there: is it the phone's? With sip.symmetric_rtp the leg may follow. */
bool leg_source_fits(
	struct leg *l, const struct rtp_view *v, const struct sockaddr *from, uint64_t now_us);

/* leg_send.c */
void leg_send_init(struct leg *l);
void leg_send_fini(struct leg *l);
void leg_send_connect(struct leg *l);
void leg_send_rekeyed(struct leg *l); /* packets go out under another key from now on */
static inline size_t leg_send_frame(const struct leg *l)
{
	return l->out.hz / LEG_BEATS_PER_S;
}
void leg_send_beat(struct leg *l, uint64_t now_us);
/* All voices are on their own from now on. */
void leg_send_let_go(struct leg *l);
/* Sound of the room that has not been sent. */
bool leg_send_holds(const struct leg *l);
void leg_send_stats(const struct leg *l, struct media_leg_stats *ret);

/* leg_ringback.c */
void leg_ringback_init(struct leg *l);
void leg_ringback_stop(struct leg *l);

/* leg_drain.c */
void leg_drain_beat(struct leg *l);
/* The RTP timestamp of the next sample. */
uint32_t leg_send_now(const struct leg *l);

/* leg_rtcp.c */
void leg_rtcp_init(struct leg *l);
void leg_rtcp_datagram(
	struct leg *l, const struct sockaddr *from, struct span datagram, uint64_t now_us);
void leg_rtcp_beat(struct leg *l, uint64_t now_us);

/* leg_wire.c */
MUST_USE int leg_wire_open(struct leg *l, int rtp_fd, int rtcp_fd); /* takes both over, always */
MUST_USE int leg_wire_move(struct leg *l, int rtp_fd, int rtcp_fd); /* likewise */
void leg_wire_close(struct leg *l);
/* Keys of l->remote, which are wiped there. */
void leg_wire_connect(struct leg *l);
void leg_wire_beat(struct leg *l);
/* In place, with SRTP_TRAILER_BYTES of room behind `size`. Returns whether the kernel took it. */
bool leg_wire_rtp(struct leg *l, uint8_t *packet, size_t size);
bool leg_wire_rtcp(struct leg *l, uint8_t *packet, size_t size);
