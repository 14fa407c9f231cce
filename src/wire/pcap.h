/* wire/pcap.h - SIP messages as a capture file that Wireshark, tcpdump and sipp's tools open: classic
 * pcap of raw IP (LINKTYPE_RAW), each message in a UDP datagram made up for it, whatever carried it.
 *
 * Owner:   the caller's buf. Owns: nothing. Pure. Thread: any.
 */
#pragma once

#include "base/buf.h"

struct pcap_end {
	uint8_t ip[16]; /* IPv4: the first four */
	bool is_v6;
	uint16_t port;
};

/* "192.0.2.1:5060", "[2001:db8::1]:5060"; a name becomes `instead` (an IPv4 literal). */
struct pcap_end pcap_end_of(const char *host_port, const char *instead);

/* Returns 0 or a negative error. */
MUST_USE int pcap_begin(struct buf *b);
/* What does not fit into a datagram is cut. */
MUST_USE int pcap_add(struct buf *b, int64_t unix_us, const struct pcap_end *from, const struct pcap_end *to,
	struct span payload);
