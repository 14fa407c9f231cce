#include "sip/dialog.h"

#include "base/err.h"
#include "base/mem.h"
#include "wire/sip_write.h"

#include <errno.h>

static void routes_fini(struct sip_dialog *d)
{
	for (size_t i = 0; i < d->route_count; ++i)
		mem_free(d->routes[i]);
	d->route_count = 0;
}

void sip_dialog_fini(struct sip_dialog *d)
{
	routes_fini(d);
	mem_free(d->call_id);
	mem_free(d->local);
	mem_free(d->remote);
	mem_free(d->remote_tag);
	mem_free(d->target);
	*d = (struct sip_dialog){0};
}

/* A folded value becomes one line; it will be a header of ours. */
static char *copy_line(struct span s)
{
	char *text = mem_strndup((const char *)s.data, s.size);
	for (size_t i = 0; text && i < s.size; ++i)
		if (text[i] == '\r' || text[i] == '\n' || !text[i])
			text[i] = ' ';
	return text;
}

static int replace(char **at, struct span s)
{
	char *text = copy_line(s);
	if (!text)
		return err_new(-ENOMEM);
	mem_free(*at);
	*at = text;
	return 0;
}

int sip_dialog_refresh(struct sip_dialog *d, const struct sip_message *m)
{
	struct sip_items it = {.m = m, .id = SIP_H_CONTACT};
	struct sip_name_addr contact;
	struct sip_uri uri;
	struct span item;

	if (!sip_items_next(&it, &item) || sip_name_addr_parse(&contact, item) ||
		contact.wildcard || sip_uri_parse(&uri, contact.uri))
		return 0;
	/* RFC 3261 section 12.2.1.1: headers of a URI have no place in the Request-URI that it becomes. */
	size_t left_out = uri.headers.size ? uri.headers.size + 1 : 0;
	struct span target = span_of(contact.uri.data, contact.uri.size - left_out);
	if (d->target && span_is(target, d->target))
		return 0;
	int r = replace(&d->target, target);
	return r < 0 ? r : SIP_DIALOG_MOVED;
}

static int add_route(struct sip_dialog *d, struct span item)
{
	char *text = copy_line(item);
	/* Without brackets, which RFC 3261 section 20.30 demands, ";lr" would be no parameter of the URI. */
	if (text && !strchr(text, '<')) {
		char *bare = text;
		text = mem_format("<%s>", bare);
		mem_free(bare);
	}
	d->routes[d->route_count] = text;
	if (!text)
		return err_new(-ENOMEM);
	++d->route_count;
	return 0;
}

static int set_routes(struct sip_dialog *d, const struct sip_message *m, bool reverse)
{
	struct sip_items it = {.m = m, .id = SIP_H_RECORD_ROUTE};
	struct span items[SIP_ROUTES_MAX];
	size_t count = 0;

	routes_fini(d);
	while (count < SIP_ROUTES_MAX && sip_items_next(&it, &items[count]))
		++count;
	for (size_t i = 0; i < count; ++i) {
		int r = add_route(d, items[reverse ? count - 1 - i : i]);
		if (r < 0)
			return r;
	}
	return 0;
}

int sip_dialog_from_response(struct sip_dialog *d, const struct sip_message *response)
{
	int r = replace(&d->remote, sip_message_value(response, SIP_H_TO));
	if (r >= 0)
		r = replace(&d->remote_tag, response->to.tag);
	if (r >= 0)
		r = set_routes(d, response, true);
	if (r >= 0)
		r = sip_dialog_refresh(d, response);
	return r < 0 ? r : 0;
}

/* Our side of a dialog that they began: their To, with our tag when it has none yet. */
static int set_local(struct sip_dialog *d, const struct sip_message *invite)
{
	char *to = copy_line(sip_message_value(invite, SIP_H_TO));
	if (!to)
		return err_new(-ENOMEM);
	mem_free(d->local);
	d->local = mem_format("%s;tag=%s", to, d->local_tag);
	mem_free(to);
	return d->local ? 0 : err_new(-ENOMEM);
}

