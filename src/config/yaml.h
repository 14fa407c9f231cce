/* config/yaml.h - walks over a YAML document and fills struct config by the schema. Private to
 * config/.
 *
 * Owner:   the struct config that is written to. Owns: nothing. Thread: any.
 */
#pragma once

#include "config/config.h"

/* Outcome: CONFIG_E_INVALID, with a line in `problems` for each mistake: "name:12: ...". */
MUST_USE int yaml_read(struct config *c, struct span text, const char *name, struct buf *problems);
/* The same for a text that is nothing but {key: secret}. */
MUST_USE int yaml_read_keys(struct config *c, struct span text, const char *name, struct buf *problems);
