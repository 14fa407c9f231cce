#include "media/leg_private.h"

#include "net/address.h"

enum {
	PORT_QUIET_US = 100000,
	LATCH_RUN = 3, /* packets in order; one may be anybody's, who tries all ports of ours */
};

void leg_source_connect(struct leg *l)
{
	struct leg_whence *w = &l->in.whence;
	uint16_t named = address_port((const struct sockaddr *)&l->remote.rtp);

	w->locked = w->moved = false;
	if (w->named != named)
		w->former = w->named;
	w->named = named;
	w->run = 0;
	w->said_rtp = l->remote.rtp;
	w->said_rtcp = l->remote.rtcp;
}

/* Another port of the host that the SDP names: media servers send from one that they did not name, or go
 * over to another, without a word. Taken when nothing comes from where it came before, but not from the
 * port of the SDP before this one: there a phone still rings, or plays music, that has lost the call.
 * What we send goes where the SDP says (RFC 3264 section 5.1). */
static bool port_fits(struct leg *l, const struct sockaddr *from, uint64_t now_us)
{
	if (!address_same_ip(from, (const struct sockaddr *)&l->remote.rtp) || address_port(from) == l->in.whence.former)
		return false;
	if (address_port(from) != l->in.whence.port && l->in.sound_us && now_us - l->in.sound_us < PORT_QUIET_US)
		return false;
	l->in.whence.port = address_port(from);
	return true;
}

/* ---- sip.symmetric_rtp ---- */

/* What was signalled goes before what was guessed. */
static void go_back(struct leg *l)
{
	l->in.whence.moved = false;
	l->remote.rtp = l->in.whence.said_rtp;
	l->remote.rtcp = l->in.whence.said_rtcp;
}

static void go_after(struct leg *l, const struct sockaddr *from)
{
	l->in.whence.locked = l->in.whence.moved = true;
	memset(&l->remote.rtp, 0, sizeof l->remote.rtp);
	memcpy(&l->remote.rtp, from, address_size(from));
	l->remote.rtcp = l->remote.rtp;
	address_set_port(&l->remote.rtcp, (uint16_t)(address_port(from) + 1));
}

/* A stream, and not a packet that was thrown at all our ports. What a key has opened is no guess. */
static bool is_stream(struct leg *l, const struct rtp_view *v, const struct sockaddr *from)
{
	struct leg_whence *w = &l->in.whence;

	if (l->crypt.secure)
		return true;
	if (!address_equal(from, (const struct sockaddr *)&w->candidate) || v->ssrc != w->ssrc || v->seq != w->next_seq)
		w->run = 0;
	memset(&w->candidate, 0, sizeof w->candidate);
	memcpy(&w->candidate, from, address_size(from));
	w->ssrc = v->ssrc;
	w->next_seq = (uint16_t)(v->seq + 1);
	return ++w->run >= LATCH_RUN;
}

/* Where the SDP names no place it is a hold (RFC 2543), and nobody is to have the room's sound. */
static bool may_move(const struct leg *l)
{
	const struct sockaddr *said = (const struct sockaddr *)&l->in.whence.said_rtp;

	return !l->in.whence.locked && address_port(said) && !address_is_any(said);
}

bool leg_source_fits(struct leg *l, const struct rtp_view *v, const struct sockaddr *from, uint64_t now_us)
{
	struct leg_whence *w = &l->in.whence;

	if (w->moved && address_equal(from, (const struct sockaddr *)&w->said_rtp))
		go_back(l);
	if (address_equal(from, (const struct sockaddr *)&l->remote.rtp)) {
		w->locked = true;
		w->port = 0;
		return true;
	}
	if (!l->config.latch)
		return port_fits(l, from, now_us);
	if (!may_move(l) || !is_stream(l, v, from))
		return false;
	go_after(l, from);
	return true;
}
