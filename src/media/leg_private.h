/* media/leg_private.h - the inside of a leg, shared by its files:
 *
 *   leg.c          life, the beat, statistics
 *   leg_receive.c  phone -> room: source check, RTP, digits, as it is or as Opus
 *   leg_send.c     room -> phone: voices, mix, digits, G.711, one even stream
 *   leg_rtcp.c     reports both ways
 *   leg_ringback.c a tone for the room while the phone rings
 *   leg_drain.c    the end: what is on its way to the phone
 *
 * Owner:   its worker (media/leg.h).
 * Owns:    everything below.
 * Thread:  the worker's.
 */
#pragma once

#include "media/dtmf_receiver.h"
#include "media/dtmf_sender.h"
#include "media/leg.h"
#include "media/leg_socket.h"
#include "media/mixer.h"
#include "media/phone_voice.h"
#include "media/rebase.h"
#include "media/room_voice.h"
#include "media/rtp_count.h"

enum {
	LEG_HZ = 8000,
	LEG_FRAME = 160,
	LEG_BEAT_MS = 20,
	LEG_BEATS_PER_S = 50,
	LEG_RTCP_BEATS = 5 * LEG_BEATS_PER_S,
	LEG_PTIME_MAX_MS = 60,
	LEG_PT_COMFORT_NOISE = 13,
};

/* Why a packet from the network was not used. */
enum leg_drop {
	LEG_DROP_EARLY,     /* before the SDP named who may send */
	LEG_DROP_HELD,      /* the direction is closed */
	LEG_DROP_SOURCE,    /* from another address */
	LEG_DROP_MALFORMED, /* no RTP */
	LEG_DROP_PAYLOAD,   /* of a type that was not agreed on, or of no length */
	LEG_DROP_RTCP,
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

struct leg_receiver {
	bool locked;      /* the phone's address is settled */
	bool heard;       /* MEDIA_LEG_FIRST_RTP was posted */
	bool silent;      /* MEDIA_LEG_SILENT was posted */
	uint64_t heard_us; /* the last packet, or when the leg was connected */
	uint64_t drops[LEG_DROP__COUNT];
	struct rtp_count count;
	struct rebase rebase;
	uint32_t dtmf_ssrc; /* whose tones `dtmf` knows */
	struct dtmf_receiver dtmf;
	struct phone_voice voice;
	uint32_t ssrc; /* ours, towards the room */
};

struct leg_sender {
	struct list voices;
	unsigned voice_count;
	struct dtmf_sender dtmf;
	uint32_t ssrc;
	uint16_t seq;
	uint32_t timestamp; /* of the first sample in `pcm` */
	bool resumed;       /* the next packet of sound gets the marker */
	size_t count;
	int16_t pcm[LEG_FRAME + LEG_PTIME_MAX_MS * 8];
	uint64_t packets, octets;
};

struct leg_reports {
	uint32_t last_sr;       /* middle of the phone's NTP time, 0 = none yet */
	uint64_t last_sr_us;    /* when it came */
	unsigned beats_to_next; /* until ours goes out */
	char cname[16];
};

struct leg_ringback {
	struct beat beat;
	struct media_ringback tone;
	uint32_t cycle_ms; /* 0 = off */
	uint32_t at_ms;    /* within the cycle */
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
/* A sign of life that is no sound. */
void leg_receive_alive(struct leg *l, uint64_t now_us);
/* A tone of our own (G.711 in the leg's codec) in place of the phone's sound. */
void leg_receive_own(struct leg *l, struct rtp_view *v, uint64_t now_us);

/* leg_send.c */
void leg_send_init(struct leg *l);
void leg_send_fini(struct leg *l);
void leg_send_connect(struct leg *l);
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

/* leg_rtcp.c */
void leg_rtcp_init(struct leg *l);
void leg_rtcp_datagram(
	struct leg *l, const struct sockaddr *from, struct span datagram, uint64_t now_us);
void leg_rtcp_beat(struct leg *l, uint64_t now_us);
