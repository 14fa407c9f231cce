#include "cli/client.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/writer.h"
#include "wire/jwt.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

enum { TOKEN_LIFE_S = 600, CONNECT_TIMEOUT_S = 10 };

static const char default_url[] = "http://127.0.0.1:7880";

char *client_http_url(const char *url)
{
	static const struct {
		const char *from, *to;
	} schemes[] = {{"http://", "http://"}, {"https://", "https://"}, {"ws://", "http://"},
		{"wss://", "https://"}};
	for (size_t i = 0; i < COUNT_OF(schemes); ++i) {
		size_t size = strlen(schemes[i].from), rest = strlen(url) - size;
		if (strncmp(url, schemes[i].from, size) || !url[size])
			continue;
		while (rest && url[size + rest - 1] == '/')
			--rest;
		return rest ? mem_format("%s%.*s", schemes[i].to, (int)rest, url + size) : NULL;
	}
	return NULL;
}

static const char *pick(const char *option, const struct client *c, const char *name)
{
	return option && *option ? option : env_get(&c->env, name);
}

bool client_keys(struct client *c)
{
	unsigned line = 0;
	int r = env_load(&c->env, ".env", &line);
	if (r) {
		fprintf(stderr, "ringdown: .env, line %u: expected NAME=value\n", line);
		return false;
	}
	c->key = c->dev ? "devkey" : pick(c->key_option, c, "LIVEKIT_API_KEY");
	c->secret = c->dev ? "secret" : pick(c->secret_option, c, "LIVEKIT_API_SECRET");
	if (c->key && c->secret)
		return true;
	fprintf(stderr, "ringdown: %s is missing. Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET in the "
			"environment or in .env, give --api-key and --api-secret, or --dev for a server "
			"in development mode.\n",
		c->key ? "the API secret" : "the API key");
	return false;
}

bool client_open(struct client *c)
{
	if (!client_keys(c))
		return false;
	const char *url = pick(c->url_option, c, "LIVEKIT_URL");
	c->url = client_http_url(url ? url : default_url);
	if (!c->url) {
		fprintf(stderr, "ringdown: \"%s\" is no URL of a server. Expected is http://, https://, ws:// "
				"or wss:// and a host.\n", url);
		return false;
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	c->curl = curl_easy_init();
	if (!c->curl)
		fprintf(stderr, "ringdown: out of memory\n");
	return c->curl;
}

void client_close(struct client *c)
{
	if (c->curl)
		curl_easy_cleanup(c->curl);
	mem_free(c->url);
	env_fini(&c->env);
	memset(c, 0, sizeof *c);
}

/* ---- one call ---- */

static char *sign(const struct client *c, enum client_grant grant)
{
	int64_t now = clock_unix_s();
	char *token = NULL;
	json_t *claims = json_pack("{s:s, s:s, s:I, s:I, s:{s:b}}", "iss", c->key, "sub", "ringdown-cli", "nbf",
		(json_int_t)(now - 60), "exp", (json_int_t)(now + TOKEN_LIFE_S), "sip",
		grant == CLIENT_SIP_ADMIN ? "admin" : "call", 1);
	int r = claims ? jwt_sign(&token, claims, c->secret) : -1;
	json_decref(claims);
	return r < 0 ? NULL : token;
}

static size_t on_bytes(char *bytes, size_t one, size_t count, void *owner)
{
	return buf_add(owner, bytes, one * count) == 0 ? one * count : 0;
}

/* Twirp's {"code","msg","meta"} or the backend's {"error":{"code","message"}} as lines. */
static void print_refusal(const struct buf *body, long status)
{
	json_t *error = json_loadb((const char *)body->data, body->size, 0, NULL);
	const json_t *inner = json_object_get(error, "error");
	const char *code = json_string_value(json_object_get(inner ? inner : error, "code"));
	const char *msg = json_string_value(inner ? json_object_get(inner, "message") : json_object_get(error, "msg"));
	const json_t *meta = json_object_get(error, "meta");
	const char *sip_code = json_string_value(json_object_get(meta, "sip_status_code"));
	const char *sip_text = json_string_value(json_object_get(meta, "sip_status"));
	if (sip_code)
		fprintf(stderr, "SIPStatusCode: %s\nSIPStatus: %s\n", sip_code, sip_text ? sip_text : "");
	if (msg)
		fprintf(stderr, "ringdown: the server refused: %s (%s)\n", msg, code ? code : "");
	else
		fprintf(stderr, "ringdown: the server answered %ld: %.300s\n", status,
			body->size ? (const char *)body->data : "");
	json_decref(error);
}

/* `out` NULL: GET. The status, or 0: said on stderr why there is none. */
static long send_one(struct client *c, const char *url, struct curl_slist *headers, const struct buf *out,
	struct buf *in, unsigned timeout_s)
{
	char problem[CURL_ERROR_SIZE] = "";
	long status = 0;
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c->curl, out ? CURLOPT_POST : CURLOPT_HTTPGET, 1L);
	if (out) {
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, out->size ? (const char *)out->data : "");
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE, (long)out->size);
	}
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, in);
	curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, (long)timeout_s);
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	/* An authority of one's own, named as OpenSSL's and Go's programs have it named. */
	const char *authority = getenv("SSL_CERT_FILE");
	if (authority && *authority)
		curl_easy_setopt(c->curl, CURLOPT_CAINFO, authority);
	curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, problem);
	CURLcode result = curl_easy_perform(c->curl);
	if (result != CURLE_OK) {
		fprintf(stderr, "ringdown: %s: %s. Is the server running there? Set LIVEKIT_URL or --url.\n",
			c->url, *problem ? problem : curl_easy_strerror(result));
		return 0;
	}
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static bool post(struct client *c, const char *url, struct curl_slist *headers, const struct buf *out,
	struct buf *in, unsigned timeout_s)
{
	long status = send_one(c, url, headers, out, in, timeout_s);
	if (status && status != 200)
		print_refusal(in, status);
	return status == 200;
}

