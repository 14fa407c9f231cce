/* config/value.h - one scalar of the configuration: text into the field it is for. Private to
 * config/.
 *
 * Owner:   the struct config that is written to. Owns: nothing. Thread: any.
 */
#pragma once

#include "config/schema.h"

enum { VALUE_WHY_SIZE = 160 };
/* Outcomes of value_set(). */
enum {
	VALUE_E_INVALID = 1, /* `why`: what was expected and what was read */
};
MUST_USE int value_set(struct config *c, const struct schema_key *key, const char *text,
	char why[VALUE_WHY_SIZE]);

/* "" becomes NULL; the old text goes. */
MUST_USE int value_text(char **slot, const char *text);
MUST_USE int value_add_text(struct config_texts *list, const char *text);
void value_clear_texts(struct config_texts *list);
/* A key of the same name gets the new secret. */
MUST_USE int value_add_key(struct config_keys *keys, const char *name, const char *secret);
bool value_is_prefix(const char *text); /* "+49", "*" */
bool value_is_ip(const char *text);
bool value_is_net(const char *text); /* "10.0.0.0/8", "192.0.2.1" */
/* As value_set() for one port, and for seconds. */
MUST_USE int value_port(uint16_t *slot, const char *text, char why[VALUE_WHY_SIZE]);
MUST_USE int value_seconds(uint32_t *slot, const char *text, char why[VALUE_WHY_SIZE]);
