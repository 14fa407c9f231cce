#include "config/presets.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/proto_json.h"

#include "livekit_room.pb-c.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* An alias may lead back to its own anchor: depth and number both have an end. */
enum { DEPTH_MAX = 12, NODES_MAX = 10000 };

struct conversion {
	yaml_document_t *document;
	unsigned depth, nodes;
};

static json_t *convert(struct conversion *c, const yaml_node_t *node);

/* Plain words have types in YAML, quoted ones are texts. */
static json_t *convert_scalar(const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;
	size_t size = node->data.scalar.length;
	if (node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return json_stringn(text, size);
	if (!size || !strcmp(text, "~") || !strcasecmp(text, "null"))
		return json_null();
	if (!strcasecmp(text, "true") || !strcasecmp(text, "false"))
		return json_boolean(!strcasecmp(text, "true"));
	if (size < 16 && strspn(text, "0123456789") == size)
		return json_integer(strtoll(text, NULL, 10));
	return json_stringn(text, size);
}

static json_t *convert_mapping(struct conversion *c, const yaml_node_t *node)
{
	json_t *object = json_object();
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; ++p) {
		const yaml_node_t *key = yaml_document_get_node(c->document, p->key);
		json_t *value = key && key->type == YAML_SCALAR_NODE
			? convert(c, yaml_document_get_node(c->document, p->value)) : NULL;
		if (!value || json_object_setn_new(object, (const char *)key->data.scalar.value,
					key->data.scalar.length, value)) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static json_t *convert_sequence(struct conversion *c, const yaml_node_t *node)
{
	json_t *array = json_array();
	for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; ++i) {
		json_t *value = convert(c, yaml_document_get_node(c->document, *i));
		if (!value || json_array_append_new(array, value)) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* NULL: too deep, too large, not UTF-8, or out of memory. */
static json_t *convert(struct conversion *c, const yaml_node_t *node)
{
	json_t *value = NULL;
	if (!node || c->depth >= DEPTH_MAX || ++c->nodes > NODES_MAX)
		return NULL;
	++c->depth;
	if (node->type == YAML_SCALAR_NODE)
		value = convert_scalar(node);
	else if (node->type == YAML_MAPPING_NODE)
		value = convert_mapping(c, node);
	else if (node->type == YAML_SEQUENCE_NODE)
		value = convert_sequence(c, node);
	--c->depth;
	return value;
}

static int append(struct config_presets *list, const char *name, const ProtobufCMessage *settings)
{
	struct config_preset *grown = mem_realloc(list->items, (list->count + 1) * sizeof *grown);
	char *copy = proto_text(&list->arena, name);
	if (grown)
		list->items = grown;
	if (!grown || !copy)
		return err_new(-ENOMEM);
	list->items[list->count++] =
		(struct config_preset){copy, (const struct Livekit__RoomConfiguration *)settings};
	return 0;
}

int presets_add(struct config_presets *list, const char *name, yaml_document_t *document,
	const yaml_node_t *node, char why[PRESETS_WHY_SIZE])
{
	struct conversion conversion = {.document = document};
	struct proto_json_error error = {"expected settings of a room, indented"};
	ProtobufCMessage *settings = NULL;
	if (list->count >= LIMIT_ROOM_PRESETS) {
		snprintf(why, PRESETS_WHY_SIZE, "there are more than %d", LIMIT_ROOM_PRESETS);
		return PRESETS_E_INVALID;
	}
	json_t *json = convert(&conversion, node);
	int r = json ? proto_json_take(&settings, &list->arena, &livekit__room_configuration__descriptor, json,
			       PROTO_JSON_STRICT, &error)
		     : PRESETS_E_INVALID;
	json_decref(json);
	if (r > 0) {
		snprintf(why, PRESETS_WHY_SIZE, "%.40s: %.200s", name, error.text);
		return PRESETS_E_INVALID;
	}
	return r < 0 ? r : append(list, name, settings);
}

void presets_clear(struct config_presets *list)
{
	proto_arena_fini(&list->arena);
	mem_free(list->items);
	memset(list, 0, sizeof *list);
}
