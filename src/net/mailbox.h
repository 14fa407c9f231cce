/* net/mailbox.h - the only door between two threads: letters of fixed size, in order.
 *
 * Owner:   the thread that reads it.
 * Owns:    its ring (bounded) and the async handle that wakes the reader.
 * Thread:  post from any; everything else on the reader's loop. Reader and poster may be the
 *          same thread: then a letter is still delivered in a later turn, never inside the post.
 */
#pragma once

#include "net/loop.h"

struct mailbox;

/* `letter` is `letter_size` bytes, valid during the call. */
typedef void mailbox_read_fn(void *owner, void *letter);

MUST_USE int mailbox_new(struct mailbox **ret, struct loop *l, size_t letter_size,
	size_t letters_max, mailbox_read_fn *read, void *owner);
/* Copies the letter. Returns 0, or -ENOBUFS when the ring is full (the caller counts it). */
MUST_USE int mailbox_post(struct mailbox *m, const void *letter);
struct mailbox *mailbox_free(struct mailbox *m); /* on the reader's loop; nobody posts any more */
