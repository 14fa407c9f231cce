#include "wire/stun.h"

#include "test/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>

/* RFC 5769, 2.1: a check. */
static const uint8_t request[] =
	"\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
	"\x80\x22\x00\x10STUN test client"
	"\x00\x24\x00\x04\x6e\x00\x01\xff"
	"\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36"
	"\x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x20\x20\x20"
	"\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2"
	"\x80\x28\x00\x04\xe5\x7a\x3b\xcf";
/* RFC 5769, 2.2: its answer over IPv4. */
static const uint8_t answer4[] =
	"\x01\x01\x00\x3c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
	"\x80\x22\x00\x0b\x74\x65\x73\x74\x20\x76\x65\x63\x74\x6f\x72\x20"
	"\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"
	"\x00\x08\x00\x14\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b\xe7\xd7"
	"\x80\x28\x00\x04\xc0\x7d\x4c\x96";
/* RFC 5769, 2.3: and over IPv6. */
static const uint8_t answer6[] =
	"\x01\x01\x00\x48\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
	"\x80\x22\x00\x0b\x74\x65\x73\x74\x20\x76\x65\x63\x74\x6f\x72\x20"
	"\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9"
	"\x00\x08\x00\x14\xa3\x82\x95\x4e\x4b\xe6\x7b\xf1\x17\x84\xc9\x7c\x82\x92\xc2\x75\xbf\xe3\xed\x41"
	"\x80\x28\x00\x04\xc8\xfb\x0b\x4c";
static const char password[] = "VOkJxbRl1RmTxUk/WvJxBt";

static struct span bytes(const uint8_t *literal, size_t size_with_zero)
{
	return span_of(literal, size_with_zero - 1);
}

static void the_request_of_the_rfc_is_read(void)
{
	struct stun_view v;
	struct span packet = bytes(request, sizeof request);

	CHECK_EQ(stun_parse(&v, packet), STUN_OK);
	CHECK_EQ(v.type, STUN_BINDING_REQUEST);
	CHECK(span_is(v.username, "evtj:h6vY"));
	CHECK_EQ(v.priority, 0x6e0001ff);
	CHECK(v.controlled && !v.controlling && !v.use_candidate && v.has_fingerprint);
	CHECK_EQ(v.unknown_count, 0);
	CHECK(stun_integrity_ok(&v, packet, span_text(password)));
	CHECK(!stun_integrity_ok(&v, packet, span_text("VOkJxbRl1RmTxUk/WvJxBu")));
}

static void the_answers_of_the_rfc_are_read(void)
{
	struct stun_view v;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&v.mapped;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&v.mapped;
	char text[INET6_ADDRSTRLEN];

	CHECK_EQ(stun_parse(&v, bytes(answer4, sizeof answer4)), STUN_OK);
	CHECK(stun_integrity_ok(&v, bytes(answer4, sizeof answer4), span_text(password)));
	CHECK_EQ(v.mapped.ss_family, AF_INET);
	CHECK_STR(inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text), "192.0.2.1");
	CHECK_EQ(ntohs(v4->sin_port), 32853);

	CHECK_EQ(stun_parse(&v, bytes(answer6, sizeof answer6)), STUN_OK);
	CHECK(stun_integrity_ok(&v, bytes(answer6, sizeof answer6), span_text(password)));
	CHECK_EQ(v.mapped.ss_family, AF_INET6);
	CHECK_STR(inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text),
		"2001:db8:1234:5678:11:2233:4455:6677");
	CHECK_EQ(ntohs(v6->sin6_port), 32853);
}

/* The RFC pads with spaces, we with zeros: that one attribute is written by hand. */
static void write_like_the_rfc(const uint8_t *want, size_t size, const struct sockaddr *mapped)
{
	uint8_t out[256];
	struct writer w = writer_of(out, sizeof out);

	stun_write_header(&w, STUN_BINDING_SUCCESS, want + 8);
	write_bytes(&w, "\x80\x22\x00\x0btest vector ", 16);
	stun_write_mapped(&w, mapped);
	stun_write_integrity(&w, span_text(password));
	stun_write_fingerprint(&w);
	CHECK(!w.bad);
	CHECK_EQ(w.used, size);
	CHECK(memcmp(out, want, size) == 0);
}

