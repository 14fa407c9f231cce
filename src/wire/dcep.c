#include "wire/dcep.h"

#include "base/reader.h"

enum { UNORDERED = 0x80 };

static bool read_open(struct dcep_open *ret, struct reader *r)
{
	uint8_t channel = read_u8(r);
	struct dcep_open o = {.ordered = !(channel & UNORDERED)};

	o.priority = read_u16(r);
	o.reliability = read_u32(r);
	uint16_t label = read_u16(r);
	uint16_t protocol = read_u16(r);
	o.label = read_bytes(r, label);
	o.protocol = read_bytes(r, protocol);

	channel &= (uint8_t)~UNORDERED;
	if (r->bad || channel > DCEP_LIFETIME)
		return false;
	o.kind = (enum dcep_reliability)channel;
	if (o.kind == DCEP_RELIABLE)
		o.reliability = 0; /* RFC 8832, 5.1: ignored */
	*ret = o;
	return true;
}

bool dcep_parse(enum dcep_type *ret, struct dcep_open *open, struct span message)
{
	struct reader r = reader_of(message);
	uint8_t type = read_u8(&r);

	if (r.bad || (type != DCEP_ACK && type != DCEP_OPEN))
		return false;
	if (type == DCEP_OPEN && !read_open(open, &r))
		return false;
	*ret = (enum dcep_type)type;
	return true;
}

void dcep_write_open(struct writer *w, const struct dcep_open *o)
{
	if (o->label.size > UINT16_MAX || o->protocol.size > UINT16_MAX) {
		w->bad = true;
		return;
	}
	write_u8(w, DCEP_OPEN);
	write_u8(w, (uint8_t)(o->kind | (o->ordered ? 0 : UNORDERED)));
	write_u16(w, o->priority);
	write_u32(w, o->reliability);
	write_u16(w, (uint16_t)o->label.size);
	write_u16(w, (uint16_t)o->protocol.size);
	write_span(w, o->label);
	write_span(w, o->protocol);
}

void dcep_write_ack(struct writer *w)
{
	write_u8(w, DCEP_ACK);
}
