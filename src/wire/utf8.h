/* wire/utf8.h - is this text? Pure. Thread: any. */
#pragma once

#include "base/base.h"

/* Well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, up to U+10FFFF). */
bool utf8_ok(struct span text);

/* As utf8_ok(), and no zero byte either: what may become a C string. */
bool utf8_ok_string(struct span text);

/* The longest size <= max at which `text` may be cut without splitting a character. */
size_t utf8_cut(struct span text, size_t max);

/* Copies `s` as text for people: cut to `size` with its zero byte, control characters as blanks, bytes
 * that are no UTF-8 as '?'. */
void utf8_printable(char *out, size_t size, struct span s);
