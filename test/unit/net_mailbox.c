#include "net/mailbox.h"

#include "base/mem.h"
#include "loop_wait.h"

#include <errno.h>
#include <sched.h>

enum { THREADS = 3, LETTERS = 20000 };

struct letter {
	int from, number;
};

static struct loop loop;
static struct mailbox *box;
static int got[THREADS], total, answers;
static bool reading;

static void on_letter(void *owner, void *letter)
{
	struct letter l = *(struct letter *)letter;
	CHECK(!reading); /* never inside a post */
	reading = true;
	CHECK_EQ(l.number, got[l.from]); /* in order, each once */
	++got[l.from];
	++total;
	if (answers > 0) {
		--answers;
		struct letter more = {.from = l.from, .number = l.number + 1};
		CHECK_EQ(mailbox_post(box, &more), 0);
		CHECK_EQ(got[l.from], more.number);
	}
	reading = false;
}

static void post_all(void *owner)
{
	struct letter l = {.from = *(int *)owner};
	for (; l.number < LETTERS; ++l.number) {
		int r;
		while ((r = mailbox_post(box, &l)) == -ENOBUFS)
			sched_yield();
		CHECK_EQ(r, 0);
	}
}

static void reset(size_t letters_max)
{
	memset(got, 0, sizeof got);
	total = answers = 0;
	CHECK_EQ(mailbox_new(&box, &loop, sizeof(struct letter), letters_max, on_letter, NULL), 0);
}

static void letters_of_several_threads_come_in_order(void)
{
	uv_thread_t threads[THREADS];
	int names[THREADS] = {0, 1, 2};
	reset(64);
	for (int i = 0; i < THREADS; ++i)
		CHECK_EQ(uv_thread_create(&threads[i], post_all, &names[i]), 0);
	LOOP_WAIT(&loop, total == THREADS * LETTERS);
	for (int i = 0; i < THREADS; ++i)
		uv_thread_join(&threads[i]);
	box = mailbox_free(box);
}

static void the_reader_may_post_to_itself(void)
{
	struct letter l = {0};
	reset(1);
	answers = 100;
	CHECK_EQ(mailbox_post(box, &l), 0);
	CHECK_EQ(total, 0);
	LOOP_WAIT(&loop, total == 101);
	box = mailbox_free(box);
}

static void a_full_box_says_so_and_keeps_what_it_has(void)
{
	reset(2);
	for (int i = 0; i < 2; ++i)
		CHECK_EQ(mailbox_post(box, &(struct letter){.number = i}), 0);
	CHECK_EQ(mailbox_post(box, &(struct letter){.number = 2}), -ENOBUFS);
	LOOP_WAIT(&loop, total == 2);
	CHECK_EQ(mailbox_post(box, &(struct letter){.number = 2}), 0);
	LOOP_WAIT(&loop, total == 3);
	box = mailbox_free(box);
}

static void free_at_first(void *owner, void *letter)
{
	++total;
	box = mailbox_free(box);
}

static void it_may_be_freed_by_its_reader(void)
{
	total = 0;
	CHECK_EQ(mailbox_new(&box, &loop, sizeof(int), 4, free_at_first, NULL), 0);
	CHECK_EQ(mailbox_post(box, &(int){1}), 0);
	CHECK_EQ(mailbox_post(box, &(int){2}), 0);
	LOOP_WAIT(&loop, !box);
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	CHECK_EQ(total, 1);
	CHECK(!mailbox_free(NULL));
}

/* ---- the last letter: what a worker and its owner do at the end ---- */

static struct mailbox *last_box;

static void on_last(void *owner, void *letter)
{
	if (!*(int *)letter)
		return;
	last_box = mailbox_free(last_box);
	loop_stop(owner);
}

static void read_until_the_last(void *owner)
{
	loop_run(owner);
}

/* Rounds of what worker_free() and a worker do: the poster is done with the box when its reader is. */
static void the_last_letter_may_end_the_mailbox_of_another_thread(void)
{
	for (int round = 0; round < 200; ++round) {
		struct loop own;
		uv_thread_t thread;
		CHECK_EQ(loop_init(&own), 0);
		CHECK_EQ(mailbox_new(&last_box, &own, sizeof(int), 64, on_last, &own), 0);
		struct mailbox *to = last_box;
		CHECK_EQ(uv_thread_create(&thread, read_until_the_last, &own), 0);
		for (int i = 0; i < 32; ++i) /* keeps the reader awake */
			CHECK_EQ(mailbox_post(to, &(int){0}), 0);
		CHECK_EQ(mailbox_post(to, &(int){1}), 0);
		uv_thread_join(&thread);
		loop_fini(&own);
	}
}

static void every_allocation_may_fail(void)
{
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	size_t before = mem_live();
	for (int n = 0;; ++n) {
		box = NULL;
		mem_fail_after(n);
		int r = mailbox_new(&box, &loop, 8, 4, on_letter, NULL);
		mem_fail_after(-1);
		if (r == 0)
			break;
		CHECK(!box);
		CHECK_EQ(mem_live(), before);
	}
	box = mailbox_free(box);
}

int main(void)
{
	CHECK_EQ(loop_init(&loop), 0);
	letters_of_several_threads_come_in_order();
	the_reader_may_post_to_itself();
	a_full_box_says_so_and_keeps_what_it_has();
	it_may_be_freed_by_its_reader();
	the_last_letter_may_end_the_mailbox_of_another_thread();
	every_allocation_may_fail();
	loop_fini(&loop);
	CHECK_EQ(mem_live(), 0);
	return 0;
}
