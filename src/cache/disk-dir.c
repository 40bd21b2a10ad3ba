/* SPDX-License-Identifier: Apache-2.0 */
/* disk-dir.c - the directory of a disk cache: its files found, read, removed.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "cache/disk-cache-backend.h"

/* Whoever takes longer to write a block has lost it, no more. */
#define NEW_MAX_SECONDS 60
/* So often a file's time of use is set. */
#define TOUCH_NS (INT64_C(3600) * 1000000000)
/* Files removed in one walk at most. */
#define BATCH 8192u

/* Make the directory and those above it. */
static enum rc make_path(const char *path, struct err *err)
{
	CLEANUP_FREE char *p = xstrdup(path);

	for (char *s = p + 1; *s; s++) {
		if (*s != '/')
			continue;
		*s = '\0';
		if (mkdir(p, 0700) < 0 && errno != EEXIST)
			return err_set_errno(err, errno, "%s", p);
		*s = '/';
	}
	if (mkdir(p, 0700) < 0 && errno != EEXIST)
		return err_set_errno(err, errno, "%s", p);
	return RC_OK;
}

/* Others must neither read the blocks nor put any there. */
static enum rc check_owner(int fd, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set_errno(err, errno, "%s", path);
	if (st.st_uid != geteuid())
		return err_set(err, RC_ACCESS, "%s: belongs to user %u", path,
			       (unsigned int)st.st_uid);
	if (st.st_mode & 077)
		return err_set(err, RC_ACCESS,
			       "%s: has mode %04o; a cache is its owner's "
			       "alone: chmod 700",
			       path, (unsigned int)st.st_mode & 07777);
	return RC_OK;
}

enum rc disk_dir_open(struct disk_dir *ret, const char *path, bool make,
		      struct err *err)
{
	CLEANUP_FD int fd = -1;
	enum rc rc = RC_OK;

	*ret = (struct disk_dir){ .fd = -1, .usage.fd = -1 };
	if (!*path)
		return err_set(err, RC_USAGE, "no directory for the cache");
	if (make)
		rc = make_path(path, err);
	if (rc)
		return rc;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set_errno(err, errno, "%s", path);
	rc = check_owner(fd, path, err);
	if (!rc)
		rc = disk_usage_open(&ret->usage, fd, err);
	if (rc)
		return rc;
	ret->fd = STEAL_FD(fd);
	return RC_OK;
}

void disk_dir_close(struct disk_dir *d)
{
	disk_usage_close(&d->usage);
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

void disk_cache_name(const uint8_t hash[DISK_CACHE_HASH_LEN],
		     char ret[DISK_CACHE_NAME_LEN + 1])
{
	hex_encode(hash, DISK_CACHE_HASH_LEN, ret + 3);
	memcpy(ret, ret + 3, 2);
	ret[2] = '/';
}

bool disk_dir_remove(struct disk_dir *d, const char *name)
{
	struct disk_sums sums;
	struct stat st;
	bool ok;

	if (!disk_usage_begin(&d->usage, &sums))
		return false;
	ok = !fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) &&
	     !unlinkat(d->fd, name, 0);
	if (ok)
		disk_sums_remove(&sums, disk_cache_cost((uint64_t)st.st_size));
	return disk_usage_end(&d->usage, ok ? &sums : NULL) && ok;
}

/* Under the usage's lock, so nobody else makes the name meanwhile. */
static int rename_new(const struct disk_dir *d, const char *temp,
		      const char *name)
{
	if (!faccessat(d->fd, name, F_OK, AT_SYMLINK_NOFOLLOW))
		return EEXIST;
	return renameat(d->fd, temp, d->fd, name) < 0 ? errno : 0;
}

int disk_dir_publish(struct disk_dir *d, const char *temp, const char *name,
		     uint64_t cost, uint64_t max)
{
	const char sub[3] = { name[0], name[1], '\0' };
	struct disk_sums sums;
	int errnum = ENOSPC;

	if (!disk_usage_begin(&d->usage, &sums))
		return EIO;
	if (disk_sums_has_room(&sums, cost, max)) {
		errnum = rename_new(d, temp, name);
		if (errnum == ENOENT &&
		    (!mkdirat(d->fd, sub, 0700) || errno == EEXIST))
			errnum = rename_new(d, temp, name);
	}
	if (!errnum)
		disk_sums_add(&sums, cost);
	if (!disk_usage_end(&d->usage, errnum ? NULL : &sums) && !errnum)
		errnum = EIO;
	return errnum;
}

