/* base/base.h - the few words every file may use without asking. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* A caller that drops this return value is a bug. */
#define MUST_USE __attribute__((warn_unused_result))

#define PRINTF(format_at, first) __attribute__((format(printf, format_at, first)))

#define BIT(n) (1u << (n))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* Bytes someone else owns. Valid only as long as the owner says so. */
struct span {
	const uint8_t *data;
	size_t size;
};

static inline struct span span_of(const void *data, size_t size)
{
	return (struct span){.data = data, .size = size};
}

static inline struct span span_text(const char *text)
{
	return (struct span){.data = (const uint8_t *)text, .size = text ? strlen(text) : 0};
}

static inline bool span_is(struct span s, const char *text)
{
	size_t size = strlen(text);
	return s.size == size && (size == 0 || memcmp(s.data, text, size) == 0);
}

/* ASCII case does not count. */
static inline bool span_is_nocase(struct span s, const char *text)
{
	size_t size = strlen(text);
	return s.size == size && (size == 0 || strncasecmp((const char *)s.data, text, size) == 0);
}
