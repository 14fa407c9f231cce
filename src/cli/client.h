/* cli/client.h - the commands' side of Twirp: signs a token, posts a message, reads the answer.
 *
 * Owner:   the command. Owns: the curl handle, the environment, its texts.
 * Thread:  the main thread; blocks.
 */
#pragma once

#include "cli/options.h"

#include "base/buf.h"
#include "config/env_file.h"
#include "wire/proto.h"

#include <jansson.h>

struct client {
	struct env env;
	const char *url_option, *key_option, *secret_option; /* from the command line, or NULL */
	bool dev;
	char *url; /* http:// or https://, without a slash at the end */
	const char *key, *secret;
	void *curl;
};

/* Options that every command which talks to a server has. */
#define CLIENT_OPTIONS(c)                                                                          \
	{"--url", "URL", "the server; default: LIVEKIT_URL, else http://127.0.0.1:7880",           \
		&(c)->url_option, NULL},                                                           \
	{"--api-key", "KEY", "default: LIVEKIT_API_KEY", &(c)->key_option, NULL},                  \
	{"--api-secret", "SECRET", "default: LIVEKIT_API_SECRET", &(c)->secret_option, NULL},      \
	{"--dev", NULL, "the key of a server in development mode (devkey)", NULL, &(c)->dev}

/* Reads `.env`, the environment and the options. False: said on stderr what is missing. */
bool client_open(struct client *c);
void client_close(struct client *c); /* safe on zeroed memory */
/* Without a connection: for commands that only sign. */
bool client_keys(struct client *c);

enum client_grant { CLIENT_SIP_ADMIN, CLIENT_SIP_CALL };
/* *ret lives in the arena. False: the reason was said on stderr, with the SIP status where there is one. */
bool client_call(struct client *c, enum client_grant grant, const char *method, const ProtobufCMessage *in,
	const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret, struct proto_arena *arena,
	unsigned timeout_s);

struct writer;
/* Adds "&name=value", percent-encoded, to a path that has its '?'; nothing when `value` is NULL. */
void client_query(struct writer *w, const char *name, const char *value);
/* GET of a path with its query; the answer's body is added to `ret`. False: the reason was said on stderr. */
bool client_download(struct client *c, enum client_grant grant, const char *path, struct buf *ret);

/* GET of one of our own paths, "/livekit/sip/trunks". *ret is jansson's, or NULL where the server has no
 * such path (a LiveKit server). False: the reason was said on stderr. */
bool client_get(struct client *c, enum client_grant grant, const char *path, json_t **ret);

/* "wss://host/" -> "https://host". NULL: no such scheme, or out of memory. The caller frees it. */
char *client_http_url(const char *url);
