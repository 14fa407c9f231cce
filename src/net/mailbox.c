#include "net/mailbox.h"

#include "base/err.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>

struct mailbox {
	uv_async_t async; /* first: libuv hands it back */
	uv_mutex_t lock;  /* guards head, count and the letters */
	mailbox_read_fn *read;
	void *owner;
	size_t letter_size, letters_max;
	size_t head, count;
	uint8_t *letters;
	uint8_t *reading; /* a copy of the letter being read: its slot is free for others by then */
	bool closing;
};

static size_t waiting(struct mailbox *m)
{
	uv_mutex_lock(&m->lock);
	size_t count = m->count;
	uv_mutex_unlock(&m->lock);
	return count;
}

static void take(struct mailbox *m)
{
	uv_mutex_lock(&m->lock);
	assert(m->count > 0); /* nobody else takes letters out */
	memcpy(m->reading, m->letters + m->head * m->letter_size, m->letter_size);
	m->head = (m->head + 1) % m->letters_max;
	--m->count;
	uv_mutex_unlock(&m->lock);
}

/* As many letters as there were when it woke: whoever posts meanwhile (also the reader itself)
 * wakes it again, so a flood cannot starve the sockets of the same loop. */
static void on_wake(uv_async_t *async)
{
	struct mailbox *m = (struct mailbox *)async;
	for (size_t left = waiting(m); left && !m->closing; --left) {
		take(m);
		m->read(m->owner, m->reading);
	}
}

static void free_memory(struct mailbox *m)
{
	mem_free(m->letters);
	mem_free(m->reading);
	mem_free(m);
}

int mailbox_new(struct mailbox **ret, struct loop *l, size_t letter_size, size_t letters_max,
	mailbox_read_fn *read, void *owner)
{
	assert(letter_size && letters_max && read);

	struct mailbox *m = mem_zalloc(sizeof *m);
	if (!m)
		return err_new(-ENOMEM);
	m->letters = mem_zalloc(letter_size * letters_max);
	m->reading = mem_zalloc(letter_size);
	m->read = read;
	m->owner = owner;
	m->letter_size = letter_size;
	m->letters_max = letters_max;
	if (!m->letters || !m->reading || uv_mutex_init(&m->lock) < 0) {
		free_memory(m);
		return err_new(-ENOMEM);
	}
	int r = uv_async_init(&l->uv, &m->async, on_wake);
	if (r < 0) {
		uv_mutex_destroy(&m->lock);
		free_memory(m);
		return err_new(r);
	}
	*ret = m;
	return 0;
}

/* Wakes the reader under the lock: a reader that is awake already may take this letter as soon as the
 * lock is free, and if it says "stop", the mailbox goes. */
int mailbox_post(struct mailbox *m, const void *letter)
{
	uv_mutex_lock(&m->lock);
	bool full = m->count == m->letters_max;
	if (!full) {
		size_t at = (m->head + m->count++) % m->letters_max;
		memcpy(m->letters + at * m->letter_size, letter, m->letter_size);
		uv_async_send(&m->async);
	}
	uv_mutex_unlock(&m->lock);
	return full ? -ENOBUFS : 0;
}

static void on_closed(uv_handle_t *h)
{
	struct mailbox *m = (struct mailbox *)h;
	uv_mutex_destroy(&m->lock);
	free_memory(m);
}

struct mailbox *mailbox_free(struct mailbox *m)
{
	if (!m || m->closing)
		return NULL;
	m->closing = true;
	uv_close((uv_handle_t *)&m->async, on_closed);
	return NULL;
}
