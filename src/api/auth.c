#include "api/auth.h"

#include "api/api_private.h"

#include "base/clock.h"
#include "net/address.h"

#include <stdio.h>

static const char scheme[] = "Bearer ";

/* *token = NULL when there is none. */
static int find_token(const char **token, struct http_exchange *x, const char **why)
{
	const char *header = http_header(x, "Authorization");
	if (header && *header) {
		if (strncmp(header, scheme, sizeof scheme - 1)) {
			*why = "invalid authorization header. Must start with Bearer ";
			return AUTH_E_BAD;
		}
		*token = header + sizeof scheme - 1;
		return 0;
	}
	*token = http_query(x, "access_token");
	return *token && **token ? 0 : AUTH_E_NONE;
}

static const char *refusal(enum jwt_outcome outcome)
{
	switch (outcome) {
	case JWT_E_UNKNOWN_KEY:
		return "invalid API key";
	case JWT_E_ALGORITHM:
		return "invalid authorization token: only HS256 is accepted";
	case JWT_E_SIGNATURE:
		return "invalid authorization token: token signature is invalid: signature is invalid";
	case JWT_E_EXPIRED:
		return "invalid authorization token: token has invalid claims: token is expired";
	case JWT_E_NOT_YET:
		return "invalid authorization token: token has invalid claims: token is not valid yet";
	case JWT_OK:
	case JWT_E_MALFORMED:
	case JWT__COUNT:
		break;
	}
	return "invalid authorization token";
}

int auth_read(struct grants *ret, const struct api *a, struct http_exchange *x, const char **why)
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
		*why = refusal((enum jwt_outcome)r);
		return AUTH_E_BAD;
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
