#include "wire/sip_write.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const header_texts[SIP_H__COUNT] = {
	[SIP_H_OTHER] = "",
	[SIP_H_VIA] = "Via",
	[SIP_H_FROM] = "From",
	[SIP_H_TO] = "To",
	[SIP_H_CALL_ID] = "Call-ID",
	[SIP_H_CSEQ] = "CSeq",
	[SIP_H_CONTACT] = "Contact",
	[SIP_H_ROUTE] = "Route",
	[SIP_H_RECORD_ROUTE] = "Record-Route",
	[SIP_H_MAX_FORWARDS] = "Max-Forwards",
	[SIP_H_CONTENT_TYPE] = "Content-Type",
	[SIP_H_CONTENT_LENGTH] = "Content-Length",
	[SIP_H_CONTENT_ENCODING] = "Content-Encoding",
	[SIP_H_WWW_AUTHENTICATE] = "WWW-Authenticate",
	[SIP_H_PROXY_AUTHENTICATE] = "Proxy-Authenticate",
	[SIP_H_AUTHORIZATION] = "Authorization",
	[SIP_H_PROXY_AUTHORIZATION] = "Proxy-Authorization",
	[SIP_H_REQUIRE] = "Require",
	[SIP_H_SUPPORTED] = "Supported",
	[SIP_H_ALLOW] = "Allow",
	[SIP_H_RSEQ] = "RSeq",
	[SIP_H_RACK] = "RAck",
	[SIP_H_REASON] = "Reason",
	[SIP_H_WARNING] = "Warning",
	[SIP_H_RETRY_AFTER] = "Retry-After",
	[SIP_H_EVENT] = "Event",
	[SIP_H_REFER_TO] = "Refer-To",
	[SIP_H_SESSION_EXPIRES] = "Session-Expires",
	[SIP_H_SUBJECT] = "Subject",
	[SIP_H_TIMESTAMP] = "Timestamp",
};

