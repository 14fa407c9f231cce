#include "wire/stun.h"

#include "base/reader.h"

#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <zlib.h>

enum {
	COOKIE = 0x2112a442,
	FINGERPRINT_XOR = 0x5354554e,
	INTEGRITY_BYTES = 20,
	ATTRIBUTE_HEADER_BYTES = 4,
	FAMILY_IPV4 = 1,
	FAMILY_IPV6 = 2,
};

/* HMAC-SHA1 over the message before the attribute, with the header's length counting up to the
 * attribute's end (RFC 8489, 14.5). */
static bool integrity_of(
	uint8_t out[INTEGRITY_BYTES], struct span message, struct span password)
{
	uint8_t header[STUN_HEADER_BYTES];
	size_t length = message.size - STUN_HEADER_BYTES + ATTRIBUTE_HEADER_BYTES + INTEGRITY_BYTES;
	unsigned size = INTEGRITY_BYTES;

	memcpy(header, message.data, sizeof header);
	header[2] = (uint8_t)(length >> 8);
	header[3] = (uint8_t)length;

	uint8_t whole[2048];
	if (message.size > sizeof whole)
		return false;
	memcpy(whole, message.data, message.size);
	memcpy(whole, header, sizeof header);
	return HMAC(EVP_sha1(), password.data, (int)password.size, whole, message.size, out,
		       &size) != NULL;
}

static uint32_t fingerprint_of(struct span message)
{
	return (uint32_t)crc32(0, message.data, (uInt)message.size) ^ FINGERPRINT_XOR;
}

static bool read_mapped(struct stun_view *v, struct span value, const uint8_t *packet)
{
	struct reader r = reader_of(value);
	read_u8(&r);
	uint8_t family = read_u8(&r);
	uint16_t port = read_u16(&r) ^ (COOKIE >> 16);

	if (family == FAMILY_IPV4 && value.size == 8) {
		struct sockaddr_in *a = (struct sockaddr_in *)&v->mapped;
		a->sin_family = AF_INET;
		a->sin_port = htons(port);
		a->sin_addr.s_addr = htonl(read_u32(&r) ^ COOKIE);
		return true;
	}
	if (family == FAMILY_IPV6 && value.size == 20) {
		struct sockaddr_in6 *a = (struct sockaddr_in6 *)&v->mapped;
		a->sin6_family = AF_INET6;
		a->sin6_port = htons(port);
		for (size_t i = 0; i < 16; ++i)
			a->sin6_addr.s6_addr[i] = read_u8(&r) ^ packet[4 + i];
		return true;
	}
	return false;
}

static bool read_error(struct stun_view *v, struct span value)
{
	if (value.size < 4)
		return false;
	v->error_code = (uint16_t)((value.data[2] & 7) * 100 + value.data[3] % 100);
	return true;
}

static void note_unknown(struct stun_view *v, uint16_t type)
{
	if (type < 0x8000 && v->unknown_count < STUN_UNKNOWN_MAX)
		v->unknown[v->unknown_count++] = type;
}

/* One attribute; false when its value has a wrong shape. */
static bool read_attribute(
	struct stun_view *v, uint16_t type, struct span value, const uint8_t *packet)
{
	struct reader r = reader_of(value);

	switch (type) {
	case STUN_USERNAME:
		v->username = value;
		return value.size <= 513;
	case STUN_MESSAGE_INTEGRITY:
		v->integrity = value;
		return value.size == INTEGRITY_BYTES;
	case STUN_PRIORITY:
		v->priority = read_u32(&r);
		return value.size == 4;
	case STUN_USE_CANDIDATE:
		v->use_candidate = true;
		return value.size == 0;
	case STUN_ICE_CONTROLLED:
		v->controlled = true;
		return value.size == 8;
	case STUN_ICE_CONTROLLING:
		v->controlling = true;
		return value.size == 8;
	case STUN_XOR_MAPPED_ADDRESS:
		return read_mapped(v, value, packet);
	case STUN_ERROR_CODE:
		return read_error(v, value);
	case STUN_UNKNOWN_ATTRIBUTES:
		return true;
	default:
		note_unknown(v, type);
		return true;
	}
}

static enum stun_drop read_attributes(struct stun_view *v, struct span packet)
{
	struct reader r = reader_of(packet);
	read_bytes(&r, STUN_HEADER_BYTES);

	while (reader_left(&r) > 0) {
		size_t offset = (size_t)(r.pos - packet.data);
		uint16_t type = read_u16(&r);
		struct span value = read_bytes(&r, read_u16(&r));
		read_bytes(&r, -value.size & 3);
		if (r.bad || v->has_fingerprint) /* the fingerprint must be the last */
			return STUN_DROP_ATTRIBUTE;

		if (type == STUN_FINGERPRINT) {
			struct reader f = reader_of(value);
			if (read_u32(&f) != fingerprint_of(span_of(packet.data, offset)) ||
				value.size != 4)
				return STUN_DROP_FINGERPRINT;
			v->has_fingerprint = true;
		} else if (v->integrity.size) {
			continue; /* RFC 8489, 14.5: ignore what follows the integrity */
		} else if (!read_attribute(v, type, value, packet.data)) {
			return STUN_DROP_ATTRIBUTE;
		}
	}
	return STUN_OK;
}