static void the_answers_of_the_rfc_are_written(void)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(32853)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(32853)};

	CHECK_EQ(inet_pton(AF_INET, "192.0.2.1", &v4.sin_addr), 1);
	CHECK_EQ(inet_pton(AF_INET6, "2001:db8:1234:5678:11:2233:4455:6677", &v6.sin6_addr), 1);
	write_like_the_rfc(answer4, sizeof answer4 - 1, (struct sockaddr *)&v4);
	write_like_the_rfc(answer6, sizeof answer6 - 1, (struct sockaddr *)&v6);
}

static void an_ipv4_address_in_ipv6_clothes_is_ipv4(void)
{
	struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = htons(32853)};

	CHECK_EQ(inet_pton(AF_INET6, "::ffff:192.0.2.1", &mapped.sin6_addr), 1);
	write_like_the_rfc(answer4, sizeof answer4 - 1, (struct sockaddr *)&mapped);
}

static void damage_is_named(void)
{
	static const struct {
		size_t at;
		uint8_t value;
		enum stun_drop want;
	} cases[] = {
		{0, 0x80, STUN_DROP_HEADER},
		{3, 0x57, STUN_DROP_HEADER},
		{3, 0x5c, STUN_DROP_HEADER},
		{4, 0x20, STUN_DROP_HEADER},
		{23, 0xff, STUN_DROP_ATTRIBUTE},
		{43, 0x05, STUN_DROP_ATTRIBUTE}, /* PRIORITY of five bytes */
		{107, 0xce, STUN_DROP_FINGERPRINT},
		{24, 'T', STUN_DROP_FINGERPRINT},
	};
	struct stun_view v;

	for (size_t i = 0; i < COUNT_OF(cases); ++i) {
		uint8_t packet[sizeof request - 1];
		memcpy(packet, request, sizeof packet);
		packet[cases[i].at] = cases[i].value;
		CHECK_EQ(stun_parse(&v, span_of(packet, sizeof packet)), cases[i].want);
	}
	for (size_t size = 0; size < sizeof request - 1; ++size)
		CHECK(stun_parse(&v, span_of(request, size)) != STUN_OK);
}

static void unknown_attributes_are_named_and_errors_read(void)
{
	uint8_t out[256], transaction[STUN_TRANSACTION_BYTES] = "abcdefghijk";
	struct writer w = writer_of(out, sizeof out);
	struct stun_view v;

	stun_write_header(&w, STUN_BINDING_ERROR, transaction);
	stun_write_attribute(&w, 0x7fff, span_text("x"));
	stun_write_attribute(&w, 0xffff, span_text("ignored"));
	stun_write_error(&w, 487, "Role Conflict");
	stun_write_fingerprint(&w);
	CHECK_EQ(stun_parse(&v, writer_span(&w)), STUN_OK);
	CHECK_EQ(v.unknown_count, 1);
	CHECK_EQ(v.unknown[0], 0x7fff);
	CHECK_EQ(v.error_code, 487);
}

static void a_small_buffer_is_noticed(void)
{
	uint8_t transaction[STUN_TRANSACTION_BYTES] = {0};
	struct sockaddr_in a = {.sin_family = AF_INET};

	for (size_t size = 0; size < 64; ++size) {
		uint8_t out[64];
		struct writer w = writer_of(out, size);
		stun_write_header(&w, STUN_BINDING_SUCCESS, transaction);
		stun_write_mapped(&w, (struct sockaddr *)&a);
		stun_write_integrity(&w, span_text(password));
		stun_write_fingerprint(&w);
		CHECK_EQ(w.bad, true);
	}
}

int main(void)
{
	the_request_of_the_rfc_is_read();
	the_answers_of_the_rfc_are_read();
	the_answers_of_the_rfc_are_written();
	an_ipv4_address_in_ipv6_clothes_is_ipv4();
	damage_is_named();
	unknown_attributes_are_named_and_errors_read();
	a_small_buffer_is_noticed();
	return 0;
}