static const struct {
	unsigned status;
	const char *text;
} status_texts[] = {
	{100, "Trying"},
	{180, "Ringing"},
	{181, "Call Is Being Forwarded"},
	{182, "Queued"},
	{183, "Session Progress"},
	{200, "OK"},
	{202, "Accepted"},
	{300, "Multiple Choices"},
	{301, "Moved Permanently"},
	{302, "Moved Temporarily"},
	{305, "Use Proxy"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{402, "Payment Required"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{407, "Proxy Authentication Required"},
	{408, "Request Timeout"},
	{410, "Gone"},
	{413, "Request Entity Too Large"},
	{415, "Unsupported Media Type"},
	{416, "Unsupported URI Scheme"},
	{420, "Bad Extension"},
	{421, "Extension Required"},
	{422, "Session Interval Too Small"},
	{480, "Temporarily Unavailable"},
	{481, "Call/Transaction Does Not Exist"},
	{482, "Loop Detected"},
	{483, "Too Many Hops"},
	{484, "Address Incomplete"},
	{486, "Busy Here"},
	{487, "Request Terminated"},
	{488, "Not Acceptable Here"},
	{489, "Bad Event"},
	{491, "Request Pending"},
	{500, "Server Internal Error"},
	{501, "Not Implemented"},
	{503, "Service Unavailable"},
	{504, "Server Time-out"},
	{505, "Version Not Supported"},
	{600, "Busy Everywhere"},
	{603, "Decline"},
	{604, "Does Not Exist Anywhere"},
	{606, "Not Acceptable"},
	{607, "Unwanted"},
	{608, "Rejected"},
};

const char *sip_header_text(enum sip_header_id id)
{
	return header_texts[id];
}

const char *sip_status_text(unsigned status)
{
	for (size_t i = 0; i < COUNT_OF(status_texts); ++i)
		if (status_texts[i].status == status)
			return status_texts[i].text;
	return "";
}

static bool has_line_end(struct span s)
{
	return s.size && (memchr(s.data, '\r', s.size) || memchr(s.data, '\n', s.size) ||
				 memchr(s.data, 0, s.size));
}

/* What we write ourselves holds no line end; if it does, the whole message is bad. */
static void write_one_line(struct writer *w, struct span s)
{
	if (has_line_end(s))
		w->bad = true;
	write_span(w, s);
}

void sip_write_request(struct writer *w, struct span method, struct span uri)
{
	write_one_line(w, method);
	write_u8(w, ' ');
	write_one_line(w, uri);
	write_text(w, " SIP/2.0\r\n");
}

void sip_write_status(struct writer *w, unsigned status, const char *reason)
{
	write_format(w, "SIP/2.0 %03u ", status);
	write_one_line(w, span_text(reason ? reason : sip_status_text(status)));
	write_text(w, "\r\n");
}

void sip_write_header(struct writer *w, const char *name, struct span value)
{
	write_one_line(w, span_text(name));
	write_text(w, ": ");
	write_one_line(w, value);
	write_text(w, "\r\n");
}

void sip_write_header_format(struct writer *w, const char *name, const char *format, ...)
{
	char text[1024];
	struct writer value = writer_of(text, sizeof text);
	va_list args;

	va_start(args, format);
	int n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	value.used = n < 0 ? 0 : (size_t)n;
	if (n < 0 || value.used >= sizeof text) {
		w->bad = true;
		return;
	}
	sip_write_header(w, name, writer_span(&value));
}

void sip_write_copy(struct writer *w, const char *name, struct span value)
{
	write_text(w, name);
	write_text(w, ": ");
	for (size_t i = 0; i < value.size; ++i) {
		uint8_t c = value.data[i];
		write_u8(w, c == '\r' || c == '\n' ? ' ' : c);
	}
	write_text(w, "\r\n");
}

void sip_write_copies(struct writer *w, const struct sip_message *m, enum sip_header_id id)
{
	for (size_t i = 0; i < m->header_count; ++i)
		if (m->headers[i].id == id)
			sip_write_copy(w, header_texts[id], m->headers[i].value);
}

void sip_write_quoted(struct writer *w, struct span text)
{
	write_u8(w, '"');
	for (size_t i = 0; i < text.size; ++i) {
		uint8_t c = text.data[i];
		if (c == '"' || c == '\\')
			write_u8(w, '\\');
		/* A line end would be a header of its own; other controls have no meaning. */
		write_u8(w, c < 0x20 || c == 0x7f ? ' ' : c);
	}
	write_u8(w, '"');
}

void sip_write_end(struct writer *w, const char *content_type, struct span body)
{
	if (body.size && content_type)
		sip_write_header(w, "Content-Type", span_text(content_type));
	sip_write_header_format(w, "Content-Length", "%zu", body.size);
	write_text(w, "\r\n");
	write_span(w, body);
}

/* RFC 3261 section 18.2.1, RFC 3581 section 4: the topmost Via, its `received` and `rport` as we
 * know them, everything else as it came. */
static void write_top_via(
	struct writer *w, const struct sip_via *v, const struct sip_response_head *head)
{
	bool ipv6 = memchr(v->host.data, ':', v->host.size) != NULL;
	bool differs = head->received_ip && !span_is(v->host, head->received_ip);
	struct span rest = v->params, item;

	write_text(w, "Via: SIP/2.0/");
	write_span(w, v->transport);
	write_text(w, ipv6 ? " [" : " ");
	write_span(w, v->host);
	write_text(w, ipv6 ? "]" : "");
	if (v->port)
		write_format(w, ":%u", v->port);
	while (rest.size) {
		const uint8_t *end = memchr(rest.data, ';', rest.size);
		size_t size = end ? (size_t)(end - rest.data) : rest.size;
		item = sip_trim(span_of(rest.data, size));
		rest = span_of(rest.data + size, rest.size - size);
		if (rest.size)
			rest = span_of(rest.data + 1, rest.size - 1);
		if (!item.size || sip_param_get(item, "rport", NULL) ||
			sip_param_get(item, "received", NULL))
			continue;
		write_u8(w, ';');
		for (size_t i = 0; i < item.size; ++i)
			write_u8(w, item.data[i] < ' ' ? ' ' : item.data[i]);
	}
	if (head->received_ip && (differs || v->has_rport))
		write_format(w, ";received=%s", head->received_ip);
	if (v->has_rport && head->received_port)
		write_format(w, ";rport=%u", head->received_port);
	write_text(w, "\r\n");
}

static void write_vias(
	struct writer *w, const struct sip_message *m, const struct sip_response_head *head)
{
	struct sip_items it = {.m = m, .id = SIP_H_VIA};
	struct span item;

	for (bool top = true; sip_items_next(&it, &item); top = false) {
		if (top)
			write_top_via(w, &m->via, head);
		else
			sip_write_copy(w, "Via", item);
	}
}

void sip_write_response_head(struct writer *w, const struct sip_message *request,
	const struct sip_response_head *head)
{
	sip_write_status(w, head->status, head->reason);
	write_vias(w, request, head);
	sip_write_copies(w, request, SIP_H_FROM);
	sip_write_copies(w, request, SIP_H_TO);
	if (!request->to.tag.size && head->to_tag && !w->bad && sip_message_header(request, SIP_H_TO)) {
		w->used -= 2; /* the To header was just ended; the tag belongs to it */
		write_format(w, ";tag=%s\r\n", head->to_tag);
	}
	sip_write_copies(w, request, SIP_H_CALL_ID);
	sip_write_copies(w, request, SIP_H_CSEQ);
}
