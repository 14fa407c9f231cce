/* What a participant says of itself: name, metadata, attributes. */
#include "base/err.h"
#include "base/mem.h"
#include "room/inside.h"

#include <errno.h>

void attributes_free(struct attribute *list, size_t count)
{
	for (size_t i = 0; i < count; ++i) {
		mem_free((char *)list[i].key);
		mem_free((char *)list[i].value);
	}
	mem_free(list);
}

static const struct attribute *attribute_find(
	const struct attribute *list, size_t count, const char *key)
{
	/* The last one wins, as in a JSON object. */
	for (size_t i = count; i > 0; --i)
		if (!strcmp(list[i - 1].key, key))
			return &list[i - 1];
	return NULL;
}

static int attribute_add(struct attribute *list, size_t *count, const struct attribute *a)
{
	struct attribute *copy = &list[*count];
	copy->key = mem_strdup(a->key);
	copy->value = mem_strdup(a->value);
	++*count; /* even when half made: attributes_free() frees what there is */
	return copy->key && copy->value ? 0 : err_new(-ENOMEM);
}

static bool has_value(const struct attribute *a)
{
	return a->value && *a->value;
}

int attributes_merge(struct attribute **ret, size_t *ret_count, const struct attribute *old,
	size_t old_count, const struct attribute *changes, size_t change_count)
{
	struct attribute *list = mem_zalloc((old_count + change_count + 1) * sizeof *list);
	if (!list)
		return err_new(-ENOMEM);
	size_t count = 0;
	int r = 0;
	for (size_t i = 0; i < old_count && r == 0; ++i)
		if (!attribute_find(changes, change_count, old[i].key))
			r = attribute_add(list, &count, &old[i]);
	for (size_t i = 0; i < change_count && r == 0; ++i)
		if (has_value(&changes[i]) &&
			attribute_find(changes, change_count, changes[i].key) == &changes[i])
			r = attribute_add(list, &count, &changes[i]);
	if (r < 0) {
		attributes_free(list, count);
		return r;
	}
	*ret = list;
	*ret_count = count;
	return 0;
}

size_t attributes_size(const struct attribute *list, size_t count)
{
	size_t size = 0;
	for (size_t i = 0; i < count; ++i)
		size += strlen(list[i].key) + (list[i].value ? strlen(list[i].value) : 0);
	return size;
}

static bool too_large(const struct participant *p, const char *metadata,
	const struct attribute *list, size_t count)
{
	size_t size = attributes_size(list, count);
	for (size_t i = 0; i < p->attribute_count; ++i)
		if (!attribute_find(list, count, p->attributes[i].key))
			size += attributes_size(&p->attributes[i], 1);
	const struct room_limits *limits = rooms_limits(p->room->rooms);
	return size > limits->attributes || (metadata && strlen(metadata) > limits->metadata);
}

struct change {
	char *name, *metadata;
	struct attribute *attributes;
	size_t count;
};

static void change_fini(struct change *c)
{
	mem_free(c->name);
	mem_free(c->metadata);
	attributes_free(c->attributes, c->count);
}

static int change_prepare(struct change *c, const struct participant *p, const char *name,
	const char *metadata, const struct attribute *attributes, size_t count)
{
	c->name = mem_strdup(name ? name : p->name);
	c->metadata = mem_strdup(metadata ? metadata : p->metadata);
	if (!c->name || !c->metadata)
		return err_new(-ENOMEM);
	return attributes_merge(
		&c->attributes, &c->count, p->attributes, p->attribute_count, attributes, count);
}

int participant_set(struct participant *p, const char *name, const char *metadata,
	const struct attribute *attributes, size_t count)
{
	if (too_large(p, metadata, attributes, count) ||
		(name && strlen(name) > rooms_limits(p->room->rooms)->name))
		return PARTICIPANT_E_LIMIT;
	if (!name && !metadata && !count)
		return 0;
	struct change c = {0};
	int r = change_prepare(&c, p, name, metadata, attributes, count);
	if (r < 0) {
		change_fini(&c);
		return r;
	}
	struct change old = {p->name, p->metadata, p->attributes, p->attribute_count};
	p->name = c.name;
	p->metadata = c.metadata;
	p->attributes = c.attributes;
	p->attribute_count = c.count;
	change_fini(&old);
	if (p->state != LIVEKIT__PARTICIPANT_INFO__STATE__DISCONNECTED)
		room_tell(p, true);
	return 0;
}

const char *participant_attribute(const struct participant *p, const char *key)
{
	const struct attribute *a = attribute_find(p->attributes, p->attribute_count, key);
	return a ? a->value : NULL;
}

const struct attribute *participant_attributes(const struct participant *p, size_t i)
{
	return i < p->attribute_count ? &p->attributes[i] : NULL;
}
