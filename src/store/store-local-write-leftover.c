/* SPDX-License-Identifier: Apache-2.0 */
/* store-local-write-leftover.c - which writers of a directory store live, and
 * what the dead and others left.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/key.h"
#include "base/mem.h"
#include "store/store-local-write-backend.h"

/* Whether the run of that name is alive.  A dead one's mark that is there is
 * locked and given back in *ret_fd for as long as it is dealt with.
 */
static bool is_alive(int tmpfd, const char *run, int *ret_fd)
{
	CLEANUP_FD int fd = openat(
		tmpfd, run, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno != ENOENT;
	if (store_local_lock_mark(fd, LOCK_SH) != 1)
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

/* run "": the name is none of a run's. */
typedef enum rc name_fn(void *arg, int tmpfd, const char *name, const char *run,
			bool is_upload, struct err *err);

static bool is_dot(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* Call fn for each name in STORE_TMP: the marks and uploads of runs, or all
 * others.
 */
static enum rc for_each(const struct local_store *ls, bool of_runs, name_fn *fn,
			void *arg, struct err *err)
{
	CLEANUP_DIR DIR *d = NULL;
	int fd = store_local_open_tmp(ls);

	if (fd < 0 && errno == ENOENT)
		return RC_OK;
	d = io_fdopendir(fd);
	if (!d)
		return err_set_errno(err, errno, "%s", STORE_TMP);
	for (;;) {
		const struct dirent *e;
		char run[RUN_TEXT] = "";
		bool is_upload = false;

		errno = 0;
		e = readdir(d);
		if (!e && errno)
			return err_set_errno(err, errno, "%s", STORE_TMP);
		if (!e)
			return RC_OK;
		if (parse_name(e->d_name, run, &is_upload) == of_runs &&
		    !is_dot(e->d_name) &&
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

	if (for_each((struct local_store *)st, true, count_alive, &count, err))
		return err->rc;
	*ret = count.n;
	return RC_OK;
}

/* When a run began, us: its mark is written to, but made only once.  Not every
 * file system tells.
 */
static int64_t time_of_mark(int tmpfd, const char *name)
{
	struct statx sx;

	if (statx(tmpfd, name, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &sx) ||
	    !(sx.stx_mask & STATX_BTIME))
		return INT64_MIN;
	return sx.stx_btime.tv_sec * 1000000 + sx.stx_btime.tv_nsec / 1000;
}

/* The first line of the mark fd; '*ret_len': its bytes, 0 where there is none.
 */
static enum store_run_kind kind_of_mark(int fd, size_t *ret_len)
{
	char line[16];
	ssize_t n = fd < 0 ? -1 : io_pread(fd, line, sizeof(line), 0);
	const char *end = n > 0 ? memchr(line, '\n', (size_t)n) : NULL;

	*ret_len = 0;
	if (!end || line[0] != '/')
		return STORE_RUN_OTHER;
	*ret_len = (size_t)(end - line) + 1;
	return store_run_kind_parse(line + 1, *ret_len - 2);
}

/* One that is gone is of any kind. */
static enum store_run_kind kind_by_name(int tmpfd, const char *name)
{
	CLEANUP_FD int fd = openat(
		tmpfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	size_t len;

	return kind_of_mark(fd, &len);
}

struct oldest {
	const struct store_run_local *own;
	unsigned int kinds;
	int64_t time;
};

static enum rc find_oldest(void *arg, int tmpfd, const char *name,
			   const char *run, bool is_upload, struct err *err)
{
	struct oldest *o = arg;
	CLEANUP_FD int fd = -1;
	int64_t time;

	(void)err;
	if (is_upload || (o->own && !strcmp(o->own->name, run)))
		return RC_OK;
	/* Before it is gone; what is gone is not alive. */
	time = time_of_mark(tmpfd, name);
	if (!(o->kinds & 1u << kind_by_name(tmpfd, name)))
		return RC_OK;
	if (is_alive(tmpfd, run, &fd) && time < o->time)
		o->time = time;
	return RC_OK;
}

enum rc store_local_runs_oldest(struct store *st, unsigned int kinds,
				const struct store_run *own, int64_t *ret_us,
				struct err *err)
{
	struct oldest o = {
		.own = (const struct store_run_local *)own,
		.kinds = kinds,
		.time = INT64_MAX,
	};

	if (for_each((struct local_store *)st, true, find_oldest, &o, err))
		return err->rc;
	*ret_us = o.time;
	return RC_OK;
}

#define MARK_MAX (64u << 20) /* bytes: keys of 65,536 slots in many parts */

struct claims {
	store_claim_fn *fn;
	void *arg;
	const char *run;
};

/* A last line without its end was cut by the death of its writer, or is being
 * written: nothing was published for it.
 */
static enum rc tell_lines(const struct claims *c, char *text, struct err *err)
{
	char *line = text, *end;

	for (end = strchr(line, '\n'); end; end = strchr(line, '\n')) {
		*end = '\0';
		if (key_is_valid(line) && c->fn(c->arg, c->run, line, err))
			return err->rc;
		line = end + 1;
	}
	return RC_OK;
}

static enum rc claims_of_dead(void *arg, int tmpfd, const char *name,
			      const char *run, bool is_upload, struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = MARK_MAX };
	struct claims *c = arg;
	CLEANUP_FD int fd = -1;
	struct stat sb;
	ssize_t n;

	if (is_upload || is_alive(tmpfd, run, &fd) || fd < 0)
		return RC_OK;
	c->run = run;
	if (c->fn(c->arg, run, NULL, err))
		return err->rc;
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
	struct claims c = { fn, arg, NULL };

	return for_each((struct local_store *)st, true, claims_of_dead, &c,
			err);
}

struct leftovers {
	bool remove, uploads;
	store_goes_fn *goes;
	store_leftover_fn *fn;
	void *arg;
};

/* The mark of a dead run; what is behind its first line is claims. */
static bool has_claims(int fd, off_t size)
{
	size_t len;

	(void)kind_of_mark(fd, &len);
	return size > (off_t)len;
}

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
	if (!is_upload && l->goes && has_claims(fd, sb.st_size) &&
	    !l->goes(l->arg, run))
		return RC_OK;
	if (l->remove && unlinkat(tmpfd, name, 0))
		return errno == ENOENT ? RC_OK
				       : err_set_errno(err, errno, "%s", what);
	l->fn(l->arg, what, (uint64_t)sb.st_size);
	return RC_OK;
}

enum rc store_local_leftovers(struct store *st, bool remove,
			      store_goes_fn *goes, store_leftover_fn *fn,
			      void *arg, struct err *err)
{
	/* First the uploads: without its mark a run is known to be dead. */
	struct leftovers l = { remove, true, goes, fn, arg };

	if (for_each((struct local_store *)st, true, tell_dead, &l, err))
		return err->rc;
	l.uploads = false;
	return for_each((struct local_store *)st, true, tell_dead, &l, err);
}

struct strays {
	bool remove;
	int64_t min_age;
	store_stray_fn *fn;
	void *arg;
};

static enum rc tell_stray(void *arg, int tmpfd, const char *name,
			  const char *run, bool is_upload, struct err *err)
{
	const struct strays *y = arg;
	CLEANUP_FREE char *what = xasprintf("%s/%s", STORE_TMP, name);
	bool is_removed;
	struct stat sb;
	int64_t age;

	(void)run;
	(void)is_upload;
	if (fstatat(tmpfd, name, &sb, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? RC_OK
				       : err_set_errno(err, errno, "%s", what);
	age = clock_wall_us() - (int64_t)sb.st_mtim.tv_sec * 1000000 -
	      sb.st_mtim.tv_nsec / 1000;
	if (age < 0)
		age = 0;
	is_removed = y->remove && age >= y->min_age && !S_ISDIR(sb.st_mode);
	if (is_removed && unlinkat(tmpfd, name, 0))
		return errno == ENOENT ? RC_OK
				       : err_set_errno(err, errno, "%s", what);
	y->fn(y->arg, what, (uint64_t)sb.st_size, age, is_removed);
	return RC_OK;
}

enum rc store_local_strays(struct store *st, bool remove, int64_t min_age,
			   store_stray_fn *fn, void *arg, struct err *err)
{
	struct strays y = { remove, min_age, fn, arg };

	return for_each((struct local_store *)st, false, tell_stray, &y, err);
}

static enum rc note_any(void *arg, int tmpfd, const char *name, const char *run,
			bool is_upload, struct err *err)
{
	bool *is_any = arg;

	(void)tmpfd;
	(void)name;
	(void)run;
	(void)is_upload;
	(void)err;
	*is_any = true;
	return RC_OK;
}

enum rc store_local_has_tmp(struct store *st, bool *ret, struct err *err)
{
	const struct local_store *ls = (const struct local_store *)st;
	bool is_any = false;

	if (for_each(ls, true, note_any, &is_any, err) ||
	    for_each(ls, false, note_any, &is_any, err))
		return err->rc;
	*ret = is_any;
	return RC_OK;
}
