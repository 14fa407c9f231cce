#include "config/turns.h"

#include "config/value.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>

enum {
	PORT_DEFAULT = 3478, /* RFC 8656, 4; with TLS the next below */
	PORT_TLS_DEFAULT = 5349,
	TTL_DEFAULT_S = 4 * 3600, /* LiveKit's */
};

static void clear(struct config_turn *t)
{
	mem_free(t->host);
	mem_free(t->protocol);
	mem_free(t->username);
	mem_free(t->credential);
	mem_free(t->secret);
	memset(t, 0, sizeof *t);
}

void turns_clear(struct config_turns *list)
{
	for (size_t i = 0; i < list->count; ++i)
		clear(&list->items[i]);
	mem_free(list->items);
	*list = (struct config_turns){0};
}

static int no(char why[TURNS_WHY_SIZE], const char *text)
{
	snprintf(why, TURNS_WHY_SIZE, "%s", text);
	return TURNS_E_INVALID;
}

/* The value may be a secret, so it is not told. */
static int set(struct config_turn *t, const char *name, const char *text, char why[TURNS_WHY_SIZE])
{
	const struct {
		const char *name;
		char **slot;
	} texts[] = {{"host", &t->host}, {"protocol", &t->protocol}, {"username", &t->username},
		{"credential", &t->credential}, {"secret", &t->secret}};
	for (size_t i = 0; i < COUNT_OF(texts); ++i)
		if (!strcmp(name, texts[i].name))
			return value_text(texts[i].slot, text);

	char reason[VALUE_WHY_SIZE];
	int r = VALUE_E_INVALID;
	if (!strcmp(name, "port"))
		r = value_port(&t->port, text, reason);
	else if (!strcmp(name, "ttl"))
		r = value_seconds(&t->ttl_s, text, reason);
	else
		snprintf(reason, sizeof reason, "unknown key");
	if (r <= 0)
		return r;
	snprintf(why, TURNS_WHY_SIZE, "%.20s: %.120s", name, reason);
	return TURNS_E_INVALID;
}

static const char *text_of(const yaml_node_t *node)
{
	return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static int read(struct config_turn *t, yaml_document_t *d, const yaml_node_t *node,
	char why[TURNS_WHY_SIZE])
{
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
		++p) {
		const char *name = text_of(yaml_document_get_node(d, p->key));
		const char *text = text_of(yaml_document_get_node(d, p->value));
		if (!name || !text)
			return no(why, "expected {host, port, protocol, username, credential, "
				       "secret, ttl}");
		int r = set(t, name, text, why);
		if (r)
			return r;
	}
	return 0;
}

/* A host goes into a URL. */
static bool is_host(const char *text)
{
	return text[strcspn(text, " /?@#\"\\")] == 0;
}

static int complete(struct config_turn *t, char why[TURNS_WHY_SIZE])
{
	if (!t->host || !is_host(t->host))
		return no(why, "expected a host: a name or an IP address");
	int r = t->protocol ? 0 : value_text(&t->protocol, "udp");
	if (r)
		return r;
	bool tls = !strcmp(t->protocol, "tls");
	if (!tls && strcmp(t->protocol, "udp") && strcmp(t->protocol, "tcp"))
		return no(why, "protocol: expected udp, tcp or tls");
	if (!t->port)
		t->port = tls ? PORT_TLS_DEFAULT : PORT_DEFAULT;
	if (!t->ttl_s)
		t->ttl_s = TTL_DEFAULT_S;
	if (!t->secret && (!t->username || !t->credential))
		return no(why, "expected a secret, or a username and a credential");
	return 0;
}

static int append(struct config_turns *list, const struct config_turn *t)
{
	struct config_turn *grown = mem_realloc(list->items, (list->count + 1) * sizeof *grown);
	if (!grown)
		return err_new(-ENOMEM);
	list->items = grown;
	list->items[list->count++] = *t;
	return 0;
}

int turns_add(struct config_turns *list, yaml_document_t *document, const yaml_node_t *node,
	char why[TURNS_WHY_SIZE])
{
	struct config_turn t = {0};

	if (node->type != YAML_MAPPING_NODE)
		return no(why, "expected {host, port, protocol, username, credential}");
	if (list->count >= LIMIT_TURN_SERVERS)
		return no(why, "there are too many");
	int r = read(&t, document, node, why);
	if (r == 0)
		r = complete(&t, why);
	if (r == 0)
		r = append(list, &t);
	if (r)
		clear(&t);
	return r;
}
