#include "wire/sip_auth.h"

#include "wire/sip_header.h"

static void skip(struct span *s, const char *bytes)
{
	while (s->size && s->data[0] && strchr(bytes, s->data[0]))
		sip_take(s, 1);
}

static struct span take_word(struct span *s)
{
	size_t i = 0;
	while (i < s->size && (!s->data[i] || !strchr(" \t\r\n,=\"", s->data[i])))
		++i;
	return sip_take(s, i);
}

/* A quoted string without its quotes, or a word. A quote that never ends makes no sense. */
static bool take_value(struct span *s, struct span *ret)
{
	if (!s->size || s->data[0] != '"') {
		/* Not take_word(): a bare nonce may hold '='. */
		size_t i = 0;
		while (i < s->size && (!s->data[i] || !strchr(" \t\r\n,\"", s->data[i])))
			++i;
		*ret = sip_take(s, i);
		return true;
	}
	for (size_t i = 1; i < s->size; ++i) {
		if (s->data[i] == '\\') {
			++i;
		} else if (s->data[i] == '"') {
			*ret = span_of(s->data + 1, i - 1);
			sip_take(s, i + 1);
			return true;
		}
	}
	return false;
}

static void store(struct sip_auth *a, struct span key, struct span value)
{
	struct {
		const char *name;
		struct span *at;
	} fields[] = {{"realm", &a->realm}, {"nonce", &a->nonce}, {"opaque", &a->opaque},
		{"algorithm", &a->algorithm}, {"qop", &a->qop}, {"domain", &a->domain},
		{"username", &a->username}, {"uri", &a->uri}, {"response", &a->response},
		{"nc", &a->nc}, {"cnonce", &a->cnonce}};

	for (size_t i = 0; i < COUNT_OF(fields); ++i)
		if (span_is_nocase(key, fields[i].name)) {
			*fields[i].at = value;
			return;
		}
	if (span_is_nocase(key, "stale"))
		a->stale = span_is_nocase(value, "true");
}

/* One "name=value". False, with *s where it was, when what comes next is something else: the
 * scheme of another challenge. */
static bool take_pair(struct span *s, struct span *key, struct span *value)
{
	struct span t = *s;

	skip(&t, " \t\r\n,");
	*key = take_word(&t);
	skip(&t, " \t\r\n");
	if (!key->size || !t.size || t.data[0] != '=')
		return false;
	sip_take(&t, 1);
	skip(&t, " \t\r\n");
	if (!take_value(&t, value))
		return false;
	*s = t;
	return true;
}

bool sip_auth_next(struct span *rest, struct sip_auth *ret)
{
	struct sip_auth a = {0};
	struct span s = *rest, key, value;

	skip(&s, " \t\r\n,");
	a.scheme = take_word(&s);
	if (!a.scheme.size)
		return false;
	while (take_pair(&s, &key, &value))
		store(&a, key, value);
	*rest = s;
	*ret = a;
	return true;
}

bool sip_auth_next_nonce(struct span value, struct span *ret)
{
	struct span key, one;

	while (take_pair(&value, &key, &one))
		if (span_is_nocase(key, "nextnonce") && one.size) {
			*ret = one;
			return true;
		}
	return false;
}

bool sip_auth_offers(const struct sip_auth *a, const char *qop)
{
	struct span rest = a->qop, item;

	while (sip_list_next(&rest, &item))
		if (span_is_nocase(item, qop))
			return true;
	return false;
}
