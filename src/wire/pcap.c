#include "wire/pcap.h"

#include "base/writer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	LINKTYPE_RAW = 101,
	SNAP_SIZE = 65535,
	IPV4_SIZE = 20,
	IPV6_SIZE = 40,
	UDP_SIZE = 8,
	UDP = 17,
	HEAD_MAX = 16 + IPV6_SIZE + UDP_SIZE,
	TIME_TO_LIVE = 64,
	DEFAULT_PORT = 5060,
};

/* The file's own numbers are in the writer's byte order, which its magic number tells. */
static void write_native32(struct writer *w, uint32_t value)
{
	write_bytes(w, &value, sizeof value);
}

static void write_native16(struct writer *w, uint16_t value)
{
	write_bytes(w, &value, sizeof value);
}

static bool read_host(struct pcap_end *ret, const char *host)
{
	ret->is_v6 = inet_pton(AF_INET6, host, ret->ip) == 1;
	return ret->is_v6 || inet_pton(AF_INET, host, ret->ip) == 1;
}

struct pcap_end pcap_end_of(const char *host_port, const char *instead)
{
	struct pcap_end end = {.port = DEFAULT_PORT};
	char host[64];
	const char *colon = strrchr(host_port, ':');
	size_t size = colon ? (size_t)(colon - host_port) : strlen(host_port);
	bool bracketed = size > 1 && host_port[0] == '[' && host_port[size - 1] == ']';

	snprintf(host, sizeof host, "%.*s", (int)(bracketed ? size - 2 : size), host_port + bracketed);
	if (colon)
		end.port = (uint16_t)strtoul(colon + 1, NULL, 10);
	if (!read_host(&end, host))
		(void)read_host(&end, instead);
	return end;
}

int pcap_begin(struct buf *b)
{
	uint8_t head[24];
	struct writer w = writer_of(head, sizeof head);
	write_native32(&w, 0xa1b2c3d4); /* microseconds */
	write_native16(&w, 2);
	write_native16(&w, 4);
	write_native32(&w, 0);
	write_native32(&w, 0);
	write_native32(&w, SNAP_SIZE);
	write_native32(&w, LINKTYPE_RAW);
	return buf_add(b, head, w.used);
}

/* RFC 1071. */
static uint16_t checksum(const uint8_t *bytes, size_t size)
{
	uint32_t sum = 0;
	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void write_ipv4(struct writer *w, const struct pcap_end *from, const struct pcap_end *to, size_t udp_size)
{
	size_t start = w->used;
	write_u16(w, 0x4500);
	write_u16(w, (uint16_t)(IPV4_SIZE + udp_size));
	write_u32(w, 0x00004000); /* no number, don't fragment */
	write_u8(w, TIME_TO_LIVE);
	write_u8(w, UDP);
	write_u16(w, 0);
	write_bytes(w, from->ip, 4);
	write_bytes(w, to->ip, 4);
	uint16_t sum = checksum(w->data + start, IPV4_SIZE);
	w->data[start + 10] = (uint8_t)(sum >> 8);
	w->data[start + 11] = (uint8_t)sum;
}

/* An IPv4 address among IPv6 ones: RFC 4291, 2.5.5.2. */
static void write_ip6(struct writer *w, const struct pcap_end *end)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	if (end->is_v6) {
		write_bytes(w, end->ip, 16);
		return;
	}
	write_bytes(w, mapped, sizeof mapped);
	write_bytes(w, end->ip, 4);
}

static void write_ipv6(struct writer *w, const struct pcap_end *from, const struct pcap_end *to, size_t udp_size)
{
	write_u32(w, 0x60000000);
	write_u16(w, (uint16_t)udp_size);
	write_u8(w, UDP);
	write_u8(w, TIME_TO_LIVE);
	write_ip6(w, from);
	write_ip6(w, to);
}

int pcap_add(struct buf *b, int64_t unix_us, const struct pcap_end *from, const struct pcap_end *to,
	struct span payload)
{
	uint8_t head[HEAD_MAX];
	struct writer w = writer_of(head, sizeof head);
	bool v6 = from->is_v6 || to->is_v6;
	size_t ip = v6 ? IPV6_SIZE : IPV4_SIZE, most = SNAP_SIZE - ip - UDP_SIZE;
	size_t size = payload.size < most ? payload.size : most;

	write_native32(&w, (uint32_t)(unix_us / 1000000));
	write_native32(&w, (uint32_t)(unix_us % 1000000));
	write_native32(&w, (uint32_t)(ip + UDP_SIZE + size));
	write_native32(&w, (uint32_t)(ip + UDP_SIZE + size));
	if (v6)
		write_ipv6(&w, from, to, UDP_SIZE + size);
	else
		write_ipv4(&w, from, to, UDP_SIZE + size);
	write_u16(&w, from->port);
	write_u16(&w, to->port);
	write_u16(&w, (uint16_t)(UDP_SIZE + size));
	write_u16(&w, 0); /* no checksum: it is made up */
	int r = buf_add(b, head, w.used);
	return r ? r : buf_add(b, payload.data, size);
}
