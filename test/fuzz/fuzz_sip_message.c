/* Whatever is parsed lies inside the input, and can be answered: the answer is a message too. */
#include "wire/sip_frag.h"
#include "wire/sip_write.h"

#include <stdlib.h>

/* What lacks things is refused with what there is. */
static void refuse(const struct sip_message *m)
{
	static char out[256 << 10];
	struct writer w = writer_of(out, sizeof out);
	struct sip_response_head head = {.status = 400, .to_tag = "us"};

	sip_write_response_head(&w, m, &head);
	sip_write_end(&w, NULL, (struct span){0});
	if (!w.bad && memcmp(out, "SIP/2.0 400 ", 12))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct span s, const uint8_t *data, size_t size)
{
	if (s.size && (s.data < data || s.data + s.size > data + size))
		abort();
}

static void answer(const struct sip_message *m)
{
	static uint8_t out[256 << 10];
	struct writer w = writer_of(out, sizeof out);
	struct sip_response_head head = {.status = 200, .to_tag = "us", .received_ip = "192.0.2.1",
		.received_port = 5060};
	static struct sip_message again;

	sip_write_response_head(&w, m, &head);
	sip_write_end(&w, NULL, (struct span){0});
	if (w.bad)
		return;
	if (sip_message_parse(&again, writer_span(&w)) != SIP_OK || again.broken_lines)
		abort();
	if (!again.is_response || again.status != 200 || again.cseq.number != m->cseq.number ||
		again.call_id.size != m->call_id.size)
		abort();
}

static void walk(const struct sip_message *m, const uint8_t *data, size_t size)
{
	for (int id = 0; id < SIP_H__COUNT; ++id) {
		struct sip_items it = {.m = m, .id = (enum sip_header_id)id};
		struct span item;
		size_t count = 0;
		while (sip_items_next(&it, &item)) {
			struct sip_name_addr a;
			struct sip_via v;
			struct sip_reason r;
			struct sip_rack k;
			inside(item, data, size);
			if (!item.size || ++count > size)
				abort();
			if (!sip_name_addr_parse(&a, item)) {
				inside(a.uri, data, size);
				inside(a.params, data, size);
				inside(a.tag, data, size);
			}
			if (!sip_via_parse(&v, item))
				inside(v.branch, data, size);
			if (!sip_reason_parse(&r, item))
				inside(r.text, data, size);
			if (!sip_rack_parse(&k, item))
				inside(k.cseq.method, data, size);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sip_message m;
	size_t whole = 0;
	unsigned status;
	struct span reason = {0};

	if (sip_frag_parse(span_of(data, size), &status, &reason) == 0) {
		inside(reason, data, size);
		if (status < 100 || status > 699)
			abort();
	}
	int r = sip_message_frame(span_of(data, size), &whole);
	if ((r == 0 || r == SIP_FRAME_E_BLANK) && (whole == 0 || whole > size))
		abort();
	if (sip_message_parse(&m, span_of(data, size)) != SIP_OK) {
		if (sip_message_answerable(&m))
			refuse(&m);
		return 0;
	}
	inside(m.uri, data, size);
	inside(m.body, data, size);
	inside(m.call_id, data, size);
	inside(m.via.host, data, size);
	for (size_t i = 0; i < m.header_count; ++i)
		inside(m.headers[i].value, data, size);
	if (!m.is_response && !sip_message_refusal(&m))
		(void)sip_message_body_refusal(&m);
	walk(&m, data, size);
	answer(&m);
	return 0;
}
