#include "media/srtp.h"

#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/reader.h"
#include "media/replay.h"

#include <errno.h>
#include <openssl/crypto.h>

enum {
	RTP_HEAD_BYTES = 12,
	RTCP_HEAD_BYTES = 8,
	RTCP_TRAILER_BYTES = 4,
	RTCP_INDEX_MASK = 0x7fffffff,
};

/* What is known of one SSRC. */
struct stream {
	struct map_node by_ssrc;
	struct replay rtp, rtcp;
};

struct direction {
	struct srtp_crypt rtp, rtcp;
	struct srtp_mki mki;
	struct map streams; /* struct stream.by_ssrc */
};

struct srtp_pair {
	struct direction in, out;
	/* One count for all our SSRCs: a number is never used twice, even if an SSRC is. */
	uint32_t rtcp_index;
};

/* ---- birth and death ---- */

static int direction_init(
	struct direction *d, const struct srtp_keys *keys, bool client, bool seals)
{
	enum srtp_profile profile = keys->profile;
	const uint8_t *master = client ? keys->client : keys->server;

	d->mki = client ? keys->client_mki : keys->server_mki;
	int r = srtp_crypt_init(&d->rtp, profile, SRTP_KIND_RTP, master, seals);
	if (r == 0)
		r = srtp_crypt_init(&d->rtcp, profile, SRTP_KIND_RTCP, master, seals);
	return r;
}

static void forget(struct direction *d, struct map_node *n)
{
	if (!n)
		return;
	map_remove(&d->streams, n);
	mem_free(map_entry(n, struct stream, by_ssrc));
}

static void direction_fini(struct direction *d)
{
	while (d->streams.count)
		forget(d, map_next(&d->streams, NULL));
	map_fini(&d->streams);
	srtp_crypt_fini(&d->rtp);
	srtp_crypt_fini(&d->rtcp);
}

