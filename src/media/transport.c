#include "media/transport.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "media/packet_kind.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/crypto.h>

enum {
	HANDSHAKE_MS_MAX = 60000,
	RECEIVER_REPORT_EVERY_MS = 1000,
	US_PER_MS = 1000,
};

static void on_dtls_send(void *owner, struct span datagram);
static void on_dtls_data(void *owner, struct span data);
static const struct dtls_events dtls_events = {.send = on_dtls_send, .data = on_dtls_data};

/* ---- state ---- */

static void set_state(struct transport *t, enum media_transport_state state)
{
	if (t->state == state)
		return;
	t->state = state;
	worker_post_transport_state(t->worker, t->id, state);
}

static void fail(struct transport *t, const char *why)
{
	if (t->failed)
		return;
	t->failed = true;
	log_info("media", "transport %u failed: %s", t->id, why);
	set_state(t, MEDIA_TRANSPORT_FAILED);
}

/* What the engines say now, as one word. */
static void update_state(struct transport *t, uint64_t now_ms)
{
	if (t->failed)
		return;
	enum ice_life life = ice_life(&t->ice, now_ms);
	if (life == ICE_FAILED)
		fail(t, "nothing heard for 15 s");
	else if (!t->srtp && t->handshake_by_ms && now_ms >= t->handshake_by_ms)
		fail(t, "no handshake within 60 s");
	else if (t->srtp && life == ICE_DISCONNECTED)
		set_state(t, MEDIA_TRANSPORT_DISCONNECTED);
	else if (t->srtp && life == ICE_ALIVE)
		set_state(t, MEDIA_TRANSPORT_CONNECTED);
}

/* ---- birth and death ---- */

int transport_new(
	struct transport **ret, struct worker *w, media_id id, const struct media_ice *ice)
{
	struct transport *t = mem_zalloc(sizeof *t);
	if (!t)
		return err_new(-ENOMEM);
	t->id = id;
	t->worker = w;
	t->own_ssrc = rng_u32();
	list_init(&t->sources);
	list_init(&t->sinks);
	ice_init(&t->ice, ice);