static void touch(int fd, const struct stat *st)
{
	const struct timespec now[2] = { { .tv_nsec = UTIME_OMIT },
					 { .tv_nsec = UTIME_NOW } };
	int64_t mtime =
		(int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;

	if (clock_wall_ns() - mtime > TOUCH_NS && futimens(fd, now) < 0)
		return; /* it only looks older than it is */
}

enum disk_found disk_dir_read(struct disk_dir *d,
			      const uint8_t hash[DISK_CACHE_HASH_LEN],
			      void *buf, size_t len)
{
	char name[DISK_CACHE_NAME_LEN + 1];
	uint8_t found[SHA256_LEN];
	CLEANUP_FD int fd = -1;
	struct stat st;

	disk_cache_name(hash, name);
	fd = openat(d->fd, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno != ELOOP)
		return DISK_ABSENT;
	/* Older ones have no tag. */
	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) &&
	    ((uint64_t)st.st_size == len + DISK_CACHE_TAG_LEN ||
	     (uint64_t)st.st_size == len) &&
	    io_pread(fd, buf, len, 0) == (ssize_t)len) {
		sha256_of(buf, len, found);
		if (!memcmp(found, hash, DISK_CACHE_HASH_LEN)) {
			touch(fd, &st);
			return DISK_FOUND;
		}
	}
	disk_dir_remove(d, name);
	return DISK_DAMAGED;
}

bool disk_dir_owner(const struct disk_dir *d, const char *name,
		    uint8_t ret[DISK_CACHE_OWNER_LEN])
{
	const size_t magic_len = DISK_CACHE_TAG_LEN - DISK_CACHE_OWNER_LEN;
	uint8_t tag[DISK_CACHE_TAG_LEN];
	CLEANUP_FD int fd = openat(
		d->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    st.st_size < (off_t)sizeof(tag) ||
	    io_pread(fd, tag, sizeof(tag), st.st_size - (off_t)sizeof(tag)) !=
		    (ssize_t)sizeof(tag) ||
	    memcmp(tag, DISK_CACHE_MAGIC, magic_len) != 0)
		return false;
	memcpy(ret, tag + magic_len, DISK_CACHE_OWNER_LEN);
	return true;
}

/* --- walking -------------------------------------------------------------- */

static int64_t mtime_of(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* A file that was being written and whose writer is gone. */
static void remove_stale(const struct disk_dir *d, const char *name)
{
	struct stat st;

	if (!strncmp(name, DISK_CACHE_NEW, strlen(DISK_CACHE_NEW)) &&
	    !fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) &&
	    clock_wall_ns() - mtime_of(&st) >
		    NEW_MAX_SECONDS * INT64_C(1000000000))
		unlinkat(d->fd, name, 0);
}

