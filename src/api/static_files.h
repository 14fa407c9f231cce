/* api/static_files.h - the page: plain files of one folder, read when asked for.
 *
 * Owner:   the exchange. Owns: nothing. Thread: the control thread.
 */
#pragma once

#include "api/api_private.h"

/* GET and HEAD of "/" (index.html) and of files whose name and kind are known to be harmless; with
 * ETag, and a Content-Security-Policy that lets the page talk to nobody but us. */
void static_file(struct api *a, struct http_exchange *x);

/* "/app.js" -> "app.js", "/" -> "index.html"; NULL when it is no name that we serve: letters,
 * digits, '-', '_' and '.', no part that begins with '.', at most one folder deep, a known ending. */
const char *static_name(const char *path, const char **content_type);
