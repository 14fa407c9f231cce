#include "wire/sip_frag.h"

#include "wire/sip_header.h"

enum { VERSION_SIZE = 8, STATUS_DIGITS = 3 };

int sip_frag_parse(struct span body, unsigned *ret_status, struct span *ret_reason)
{
	struct span line = sip_trim(body);
	uint32_t status;
	size_t size = 0;

	while (size < line.size && line.data[size] != '\r' && line.data[size] != '\n')
		++size;
	line.size = size;
	if (line.size < VERSION_SIZE || strncasecmp((const char *)line.data, "SIP/2.0 ", VERSION_SIZE))
		return SIP_FRAG_E_BAD;
	line = sip_trim(span_of(line.data + VERSION_SIZE, line.size - VERSION_SIZE));
	if (line.size < STATUS_DIGITS || (line.size > STATUS_DIGITS && line.data[STATUS_DIGITS] != ' ') ||
		!sip_number(span_of(line.data, STATUS_DIGITS), 699, &status) || status < 100)
		return SIP_FRAG_E_BAD;
	*ret_status = status;
	*ret_reason = sip_trim(span_of(line.data + STATUS_DIGITS, line.size - STATUS_DIGITS));
	return 0;
}
