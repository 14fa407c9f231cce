/* config/presets.h - `room.room_configurations`: YAML as RoomConfiguration, by protobuf's JSON mapping.
 * Private to config/.
 *
 * Owner:   the struct config that is written to. Owns: nothing. Thread: any.
 */
#pragma once

#include "config/config.h"

#include <yaml.h>

enum { PRESETS_WHY_SIZE = 256 };
/* Outcomes of presets_add(). */
enum {
	PRESETS_E_INVALID = 1, /* `why` is a sentence */
};
MUST_USE int presets_add(struct config_presets *list, const char *name, yaml_document_t *document,
	const yaml_node_t *node, char why[PRESETS_WHY_SIZE]);
void presets_clear(struct config_presets *list);
