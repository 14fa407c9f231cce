#include "test/bench/person.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/writer.h"
#include "test/bench/client_sdp.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- requests ---- */

static void send_sdp(struct person *p, const char *type, const char *sdp, uint32_t id)
{
	Livekit__SessionDescription d = LIVEKIT__SESSION_DESCRIPTION__INIT;
	Livekit__SignalRequest m = LIVEKIT__SIGNAL_REQUEST__INIT;

	d.type = (char *)type;
	d.sdp = (char *)sdp;
	d.id = id;
	if (strcmp(type, "offer") == 0) {
		m.message_case = LIVEKIT__SIGNAL_REQUEST__MESSAGE_OFFER;
		m.offer = &d;
	} else {
		m.message_case = LIVEKIT__SIGNAL_REQUEST__MESSAGE_ANSWER;
		m.answer = &d;
	}
	signal_client_send(&p->signal, &m);
}

static void send_add_track(struct person *p)
{
	Livekit__AddTrackRequest t = LIVEKIT__ADD_TRACK_REQUEST__INIT;
	Livekit__SignalRequest m = LIVEKIT__SIGNAL_REQUEST__INIT;

	t.cid = CLIENT_SDP_TRACK;
	t.name = "voice";
	t.type = LIVEKIT__TRACK_TYPE__AUDIO;
	t.source = LIVEKIT__TRACK_SOURCE__MICROPHONE;
	m.message_case = LIVEKIT__SIGNAL_REQUEST__MESSAGE_ADD_TRACK;
	m.add_track = &t;
	signal_client_send(&p->signal, &m);
}

void person_ping(struct person *p, uint64_t now_us)
{
	Livekit__Ping ping = LIVEKIT__PING__INIT;
	Livekit__SignalRequest m = LIVEKIT__SIGNAL_REQUEST__INIT;

	if (!p->signal.upgraded || !p->signal.tcp)
		return;
	ping.timestamp = (int64_t)now_us;
	m.message_case = LIVEKIT__SIGNAL_REQUEST__MESSAGE_PING_REQ;
	m.ping_req = &ping;
	signal_client_send(&p->signal, &m);
}

/* ---- media ---- */

static void hear(struct person *p, const struct rtp_view *v)
{
	if (!v->payload.size || p->done_us)
		return;
	for (unsigned i = 0; i < p->heard_count; ++i)
		if (p->heard[i] == v->ssrc)
			return;
	if (p->heard_count < PERSON_HEARS_MAX)
		p->heard[p->heard_count++] = v->ssrc;
}

static void note_done(struct person *p)
{
	if (!p->done_us && p->heard_count >= p->hears && p->down.rtc.srtp &&
		(!p->speaks || p->up.rtc.srtp))
		p->done_us = clock_us();
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct side *s = poll->data;
	struct person *p = s->person;
	uint8_t packet[2048];
	struct rtp_view v;

	for (ssize_t n; (n = recv(s->rtc.fd, packet, sizeof packet, 0)) > 0;) {
		bool rtp = rtc_is_rtp(packet, (size_t)n);
		p->packets += rtp;
		/* Deciphering costs the load more than the server's sending costs that. */
		if (rtp && p->counts)
			continue;
		if (rtc_client_input(&s->rtc, packet, (size_t)n, &v))
			hear(p, &v);
	}
	note_done(p);
}

static void on_sctp_output(void *owner, struct span packet)
{
	struct person *p = owner;
	/* What cannot go is sent again. */
	if (!p->down.rtc.srtp || dtls_send(p->down.rtc.dtls, packet) < 0)
		return;
}

static void on_channel(void *owner, const char *label, uint16_t channel)
{
}

static void on_message(void *owner, uint16_t channel, struct span bytes, bool binary)
{
}

static const struct sctp_events sctp_events = {
	.output = on_sctp_output, .channel_open = on_channel, .message = on_message};

static void on_record(void *owner, struct span packet)
{
	struct person *p = owner;
	if (p->sctp)
		sctp_association_input(p->sctp, packet);
}

static void open_side(struct person *p, struct side *s)
{
	if (s->open)
		return;
	s->person = p;
	if (rtc_client_open(&s->rtc, p->identity) < 0 ||
		uv_poll_init(&p->loop->uv, &s->poll, s->rtc.fd) < 0) {
		fprintf(stderr, "bench: no socket\n");
		exit(1);
	}
	s->rtc.owner = p;
	s->rtc.data = s == &p->down ? on_record : NULL;
	s->poll.data = s;
	s->open = true;
	uv_poll_start(&s->poll, UV_READABLE, on_readable);
}

static void reach(struct side *s)
{
	if (!s->open || !s->server_port || s->rtc.reached)
		return;
	if (rtc_client_reach(&s->rtc, s->server_port) < 0)
		fprintf(stderr, "bench: the candidate cannot be reached\n");
	rtc_client_poll(&s->rtc, clock_us());
}

/* ---- answers ---- */

