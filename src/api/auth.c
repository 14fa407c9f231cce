#include "api/auth.h"

#include "api/api_private.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "net/address.h"

#include <errno.h>
#include <stdio.h>

static const char scheme[] = "Bearer ";

/* *token = NULL when there is none. */
static int find_token(const char **token, struct http_exchange *x, char **why)
{
	const char *header = http_header(x, "Authorization");
	if (header && *header) {
		if (strncmp(header, scheme, sizeof scheme - 1)) {
			*why = mem_strdup("invalid authorization header. Must start with Bearer ");
			return *why ? AUTH_E_BAD : err_new(-ENOMEM);
		}
		*token = header + sizeof scheme - 1;
		return 0;
	}
	*token = http_query(x, "access_token");
	return *token && **token ? 0 : AUTH_E_NONE;
}

int auth_read(struct grants *ret, const struct api *a, struct http_exchange *x, bool quoted, char **why)
{
	const char *token = NULL;
	json_t *claims = NULL;
	int r = find_token(&token, x, why);
	if (r)
		return r;
	r = jwt_verify(&claims, span_text(token), a->config.secret_of, a->config.secret_owner,
		clock_unix_s());
	if (r < 0)
		return r;
	if (r > 0) {
		enum jwt_outcome o = (enum jwt_outcome)r;
		*why = quoted ? jwt_refusal(o, span_text(token))
			      : mem_format("invalid authorization token: %s", jwt_outcome_text(o));
		return *why ? AUTH_E_BAD : err_new(-ENOMEM);
	}
	grants_init(ret, claims);
	return 0;
}

bool auth_is_loopback_host(const char *host)
{
	char name[64];
	size_t size = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	const char *rest = host + size;
	if (size >= sizeof name || size > strlen(host) || (*rest && *rest != ':') ||
		(*rest && strspn(rest + 1, "0123456789") != strlen(rest + 1)))
		return false;
	memcpy(name, host, size);
	name[size] = 0;
	if (!strcasecmp(name, "localhost") || !strcmp(name, "[::1]"))
		return true;
	struct sockaddr_storage address;
	return address_parse(&address, name, 0) == 0 &&
		address_is_loopback((const struct sockaddr *)&address);
}

static bool is_loopback_origin(const char *origin)
{
	const char *host = strstr(origin, "://");
	return host && !strncmp(origin, "http", 4) && auth_is_loopback_host(host + 3);
}

bool auth_is_open(const struct api *a, const struct http_exchange *x)
{
	if (!a->config.development || !address_is_loopback(http_peer(x)))
		return false;
	const char *host = http_header(x, "Host"), *origin = http_header(x, "Origin");
	if (host && !auth_is_loopback_host(host))
		return false;
	return !origin || is_loopback_origin(origin);
}
