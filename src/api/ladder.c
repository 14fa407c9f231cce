#include "api/ladder.h"

#include "base/err.h"
#include "wire/pcap.h"
#include "wire/sip_message.h"
#include "wire/utf8.h"

#include <errno.h>
#include <stdio.h>

enum { WIDTH = 58, WHAT_SIZE = 96 };

/* Who is named by a host instead of an address in a capture: TEST-NET-1 (RFC 5737). */
static const char us_instead[] = "192.0.2.1", them_instead[] = "192.0.2.2";

static int checked(int r)
{
	return r > 0 ? err_new(-ENOBUFS) : r;
}

/* "INVITE (1) with SDP", "486 Busy Here (1 INVITE)" */
static void describe(char what[WHAT_SIZE], struct span bytes)
{
	static struct sip_message m; /* large, and used within this turn only */
	char text[48], method[24];
	if (sip_message_parse(&m, bytes) != SIP_OK) {
		snprintf(what, WHAT_SIZE, "(a message that was cut)");
		return;
	}
	const char *sdp = m.body.size ? " with SDP" : "";
	struct span type = sip_message_value(&m, SIP_H_CONTENT_TYPE);
	if (m.body.size && !span_is_nocase(type, "application/sdp"))
		sdp = " with a body";
	utf8_printable(method, sizeof method, m.cseq.method);
	utf8_printable(text, sizeof text, m.is_response ? m.reason : m.method_name);
	if (m.is_response)
		snprintf(what, WHAT_SIZE, "%u %s (%u %s)%s", m.status, text, m.cseq.number, method, sdp);
	else
		snprintf(what, WHAT_SIZE, "%s (%u)%s", text, m.cseq.number, sdp);
}

static int add_ends(struct ladder *l, const struct record_message *m)
{
	if (!strcmp(l->local, m->local) && !strcmp(l->remote, m->remote))
		return 0;
	snprintf(l->local, sizeof l->local, "%s", m->local);
	snprintf(l->remote, sizeof l->remote, "%s", m->remote);
	return buf_format(&l->out, "%11s  us %-*s %s %s\n", "", WIDTH - 2, l->local, m->protocol, l->remote);
}

int ladder_add_arrow(void *owner, const struct record_message *m)
{
	static const char dashes[] = "------------------------------------------------------------";
	struct ladder *l = owner;
	char what[WHAT_SIZE];
	describe(what, m->bytes);
	if (!l->first_us)
		l->first_us = m->at_us;
	int r = add_ends(l, m);
	if (r)
		return checked(r);
	int rest = WIDTH - 5 - (int)strlen(what);
	rest = rest < 1 ? 1 : rest;
	double s = (double)(m->at_us - l->first_us) / 1e6;
	return checked(m->sent ? buf_format(&l->out, "%9.3f s  |- %s %.*s>|\n", s, what, rest, dashes)
			       : buf_format(&l->out, "%9.3f s  |<%.*s %s -|\n", s, rest, dashes, what));
}

int ladder_add_packet(void *owner, const struct record_message *m)
{
	struct ladder *l = owner;
	const struct pcap_end us = pcap_end_of(m->local, us_instead), them = pcap_end_of(m->remote, them_instead);
	int r = l->out.size ? 0 : pcap_begin(&l->out);
	if (r == 0)
		r = m->sent ? pcap_add(&l->out, m->at_us, &us, &them, m->bytes)
			    : pcap_add(&l->out, m->at_us, &them, &us, m->bytes);
	return checked(r);
}
