/* test/unit/name_server.h - a name server on the loopback (RFC 1035 section 4) with a table of records. */
#pragma once

#include "base/reader.h"
#include "base/writer.h"
#include "net/address.h"
#include "net/dns.h"
#include "net/udp.h"
#include "test/check.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { NS_A = 1, NS_CNAME = 5, NS_AAAA = 28, NS_SRV = 33, NS_NAPTR = 35, NS_NAME_ERROR = 3 };

/* `data`: "192.0.2.1", "2001:db8::1", "name", "10 60 5060 name", "10 50 s SIP+D2U name". Several records of one
 * name and type are several lines. */
struct ns_record {
	const char *name;
	uint16_t type;
	const char *data;
};

struct name_server {
	struct udp *udp;
	const struct ns_record *records;
	size_t count;
	int asked;
	bool only_addresses; /* says nothing to whoever asks for anything else */
	bool mute;
	const char *awaited; /* NULL once somebody has asked about it */
	const char *slow; /* questions about this name wait for ns_answer_slow(); NULL = none */
	uint8_t held[512];
	size_t held_size;
	struct sockaddr_storage held_from;
};

static inline void ns_write_name(struct writer *w, const char *name)
{
	while (*name) {
		size_t size = strcspn(name, ".");
		write_u8(w, (uint8_t)size);
		write_bytes(w, name, size);
		name += size + (name[size] == '.');
		if (!size)
			return; /* the root */
	}
	write_u8(w, 0);
}

static inline void ns_write_text(struct writer *w, const char *text)
{
	write_u8(w, (uint8_t)strlen(text));
	write_text(w, text);
}

static inline void ns_write_data(struct writer *w, const struct ns_record *r)
{
	unsigned a, b, c;
	char flags[8], service[32], name[256];
	struct in6_addr v6;

	switch (r->type) {
	case NS_A:
		CHECK_EQ(inet_pton(AF_INET, r->data, &v6), 1);
		write_bytes(w, &v6, 4);
		return;
	case NS_AAAA:
		CHECK_EQ(inet_pton(AF_INET6, r->data, &v6), 1);
		write_bytes(w, &v6, 16);
		return;
	case NS_SRV:
		CHECK_EQ(sscanf(r->data, "%u %u %u %255s", &a, &b, &c, name), 4);
		write_u16(w, (uint16_t)a);
		write_u16(w, (uint16_t)b);
		write_u16(w, (uint16_t)c);
		break;
	case NS_NAPTR:
		CHECK_EQ(sscanf(r->data, "%u %u %7s %31s %255s", &a, &b, flags, service, name), 5);
		write_u16(w, (uint16_t)a);
		write_u16(w, (uint16_t)b);
		ns_write_text(w, flags);
		ns_write_text(w, service);
		ns_write_text(w, "");
		break;
	default:
		snprintf(name, sizeof name, "%s", r->data);
	}
	ns_write_name(w, name);
}

static inline void ns_write_record(struct writer *w, const struct ns_record *r)
{
	write_u16(w, 0xc00c); /* the name in the question */
	write_u16(w, r->type);
	write_u16(w, 1);
	write_u32(w, 60);
	size_t at = w->used;
	write_u16(w, 0);
	ns_write_data(w, r);
	size_t size = w->used - at - 2;
	w->data[at] = (uint8_t)(size >> 8);
	w->data[at + 1] = (uint8_t)size;
}

static inline void ns_on_question(void *owner, const struct sockaddr *from, struct span bytes)
{
	struct name_server *s = owner;
	static uint8_t out[4096];
	struct writer w = writer_of(out, sizeof out);
	struct reader r = reader_of(bytes);
	char name[256] = "";
	uint16_t id = read_u16(&r);
	read_bytes(&r, 10);
	struct span question = span_of(r.pos, reader_left(&r));
	for (uint8_t size; (size = read_u8(&r));) {
		struct span label = read_bytes(&r, size);
		size_t n = strlen(name);
		snprintf(name + n, sizeof name - n, "%s%.*s", n ? "." : "", (int)label.size, (const char *)label.data);
	}
	uint16_t type = read_u16(&r), count = 0;
	read_u16(&r);
	CHECK(!r.bad);
	question.size -= reader_left(&r);
	++s->asked;
	if (s->awaited && !strcasecmp(s->awaited, name))
		s->awaited = NULL;
	if (s->slow && !strcasecmp(s->slow, name)) {
		CHECK(bytes.size <= sizeof s->held);
		memcpy(s->held, bytes.data, bytes.size);
		s->held_size = bytes.size;
		memcpy(&s->held_from, from, address_size(from));
		return;
	}
	if (s->mute || (s->only_addresses && type != NS_A && type != NS_AAAA))
		return;
	bool known = false;
	write_u16(&w, id);
	write_u32(&w, 0);
	write_u16(&w, 0);
	write_u32(&w, 0);
	write_span(&w, question);
	for (size_t i = 0; i < s->count; ++i) {
		const struct ns_record *one = &s->records[i];
		if (strcasecmp(one->name, name))
			continue;
		known = true;
		if (one->type != type && one->type != NS_CNAME)
			continue;
		ns_write_record(&w, one);
		++count;
	}
	CHECK(!w.bad);
	const uint8_t head[] = {0x81, known ? 0x80 : 0x80 | NS_NAME_ERROR, 0, 1, 0, (uint8_t)count};
	memcpy(out + 2, head, sizeof head);
	CHECK_EQ(udp_send(s->udp, from, writer_span(&w)), 0);
}

/* The last of the questions about `slow`. */
static inline void ns_answer_slow(struct name_server *s)
{
	uint8_t bytes[sizeof s->held];
	CHECK(s->held_size);
	memcpy(bytes, s->held, s->held_size);
	s->slow = NULL;
	ns_on_question(s, (struct sockaddr *)&s->held_from, span_of(bytes, s->held_size));
}

static inline void name_server_open(
	struct name_server *s, struct loop *l, struct dns *d, const struct ns_record *records, size_t count)
{
	static const struct udp_events events = {.datagram = ns_on_question};
	struct sockaddr_storage at;
	char text[ADDRESS_TEXT_SIZE];
	*s = (struct name_server){.records = records, .count = count};
	CHECK_EQ(address_parse(&at, "127.0.0.1", 0), 0);
	CHECK_EQ(udp_open(&s->udp, l, (struct sockaddr *)&at, &events, s), 0);
	udp_local(s->udp, &at);
	CHECK_EQ(dns_set_servers(d, address_text(text, (struct sockaddr *)&at)), 0);
}
