#include "api/static_files.h"

#include "base/limits.h"
#include "base/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_MAX_BYTES = 1024, HEADERS_SIZE = 1400, ETAG_SIZE = 64 };

static const struct {
	const char *ending, *type;
} types[] = {
	{".html", "text/html; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".mjs", "text/javascript; charset=utf-8"},
	{".css", "text/css; charset=utf-8"},
	{".svg", "image/svg+xml"},
	{".png", "image/png"},
	{".ico", "image/x-icon"},
	{".woff2", "font/woff2"},
	{".wasm", "application/wasm"},
	{".json", "application/json"},
	{".map", "application/json"},
	{".webmanifest", "application/manifest+json"},
	{".txt", "text/plain; charset=utf-8"},
};

static bool is_part(const char *name, size_t size)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	if (!size || name[0] == '.')
		return false;
	for (size_t i = 0; i < size; ++i)
		if (!strchr(good, name[i]))
			return false;
	return true;
}

const char *static_name(const char *path, const char **content_type)
{
	const char *name = !strcmp(path, "/") ? "index.html" : path + 1;
	size_t size = strlen(name), first = strcspn(name, "/");

	if (path[0] != '/' || size > 200 || !is_part(name, first))
		return NULL;
	if (name[first] && !is_part(name + first + 1, strlen(name + first + 1)))
		return NULL;
	for (size_t i = 0; i < COUNT_OF(types); ++i) {
		size_t ending = strlen(types[i].ending);
		if (size > ending && !strcmp(name + size - ending, types[i].ending)) {
			*content_type = types[i].type;
			return name;
		}
	}
	return NULL;
}

/* connect-src wants the WebSocket and, for its validation after a failure, the same as http. */
static void make_headers(char out[HEADERS_SIZE], const struct api *a, const struct http_exchange *x,
	const char *etag)
{
	char url[API_URL_SIZE];
	api_server_url(url, a, x);
	const char *rest = !strncmp(url, "wss://", 6) ? url + 6 : !strncmp(url, "ws://", 5) ? url + 5 : "";
	const char *scheme = !strncmp(url, "wss://", 6) ? "https" : "http";
	snprintf(out, HEADERS_SIZE,
		"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
		"img-src 'self' data:; connect-src 'self' %s %s://%s; base-uri 'none'; form-action 'none'; "
		"frame-ancestors 'none'\r\n"
		"X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
		"Permissions-Policy: microphone=(self), camera=(), geolocation=()\r\n"
		"Cross-Origin-Opener-Policy: same-origin\r\n"
		"Cache-Control: no-cache\r\nETag: %s\r\n",
		url, scheme, rest, etag);
}

/* A plain file of bounded size, opened; -1 when it is none. */
static int open_file(const struct api *a, const char *name, struct stat *s)
{
	char path[PATH_MAX_BYTES];
	int n = snprintf(path, sizeof path, "%s/%s", a->config.web_dir, name);
	int fd = n < (int)sizeof path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
	if (fd < 0)
		return -1;
	if (fstat(fd, s) < 0 || !S_ISREG(s->st_mode) || s->st_size > LIMIT_STATIC_FILE_BYTES) {
		close(fd);
		return -1;
	}
	return fd;
}

static void send_file(struct api *a, struct http_exchange *x, int fd, const struct stat *s,
	const char *content_type)
{
	char etag[ETAG_SIZE], headers[HEADERS_SIZE];
	snprintf(etag, sizeof etag, "\"%llx-%llx-%lx\"", (unsigned long long)s->st_size,
		(unsigned long long)s->st_mtim.tv_sec, (unsigned long)s->st_mtim.tv_nsec);
	make_headers(headers, a, x, etag);
	const char *have = http_header(x, "If-None-Match");
	if (have && strstr(have, etag)) {
		http_reply(x, 304, NULL, headers, (struct span){0});
		return;
	}
	size_t size = (size_t)s->st_size, got = 0;
	char *bytes = mem_zalloc(size + 1);
	while (bytes && got < size) {
		ssize_t n = read(fd, bytes + got, size - got);
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	if (bytes && got == size)
		http_reply(x, 200, content_type, headers, span_of(bytes, size));
	else
		api_text(x, 500, "the file could not be read\n");
	mem_free(bytes);
}

void static_file(struct api *a, struct http_exchange *x)
{
	const char *content_type = NULL, *name = static_name(http_path(x), &content_type);
	struct stat s;

	if (strcmp(http_method(x), "GET") && strcmp(http_method(x), "HEAD")) {
		http_reply(x, 405, "text/plain; charset=utf-8", "Allow: GET, HEAD\r\n",
			span_text("only GET here\n"));
		return;
	}
	int fd = name && a->config.web_dir ? open_file(a, name, &s) : -1;
	if (fd >= 0) {
		send_file(a, x, fd, &s, content_type);
		close(fd);
	} else if (!strcmp(http_path(x), "/")) {
		api_text(x, 404, "The page is not built: run \"make web\".\n");
	} else {
		api_not_found(x);
	}
}
