/* test/unit/leg_bench.h - a leg between a phone (real sockets on loopback, a clock of our own) and a
 * room (sources and sinks of our own), for the tests of legs. One at a time. */
#pragma once

#include "media/leg_private.h"
#include "test/unit/fake_worker.h"

#include <opus/opus.h>

enum {
	PT_DTMF = 101,
	FRAME = 160, /* G.711 */
	FRAME_US = 20000,
	PACKETS_MAX = 2000,
};

struct recorded {
	enum codec codec;
	uint16_t seq;
	uint32_t timestamp, ssrc;
	uint8_t level;
	bool marker;
	size_t size;
	uint8_t bytes[500];
	uint64_t at_us;
};

struct bench {
	struct worker w;
	struct leg *leg;
	int phone_rtp, phone_rtcp; /* connected to the leg */
	struct sockaddr_storage phone, leg_rtp;
	struct source_sink sink;
	size_t count;
	struct recorded got[PACKETS_MAX];
};

extern struct bench *b;

int bound(struct sockaddr_storage *ret);
struct media_leg_remote remote(void); /* PCMU */
/* `listens`: the codec that somebody in the room takes, CODEC_NONE for nobody. */
void begin(const struct media_leg_config *config, enum codec listens);
void end(void);
struct span rtp_packet(uint8_t out[1500], uint8_t pt, bool marker, uint16_t seq, uint32_t timestamp,
	uint32_t ssrc, struct span payload);
void phone_says(uint8_t pt, uint16_t seq, uint32_t timestamp, uint32_t ssrc, struct span payload,
	uint64_t now_us);
/* The next packet that the leg sent to the phone. */
bool phone_hears(struct rtp_view *v, uint8_t bytes[1500]);

/* Through the sockets, as a whole: what is readable afterwards is read. */
void send_from(int fd, const uint8_t *bytes, size_t size);
/* A frame of sound, sealed by `far`; NULL = in clear. */
size_t sealed(uint8_t out[1500], struct srtp_pair *far, uint16_t seq);
void says(struct srtp_pair *far, uint16_t seq);
/* One beat's packet, opened. */
bool hears(struct srtp_pair *far, struct rtp_view *v);

/* Somebody in the room, who says a tone. */
struct speaker {
	struct source source;
	OpusEncoder *encoder;
	enum codec codec;
	double hz, amplitude;
	size_t before_size; /* RED */
	uint8_t before[900];
};
void speaker_init(struct speaker *s, media_id id, enum codec codec, double hz, double amplitude);
void speaker_fini(struct speaker *s);
/* Packet `at` of the speaker, coded; Opus packets must be made in order. */
size_t speaker_packet(struct speaker *s, unsigned at, unsigned ms, uint8_t out[1000]);
void speaker_says(struct speaker *s, unsigned at, unsigned ms, struct span payload, uint8_t level,
	uint64_t now_us);
