#include "wire/pcap.h"

#include "base/mem.h"
#include "base/reader.h"
#include "test/check.h"

static uint32_t native32(struct reader *r)
{
	uint32_t value = 0;
	struct span s = read_bytes(r, 4);
	if (s.size)
		memcpy(&value, s.data, 4);
	return value;
}

static void read_file_head(struct reader *r)
{
	CHECK_EQ(native32(r), 0xa1b2c3d4);
	(void)read_bytes(r, 12);
	CHECK_EQ(native32(r), 65535);
	CHECK_EQ(native32(r), 101);
}

static void ends_are_read(void)
{
	struct pcap_end e = pcap_end_of("127.0.0.1:5070", "192.0.2.1");
	CHECK(!e.is_v6 && e.ip[0] == 127 && e.ip[3] == 1 && e.port == 5070);
	e = pcap_end_of("[::1]:5061", "192.0.2.1");
	CHECK(e.is_v6 && e.ip[15] == 1 && e.port == 5061);
	e = pcap_end_of("sip.example.org:5060", "192.0.2.1");
	CHECK(!e.is_v6 && e.ip[0] == 192 && e.port == 5060);
	e = pcap_end_of("", "192.0.2.1");
	CHECK(e.ip[0] == 192 && e.port == 5060);
}

/* RFC 1071: over a whole header the sum is 0xffff. */
static void check_sum(struct span header)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < header.size; i += 2)
		sum += (uint32_t)(header.data[i] << 8 | header.data[i + 1]);
	CHECK_EQ((sum & 0xffff) + (sum >> 16), 0xffff);
}

static void an_ipv4_packet_is_one(void)
{
	struct buf b = {0};
	struct pcap_end us = pcap_end_of("10.0.0.1:5060", ""), them = pcap_end_of("10.0.0.2:5070", "");
	CHECK_EQ(pcap_begin(&b), 0);
	CHECK_EQ(pcap_add(&b, 1700000000123456, &us, &them, span_text("hello")), 0);
	struct reader r = reader_of(buf_span(&b));
	read_file_head(&r);
	CHECK_EQ(native32(&r), 1700000000);
	CHECK_EQ(native32(&r), 123456);
	CHECK_EQ(native32(&r), 33);
	CHECK_EQ(native32(&r), 33);
	struct span ip = read_bytes(&r, 20);
	CHECK_EQ(ip.data[0], 0x45);
	CHECK_EQ(ip.data[3], 33);
	check_sum(ip);
	CHECK_EQ(read_u16(&r), 5060);
	CHECK_EQ(read_u16(&r), 5070);
	CHECK_EQ(read_u16(&r), 13);
	CHECK_EQ(read_u16(&r), 0);
	CHECK(span_is(read_bytes(&r, 5), "hello"));
	CHECK(!r.bad && !reader_left(&r));
	buf_fini(&b);
}

static void ipv6_and_what_is_too_long(void)
{
	static uint8_t large[70000];
	struct buf b = {0};
	struct pcap_end us = pcap_end_of("10.0.0.1:5060", ""), them = pcap_end_of("[2001:db8::2]:5070", "");
	CHECK_EQ(pcap_begin(&b), 0);
	CHECK_EQ(pcap_add(&b, 0, &us, &them, span_of(large, sizeof large)), 0);
	CHECK_EQ(b.size, 24 + 16 + 65535);
	CHECK_EQ(b.data[40], 0x60);
	CHECK_EQ(b.data[40 + 8 + 10], 0xff); /* ::ffff:10.0.0.1 */
	buf_fini(&b);
	mem_fail_after(0);
	CHECK(pcap_begin(&b) < 0);
	mem_fail_after(-1);
	CHECK_EQ(mem_live(), 0);
}

int main(void)
{
	ends_are_read();
	an_ipv4_packet_is_one();
	ipv6_and_what_is_too_long();
	return 0;
}
