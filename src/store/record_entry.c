#include "store/record_entry.h"

#include "base/mem.h"

static struct record_entry *new_entry(size_t size)
{
	struct record_entry *e = mem_zalloc(sizeof *e + size);
	if (!e)
		return NULL;
	list_init(&e->link);
	e->size = sizeof *e + size;
	return e;
}

/* Each copies to *at and moves it on. */
static const char *keep_text(uint8_t **at, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = memcpy(*at, text, size);
	*at += size;
	return copy;
}

static struct span keep_bytes(uint8_t **at, struct span bytes)
{
	struct span copy = span_of(*at, bytes.size);
	if (bytes.size)
		memcpy(*at, bytes.data, bytes.size);
	*at += bytes.size;
	return copy;
}

struct record_entry *record_entry_of_row(const struct record_row *row)
{
	size_t texts = strlen(row->id) + strlen(row->room) + strlen(row->trunk) + strlen(row->trunk_name) + strlen(row->number) + 5;
	struct record_entry *e = new_entry(texts + row->facts.size);
	if (!e)
		return NULL;
	uint8_t *at = (uint8_t *)(e + 1);
	e->is_row = true;
	e->row = *row;
	e->row.id = keep_text(&at, row->id);
	e->row.room = keep_text(&at, row->room);
	e->row.trunk = keep_text(&at, row->trunk);
	e->row.trunk_name = keep_text(&at, row->trunk_name);
	e->row.number = keep_text(&at, row->number);
	e->row.facts = keep_bytes(&at, row->facts);
	return e;
}

struct record_entry *record_entry_of_message(const char *id, const struct record_message *m)
{
	size_t texts = strlen(id) + strlen(m->protocol) + strlen(m->local) + strlen(m->remote) + 4;
	struct record_entry *e = new_entry(texts + m->bytes.size);
	if (!e)
		return NULL;
	uint8_t *at = (uint8_t *)(e + 1);
	e->row.id = keep_text(&at, id);
	e->message = *m;
	e->message.protocol = keep_text(&at, m->protocol);
	e->message.local = keep_text(&at, m->local);
	e->message.remote = keep_text(&at, m->remote);
	e->message.bytes = keep_bytes(&at, m->bytes);
	return e;
}

void record_entry_free(struct record_entry *e)
{
	list_remove(&e->link);
	mem_free(e);
}
