#include "wire/utf8.h"

/* Bytes that follow `first`, and the range of the first of them (RFC 3629 section 4); -1 when no
 * character begins so. */
static int followers(uint8_t first, uint8_t *low, uint8_t *high)
{
	*low = 0x80;
	*high = 0xbf;
	if (first < 0x80)
		return 0;
	if (first >= 0xc2 && first <= 0xdf)
		return 1;
	if (first >= 0xe0 && first <= 0xef) {
		*low = first == 0xe0 ? 0xa0 : 0x80;
		*high = first == 0xed ? 0x9f : 0xbf;
		return 2;
	}
	if (first >= 0xf0 && first <= 0xf4) {
		*low = first == 0xf0 ? 0x90 : 0x80;
		*high = first == 0xf4 ? 0x8f : 0xbf;
		return 3;
	}
	return -1;
}

bool utf8_ok(struct span text)
{
	for (size_t i = 0; i < text.size;) {
		uint8_t low, high;
		int more = followers(text.data[i++], &low, &high);
		if (more < 0 || text.size - i < (size_t)more)
			return false;
		for (; more > 0; --more, ++i) {
			if (text.data[i] < low || text.data[i] > high)
				return false;
			low = 0x80;
			high = 0xbf;
		}
	}
	return true;
}

bool utf8_ok_string(struct span text)
{
	return (text.size == 0 || !memchr(text.data, 0, text.size)) && utf8_ok(text);
}

size_t utf8_cut(struct span text, size_t max)
{
	if (text.size <= max)
		return text.size;
	while (max > 0 && (text.data[max] & 0xc0) == 0x80)
		--max;
	return max;
}

void utf8_printable(char *out, size_t size, struct span s)
{
	bool is_utf8 = utf8_ok(s);
	size_t n = is_utf8 ? utf8_cut(s, size - 1) : s.size < size - 1 ? s.size : size - 1;
	for (size_t i = 0; i < n; ++i) {
		uint8_t c = s.data[i];
		if (c < 0x20 || c == 0x7f)
			out[i] = ' ';
		else
			out[i] = c >= 0x80 && !is_utf8 ? '?' : (char)c;
	}
	out[n] = 0;
}
