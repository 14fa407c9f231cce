/* api/api.h - door 3: Twirp services on LiveKit's port, the app's endpoints and the page on ours.
 *
 * Owner:   the server (cli/serve.c), which makes the HTTP servers with the events below.
 * Owns:    requests that wait for a call, the answers kept for Idempotency-Key. Everything in
 *          struct api_config is borrowed and must outlive it, texts included.
 * Thread:  the control thread.
 * Life:    api_new -> http servers -> api_close (waiting requests are answered) -> servers closed ->
 *          calls closed -> api_free.
 */
#pragma once

#include "net/http_server.h"
#include "wire/jwt.h"

struct agents;
struct api;
struct calls;
struct data_packet;
struct policy;
struct records;
struct lines;
struct rooms;
struct trunks;

struct api_bank {
	const char *id, *name, *phone_number;
};

struct api_config {
	struct loop *loop;
	struct rooms *rooms;
	struct agents *agents;
	struct trunks *trunks;
	struct calls *calls;
	struct policy *policy;
	struct records *records; /* of calls; NULL: none are kept */
	struct lines *lines; /* NULL: nothing is known of the trunks */

	/* By what our SIP is reached, for an operator; NULL and 0 = not told. */
	const char *sip_host, *media_ip, *media_ip6;
	uint16_t sip_port, rtp_port_first, rtp_port_last;

	jwt_secret_fn *secret_of; /* the secret of an API key, or NULL */
	void *secret_owner;
	const char *sign_key;     /* participants' tokens are signed with this key */

	const char *trunk;        /* LIVEKIT_SIP_TRUNK: name or id; NULL = the only one */
	const char *server_url;   /* told to apps; NULL: ws:// + the host they asked + server_port */
	uint16_t server_port;
	bool server_tls;          /* ... and wss:// */
	bool development;         /* the app's endpoints are open for loopback peers */
	bool remote_unmute;       /* room.enable_remote_unmute */

	const char *web_dir;      /* the page's files; NULL = no page */
	const struct api_bank *banks;
	size_t bank_count;

	/* Paths of the signal door; true when the exchange was taken. NULL = there is none. */
	bool (*signal_request)(void *owner, struct http_exchange *x);
	bool (*signal_upgrade)(void *owner, struct http_exchange *x);
	void *signal_owner;
};

MUST_USE int api_new(struct api **ret, const struct api_config *config);
/* Requests that wait for a call are answered with "unavailable"; new ones are refused likewise. */
void api_close(struct api *a);
struct api *api_free(struct api *a);

/* From struct rooms_events: what a participant answers to PerformRpc. */
void api_rpc_answer(struct api *a, const struct data_packet *d);

/* For http_server_new(), with the struct api as owner. `api_server_events` is LiveKit's port (7880);
 * `api_backend_events` the app's (8000), whose server should have BACKEND_HTTP_BODY_BYTES. */
extern const struct http_events api_server_events;
extern const struct http_events api_backend_events;

/* More than any honest body, so that the refusal of a large one is ours to word (JSON). */
enum { BACKEND_HTTP_BODY_BYTES = 16 << 20 };