int srtp_pair_new(struct srtp_pair **ret, const struct srtp_keys *keys, bool we_are_client)
{
	struct srtp_pair *p = mem_zalloc(sizeof *p);
	if (!p)
		return err_new(-ENOMEM);
	int r = direction_init(&p->in, keys, !we_are_client, false);
	if (r == 0)
		r = direction_init(&p->out, keys, we_are_client, true);
	if (r < 0) {
		srtp_pair_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

struct srtp_pair *srtp_pair_free(struct srtp_pair *p)
{
	if (!p)
		return NULL;
	direction_fini(&p->in);
	direction_fini(&p->out);
	mem_free(p);
	return NULL;
}

void srtp_pair_forget_incoming(struct srtp_pair *p, uint32_t ssrc)
{
	forget(&p->in, map_get_id(&p->in.streams, ssrc));
}

void srtp_pair_forget_outgoing(struct srtp_pair *p, uint32_t ssrc)
{
	forget(&p->out, map_get_id(&p->out.streams, ssrc));
}

static void swap(struct direction *a, struct direction *b)
{
	struct direction was = *a;
	*a = *b;
	*b = was;
	OPENSSL_cleanse(&was, sizeof was);
}

void srtp_pair_keep_outgoing(struct srtp_pair *p, struct srtp_pair *from)
{
	swap(&p->out, &from->out);
	p->rtcp_index = from->rtcp_index;
}

void srtp_pair_keep_incoming(struct srtp_pair *p, struct srtp_pair *from)
{
	swap(&p->in, &from->in);
}

/* ---- streams ---- */

static struct stream *find(const struct direction *d, uint32_t ssrc)
{
	return map_entry(map_get_id(&d->streams, ssrc), struct stream, by_ssrc);
}

/* NULL: no memory. */
static struct stream *add(struct direction *d, uint32_t ssrc)
{
	struct stream *s = mem_zalloc(sizeof *s);

	if (s && map_put_id(&d->streams, &s->by_ssrc, ssrc) != 0) {
		mem_free(s);
		return NULL;
	}
	return s;
}

bool srtp_pair_expect_further(struct srtp_pair *p, const struct srtp_pair *from, uint32_t ssrc)
{
	const struct stream *was = find(&from->in, ssrc);

	if (!was || was->rtp.newest <= UINT16_MAX || find(&p->in, ssrc))
		return false;
	struct stream *s = add(&p->in, ssrc);
	if (s)
		s->rtp.newest = was->rtp.newest; /* and no packet of it was seen */
	return s != NULL;
}

/* ---- RTP ---- */

/* Where the payload begins, 0 when that is not in the packet. The padding's size is enciphered. */
static size_t head_size(const uint8_t *packet, size_t size)
{
	struct reader r = reader_of(span_of(packet, size));

	uint8_t first = read_u8(&r);
	read_bytes(&r, RTP_HEAD_BYTES - 1 + 4u * (first & 0x0f));
	if (first & BIT(4)) {
		read_u16(&r);
		read_bytes(&r, 4u * read_u16(&r));
	}
	return r.bad || first >> 6 != 2 ? 0 : (size_t)(r.pos - packet);
}

static uint32_t u32_at(const uint8_t *at)
{
	struct reader r = reader_of(span_of(at, 4));
	return read_u32(&r);
}

/* What stands behind the body, in bytes: the tag and the name of the key. */
static size_t behind_rtp(const struct direction *d)
{
	return srtp_crypt_tag_bytes(&d->rtp) + d->mki.size;
}

/* `size` without what is behind the body. False: no RTP. The name of the key stands before the tag
 * (RFC 3711, 3.1), or behind it where the tag is a part of the ciphertext (RFC 7714, 8.2). */
static bool rtp_parts(struct srtp_parts *ret, uint16_t *seq, uint8_t **mki,
	const struct direction *d, uint8_t *packet, size_t size)
{
	size_t head = head_size(packet, size);
	bool aead = srtp_crypt_is_aead(&d->rtp);
	uint8_t *end = packet + size;

	if (!head)
		return false;
	*mki = aead ? end + srtp_crypt_tag_bytes(&d->rtp) : end;
	*ret = (struct srtp_parts){.head = packet,
		.head_size = head,
		.body = packet + head,
		.body_size = size - head,
		.tag = aead ? end : end + d->mki.size,
		.ssrc = u32_at(packet + 8)};
	*seq = (uint16_t)(packet[2] << 8 | packet[3]);
	return true;
}

static bool names_key(const struct direction *d, const uint8_t *mki)
{
	return memcmp(mki, d->mki.bytes, d->mki.size) == 0;
}

static bool protect(struct srtp_pair *p, uint8_t *packet, size_t *size, bool again)
{
	struct srtp_parts parts;
	uint16_t seq;
	uint8_t *mki;

	if (!rtp_parts(&parts, &seq, &mki, &p->out, packet, *size))
		return false;
	struct stream *s = find(&p->out, parts.ssrc);
	if (!s && (again || !(s = add(&p->out, parts.ssrc))))
		return false;
	if (replay_is_before_all(&s->rtp, seq))
		return false;
	parts.index = replay_index(&s->rtp, seq);
	if (again ? !replay_is_seen(&s->rtp, parts.index) : !replay_is_fresh(&s->rtp, parts.index))
		return false;
	if (!srtp_crypt_seal(&p->out.rtp, &parts))
		return false;
	if (!again)
		replay_note(&s->rtp, parts.index);
	memcpy(mki, p->out.mki.bytes, p->out.mki.size);
	*size += behind_rtp(&p->out);
	return true;
}

bool srtp_pair_protect(struct srtp_pair *p, uint8_t *packet, size_t *size)
{
	return protect(p, packet, size, false);
}

/* A number's keystream may only ever cover the bytes that it covered before. */
bool srtp_pair_protect_again(struct srtp_pair *p, uint8_t *packet, size_t *size)
{
	return protect(p, packet, size, true);
}

bool srtp_pair_unprotect(struct srtp_pair *p, uint8_t *packet, size_t *size)
{
	static const struct replay nothing;
	struct srtp_parts parts;
	uint16_t seq;
	uint8_t *mki;
	size_t behind = behind_rtp(&p->in);

	if (*size < behind || !rtp_parts(&parts, &seq, &mki, &p->in, packet, *size - behind) ||
		!names_key(&p->in, mki))
		return false;
	struct stream *s = find(&p->in, parts.ssrc);
	const struct replay *before = s ? &s->rtp : &nothing;
	parts.index = replay_index(before, seq);
	if (!replay_is_fresh(before, parts.index) || !srtp_crypt_open(&p->in.rtp, &parts))
		return false;
	/* Only who holds the key can make us remember an SSRC. */
	if (!s && !(s = add(&p->in, parts.ssrc)))
		return false;
	replay_note(&s->rtp, parts.index);
	*size -= behind;
	return true;
}

/* ---- RTCP: tag, trailer, name of the key with AES-GCM; trailer, name, tag without ---- */

static size_t behind_rtcp(const struct direction *d)
{
	return srtp_crypt_tag_bytes(&d->rtcp) + RTCP_TRAILER_BYTES + d->mki.size;
}

/* `size` without all that is behind; the name of the key follows the trailer either way. */
static struct srtp_parts rtcp_parts(
	uint8_t **trailer, const struct direction *d, uint8_t *packet, size_t size)
{
	bool aead = srtp_crypt_is_aead(&d->rtcp);
	uint8_t *end = packet + size;

	*trailer = aead ? end + srtp_crypt_tag_bytes(&d->rtcp) : end;
	return (struct srtp_parts){.head = packet,
		.head_size = RTCP_HEAD_BYTES,
		.body = packet + RTCP_HEAD_BYTES,
		.body_size = size - RTCP_HEAD_BYTES,
		.tag = aead ? end : end + RTCP_TRAILER_BYTES + d->mki.size,
		.ssrc = u32_at(packet + 4)};
}

bool srtp_pair_protect_rtcp(struct srtp_pair *p, uint8_t *packet, size_t *size)
{
	uint8_t *trailer;

	if (*size < RTCP_HEAD_BYTES || p->rtcp_index == RTCP_INDEX_MASK)
		return false;
	struct srtp_parts parts = rtcp_parts(&trailer, &p->out, packet, *size);
	parts.index = ++p->rtcp_index;
	if (!srtp_crypt_seal(&p->out.rtcp, &parts))
		return false;
	srtp_rtcp_trailer(trailer, parts.index);
	memcpy(trailer + RTCP_TRAILER_BYTES, p->out.mki.bytes, p->out.mki.size);
	*size += behind_rtcp(&p->out);
	return true;
}

bool srtp_pair_unprotect_rtcp(struct srtp_pair *p, uint8_t *packet, size_t *size)
{
	size_t behind = behind_rtcp(&p->in);
	uint8_t *trailer;

	if (*size < RTCP_HEAD_BYTES + behind)
		return false;
	struct srtp_parts parts = rtcp_parts(&trailer, &p->in, packet, *size - behind);
	parts.index = u32_at(trailer) & RTCP_INDEX_MASK;
	struct stream *s = find(&p->in, parts.ssrc);
	if (!(trailer[0] & BIT(7)) || !names_key(&p->in, trailer + RTCP_TRAILER_BYTES) ||
		(s && !replay_is_fresh(&s->rtcp, parts.index)) ||
		!srtp_crypt_open(&p->in.rtcp, &parts))
		return false;
	if (!s && !(s = add(&p->in, parts.ssrc)))
		return false;
	replay_note(&s->rtcp, parts.index);
	*size -= behind;
	return true;
}
