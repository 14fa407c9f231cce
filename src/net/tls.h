/* net/tls.h - TLS 1.2 and 1.3, either side, without sockets: bytes of the wire in, plain bytes and bytes
 * for the wire out. net/tcp.c puts it under a stream; nothing else outside knows OpenSSL's SSL.
 *
 * Owner:   of a context: whoever listens or connects with it, until all its streams have closed. Of a
 *          struct tls: the stream.
 * Owns:    a context owns the certificate and its key; a struct tls the state of one connection.
 * Thread:  one loop's.
 * Bounds:  LIMIT_TLS_HANDSHAKES at a time (the oldest gives way), LIMIT_TLS_HANDSHAKE_S for each; no
 *          session is kept for a client that has gone (tickets are), no renegotiation.
 */
#pragma once

#include "base/base.h"
#include "base/list.h"

struct tls_context;
struct tls;

enum { TLS_WHY_SIZE = 256 };
/* Outcomes of tls_context_new() and tls_context_reload(). */
enum {
	TLS_E_FILES = 1, /* the files cannot be used: `why` is a sentence that names the one */
};
/* PEM files: the certificate with its chain, and its private key, not encrypted. Texts are copied. */
struct tls_config {
	bool client;                      /* we connect, and verify whom we meet */
	const char *cert_file, *key_file; /* who we are; a client may leave both out */
	const char *ca_file; /* client: authorities besides the system's; or NULL */
	const char *alpn;    /* server: who names protocols must name this one (RFC 7301 section 3.2); NULL = any */
};
MUST_USE int tls_context_new(
	struct tls_context **ret, const struct tls_config *config, char why[TLS_WHY_SIZE]);
/* New connections get what the files hold now; on any failure what was there stays. */
MUST_USE int tls_context_reload(struct tls_context *c, char why[TLS_WHY_SIZE]);
struct tls_context *tls_context_free(struct tls_context *c);

/* A place among those who have not shaken hands yet, in the order of coming. Returns the oldest when there
 * are too many: its stream should be closed. NULL = nobody. list_remove() when done or closed: see
 * tls_handshake_left(). */
struct list *tls_handshake_entered(struct tls_context *c, struct list *link);
void tls_handshake_left(struct tls_context *c, struct list *link);

/* Of a client, `host` is whom we mean to meet: a name, sent as SNI and looked for in the certificate
 * (wildcards count), or a literal address, looked for there too. Of a server it is NULL. A client's first
 * tls_input() is an empty one: it says hello. */
MUST_USE int tls_new(struct tls **ret, struct tls_context *c, const char *host);
struct tls *tls_free(struct tls *t);
bool tls_is_open(const struct tls *t); /* hands are shaken */
/* After TLS_E_BROKEN: what went wrong, as the end of a sentence about the far end: "its certificate has
 * expired". Empty before. */
const char *tls_why(const struct tls *t);

enum { TLS_INPUT_BYTES_MAX = 32 << 10 };
/* Outcomes of tls_input(). */
enum {
	TLS_E_ENDED = 1, /* the peer will send no more: after what is in `plain` */
	TLS_E_BROKEN,    /* not TLS, or not ours to accept: send what is in `wire`, then close */
};
/* At most TLS_INPUT_BYTES_MAX at a time. `plain` lives until the next tls_input() of this context, `wire`
 * until the next call at all; both may be filled with any outcome. */
MUST_USE int tls_input(struct tls *t, struct span bytes, struct span *plain, struct span *wire);
/* Encrypts. -EPIPE before tls_is_open(). */
MUST_USE int tls_output(struct tls *t, const struct span *parts, size_t count, struct span *wire);
/* The word that we shall send no more (RFC 8446 section 6.1). */
void tls_end(struct tls *t, struct span *wire);
