#include "api/static_files.h"

#include "test/check.h"

int main(void)
{
	static const struct {
		const char *path, *name, *type;
	} good[] = {
		{"/", "index.html", "text/html; charset=utf-8"},
		{"/app.js", "app.js", "text/javascript; charset=utf-8"},
		{"/assets/font-1_2.woff2", "assets/font-1_2.woff2", "font/woff2"},
		{"/app.js.LEGAL.txt", "app.js.LEGAL.txt", "text/plain; charset=utf-8"},
	};
	static const char *const bad[] = {"", "app.js", "//app.js", "/../app.js", "/assets/../app.js", "/.env", "/a/.env",
		"/.git/x.js", "/%2e%2e/app.js", "/a/b/c.js", "/app.js/", "/app", "/app.exe", "/a b.js", "/.js", "/a/",
		"/app.js\x01.js", "/ä.js"};
	const char *type = NULL;
	for (size_t i = 0; i < COUNT_OF(good); ++i) {
		CHECK_STR(static_name(good[i].path, &type), good[i].name);
		CHECK_STR(type, good[i].type);
	}
	for (size_t i = 0; i < COUNT_OF(bad); ++i)
		if (static_name(bad[i], &type)) {
			fprintf(stderr, "%s is served\n", bad[i]);
			return 1;
		}
	return 0;
}
