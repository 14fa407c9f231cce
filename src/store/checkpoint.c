#include "store/checkpoint.h"

#include "base/err.h"
#include "base/mem.h"
#include "store/database.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

struct checkpoint {
	pthread_t thread;
	pthread_mutex_t lock; /* of the two below */
	pthread_cond_t changed;
	bool wanted, stopping;
	bool running; /* the thread was made */
	char *path;
};

/* PASSIVE: never in the way of who writes. `frames` is how long the log was when it began. */
static int bring_in(sqlite3 *db, int *frames, bool *all)
{
	int done = 0;
	if (sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, frames, &done) != SQLITE_OK)
		return database_broken(db, "checkpoint");
	*all = done >= *frames;
	return *frames < 0 ? err_new(-EINVAL) : 0;
}

/* What was written while the first pass waited for the disk is little, and so on: only a pass that
 * catches up lets the log be written over from its beginning, else it grows for as long as there is
 * no pause. A failure is in the log, and is tried again with the next. */
static void run_once(const char *path)
{
	enum { PASSES = 16 };
	sqlite3 *db = NULL;
	int before = -1, frames = 0;
	bool all = false;
	int r = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK ? 0 : database_broken(db, path);
	/* Only who has read from the file knows that it has such a log. */
	if (r == 0)
		r = database_run(db, "PRAGMA schema_version");
	for (int i = 0; r == 0 && !(all && frames == before) && i < PASSES; ++i) {
		before = frames;
		r = bring_in(db, &frames, &all);
	}
	sqlite3_close(db);
}

static void *work(void *owner)
{
	struct checkpoint *c = owner;
	pthread_mutex_lock(&c->lock);
	while (!c->stopping) {
		if (!c->wanted) {
			pthread_cond_wait(&c->changed, &c->lock);
			continue;
		}
		c->wanted = false;
		pthread_mutex_unlock(&c->lock);
		run_once(c->path);
		pthread_mutex_lock(&c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* Signals are the control thread's. */
static int start_thread(struct checkpoint *c)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = pthread_create(&c->thread, NULL, work, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	c->running = r == 0;
	return r ? err_new(-r) : 0;
}

int checkpoint_start(struct checkpoint **ret, const char *path)
{
	struct checkpoint *c = mem_zalloc(sizeof *c);
	if (!c)
		return err_new(-ENOMEM);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	c->path = mem_strdup(path);
	int r = c->path ? start_thread(c) : err_new(-ENOMEM);
	if (r < 0) {
		checkpoint_stop(c);
		return r;
	}
	*ret = c;
	return 0;
}

static void tell(struct checkpoint *c, bool *what)
{
	pthread_mutex_lock(&c->lock);
	*what = true;
	pthread_cond_signal(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

void checkpoint_soon(struct checkpoint *c)
{
	tell(c, &c->wanted);
}

struct checkpoint *checkpoint_stop(struct checkpoint *c)
{
	if (!c)
		return NULL;
	tell(c, &c->stopping);
	if (c->running)
		pthread_join(c->thread, NULL);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	mem_free(c->path);
	mem_free(c);
	return NULL;
}
