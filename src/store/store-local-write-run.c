/* SPDX-License-Identifier: Apache-2.0 */
/* store-local-write-run.c - which writers of a directory store live, and what
 * the dead left.
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

static int open_tmp(const struct local_store *ls)
{
	return openat(ls->dirfd, STORE_TMP,
		      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* How is LOCK_EX for a mark's owner, LOCK_SH for who asks whether it has one.
 * 1: locked and still there; 0: somebody else was quicker; -1 and errno.
 */
static int lock_mark(int fd, int how)
{
	struct stat sb;

	if (flock(fd, how | LOCK_NB))
		return errno == EWOULDBLOCK ? 0 : -1;
	if (fstat(fd, &sb))
		return -1;
	return sb.st_nlink ? 1 : 0;
}

/* Make a mark of a new name and lock it.  Between the two somebody who cleans
 * up may take it for a dead one's: then another.
 */
static enum rc make_mark(struct store_run_local *run, struct err *err)
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
		locked = fd < 0 ? -1 : lock_mark(fd, LOCK_EX);
		if (locked < 0)
			return err_set_errno(err, errno, "%s/%s", STORE_TMP,
					     run->name);
		if (locked) {
			run->markfd = STEAL_FD(fd);
			return RC_OK;
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

enum rc store_local_run_new(struct store *st, struct store_run **ret,
			    struct err *err)
{
	struct local_store *ls = (struct local_store *)st;
	CLEANUP(run_free_p) struct store_run_local *run = NULL;

	run = xcalloc(1, sizeof(*run));
	run->base.st = st;
	run->markfd = -1;
	run->tmpfd = -1;
	if (!mkdirat(ls->dirfd, STORE_TMP, 0777) || errno == EEXIST)
		run->tmpfd = open_tmp(ls);
	if (run->tmpfd < 0)
		return err_set_errno(err, errno, "%s", STORE_TMP);
	if (make_mark(run, err) || wait_for_cleaners(run, err))
		return err->rc;
	*ret = &STEAL_PTR(run)->base;
	return RC_OK;
}

enum rc store_local_run_begin(struct store *st, struct store_run **ret,
			      struct err *err)
{
	struct local_store *ls = (struct local_store *)st;

	if (ls->run)
		return err_set(err, RC_USAGE, "a run has begun already");
	if (store_local_run_new(st, ret, err))
		return err->rc;
	ls->run = *ret;
	return RC_OK;
}

void store_local_run_end(struct store_run *base, bool is_committed)
{
	struct store_run_local *run = (struct store_run_local *)base;
	struct local_store *ls = (struct local_store *)base->st;
	struct stat sb;

	if (ls->run == base)
		ls->run = NULL;
	if (is_committed || fstat(run->markfd, &sb) || !sb.st_size)
		unlinkat(run->tmpfd, run->name, 0);
	run_free(run);
}

/* One write of O_APPEND for each line, so that threads may meet here. */
enum rc store_local_run_claim(struct store_run *base, const char *key,
			      struct err *err)
{
	struct store_run_local *run = (struct store_run_local *)base;
	CLEANUP_FREE char *line = xasprintf("%s\n", key);

	if (io_write(run->markfd, line, strlen(line)))
		return err_set_errno(err, errno, "%s/%s", STORE_TMP, run->name);
	return RC_OK;
}

/* Whether the run of that name is alive.  A dead one's mark that is there is
 * locked and given back in *ret_fd for as long as it is dealt with.
 */
static bool is_alive(int tmpfd, const char *run, int *ret_fd)
{
	CLEANUP_FD int fd = openat(
		tmpfd, run, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno != ENOENT;
	if (lock_mark(fd, LOCK_SH) != 1)
		return true;
	*ret_fd = STEAL_FD(fd);
	return false;
}

static bool is_id(const char *s, size_t len)
{
	uint8_t b[8];

	return hex_decode(s, len, b, sizeof(b));
}

/* Whether name is a run's mark or, *ret_is_upload, one of its uploads; puts the
 * run's name into run.
 */
static bool parse_name(const char *name, char run[RUN_TEXT],
		       bool *ret_is_upload)
{
	size_t len = strlen(name);
	size_t run_len = RUN_TEXT - 1;

	if (len < run_len || strncmp(name, "run-", 4) != 0 ||
	    !is_id(name + 4, run_len - 4))
		return false;
	*ret_is_upload = len > run_len;
	if (*ret_is_upload && (name[run_len] != '-' ||
			       !is_id(name + run_len + 1, len - run_len - 1)))
		return false;
	memcpy(run, name, run_len);
	run[run_len] = '\0';
	return true;
}

typedef enum rc name_fn(void *arg, int tmpfd, const char *name, const char *run,
			bool is_upload, struct err *err);

static void closedir_p(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* Call fn for each mark and upload in STORE_TMP. */
static enum rc for_each(const struct local_store *ls, name_fn *fn, void *arg,
			struct err *err)
{
	CLEANUP(closedir_p) DIR *d = NULL;
	int fd = open_tmp(ls);

	if (fd < 0 && errno == ENOENT)
		return RC_OK;
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		err_set_errno(err, errno, "%s", STORE_TMP);
		if (fd >= 0)
			close(fd);
		return err->rc;
	}
	for (;;) {
		const struct dirent *e;
		char run[RUN_TEXT];
		bool is_upload = false;

		errno = 0;
		e = readdir(d);
		if (!e && errno)
			return err_set_errno(err, errno, "%s", STORE_TMP);
		if (!e)
			return RC_OK;
		if (parse_name(e->d_name, run, &is_upload) &&
		    fn(arg, dirfd(d), e->d_name, run, is_upload, err))
			return err->rc;
	}
}

struct alive_count {
	const struct store_run_local *own;
	unsigned int n;
};

static enum rc count_alive(void *arg, int tmpfd, const char *name,
			   const char *run, bool is_upload, struct err *err)
{
	struct alive_count *count = arg;
	CLEANUP_FD int fd = -1;

	(void)name;
	(void)err;
	if (is_upload || (count->own && !strcmp(count->own->name, run)))
		return RC_OK;
	if (is_alive(tmpfd, run, &fd))
		count->n++;
	return RC_OK;
}

enum rc store_local_runs_alive(struct store *st, const struct store_run *own,
			       unsigned int *ret, struct err *err)
{
	struct alive_count count = {
		.own = (const struct store_run_local *)own,
	};

	if (for_each((struct local_store *)st, count_alive, &count, err))
		return err->rc;
	*ret = count.n;
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
	CLEANUP_FD int fd = open_tmp(ls);
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

#define MARK_MAX (64u << 20) /* bytes: keys of 65,536 slots in many parts */

struct claims {
	store_claim_fn *fn;
	void *arg;
};

/* A last line without its end was cut by the death of its writer, or is being
 * written: nothing was published for it.
 */
static enum rc tell_lines(const struct claims *c, char *text, struct err *err)
{
	char *line = text, *end;

	for (end = strchr(line, '\n'); end; end = strchr(line, '\n')) {
		*end = '\0';
		if (key_is_valid(line) && c->fn(c->arg, line, err))
			return err->rc;
		line = end + 1;
	}
	return RC_OK;
}

static enum rc claims_of_dead(void *arg, int tmpfd, const char *name,
			      const char *run, bool is_upload, struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = MARK_MAX };
	const struct claims *c = arg;
	CLEANUP_FD int fd = -1;
	struct stat sb;
	ssize_t n;

	if (is_upload || is_alive(tmpfd, run, &fd) || fd < 0)
		return RC_OK;
	if (fstat(fd, &sb))
		return err_set_errno(err, errno, "%s/%s", STORE_TMP, name);
	if (!S_ISREG(sb.st_mode) || !sb.st_size)
		return RC_OK;
	if (sb.st_size > MARK_MAX || !buf_reserve(&text, (size_t)sb.st_size))
		return err_set(err, RC_LIMIT, "%s/%s: over %u bytes", STORE_TMP,
			       name, MARK_MAX);
	n = io_pread(fd, text.p, (size_t)sb.st_size, 0);
	if (n < 0)
		return err_set_errno(err, errno, "%s/%s", STORE_TMP, name);
	text.len = (size_t)n;
	buf_append(&text, "", 1);
	return buf_ok(&text) ? tell_lines(c, (char *)text.p, err)
			     : err_set(err, RC_NOMEM, "no memory for a mark");
}

enum rc store_local_claims(struct store *st, store_claim_fn *fn, void *arg,
			   struct err *err)
{
	struct claims c = { fn, arg };

	return for_each((struct local_store *)st, claims_of_dead, &c, err);
}

struct leftovers {
	bool remove, keep_claims, uploads;
	store_leftover_fn *fn;
	void *arg;
};

static enum rc tell_dead(void *arg, int tmpfd, const char *name,
			 const char *run, bool is_upload, struct err *err)
{
	const struct leftovers *l = arg;
	CLEANUP_FREE char *what = NULL;
	CLEANUP_FD int fd = -1;
	struct stat sb;

	if (is_upload != l->uploads || is_alive(tmpfd, run, &fd))
		return RC_OK;
	what = xasprintf("%s/%s", STORE_TMP, name);
	/* What is gone meanwhile was finished, or cleaned up by another. */
	if (fstatat(tmpfd, name, &sb, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? RC_OK
				       : err_set_errno(err, errno, "%s", what);
	if (!is_upload && l->keep_claims && sb.st_size)
		return RC_OK;
	if (l->remove && unlinkat(tmpfd, name, 0))
		return errno == ENOENT ? RC_OK
				       : err_set_errno(err, errno, "%s", what);
	l->fn(l->arg, what, (uint64_t)sb.st_size);
	return RC_OK;
}

enum rc store_local_leftovers(struct store *st, bool remove, bool keep_claims,
			      store_leftover_fn *fn, void *arg, struct err *err)
{
	/* First the uploads: without its mark a run is known to be dead. */
	struct leftovers l = { remove, keep_claims, true, fn, arg };

	if (for_each((struct local_store *)st, tell_dead, &l, err))
		return err->rc;
	l.uploads = false;
	return for_each((struct local_store *)st, tell_dead, &l, err);
}
