/* api/backend.h - one request of an app: JSON in, JSON out, every error with a code and a sentence.
 *
 * Owner:   the exchange it answers. Owns: the grants and the parsed body. Thread: the control thread.
 */
#pragma once

#include "api/api_private.h"

#include <jansson.h>

struct backend {
	struct api *api;
	struct http_exchange *x;
	bool open;            /* no token is needed */
	struct grants grants; /* zeroed when `open` without a token */
	json_t *body;         /* an object, once backend_read() was true */
};

/* ---- reading. False: the refusal was sent. ---- */
bool backend_read(struct backend *b);
bool backend_text(struct backend *b, const char *name, const char **value); /* NULL: not there */
/* The same, at most LIMIT_NAME_BYTES long. */
bool backend_name(struct backend *b, const char *name, const char **value);
bool backend_flag(struct backend *b, const char *name, bool *value);
/* Seconds, more than 0 and at most `max_s`; 0: not there. */
bool backend_seconds(struct backend *b, const char *name, double max_s, uint32_t *value_ms);
/* An object of texts, or NULL. */
bool backend_texts(struct backend *b, const char *name, const json_t **value);
/* `text` as E.164. */
bool backend_number(struct backend *b, const char *text, char out[17]);

/* ---- answering ---- */
void backend_answer(struct http_exchange *x, unsigned status, json_t *body /* taken */);
void backend_fail(struct backend *b, unsigned status, const char *code, const char *format, ...)
	PRINTF(4, 5);
/* {"success":false,"error":{"code","message"}} to be added to, or NULL when out of memory. */
json_t *backend_error(const char *code, const char *message);
void backend_denied(struct backend *b, const char *what); /* 401 */

/* ---- endpoints ---- */
void backend_dial(struct backend *b);
void backend_hang_up(struct backend *b);
void backend_token(struct backend *b);
void backend_calls(struct backend *b);
void backend_call(struct backend *b);
void backend_trunks(struct backend *b);
void backend_policy(struct backend *b);
void backend_config(struct backend *b);
