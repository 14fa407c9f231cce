#include "wire/rtcp.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const struct rtcp_packet *p, bool valid)
{
	struct rtcp_sender sender;
	struct rtcp_report report;
	uint32_t ssrc;
	struct span cname;
	unsigned reports = 0, byes = 0, nacks = 0;
	struct rtcp_nack nack;

	bool has_sender = rtcp_read_sender(&sender, p);
	while (rtcp_read_report(&report, p, reports)) {
		assert(report.lost >= -0x800000 && report.lost <= 0x7fffff);
		++reports;
	}
	while (rtcp_read_bye(&ssrc, p, byes))
		++byes;
	while (rtcp_read_nack(&nack, p, nacks))
		++nacks;
	assert(nacks == 0 || (p->type == RTCP_RTPFB && nacks == (p->body.size - 8) / 4));
	if (rtcp_read_cname(&ssrc, &cname, p))
		assert(cname.size > 0 && cname.size <= RTCP_CNAME_BYTES_MAX);
	assert(reports <= RTCP_REPORTS_MAX && byes <= RTCP_REPORTS_MAX);
	if (!valid)
		return;
	/* In a valid compound everything that is announced is there. */
	assert(has_sender == (p->type == RTCP_SR));
	if (p->type == RTCP_SR || p->type == RTCP_RR)
		assert(reports == p->count);
	if (p->type == RTCP_BYE)
		assert(byes == p->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span datagram = span_of(data, size);
	bool valid = rtcp_valid(datagram);
	struct reader r = reader_of(datagram);
	size_t left = size + 1;

	for (struct rtcp_packet p; rtcp_next(&p, &r);) {
		assert(reader_left(&r) < left); /* it moves on */
		left = reader_left(&r);
		read_all(&p, valid);
	}
	assert(!valid || !r.bad);
	return 0;
}
