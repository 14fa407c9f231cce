#include "wire/sdp.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *from, *to;

/* Every span lies inside the text, or is a constant name of a static type. */
static void inside(struct span s)
{
	if (s.size)
		assert(s.data >= from && s.data + s.size <= to);
}

static void check_section(const struct sdp_media *m)
{
	assert(m->format_count <= SDP_FORMATS_MAX && m->extmap_count <= SDP_EXTMAP_MAX);
	assert(m->ssrc_count <= SDP_SSRC_MAX && m->kind.size && m->protocol.size);
	inside(m->kind);
	inside(m->protocol);
	inside(m->connection);
	inside(m->mid);
	inside(m->msid_stream);
	inside(m->msid_track);
	inside(m->ice_ufrag);
	inside(m->ice_pwd);
	inside(m->fingerprint);
	inside(m->setup);
	assert(m->crypto_count <= SDP_CRYPTO_MAX && m->candidate_count <= SDP_CANDIDATES_MAX);
	for (size_t i = 0; i < m->crypto_count; ++i)
		inside(m->crypto[i]);
	for (size_t i = 0; i < m->candidate_count; ++i)
		inside(m->candidates[i]);
	for (size_t i = 0; i < m->format_count; ++i) {
		assert(m->formats[i].pt < 128 && m->formats[i].channels >= 1);
		inside(m->formats[i].fmtp);
		for (size_t k = 0; k < i; ++k)
			assert(m->formats[k].pt != m->formats[i].pt);
	}
	for (size_t i = 0; i < m->extmap_count; ++i) {
		assert(m->extmap[i].id);
		inside(m->extmap[i].uri);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sdp_media media[16];
	struct sdp s;

	from = data;
	to = data + size;
	if (sdp_parse(&s, media, COUNT_OF(media), span_of(data, size)) != SDP_OK)
		return 0;
	assert(s.media_count >= 1 && s.media_count <= COUNT_OF(media));
	inside(s.origin_id);
	inside(s.bundle);
	for (size_t i = 0; i < s.media_count; ++i)
		check_section(&s.media[i]);
	return 0;
}
