/* test/unit/api_harness.h - the API over real sockets on 127.0.0.1, with a store in memory, real rooms
 * and trunks, and fake calls; and an HTTP client that turns the same loop while it waits.
 *
 * Owner:   the test. Owns: all of it. Thread: the test's.
 */
#pragma once

#include "api/api.h"
#include "fake_calls.h"

#include <jansson.h>

#define HARNESS_KEY "testkey"
#define HARNESS_SECRET "a secret of thirty-two characters"

struct harness {
	struct loop loop;
	struct rooms *rooms;
	struct agents *agents;
	struct store *store;
	struct trunks *trunks;
	struct calls *calls;
	struct api *api;
	struct http_server *server, *backend;
	unsigned open;
	const char *trunk;
	const char *web_dir;
	bool development;
};
void harness_start(struct harness *h, bool development, const char *web_dir);
void harness_stop(struct harness *h); /* checks that nothing leaked */
const char *harness_add_trunk(struct harness *h, const char *name, const char *number); /* its id */

struct answer {
	int status;
	char headers[8192];
	char body[65536];
	json_t *json; /* of the body, or NULL; lives until the next answer */
};
struct request {
	int fd;
	char *out;
	size_t out_size, sent;
	char in[65536 + 8192];
	size_t got;
};
/* `server`: LiveKit's port, else the app's. `headers`: lines with \r\n, or "". */
void request_begin(struct request *r, struct harness *h, bool server, const char *method, const char *path,
	const char *headers, const char *body);
/* Turns the loop; true when the whole answer is there. */
bool request_turn(struct request *r, struct harness *h);
void request_finish(struct answer *a, struct request *r, struct harness *h); /* within 5 s */
void request_abandon(struct request *r, struct harness *h);
/* All in one. */
struct answer *ask(struct harness *h, bool server, const char *method, const char *path, const char *headers,
	const char *body);
/* "Authorization: Bearer ...\r\n" with these claims besides iss and exp (JSON text). */
const char *token_header(const char *claims);
/* The text at "error.code" and the like, or "". */
const char *field(const struct answer *a, const char *path);
