#include "wire/e164.h"

static bool is_separator(uint8_t c)
{
	return c == ' ' || c == '-' || c == '.' || c == '(' || c == ')' || c == '/' || c == '\t';
}

/* What is known after all digits were read. */
static enum e164_outcome judge(const char *digits, size_t count, bool has_plus)
{
	if (count == 0)
		return E164_E_EMPTY;
	if (!has_plus)
		return count > 2 && digits[0] == '0' && digits[1] == '0' ? E164_E_DOUBLE_ZERO
									 : E164_E_NO_PLUS;
	if (digits[0] == '0')
		return E164_E_ZERO;
	if (count > E164_DIGITS_MAX)
		return E164_E_LONG;
	return count < E164_DIGITS_MIN ? E164_E_SHORT : E164_OK;
}

enum e164_outcome e164_parse(char out[E164_SIZE], struct span text, size_t *bad_at)
{
	size_t used = 0, count = 0;
	bool has_plus = false;

	memset(out, 0, E164_SIZE);
	for (size_t i = 0; i < text.size; ++i) {
		uint8_t c = text.data[i];
		if (is_separator(c))
			continue;
		if (c == '+' && count == 0 && !has_plus) {
			has_plus = true;
			out[used++] = '+';
			continue;
		}
		if (c < '0' || c > '9') {
			if (bad_at)
				*bad_at = i;
			return E164_E_CHARACTER;
		}
		++count;
		if (used < E164_SIZE - 1)
			out[used++] = (char)c;
	}
	return judge(out + has_plus, count, has_plus);
}

bool e164_is_prefix(const char *text)
{
	size_t digits = *text == '+' ? strspn(text + 1, "0123456789") : 0;
	return digits && digits <= E164_DIGITS_MAX && !text[digits + 1] && text[1] != '0';
}

void e164_hide(char *text, const char *number)
{
	enum { SHOWN_BEFORE = 5, SHOWN_AFTER = 2 };
	size_t size = strlen(number);
	if (size <= SHOWN_BEFORE + SHOWN_AFTER)
		return;
	for (char *at = text; (at = strstr(at, number)); at += size)
		memset(at + SHOWN_BEFORE, '*', size - SHOWN_BEFORE - SHOWN_AFTER);
}
