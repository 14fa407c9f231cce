/* config/turns.h - `rtc.turn_servers`: YAML as a list of TURN servers. Private to config/.
 *
 * Owner:   the struct config that is written to. Owns: nothing. Thread: any.
 */
#pragma once

#include "config/config.h"

#include <yaml.h>

enum { TURNS_WHY_SIZE = 160 };
/* Outcomes of turns_add(). */
enum {
	TURNS_E_INVALID = 1, /* `why` is a sentence */
};
MUST_USE int turns_add(struct config_turns *list, yaml_document_t *document, const yaml_node_t *node,
	char why[TURNS_WHY_SIZE]);
void turns_clear(struct config_turns *list);
