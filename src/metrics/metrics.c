#include "metrics/metrics.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "metrics/process.h"
#include "metrics/tally.h"
#include "wire/base64.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>

enum { LAG_EVERY_MS = 200 };

struct metrics {
	struct metrics_config config;
	char labels[96];
	char *authorization; /* "Basic ..." that must be presented, or NULL */
	struct tally tally;
	struct timer lag_timer;
	uint64_t lag_due_us;
	struct histogram lag;
};

/* ---- how late the control thread is ---- */

static const double lag_bounds[] = {0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1};

static void on_lag(void *owner)
{
	struct metrics *m = owner;
	uint64_t now = clock_us();
	if (m->lag_due_us)
		histogram_observe(&m->lag, now > m->lag_due_us ? (double)(now - m->lag_due_us) / 1e6 : 0);
	m->lag_due_us = now + LAG_EVERY_MS * 1000;
	timer_start(&m->lag_timer, LAG_EVERY_MS, 0);
}

/* ---- the page ---- */

struct census {
	size_t rooms, people, tracks, subscriptions, phones;
};

static void count_tracks(struct census *c, struct participant *p)
{
	for (struct track *t = participant_next_track(p, NULL); t; t = participant_next_track(p, t)) {
		++c->tracks;
		c->subscriptions += track_listener_count(t);
	}
}

static struct census take_census(struct rooms *rs)
{
	struct census c = {0};
	for (struct room *r = rooms_next(rs, NULL); r; r = rooms_next(rs, r)) {
		++c.rooms;
		for (struct participant *p = room_next(r, NULL); p; p = room_next(r, p)) {
			++c.people;
			c.phones += participant_kind(p) == LIVEKIT__PARTICIPANT_INFO__KIND__SIP;
			count_tracks(&c, p);
		}
	}
	return c;
}

static void write_rooms(struct metrics *m, struct exposition *e, const struct census *c)
{
	static const char audio[] = "kind=\"audio\"";

	exposition_one(e, "livekit_room_total", EXPOSITION_GAUGE, "Rooms now.", (double)c->rooms);
	exposition_histogram(e, "livekit_room_duration_seconds", "How long rooms lived.", NULL,
		&m->tally.room_seconds);
	exposition_one(e, "livekit_participant_total", EXPOSITION_GAUGE, "Participants now.", (double)c->people);
	exposition_family(e, "livekit_participant_join_total", EXPOSITION_COUNTER,
		"Participants whose media connected, or never did.");
	exposition_sample(e, "state=\"rtc_active\"", (double)m->tally.joined);
	exposition_sample(e, "state=\"rtc_failure\"", (double)m->tally.aborted);
	exposition_family(e, "livekit_track_published_total", EXPOSITION_GAUGE, "Published tracks now.");
	exposition_sample(e, audio, (double)c->tracks);
	exposition_family(e, "livekit_track_subscribed_total", EXPOSITION_GAUGE, "Subscriptions now.");
	exposition_sample(e, audio, (double)c->subscriptions);
	exposition_family(e, "livekit_track_publish_counter", EXPOSITION_COUNTER, "Tracks published so far.");
	exposition_sample(e, "kind=\"audio\",state=\"success\"", (double)m->tally.tracks);
}

static void write_calls(struct metrics *m, struct exposition *e, const struct census *c)
{
	const struct tally *t = &m->tally;

	exposition_family(e, "livekit_sip_calls_active", EXPOSITION_GAUGE, "Phones in rooms now.");
	exposition_sample(e, "dir=\"out\"", (double)c->phones);
	exposition_family(e, "livekit_sip_invite_requests", EXPOSITION_COUNTER, "Calls begun.");
	exposition_sample(e, "dir=\"out\"", (double)t->calls);
	exposition_family(e, "livekit_sip_invite_accepted", EXPOSITION_COUNTER, "Calls that were answered, and are over.");
	exposition_sample(e, "dir=\"out\"", (double)t->answered);
	exposition_family(e, "livekit_sip_calls_terminated", EXPOSITION_COUNTER, "Calls that are over, by how they ended.");
	for (size_t i = 0; i < TALLY_ENDINGS_MAX && t->endings[i].count; ++i) {
		char code[TALLY_ENDING_SIZE * 2], labels[sizeof code + 32];
		exposition_label(code, sizeof code, t->endings[i].code);
		snprintf(labels, sizeof labels, "dir=\"out\",reason=\"%s\"", code);
		exposition_sample(e, labels, (double)t->endings[i].count);
	}
	exposition_histogram(e, "livekit_sip_dur_session_sec", "From INVITE to the end.", "dir=\"out\"",
		&t->call_seconds);
}