int sip_dialog_from_request(struct sip_dialog *d, const struct sip_message *invite)
{
	int r = replace(&d->call_id, invite->call_id);
	if (r >= 0)
		r = set_local(d, invite);
	if (r >= 0)
		r = replace(&d->remote, sip_message_value(invite, SIP_H_FROM));
	if (r >= 0)
		r = replace(&d->remote_tag, invite->from.tag);
	if (r >= 0)
		r = set_routes(d, invite, false);
	if (r >= 0)
		r = replace(&d->target, invite->from.uri); /* until a Contact says better */
	if (r >= 0)
		r = sip_dialog_refresh(d, invite);
	d->remote_cseq = invite->cseq.number;
	d->has_remote_cseq = true;
	return r < 0 ? r : 0;
}

int sip_dialog_fork(struct sip_dialog *d, const struct sip_dialog *from)
{
	*d = (struct sip_dialog){.local_cseq = from->local_cseq};
	memcpy(d->local_tag, from->local_tag, sizeof d->local_tag);
	int r = replace(&d->call_id, span_text(from->call_id));
	if (r >= 0)
		r = replace(&d->local, span_text(from->local));
	if (r >= 0)
		r = replace(&d->target, span_text(from->target));
	return r;
}

static bool route_uri(const struct sip_dialog *d, struct sip_uri *ret, struct span *ret_text)
{
	struct sip_name_addr a;

	if (!d->route_count || sip_name_addr_parse(&a, span_text(d->routes[0])) ||
		sip_uri_parse(ret, a.uri))
		return false;
	*ret_text = a.uri;
	return true;
}

/* A router that knows no loose routing wants to stand in the Request-URI. */
static bool is_strict(const struct sip_dialog *d, struct span *ret_text)
{
	struct sip_uri uri;
	return route_uri(d, &uri, ret_text) && !sip_param_get(uri.params, "lr", NULL);
}

int sip_dialog_next_hop(const struct sip_dialog *d, struct sip_uri *ret)
{
	struct span text;
	if (route_uri(d, ret, &text))
		return 0;
	return sip_uri_parse(ret, span_text(d->target));
}

struct span sip_dialog_request_uri(const struct sip_dialog *d)
{
	struct span strict;
	return is_strict(d, &strict) ? strict : span_text(d->target);
}

void sip_dialog_write_headers(
	struct writer *w, const struct sip_dialog *d, enum sip_method method, uint32_t cseq)
{
	struct span strict;
	bool rewritten = is_strict(d, &strict);

	for (size_t i = rewritten ? 1 : 0; i < d->route_count; ++i)
		sip_write_header(w, "Route", span_text(d->routes[i]));
	if (rewritten) {
		write_text(w, "Route: <");
		write_text(w, d->target);
		write_text(w, ">\r\n");
	}
	sip_write_header(w, "From", span_text(d->local));
	sip_write_header(w, "To", span_text(d->remote));
	sip_write_header(w, "Call-ID", span_text(d->call_id));
	sip_write_header_format(w, "CSeq", "%u %s", cseq, sip_method_text(method));
	write_text(w, "Max-Forwards: 70\r\n");
}

void sip_dialog_write(
	struct writer *w, const struct sip_dialog *d, enum sip_method method, uint32_t cseq)
{
	sip_write_request(w, span_text(sip_method_text(method)), sip_dialog_request_uri(d));
	sip_dialog_write_headers(w, d, method, cseq);
}

int sip_dialog_sequence(struct sip_dialog *d, const struct sip_message *request)
{
	if (d->has_remote_cseq && request->cseq.number < d->remote_cseq)
		return SIP_DIALOG_E_OLD;
	d->has_remote_cseq = true;
	d->remote_cseq = request->cseq.number;
	return 0;
}
