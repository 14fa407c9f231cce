#include "media/payload.h"

#include "base/err.h"
#include "base/mem.h"

#include <errno.h>
#include <stdalign.h>

struct payload {
	struct list link;
	alignas(max_align_t) uint8_t bytes[];
};

int payloads_init(struct payloads *p)
{
	if (uv_mutex_init(&p->lock) < 0)
		return err_new(-ENOMEM);
	list_init(&p->all);
	p->ready = true;
	return 0;
}

void payloads_fini(struct payloads *p)
{
	if (!p->ready)
		return;
	while (!list_empty(&p->all)) {
		struct payload *b = list_first(&p->all, struct payload, link);
		list_remove(&b->link);
		mem_free(b);
	}
	uv_mutex_destroy(&p->lock);
	p->ready = false;
}

void *payload_new(struct payloads *p, const void *bytes, size_t size)
{
	struct payload *b = mem_zalloc(sizeof *b + size);
	if (!b)
		return NULL;
	if (size)
		memcpy(b->bytes, bytes, size);
	uv_mutex_lock(&p->lock);
	list_add(&p->all, &b->link);
	uv_mutex_unlock(&p->lock);
	return b->bytes;
}

void payload_free(struct payloads *p, void *payload)
{
	if (!payload)
		return;
	struct payload *b = container_of(payload, struct payload, bytes);
	uv_mutex_lock(&p->lock);
	list_remove(&b->link);
	uv_mutex_unlock(&p->lock);
	mem_free(b);
}
