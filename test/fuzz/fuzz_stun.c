#include "wire/stun.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void is_inside(struct span part, struct span whole)
{
	assert(part.size == 0 ||
		(part.data >= whole.data && part.data + part.size <= whole.data + whole.size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span packet = span_of(data, size);
	struct stun_view v, again;

	if (stun_parse(&v, packet) != STUN_OK)
		return 0;
	is_inside(v.username, packet);
	is_inside(v.integrity, packet);
	assert(v.integrity.size == 0 || v.integrity.size == 20);
	assert(v.unknown_count <= STUN_UNKNOWN_MAX && v.error_code <= 799);
	(void)stun_integrity_ok(&v, packet, span_text("password"));

	/* What we write we can read, and it says the same. */
	uint8_t out[1024];
	struct writer w = writer_of(out, sizeof out);
	stun_write_header(&w, v.type, v.transaction);
	stun_write_attribute(&w, STUN_USERNAME, v.username);
	if (v.mapped.ss_family)
		stun_write_mapped(&w, (const struct sockaddr *)&v.mapped);
	stun_write_integrity(&w, span_text("password"));
	stun_write_fingerprint(&w);
	assert(!w.bad);
	assert(stun_parse(&again, writer_span(&w)) == STUN_OK);
	assert(again.username.size == v.username.size && again.has_fingerprint);
	assert(stun_integrity_ok(&again, writer_span(&w), span_text("password")));
	assert(!stun_integrity_ok(&again, writer_span(&w), span_text("passwore")));
	return 0;
}