/* What an offer or an answer of the server says about it. */
static bool take_remote(struct side *s, const struct client_sdp *sdp)
{
	if (!s->rtc.has_remote && rtc_client_remote(&s->rtc, &sdp->remote) < 0)
		return false;
	if (sdp->port && !s->server_port)
		s->server_port = sdp->port;
	reach(s);
	return true;
}

static void on_offer(struct person *p, const Livekit__SessionDescription *offer)
{
	struct client_sdp sdp;
	char text[CLIENT_SDP_BYTES];

	if (!client_sdp_read(&sdp, offer->sdp, false)) {
		fprintf(stderr, "bench: an offer cannot be read\n");
		return;
	}
	open_side(p, &p->down);
	p->has_data |= sdp.has_data;
	struct writer w = writer_of(text, sizeof text);
	client_sdp_write_answer(&w, offer->sdp, &p->down.rtc);
	write_u8(&w, 0);
	if (w.bad)
		fprintf(stderr, "bench: an answer does not fit\n");
	else
		send_sdp(p, "answer", text, offer->id);
	(void)take_remote(&p->down, &sdp);
}

static void send_offer(struct person *p)
{
	char text[2048];
	struct writer w = writer_of(text, sizeof text);

	open_side(p, &p->up);
	client_sdp_write_offer(&w, &p->up.rtc);
	write_u8(&w, 0);
	send_sdp(p, "offer", text, 1);
}

static void on_answer(struct person *p, const Livekit__SessionDescription *answer)
{
	struct client_sdp sdp;

	if (!client_sdp_read(&sdp, answer->sdp, true) || !take_remote(&p->up, &sdp))
		fprintf(stderr, "bench: an answer cannot be read\n");
}

static void on_trickle(struct person *p, const Livekit__TrickleRequest *t)
{
	struct side *s = t->target == LIVEKIT__SIGNAL_TARGET__PUBLISHER ? &p->up : &p->down;
	uint16_t port = client_sdp_candidate(t->candidateinit);

	if (!s->server_port)
		s->server_port = port;
	reach(s);
}

static void on_signal(void *owner, const Livekit__SignalResponse *m)
{
	struct person *p = owner;

	switch (m->message_case) {
	case LIVEKIT__SIGNAL_RESPONSE__MESSAGE_JOIN:
		if (p->speaks)
			send_add_track(p);
		break;
	case LIVEKIT__SIGNAL_RESPONSE__MESSAGE_TRACK_PUBLISHED:
		send_offer(p);
		break;
	case LIVEKIT__SIGNAL_RESPONSE__MESSAGE_OFFER:
		on_offer(p, m->offer);
		break;
	case LIVEKIT__SIGNAL_RESPONSE__MESSAGE_ANSWER:
		on_answer(p, m->answer);
		break;
	case LIVEKIT__SIGNAL_RESPONSE__MESSAGE_TRICKLE:
		on_trickle(p, m->trickle);
		break;
	case LIVEKIT__SIGNAL_RESPONSE__MESSAGE_PONG_RESP:
		if (p->pong)
			p->pong(p, m->pong_resp->last_ping_timestamp);
		break;
	default:
		break;
	}
}

static void on_signal_closed(void *owner)
{
	struct person *p = owner;
	p->gone = true;
}

/* ---- the load calls in ---- */

int person_join(struct person *p, uint16_t port, const char *token)
{
	p->signal.message = on_signal;
	p->signal.closed = on_signal_closed;
	p->signal.owner = p;
	p->began_us = clock_us();
	return signal_client_open(&p->signal, p->loop, port, token);
}

void person_poll(struct person *p, uint64_t now_us)
{
	if (p->down.open)
		rtc_client_poll(&p->down.rtc, now_us);
	if (p->up.open)
		rtc_client_poll(&p->up.rtc, now_us);
	if (p->down.rtc.srtp && p->has_data && !p->sctp &&
		sctp_association_new(&p->sctp, &sctp_events, p, p->down.rtc.remote.dtls_client) < 0)
		fprintf(stderr, "bench: no SCTP\n");
	note_done(p);
}

bool person_can_speak(const struct person *p)
{
	return p->speaks && p->up.rtc.srtp;
}

bool person_is_done(const struct person *p)
{
	return p->done_us != 0;
}

static void close_side(struct side *s)
{
	if (!s->open)
		return;
	uv_close((uv_handle_t *)&s->poll, NULL);
	rtc_client_close(&s->rtc);
	s->rtc = (struct rtc_client){0};
	s->open = false;
}

void person_leave(struct person *p)
{
	Livekit__LeaveRequest leave = LIVEKIT__LEAVE_REQUEST__INIT;
	Livekit__SignalRequest m = LIVEKIT__SIGNAL_REQUEST__INIT;

	p->sctp = sctp_association_free(p->sctp);
	close_side(&p->down);
	close_side(&p->up);
	if (!p->signal.tcp)
		return;
	m.message_case = LIVEKIT__SIGNAL_REQUEST__MESSAGE_LEAVE;
	m.leave = &leave;
	signal_client_send(&p->signal, &m);
	signal_client_close(&p->signal);
}