static struct curl_slist *make_headers(const char *token, unsigned timeout_s)
{
	char *authorization = mem_format("Authorization: Bearer %s", token);
	char timeout[64];
	snprintf(timeout, sizeof timeout, "X-Twirp-Timeout-Ms: %u", timeout_s * 1000);
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/protobuf");
	headers = curl_slist_append(headers, timeout);
	if (authorization)
		headers = curl_slist_append(headers, authorization);
	mem_free(authorization);
	return headers;
}

bool client_call(struct client *c, enum client_grant grant, const char *method, const ProtobufCMessage *in,
	const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret, struct proto_arena *arena,
	unsigned timeout_s)
{
	struct buf out = {0}, answer = {.max = LIMIT_PROTO_ARENA_BYTES};
	char *token = sign(c, grant), *url = mem_format("%s/twirp/livekit.SIP/%s", c->url, method);
	struct curl_slist *headers = token ? make_headers(token, timeout_s) : NULL;
	bool ok = url && headers && proto_pack(&out, in) == 0;
	if (!ok)
		fprintf(stderr, "ringdown: out of memory\n");
	ok = ok && post(c, url, headers, &out, &answer, timeout_s + 1);
	if (ok && proto_unpack(ret, arena, type, buf_span(&answer))) {
		fprintf(stderr, "ringdown: the server's answer could not be read. Is it a LiveKit server?\n");
		ok = false;
	}
	curl_slist_free_all(headers);
	mem_free(token);
	mem_free(url);
	buf_fini(&out);
	buf_fini(&answer);
	return ok;
}

/* The status, or 0: said on stderr why there is none. */
static long get(struct client *c, enum client_grant grant, const char *path, struct buf *answer)
{
	char *token = sign(c, grant), *url = mem_format("%s%s", c->url, path);
	struct curl_slist *headers = token ? make_headers(token, CONNECT_TIMEOUT_S) : NULL;
	long status = url && headers ? send_one(c, url, headers, NULL, answer, CONNECT_TIMEOUT_S) : 0;
	curl_slist_free_all(headers);
	mem_free(token);
	mem_free(url);
	return status;
}

void client_query(struct writer *w, const char *name, const char *value)
{
	static const char hex[] = "0123456789ABCDEF";
	if (!value)
		return;
	write_format(w, "&%s=", name);
	for (const unsigned char *c = (const unsigned char *)value; *c; ++c) {
		bool plain = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
			     strchr("-._~", *c);
		if (plain)
			write_u8(w, *c);
		else
			write_bytes(w, (char[3]){'%', hex[*c >> 4], hex[*c & 15]}, 3);
	}
}

bool client_get(struct client *c, enum client_grant grant, const char *path, json_t **ret)
{
	struct buf answer = {.max = LIMIT_JSON_BYTES};
	long status = get(c, grant, path, &answer);

	*ret = status == 200 ? json_loadb((const char *)answer.data, answer.size, 0, NULL) : NULL;
	if (status && status != 200 && status != 404)
		print_refusal(&answer, status);
	buf_fini(&answer);
	return status == 200 ? *ret != NULL : status == 404;
}

bool client_download(struct client *c, enum client_grant grant, const char *path, struct buf *ret)
{
	long status = get(c, grant, path, ret);
	if (status && status != 200)
		print_refusal(ret, status);
	return status == 200;
}