enum stun_drop stun_parse(struct stun_view *ret, struct span packet)
{
	struct reader r = reader_of(packet);
	struct stun_view v = {0};

	v.type = read_u16(&r);
	uint16_t length = read_u16(&r);
	uint32_t cookie = read_u32(&r);
	struct span transaction = read_bytes(&r, STUN_TRANSACTION_BYTES);
	if (r.bad)
		return STUN_DROP_SHORT;
	if (v.type >> 14 || cookie != COOKIE || length & 3 || length != reader_left(&r))
		return STUN_DROP_HEADER;
	memcpy(v.transaction, transaction.data, sizeof v.transaction);

	enum stun_drop drop = read_attributes(&v, packet);
	if (drop == STUN_OK)
		*ret = v;
	return drop;
}

bool stun_integrity_ok(const struct stun_view *v, struct span packet, struct span password)
{
	uint8_t want[INTEGRITY_BYTES];

	if (!v->integrity.size)
		return false;
	size_t offset = (size_t)(v->integrity.data - packet.data) - ATTRIBUTE_HEADER_BYTES;
	return integrity_of(want, span_of(packet.data, offset), password) &&
	       CRYPTO_memcmp(want, v->integrity.data, sizeof want) == 0;
}

/* The header's length says what is written so far, plus `more`. */
static void set_length(struct writer *w, size_t more)
{
	if (w->bad)
		return;
	size_t length = w->used - STUN_HEADER_BYTES + more;
	w->data[2] = (uint8_t)(length >> 8);
	w->data[3] = (uint8_t)length;
}

void stun_write_header(
	struct writer *w, uint16_t type, const uint8_t transaction[STUN_TRANSACTION_BYTES])
{
	write_u16(w, type);
	write_u16(w, 0);
	write_u32(w, COOKIE);
	write_bytes(w, transaction, STUN_TRANSACTION_BYTES);
}

void stun_write_attribute(struct writer *w, uint16_t type, struct span value)
{
	static const uint8_t zeros[4];

	write_u16(w, type);
	write_u16(w, (uint16_t)value.size);
	write_span(w, value);
	write_bytes(w, zeros, -value.size & 3);
	set_length(w, 0);
}

static bool is_ipv4_mapped(const struct sockaddr *a)
{
	return a->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_V4MAPPED(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

void stun_write_mapped(struct writer *w, const struct sockaddr *address)
{
	uint8_t bytes[20] = {0};
	struct writer value = writer_of(bytes, sizeof bytes);

	write_u8(&value, 0);
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *a = (const struct sockaddr_in *)address;
		write_u8(&value, FAMILY_IPV4);
		write_u16(&value, ntohs(a->sin_port) ^ (COOKIE >> 16));
		write_u32(&value, ntohl(a->sin_addr.s_addr) ^ COOKIE);
	} else if (is_ipv4_mapped(address)) { /* a dual-stack socket shows IPv4 peers so */
		const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)address;
		struct reader r = reader_of(span_of(a->sin6_addr.s6_addr + 12, 4));
		write_u8(&value, FAMILY_IPV4);
		write_u16(&value, ntohs(a->sin6_port) ^ (COOKIE >> 16));
		write_u32(&value, read_u32(&r) ^ COOKIE);
	} else if (address->sa_family == AF_INET6 && !w->bad) {
		const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)address;
		write_u8(&value, FAMILY_IPV6);
		write_u16(&value, ntohs(a->sin6_port) ^ (COOKIE >> 16));
		for (size_t i = 0; i < 16; ++i)
			write_u8(&value, a->sin6_addr.s6_addr[i] ^ w->data[4 + i]);
	} else {
		w->bad = true;
		return;
	}
	stun_write_attribute(w, STUN_XOR_MAPPED_ADDRESS, writer_span(&value));
}

void stun_write_error(struct writer *w, unsigned code, const char *reason)
{
	uint8_t bytes[64];
	struct writer value = writer_of(bytes, sizeof bytes);

	write_u16(&value, 0);
	write_u8(&value, (uint8_t)(code / 100));
	write_u8(&value, (uint8_t)(code % 100));
	write_text(&value, reason);
	stun_write_attribute(w, STUN_ERROR_CODE, writer_span(&value));
}

void stun_write_integrity(struct writer *w, struct span password)
{
	uint8_t mac[INTEGRITY_BYTES];

	if (w->bad || !integrity_of(mac, writer_span(w), password)) {
		w->bad = true;
		return;
	}
	stun_write_attribute(w, STUN_MESSAGE_INTEGRITY, span_of(mac, sizeof mac));
}

void stun_write_fingerprint(struct writer *w)
{
	uint8_t bytes[4];
	struct writer value = writer_of(bytes, sizeof bytes);

	set_length(w, 8); /* the CRC covers a header that already counts this attribute */
	write_u32(&value, w->bad ? 0 : fingerprint_of(writer_span(w)));
	stun_write_attribute(w, STUN_FINGERPRINT, writer_span(&value));
}
