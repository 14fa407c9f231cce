#include "wire/base64.h"

static const char standard[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_safe[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t encode(char *out, struct span in, const char *alphabet, bool pad)
{
	size_t n = 0;
	for (size_t i = 0; i < in.size; i += 3) {
		size_t left = in.size - i;
		uint32_t v = (uint32_t)in.data[i] << 16;
		v |= left > 1 ? (uint32_t)in.data[i + 1] << 8 : 0;
		v |= left > 2 ? in.data[i + 2] : 0;
		out[n++] = alphabet[v >> 18];
		out[n++] = alphabet[v >> 12 & 63];
		if (left > 1 || pad)
			out[n++] = left > 1 ? alphabet[v >> 6 & 63] : '=';
		if (left > 2 || pad)
			out[n++] = left > 2 ? alphabet[v & 63] : '=';
	}
	out[n] = 0;
	return n;
}

size_t base64_encode(char *out, struct span in)
{
	return encode(out, in, standard, true);
}

size_t base64_encode_url(char *out, struct span in)
{
	return encode(out, in, url_safe, false);
}

static int value_of(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

int base64_decode(uint8_t *out, size_t *out_size, struct span in)
{
	while (in.size && in.data[in.size - 1] == '=')
		--in.size;
	if (in.size % 4 == 1)
		return BASE64_E_BAD;

	uint32_t bits = 0;
	size_t have = 0, n = 0;
	for (size_t i = 0; i < in.size; ++i) {
		int value = value_of(in.data[i]);
		if (value < 0)
			return BASE64_E_BAD;
		bits = bits << 6 | (uint32_t)value;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		out[n++] = (uint8_t)(bits >> have);
	}
	*out_size = n;
	return 0;
}
