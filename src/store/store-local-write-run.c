/* SPDX-License-Identifier: Apache-2.0 */
/* store-local-write-run.c - the marks of runs of writers of a directory store.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/key.h"
#include "base/mem.h"
#include "base/unique.h"
#include "store/store-local-write-backend.h"

#define LOCK_WAIT (60 * CLOCK_NS_PER_SEC)

int store_local_open_tmp(const struct local_store *ls)
{
	return openat(ls->dirfd, STORE_TMP,
		      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int store_local_lock_mark(int fd, int how)
{
	struct stat sb;

	if (flock(fd, how | LOCK_NB))
		return errno == EWOULDBLOCK ? 0 : -1;
	if (fstat(fd, &sb))
		return -1;
	return sb.st_nlink ? 1 : 0;
}

static enum rc write_kind(const struct store_run_local *run,
			  enum store_run_kind kind, struct err *err)
{
	char line[16];
	int len = snprintf(line, sizeof(line), "/%s\n",
			   store_run_kind_text(kind));

	if (kind == STORE_RUN_OTHER ||
	    !io_write(run->markfd, line, (size_t)len))
		return RC_OK;
	err_set_errno(err, errno, "%s/%s", STORE_TMP, run->name);
	unlinkat(run->tmpfd, run->name, 0);
	return err->rc;
}

/* Make a mark of a new name and lock it.  Between the two somebody who cleans
 * up may take it for a dead one's: then another.
 */
static enum rc make_mark(struct store_run_local *run, enum store_run_kind kind,
			 struct err *err)
{
	for (;;) {
		CLEANUP_FD int fd = -1;
		char random[17];
		int locked;

		if (unique_text(random, 8, err))
			return err->rc;
		snprintf(run->name, sizeof(run->name), "run-%s", random);
		fd = openat(run->tmpfd, run->name,
			    O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC,
			    0666);
		locked = fd < 0 ? -1 : store_local_lock_mark(fd, LOCK_EX);
		if (locked < 0)
			return err_set_errno(err, errno, "%s/%s", STORE_TMP,
					     run->name);
		if (locked) {
			run->markfd = STEAL_FD(fd);
			return write_kind(run, kind, err);
		}
		unlinkat(run->tmpfd, run->name, 0);
	}
}

/* Lock STORE_TMP, which nobody holds for long.  Not every file system can lock
 * directories, NFS for one: there the moment between look and removal stays.
 */
static enum rc lock_tmp(int tmpfd, int how, struct err *err)
{
	const struct timespec step = { .tv_nsec = 5000000 };
	uint64_t end = clock_mono_ns() + LOCK_WAIT;

	while (flock(tmpfd, how | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return RC_OK;
		if (clock_mono_ns() > end)
			return err_set(err, RC_TIMEOUT,
				       "%s: a clean-up has had it locked for a "
				       "minute",
				       STORE_TMP);
		nanosleep(&step, NULL);
	}
	return RC_OK;
}

/* Who looked before the mark was there has removed what it was about to. */
static enum rc wait_for_cleaners(struct store_run_local *run, struct err *err)
{
	if (!lock_tmp(run->tmpfd, LOCK_SH, err)) {
		(void)flock(run->tmpfd, LOCK_UN);
		return RC_OK;
	}
	unlinkat(run->tmpfd, run->name, 0);
	return err->rc;
}

static void run_free(struct store_run_local *run)
{
	if (run->tmpfd >= 0)
		close(run->tmpfd);
	if (run->markfd >= 0)
		close(run->markfd);
	free(run);
}

static void run_free_p(struct store_run_local **run)
{
	if (*run)
		run_free(*run);
}

enum rc store_local_run_new(struct store *st, enum store_run_kind kind,
			    struct store_run **ret, struct err *err)
{
	struct local_store *ls = (struct local_store *)st;
	CLEANUP(run_free_p) struct store_run_local *run = NULL;

	run = xcalloc(1, sizeof(*run));
	run->base.st = st;
	run->markfd = -1;
	run->tmpfd = -1;
	if (!mkdirat(ls->dirfd, STORE_TMP, 0777) || errno == EEXIST)
		run->tmpfd = store_local_open_tmp(ls);
	if (run->tmpfd < 0)
		return err_set_errno(err, errno, "%s", STORE_TMP);
	if (make_mark(run, kind, err) || wait_for_cleaners(run, err))
		return err->rc;
	*ret = &STEAL_PTR(run)->base;
	return RC_OK;
}

/* The mark is made durable, for claims to be; that of a single upload, which
 * has none, need not be.
 */
enum rc store_local_run_begin(struct store *st, enum store_run_kind kind,
			      struct store_run **ret, struct err *err)
{
	struct local_store *ls = (struct local_store *)st;
	struct store_run *run = NULL;

	if (ls->run)
		return err_set(err, RC_USAGE, "a run has begun already");
	if (store_local_run_new(st, kind, &run, err))
		return err->rc;
	if (io_fsync_dir(((struct store_run_local *)run)->tmpfd)) {
		err_set_errno(err, errno, "%s", STORE_TMP);
		store_local_run_end(run, false);
		return err->rc;
	}
	*ret = ls->run = run;
	return RC_OK;
}

void store_local_run_end(struct store_run *base, bool is_committed)
{
	struct store_run_local *run = (struct store_run_local *)base;
	struct local_store *ls = (struct local_store *)base->st;

	if (ls->run == base)
		ls->run = NULL;
	if (is_committed || !run->has_claims)
		unlinkat(run->tmpfd, run->name, 0);
	run_free(run);
}

static bool is_shard(const char *key)
{
	return *key >= '0' && *key <= '9';
}

/* One write of O_APPEND for each line, so that threads may meet here.  Shards
 * outlast a power failure, and so must the word whose they are: one that is
 * nobody's is taken for one of a log that is lost.  Of no other object is that
 * asked, and there may be one for each file.
 */
enum rc store_local_run_claim(struct store_run *base, const char *key,
			      struct err *err)
{
	struct store_run_local *run = (struct store_run_local *)base;
	CLEANUP_FREE char *line = xasprintf("%s\n", key);

	run->has_claims = true;
	if (io_write(run->markfd, line, strlen(line)) ||
	    (is_shard(key) && fdatasync(run->markfd)))
		return err_set_errno(err, errno, "%s/%s", STORE_TMP, run->name);
	return RC_OK;
}

struct idle_local {
	struct store_idle base;
	int tmpfd; /* -1: there is no STORE_TMP, and so no run */
};

enum rc store_local_idle_begin(struct store *st, struct store_idle **ret,
			       struct err *err)
{
	struct local_store *ls = (struct local_store *)st;
	CLEANUP_FD int fd = store_local_open_tmp(ls);
	struct idle_local *idle;

	if (fd < 0 && errno != ENOENT)
		return err_set_errno(err, errno, "%s", STORE_TMP);
	if (fd >= 0 && lock_tmp(fd, LOCK_EX, err))
		return err->rc;
	idle = xcalloc(1, sizeof(*idle));
	idle->tmpfd = STEAL_FD(fd);
	*ret = &idle->base;
	return RC_OK;
}

void store_local_idle_end(struct store_idle *base)
{
	struct idle_local *idle = (struct idle_local *)base;

	if (idle->tmpfd >= 0)
		close(idle->tmpfd);
	free(idle);
}