static void write_traffic(const struct media *media, struct exposition *e)
{
	struct media_traffic t = media_traffic(media);
	static const char in[] = "direction=\"incoming\"", out[] = "direction=\"outgoing\"";

	exposition_family(e, "livekit_packet_total", EXPOSITION_COUNTER, "Packets of the WebRTC ports.");
	exposition_sample(e, in, (double)t.packets_in);
	exposition_sample(e, out, (double)t.packets_out);
	exposition_family(e, "livekit_packet_bytes", EXPOSITION_COUNTER, "Their bytes.");
	exposition_sample(e, in, (double)t.bytes_in);
	exposition_sample(e, out, (double)t.bytes_out);
	exposition_family(e, "ringdown_packets_dropped_total", EXPOSITION_COUNTER,
		"Packets of the WebRTC ports that were of no use, by why.");
	for (enum media_drop why = 0; why < MEDIA_DROP__COUNT; ++why) {
		char labels[64];
		snprintf(labels, sizeof labels, "reason=\"%s\"", media_drop_name(why));
		exposition_sample(e, labels, (double)media_drops(media, why));
	}
}

static void write_webhooks(const struct webhooks *w, struct exposition *e)
{
	const struct webhook_counts *c = webhooks_counts(w);
	exposition_family(e, "ringdown_webhooks_total", EXPOSITION_COUNTER, "Webhooks, by what came of them.");
	exposition_sample(e, "result=\"delivered\"", (double)c->delivered);
	exposition_sample(e, "result=\"refused\"", (double)c->refused);
	exposition_sample(e, "result=\"dropped\"", (double)c->dropped);
	exposition_one(e, "ringdown_webhook_retries_total", EXPOSITION_COUNTER, "Webhooks tried again.",
		(double)c->retried);
}

void metrics_write(struct metrics *m, struct exposition *e)
{
	struct census c = take_census(m->config.rooms);

	*e = (struct exposition){.common = m->labels};
	write_rooms(m, e, &c);
	write_calls(m, e, &c);
	write_traffic(m->config.media, e);
	if (m->config.webhooks)
		write_webhooks(m->config.webhooks, e);
	if (m->config.more)
		m->config.more(m->config.more_owner, e);
	exposition_histogram(e, "ringdown_loop_lag_seconds", "How late the control thread's timers are.", NULL,
		&m->lag);
	process_write(e);
}

/* ---- over HTTP ---- */

static bool may_read(const struct metrics *m, const struct http_exchange *x)
{
	const char *given = http_header(x, "authorization");
	if (!m->authorization)
		return true;
	return given && strlen(given) == strlen(m->authorization) &&
	       CRYPTO_memcmp(given, m->authorization, strlen(given)) == 0;
}

static void reply_text(struct http_exchange *x, unsigned status, const char *headers, const char *text)
{
	http_reply(x, status, "text/plain; charset=utf-8", headers, span_text(text));
}

static void on_request(void *owner, struct http_exchange *x)
{
	struct metrics *m = owner;
	struct exposition e;

	if (!may_read(m, x)) {
		reply_text(x, 401, "WWW-Authenticate: Basic realm=\"metrics\"\r\n", "username and password, please\n");
	} else if (strcmp(http_path(x), "/metrics") || strcmp(http_method(x), "GET")) {
		reply_text(x, 404, NULL, "only GET /metrics is here\n");
	} else {
		metrics_write(m, &e);
		if (e.failed)
			reply_text(x, 500, NULL, "out of memory\n");
		else
			http_reply(x, 200, "text/plain; version=0.0.4; charset=utf-8", NULL, buf_span(&e.text));
		buf_fini(&e.text);
	}
}

static void on_upgrade(void *owner, struct http_exchange *x)
{
	reply_text(x, 404, NULL, "only GET /metrics is here\n");
}

const struct http_events metrics_http_events = {.request = on_request, .upgrade = on_upgrade};

/* ---- life ---- */

static int make_authorization(struct metrics *m, const struct metrics_config *c)
{
	char *pair, *encoded;
	if (!c->username && !c->password)
		return 0;
	pair = mem_format("%s:%s", c->username ? c->username : "", c->password ? c->password : "");
	encoded = pair ? mem_zalloc(BASE64_TEXT_SIZE(strlen(pair))) : NULL;
	if (encoded) {
		base64_encode(encoded, span_text(pair));
		m->authorization = mem_format("Basic %s", encoded);
	}
	mem_free(pair);
	mem_free(encoded);
	return m->authorization ? 0 : err_new(-ENOMEM);
}

int metrics_new(struct metrics **ret, const struct metrics_config *config)
{
	char node[40];
	struct metrics *m = mem_zalloc(sizeof *m);
	if (!m)
		return err_new(-ENOMEM);
	m->config = *config;
	m->lag = (struct histogram){.bounds = lag_bounds, .bound_count = COUNT_OF(lag_bounds)};
	exposition_label(node, sizeof node, config->node_id);
	snprintf(m->labels, sizeof m->labels, "node_id=\"%s\",node_type=\"SERVER\"", node);
	int r = make_authorization(m, config);
	if (r == 0)
		r = timer_init(&m->lag_timer, config->loop, on_lag, m);
	if (r < 0) {
		metrics_free(m);
		return r;
	}
	tally_start(&m->tally, config->rooms);
	on_lag(m);
	*ret = m;
	return 0;
}

struct metrics *metrics_free(struct metrics *m)
{
	if (!m)
		return NULL;
	timer_fini(&m->lag_timer);
	mem_free(m->authorization);
	mem_free(m);
	return NULL;
}