static bool walk_one(const struct disk_dir *d, const char *sub,
		     const char *base, disk_walk_fn *fn, void *arg)
{
	struct disk_file file = { 0 };
	struct stat st;

	if (strncmp(base, sub, 2) != 0 ||
	    !hex_decode(base, strlen(base), file.hash, DISK_CACHE_HASH_LEN))
		return true;
	disk_cache_name(file.hash, file.name);
	if (fstatat(d->fd, file.name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return true;
	file.size = (uint64_t)st.st_size;
	file.mtime_ns = mtime_of(&st);
	return fn(arg, &file);
}

static bool walk_sub(const struct disk_dir *d, const char *sub,
		     disk_walk_fn *fn, void *arg)
{
	CLEANUP_DIR DIR *dir = io_opendir(d->fd, sub);
	bool go_on = true;

	while (dir && go_on) {
		const struct dirent *e = readdir(dir);

		if (!e)
			break;
		go_on = walk_one(d, sub, e->d_name, fn, arg);
	}
	return go_on;
}

bool disk_dir_walk(struct disk_dir *d, disk_walk_fn *fn, void *arg)
{
	CLEANUP_DIR DIR *dir = io_opendir(d->fd, ".");
	bool go_on = true;
	uint8_t byte;

	while (dir && go_on) {
		const struct dirent *e = readdir(dir);

		if (!e)
			break;
		remove_stale(d, e->d_name);
		if (hex_decode(e->d_name, strlen(e->d_name), &byte, 1))
			go_on = walk_sub(d, e->d_name, fn, arg);
	}
	return dir && go_on;
}

struct scan {
	uint64_t bytes, files;
	const atomic_bool *stop;
};

static bool scan_file(void *arg, const struct disk_file *file)
{
	struct scan *s = arg;

	s->bytes += disk_cache_cost(file->size);
	s->files++;
	return !atomic_load_explicit(s->stop, memory_order_relaxed);
}

void disk_dir_scan(struct disk_dir *d, const atomic_bool *stop)
{
	struct scan s = { .stop = stop };
	struct disk_sums before;

	if (disk_usage_get(&d->usage, &before) &&
	    disk_dir_walk(d, scan_file, &s))
		disk_usage_set(&d->usage, &before, s.bytes, s.files);
}

/* --- eviction ------------------------------------------------------------- */

/* The oldest files met: a heap with the youngest of them on top. */
struct oldest {
	struct disk_file *v;
	size_t n;
	const atomic_bool *stop;
};

static void swap(struct disk_file *a, struct disk_file *b)
{
	struct disk_file t = *a;

	*a = *b;
	*b = t;
}

static void sift_up(struct oldest *o, size_t i)
{
	while (i && o->v[(i - 1) / 2].mtime_ns < o->v[i].mtime_ns) {
		swap(&o->v[(i - 1) / 2], &o->v[i]);
		i = (i - 1) / 2;
	}
}

static void sift_down(struct oldest *o)
{
	size_t i = 0;

	for (;;) {
		size_t top = i;

		for (size_t k = 2 * i + 1; k <= 2 * i + 2; k++) {
			if (k < o->n && o->v[k].mtime_ns > o->v[top].mtime_ns)
				top = k;
		}
		if (top == i)
			return;
		swap(&o->v[top], &o->v[i]);
		i = top;
	}
}

static bool offer(void *arg, const struct disk_file *file)
{
	struct oldest *o = arg;

	if (o->n < BATCH) {
		o->v[o->n++] = *file;
		sift_up(o, o->n - 1);
	} else if (file->mtime_ns < o->v[0].mtime_ns) {
		o->v[0] = *file;
		sift_down(o);
	}
	return !atomic_load_explicit(o->stop, memory_order_relaxed);
}

static int by_time(const void *a, const void *b)
{
	const struct disk_file *x = a, *y = b;

	return (x->mtime_ns > y->mtime_ns) - (x->mtime_ns < y->mtime_ns);
}

static bool is_over(struct disk_dir *d, uint64_t target)
{
	struct disk_sums sums;

	return disk_usage_get(&d->usage, &sums) &&
	       disk_sums_bytes(&sums) > target;
}

/* One batch; 0: nothing could be removed. */
static uint64_t evict_batch(struct disk_dir *d, struct oldest *o,
			    uint64_t target)
{
	uint64_t n = 0;

	o->n = 0;
	if (!disk_dir_walk(d, offer, o))
		return 0;
	qsort(o->v, o->n, sizeof(*o->v), by_time);
	for (size_t i = 0; i < o->n && is_over(d, target); i++)
		n += disk_dir_remove(d, o->v[i].name);
	return n;
}

uint64_t disk_dir_evict(struct disk_dir *d, uint64_t target,
			const atomic_bool *stop)
{
	struct oldest o = { .v = xcalloc(BATCH, sizeof(*o.v)), .stop = stop };
	uint64_t n = 0, some;

	while (is_over(d, target)) {
		some = evict_batch(d, &o, target);
		n += some;
		if (!some)
			break;
	}
	free(o.v);
	return n;
}