	int r = worker_add_ufrag(w, &t->by_ufrag, t, t->ice.now.local.ufrag);
	if (r < 0) {
		transport_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

struct transport *transport_free(struct transport *t)
{
	if (!t)
		return NULL;
	while (!list_empty(&t->sinks))
		sink_free(list_first(&t->sinks, struct sink, link));
	while (!list_empty(&t->sources))
		rtp_source_free(list_first(&t->sources, struct rtp_source, link));
	dtls_free(t->dtls);
	srtp_pair_free(t->srtp);
	for (size_t i = 0; i < ICE_PATHS_MAX; ++i)
		worker_release_path(t->worker, &t->paths[i]);
	worker_remove_ufrag(t->worker, &t->by_ufrag);
	worker_remove_ufrag(t->worker, &t->by_old_ufrag);
	OPENSSL_cleanse(&t->ice, sizeof t->ice);
	mem_free(t);
	return NULL;
}

/* ---- DTLS ---- */

static void on_dtls_send(void *owner, struct span datagram)
{
	struct transport *t = owner;
	const struct peer_address *to = ice_path(&t->ice);

	if (!to || datagram.size > LIMIT_PACKET_BYTES)
		return;
	memcpy(worker_out(t->worker, to), datagram.data, datagram.size);
	worker_send(t->worker, datagram.size, to);
}

static void on_dtls_data(void *owner, struct span data)
{
	struct transport *t = owner;

	/* Before the fingerprint is compared this may be anybody's; SCTP sends it again. */
	if (t->srtp)
		worker_post_sctp(t->worker, t->id, data);
}

/* The handshake is over and the signalling has named the peer: is it the same one? */
static void authenticate(struct transport *t, uint64_t now_ms)
{
	struct srtp_keys keys;

	if (!dtls_peer_is(t->dtls, t->remote.fingerprint)) {
		fail(t, "the certificate is not the one in the SDP");
		return;
	}
	int r = dtls_keys(t->dtls, &keys);
	if (r == 0)
		r = srtp_pair_new(&t->srtp, &keys, dtls_is_client(t->dtls));
	OPENSSL_cleanse(&keys, sizeof keys);
	if (r < 0)
		fail(t, "no SRTP keys");
	else
		update_state(t, now_ms);
}

static void after_dtls(struct transport *t, uint64_t now_ms)
{
	switch (dtls_state(t->dtls)) {
	case DTLS_HANDSHAKE:
		break;
	case DTLS_DONE:
		if (!t->srtp && t->has_remote && !t->failed)
			authenticate(t, now_ms);
		break;
	case DTLS_CLOSED:
		fail(t, "the peer closed it");
		break;
	case DTLS_FAILED:
		fail(t, "DTLS failed");
		break;
	}
}

static bool open_dtls(struct transport *t, bool client)
{
	int r = dtls_new(&t->dtls, worker_identity(t->worker), client, &dtls_events, t);
	if (r < 0)
		fail(t, "no memory for DTLS");
	return r == 0;
}

/* As the client we begin, as soon as there is somebody to talk to. */
static void start_as_client(struct transport *t, uint64_t now_ms)
{
	if (t->dtls || t->failed || !t->has_remote || !t->remote.dtls_client || !ice_path(&t->ice))
		return;
	if (!open_dtls(t, true))
		return;
	dtls_start(t->dtls);
	after_dtls(t, now_ms);
}

static void input_dtls(
	struct transport *t, struct span datagram, const struct peer_address *from, uint64_t now_ms)
{
	if (t->failed)
		return;
	if (!t->dtls && t->has_remote && t->remote.dtls_client)
		return; /* ours comes first; start_as_client() has been called */
	if (!t->dtls && !open_dtls(t, false))
		return;
	ice_prefer(&t->ice, from);
	dtls_input(t->dtls, datagram);
	after_dtls(t, now_ms);
}

/* ---- ICE ---- */

static int restart(struct transport *t, const struct media_ice *ice, uint64_t now_ms)
{
	worker_remove_ufrag(t->worker, &t->by_old_ufrag);
	worker_remove_ufrag(t->worker, &t->by_ufrag);
	ice_restart(&t->ice, ice, now_ms);
	int r = worker_add_ufrag(t->worker, &t->by_ufrag, t, t->ice.now.local.ufrag);
	if (r == 0)
		r = worker_add_ufrag(
			t->worker, &t->by_old_ufrag, t, t->ice.before.local.ufrag);
	if (r == 0 && t->failed && t->srtp && dtls_state(t->dtls) == DTLS_DONE) {
		t->failed = false;
		t->state = MEDIA_TRANSPORT_DISCONNECTED;
	}
	return r;
}

void transport_remote(
	struct transport *t, const struct media_remote *remote, const struct media_ice *ice)
{
	uint64_t now_ms = loop_now_ms(worker_loop(t->worker));

	if (ice && restart(t, ice, now_ms) < 0) {
		fail(t, "no memory to restart ICE");
		return;
	}
	t->remote = *remote;
	t->has_remote = true;
	ice_remote(&t->ice, remote->ufrag);
	start_as_client(t, now_ms);
	if (t->dtls)
		after_dtls(t, now_ms);
}

static void claim_path(struct transport *t, int path)
{
	struct path_node *n = &t->paths[path];
	const struct peer_address *address = &t->ice.paths[path];

	if (n->transport == t && peer_address_equal(&n->address, address))
		return;
	if (worker_claim_path(t->worker, n, t, address) < 0)
		fail(t, "no memory for a path");
}

void transport_check(struct transport *t, const struct stun_view *v, struct span packet,
	const struct peer_address *from, uint64_t now_us)
{
	uint64_t now_ms = now_us / US_PER_MS;
	struct ice_result result;
	struct writer reply = writer_of(worker_out(t->worker, from), STUN_REPLY_BYTES_MAX);
	enum ice_verdict verdict =
		ice_input(&t->ice, v, packet, from, now_ms, &reply, &result);

	if ((verdict == ICE_ANSWERED || verdict == ICE_REFUSED) && !reply.bad)
		worker_send(t->worker, reply.used, from);
	if (verdict != ICE_ANSWERED) {
		if (verdict != ICE_NOTED)
			worker_count_drop(t->worker, MEDIA_DROP_CHECK);
		return;
	}

	if (!t->ice.before.local.ufrag[0])
		worker_remove_ufrag(t->worker, &t->by_old_ufrag);
	if (!t->handshake_by_ms)
		t->handshake_by_ms = now_ms + HANDSHAKE_MS_MAX;
	claim_path(t, result.path);
	start_as_client(t, now_ms);
	update_state(t, now_ms);
}

void transport_path_gone(struct transport *t, const struct peer_address *path)
{
	int n = ice_forget(&t->ice, path);
	if (n >= 0)
		worker_release_path(t->worker, &t->paths[n]);
}

/* ---- SRTP in ---- */

static struct ssrc_entry *find_ssrc(struct transport *t, uint32_t ssrc)
{
	for (size_t i = 0; i < TRANSPORT_SSRCS_MAX; ++i)
		if (t->ssrcs[i].used && t->ssrcs[i].ssrc == ssrc)
			return &t->ssrcs[i];
	return NULL;
}

/* A peer may invent as many SSRCs as it likes, and each is memory in the SRTP session: those
 * that are nobody's make room for new ones. NULL: every place is a source's. */
static struct ssrc_entry *add_ssrc(struct transport *t, uint32_t ssrc)
{
	for (unsigned n = 0; n < TRANSPORT_SSRCS_MAX; ++n) {
		struct ssrc_entry *e = &t->ssrcs[t->next_eviction++ % TRANSPORT_SSRCS_MAX];
		if (e->source)
			continue;
		if (e->used)
			srtp_pair_forget_incoming(t->srtp, e->ssrc);
		*e = (struct ssrc_entry){.ssrc = ssrc, .used = true};
		return e;
	}
	srtp_pair_forget_incoming(t->srtp, ssrc);
	return NULL;
}

/* Of a packet that was genuine and then of no use: what SRTP keeps of its SSRC is bounded too. */
static void note_ssrc(struct transport *t, const uint8_t *at)
{
	struct reader r = reader_of(span_of(at, 4));
	uint32_t ssrc = read_u32(&r);

	if (!find_ssrc(t, ssrc))
		add_ssrc(t, ssrc);
}

void transport_forget_source(struct transport *t, struct rtp_source *s)
{
	for (size_t i = 0; i < TRANSPORT_SSRCS_MAX; ++i)
		if (t->ssrcs[i].source == s)
			t->ssrcs[i].source = NULL;
}

static struct rtp_source *source_by_ssrc(struct transport *t, uint32_t ssrc)
{
	list_each (it, &t->sources) {
		struct rtp_source *s = container_of(it, struct rtp_source, link);
		if (s->has_ssrc && s->ssrc == ssrc)
			return s;
	}
	return NULL;
}

static struct rtp_source *source_by_mid(struct transport *t, const struct rtp_view *v)
{
	list_each (it, &t->sources) {
		struct rtp_source *s = container_of(it, struct rtp_source, link);
		struct span mid;
		if (s->config.mid_ext && s->config.mid[0] &&
			rtp_extension(&mid, v, s->config.mid_ext) && span_is(mid, s->config.mid))
			return s;
	}
	return NULL;
}

/* Only when there is no doubt: exactly one source still waits and takes this payload type. */
static struct rtp_source *source_by_payload(struct transport *t, const struct rtp_view *v)
{
	struct rtp_source *found = NULL;

	list_each (it, &t->sources) {
		struct rtp_source *s = container_of(it, struct rtp_source, link);
		if (s->has_ssrc || !rtp_source_takes(s, v->payload_type))
			continue;
		if (found)
			return NULL;
		found = s;
	}
	return found;
}

static struct rtp_source *match_source(struct transport *t, const struct rtp_view *v)
{
	struct rtp_source *s = source_by_ssrc(t, v->ssrc);
	if (!s)
		s = source_by_mid(t, v);
	if (!s)
		s = source_by_payload(t, v);
	return s;
}

static struct rtp_source *source_of(struct transport *t, const struct rtp_view *v)
{
	struct ssrc_entry *e = find_ssrc(t, v->ssrc);
	if (e && e->source)
		return e->source;
	if (!e)
		e = add_ssrc(t, v->ssrc);
	struct rtp_source *s = e ? match_source(t, v) : NULL;
	if (!s)
		return NULL;
	if (!s->has_ssrc || s->ssrc != v->ssrc) {
		transport_forget_source(t, s); /* its sender began anew under another number */
		rtp_source_set_ssrc(s, v->ssrc);
	}
	e->source = s;
	return s;
}

static void input_rtp(struct transport *t, uint8_t *packet, size_t size, uint64_t now_us)
{
	struct rtp_view v;

	if (!srtp_pair_unprotect(t->srtp, packet, &size)) {
		worker_count_drop(t->worker, MEDIA_DROP_CRYPTO);
		return;
	}
	ice_heard(&t->ice, now_us / US_PER_MS);
	if (rtp_parse(&v, span_of(packet, size)) != RTP_OK) {
		note_ssrc(t, packet + 8);
		worker_count_drop(t->worker, MEDIA_DROP_RTP);
		return;
	}
	struct rtp_source *s = source_of(t, &v);
	if (s)
		rtp_source_receive(s, &v, now_us);
	else
		worker_count_drop(t->worker, MEDIA_DROP_SOURCE);
}

static void handle_bye(struct transport *t, const struct rtcp_packet *p)
{
	uint32_t ssrc;

	for (unsigned i = 0; rtcp_read_bye(&ssrc, p, i); ++i) {
		struct ssrc_entry *e = find_ssrc(t, ssrc);
		if (!e || !e->source)
			continue;
		rtp_source_forget_ssrc(e->source);
		e->source = NULL;
	}
}

static struct sink *sink_by_ssrc(struct transport *t, uint32_t ssrc)
{
	list_each (it, &t->sinks) {
		struct sink *s = container_of(it, struct sink, link);
		if (s->config.ssrc == ssrc)
			return s;
	}
	return NULL;
}

static void handle_sender_report(
	struct transport *t, const struct rtcp_sender *report, uint64_t now_us)
{
	struct ssrc_entry *e = find_ssrc(t, report->ssrc);

	if (!e || !e->source)
		return;
	uint64_t ntp = sender_clock_put(&t->clock, report->ntp, rtcp_ntp(clock_unix_ns()));
	rtp_source_sender_report(e->source, report, ntp, now_us);
}

static void handle_reports(struct transport *t, const struct rtcp_packet *p, uint64_t now_us)
{
	struct rtcp_report report;

	for (unsigned i = 0; rtcp_read_report(&report, p, i); ++i) {
		struct sink *s = sink_by_ssrc(t, report.ssrc);
		if (s)
			sink_reported(s, &report, now_us);
	}
}

static void handle_nack(struct transport *t, const struct rtcp_packet *p, uint64_t now_us)
{
	struct rtcp_nack n;
	struct sink *s = NULL;

	for (unsigned i = 0; rtcp_read_nack(&n, p, i); ++i) {
		if (!s && !(s = sink_by_ssrc(t, n.ssrc))) {
			worker_count_drop(t->worker, MEDIA_DROP_SOURCE);
			return;
		}
		sink_asked(s, n.seq, now_us);
		for (unsigned bit = 0; bit < 16; ++bit)
			if (n.more >> bit & 1)
				sink_asked(s, (uint16_t)(n.seq + 1 + bit), now_us);
	}
}

static void handle_rtcp(struct transport *t, const struct rtcp_packet *p, uint64_t now_us)
{
	struct rtcp_sender sender;

	if (p->type == RTCP_BYE)
		handle_bye(t, p);
	else if (p->type == RTCP_RTPFB)
		handle_nack(t, p, now_us);
	if (rtcp_read_sender(&sender, p))
		handle_sender_report(t, &sender, now_us);
	handle_reports(t, p, now_us);
}

static void input_rtcp(struct transport *t, uint8_t *packet, size_t size, uint64_t now_us)
{
	if (!srtp_pair_unprotect_rtcp(t->srtp, packet, &size)) {
		worker_count_drop(t->worker, MEDIA_DROP_CRYPTO);
		return;
	}
	ice_heard(&t->ice, now_us / US_PER_MS);
	note_ssrc(t, packet + 4);
	if (!rtcp_valid(span_of(packet, size))) {
		worker_count_drop(t->worker, MEDIA_DROP_RTP);
		return;
	}

	struct reader r = reader_of(span_of(packet, size));
	for (struct rtcp_packet p; rtcp_next(&p, &r);)
		handle_rtcp(t, &p, now_us);
}

void transport_input(struct transport *t, uint8_t *packet, size_t size,
	const struct peer_address *from, uint64_t now_us)
{
	struct span all = span_of(packet, size);

	if (packet_is_dtls(all)) {
		input_dtls(t, all, from, now_us / US_PER_MS);
		return;
	}
	if (!packet_is_rtp(all) || size < 2) {
		worker_count_drop(t->worker, MEDIA_DROP_KIND);
		return;
	}
	if (!t->srtp) {
		worker_count_drop(t->worker, MEDIA_DROP_EARLY);
		return;
	}
	if (packet_is_rtcp(all))
		input_rtcp(t, packet, size, now_us);
	else
		input_rtp(t, packet, size, now_us);
}

/* ---- out ---- */

void transport_send_sctp(struct transport *t, struct span packet)
{
	/* What cannot go is dropped like on any wire: SCTP sends it again. */
	if (t->srtp && !t->failed && dtls_send(t->dtls, packet) < 0)
		worker_count_drop(t->worker, MEDIA_DROP_SEND);
}

typedef bool protect_fn(struct srtp_pair *p, uint8_t *packet, size_t *size);

static bool send_rtp(struct transport *t, const struct rtp_view *v, protect_fn *protect)
{
	const struct peer_address *to = ice_path(&t->ice);
	if (!t->srtp || !to || t->failed)
		return false;

	struct writer w = writer_of(worker_out(t->worker, to), LIMIT_PACKET_BYTES);
	rtp_write(&w, v);
	size_t size = w.used;
	if (w.bad || !protect(t->srtp, w.data, &size))
		return false;
	worker_send(t->worker, size, to);
	return true;
}

bool transport_send_rtp(struct transport *t, const struct rtp_view *v)
{
	return send_rtp(t, v, srtp_pair_protect);
}

bool transport_resend_rtp(struct transport *t, const struct rtp_view *v)
{
	return send_rtp(t, v, srtp_pair_protect_again);
}

void transport_send_rtcp(struct transport *t, struct span compound)
{
	const struct peer_address *to = ice_path(&t->ice);
	size_t size = compound.size;
	if (!t->srtp || !to || t->failed || size == 0 || size > LIMIT_PACKET_BYTES)
		return;

	uint8_t *out = worker_out(t->worker, to);
	memcpy(out, compound.data, size);
	if (srtp_pair_protect_rtcp(t->srtp, out, &size))
		worker_send(t->worker, size, to);
}

void transport_end_ssrc(struct transport *t, uint32_t ssrc)
{
	if (!t->srtp)
		return;
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof bytes);
	rtcp_write_receiver(&w, ssrc, NULL, 0); /* a compound begins with a report */
	rtcp_write_bye(&w, ssrc);
	transport_send_rtcp(t, writer_span(&w));
	srtp_pair_forget_outgoing(t->srtp, ssrc);
}

static void send_receiver_report(struct transport *t, uint64_t now_us)
{
	struct rtcp_report reports[RTCP_REPORTS_MAX];
	size_t count = 0;

	list_each (it, &t->sources) {
		struct rtp_source *s = container_of(it, struct rtp_source, link);
		if (count < COUNT_OF(reports) && rtp_source_report(s, &reports[count], now_us))
			++count;
	}
	if (!count)
		return;
	uint8_t bytes[LIMIT_PACKET_BYTES];
	struct writer w = writer_of(bytes, sizeof bytes);
	rtcp_write_receiver(&w, t->own_ssrc, reports, count);
	rtcp_write_cname(&w, t->own_ssrc, span_text("ringdown"));
	transport_send_rtcp(t, writer_span(&w));
}

void transport_tick(struct transport *t, uint64_t now_us)
{
	uint64_t now_ms = now_us / US_PER_MS;

	if (t->dtls && !t->srtp && !t->failed) {
		dtls_poll(t->dtls);
		after_dtls(t, now_ms);
	}
	update_state(t, now_ms);
	if (!t->srtp || t->failed)
		return;
	if (now_ms >= t->report_due_ms) {
		t->report_due_ms = now_ms + RECEIVER_REPORT_EVERY_MS;
		send_receiver_report(t, now_us);
	}
	if (now_ms >= t->stats_due_ms) {
		if (t->stats_due_ms)
			transport_post_stats(t, now_us);
		t->stats_due_ms = now_ms + worker_stats_every_ms(t->worker);
	}
	list_each (it, &t->sources)
		rtp_source_tick(container_of(it, struct rtp_source, link), now_us);
	list_each (it, &t->sinks)
		sink_tick(container_of(it, struct sink, link), now_us);
}
