/* net/http_url.h - the request target (RFC 9112 section 3.2): its path, its query. Pure.
 * Thread: any.
 */
#pragma once

#include "base/base.h"

/* The path without its query, not decoded, lying inside `target`. A target in absolute form loses
 * its scheme and host. Slashes at the start are one slash: apps that are configured with a slash
 * at the end ask for "//rtc". */
struct span http_url_path(struct span target);

/* The raw value of the first argument of that name, as yet percent-encoded. Returns false when
 * there is none; "?a" and "?a=" are there, with an empty value. */
bool http_url_query(struct span target, const char *name, struct span *value);

/* "%41+b" is "A b"; a percent sign that no two digits follow stays. `out` holds text.size + 1
 * bytes and is ended by a zero; zeroes in the text are dropped (a C string could not hold them).
 * Returns the length. */
size_t http_url_decode(char *out, struct span text);
