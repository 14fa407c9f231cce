#include "media/leg_private.h"

#include "base/clock.h"

#include <openssl/crypto.h>
#include <unistd.h>

enum {
	RTP_VERSION = 2, /* and RTCP's */
	/* RFC 5761, section 4: of these no payload type may be. */
	RTCP_TYPE_MIN = 192,
	RTCP_TYPE_MAX = 223,
};

static bool is_rtcp(const uint8_t *packet, size_t size)
{
	return size >= 2 && packet[1] >= RTCP_TYPE_MIN && packet[1] <= RTCP_TYPE_MAX;
}

/* A phone behind a NAT asks who it is, or only keeps the way open: no answer is owed outside of ICE, and
 * none is given, or strangers could aim it at others. */
static bool is_knock(const uint8_t *packet, size_t size)
{
	return !size || packet[0] <= LEG_STUN_FIRST_MAX;
}

/* ---- in ---- */

static void on_datagram(struct leg *l, bool rtcp, const struct sockaddr *from, uint8_t *bytes,
	size_t size, uint64_t now_us)
{
	/* Only RTP can be locked. */
	if (!size || bytes[0] >> 6 != RTP_VERSION) {
		++l->in.drops[is_knock(bytes, size) ? LEG_DROP_KNOCK : LEG_DROP_MALFORMED];
		return;
	}
	if (l->connected && !leg_crypt_open(&l->crypt, rtcp, bytes, &size, now_us)) {
		++l->in.drops[LEG_DROP_LOCKED];
		return;
	}
	if (rtcp)
		leg_rtcp_datagram(l, from, span_of(bytes, size), now_us);
	else
		leg_receive_rtp(l, from, span_of(bytes, size), now_us);
}

static void on_rtp(
	void *owner, const struct sockaddr *from, uint8_t *bytes, size_t size, uint64_t now_us)
{
	struct leg *l = owner;
	if (!l->connected)
		leg_dtls_keep(&l->dtls, from, span_of(bytes, size));
	else if (leg_dtls_input(l, from, span_of(bytes, size), now_us))
		return;
	on_datagram(l, l->remote.rtcp_mux && is_rtcp(bytes, size), from, bytes, size, now_us);
}

static void on_rtcp(
	void *owner, const struct sockaddr *from, uint8_t *bytes, size_t size, uint64_t now_us)
{
	on_datagram(owner, true, from, bytes, size, now_us);
}

/* ---- out ---- */

bool leg_wire_rtp(struct leg *l, uint8_t *packet, size_t size)
{
	return leg_crypt_seal(&l->crypt, false, packet, &size) &&
	       leg_socket_send(l->rtp, &l->remote.rtp, span_of(packet, size));
}

bool leg_wire_rtcp(struct leg *l, uint8_t *packet, size_t size)
{
	/* A port of its own would want a handshake of its own (RFC 5764, 3): then there is no RTCP. */
	if (l->remote.dtls && !l->remote.rtcp_mux)
		return false;
	struct leg_socket *s = l->remote.rtcp_mux ? l->rtp : l->rtcp;
	const struct sockaddr_storage *to = l->remote.rtcp_mux ? &l->remote.rtp : &l->remote.rtcp;

	return leg_crypt_seal(&l->crypt, true, packet, &size) &&
	       leg_socket_send(s, to, span_of(packet, size));
}

/* ---- life ---- */

int leg_wire_open(struct leg *l, int rtp_fd, int rtcp_fd)
{
	int r = leg_socket_open(&l->rtp, worker_loop(l->worker), rtp_fd, on_rtp, l);
	if (r < 0) {
		close(rtcp_fd);
		return r;
	}
	return leg_socket_open(&l->rtcp, worker_loop(l->worker), rtcp_fd, on_rtcp, l);
}

static void close_sockets(struct leg *l)
{
	l->rtp = leg_socket_close(l->rtp);
	l->rtcp = leg_socket_close(l->rtcp);
}

int leg_wire_move(struct leg *l, int rtp_fd, int rtcp_fd)
{
	close_sockets(l);
	return leg_wire_open(l, rtp_fd, rtcp_fd);
}

void leg_wire_close(struct leg *l)
{
	leg_dtls_fini(&l->dtls); /* it may still say goodbye */
	close_sockets(l);
	leg_crypt_fini(&l->crypt);
}

void leg_wire_connect(struct leg *l)
{
	leg_dtls_connect(l);
	if (!l->remote.dtls && leg_crypt_set(&l->crypt, l->remote.secure, &l->remote.keys, clock_us()))
		leg_send_rekeyed(l);
	OPENSSL_cleanse(&l->remote.keys, sizeof l->remote.keys);
}

void leg_wire_beat(struct leg *l)
{
	leg_dtls_beat(l);
}
