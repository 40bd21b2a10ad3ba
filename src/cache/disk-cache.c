/* SPDX-License-Identifier: Apache-2.0 */
/* disk-cache.c - stored blocks of remote archives in a local directory.
 *
 * A block is written beside its place and renamed, without fsync: what a crash
 * tears fails its hash when it is read.
 */
#include "config.h"

#include "cache/disk-cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "cache/disk-cache-backend.h"

#define MAX_BYTES_DEFAULT (UINT64_C(10) << 30)

struct disk_cache {
	struct disk_dir dir;
	uint64_t max_bytes, keep_free; /* keep_free 0: a tenth */
	atomic_uint n_written;         /* for names */

	pthread_t thread;
	pthread_mutex_t lock; /* guards the next two */
	pthread_cond_t wake;
	bool is_wanted; /* room is to be made */
	bool is_closing;
	atomic_bool stop; /* likewise, for loops */
	atomic_bool is_scanned;

	_Atomic uint64_t hits, misses, puts, evictions, damaged, errors;
};

static void count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* --- room ----------------------------------------------------------------- */

/* Bytes that are missing to what is to stay free on the file system. */
static uint64_t missing_free(const struct disk_cache *dc, uint64_t more)
{
	struct statvfs sv;
	uint64_t have, want;

	if (fstatvfs(dc->dir.fd, &sv) < 0)
		return 0;
	have = (uint64_t)sv.f_bavail * sv.f_frsize;
	want = dc->keep_free;
	if (!want)
		want = (uint64_t)sv.f_blocks * sv.f_frsize / 10;
	want += more;
	return have < want ? want - have : 0;
}

/* Over this, room is made; down to lower(). */
static uint64_t upper(const struct disk_cache *dc)
{
	return dc->max_bytes - dc->max_bytes / 16;
}

static uint64_t lower(const struct disk_cache *dc)
{
	return dc->max_bytes - dc->max_bytes / 8;
}

static void want_room(struct disk_cache *dc)
{
	LOCK_SCOPE(&dc->lock);
	dc->is_wanted = true;
	pthread_cond_signal(&dc->wake);
}

static void make_room(struct disk_cache *dc)
{
	uint64_t missing = missing_free(dc, 0), target = UINT64_MAX, bytes;
	struct disk_sums sums;

	if (!disk_usage_get(&dc->dir.usage, &sums))
		return;
	bytes = disk_sums_bytes(&sums);
	if (bytes > upper(dc))
		target = lower(dc);
	if (missing) {
		uint64_t left = bytes > missing ? bytes - missing : 0;

		left -= left / 16;
		target = left < target ? left : target;
	}
	if (bytes > target)
		count(&dc->evictions,
		      disk_dir_evict(&dc->dir, target, &dc->stop));
}

/* Wait until there is something to do; false: closing. */
static bool wait_wanted(struct disk_cache *dc)
{
	LOCK_SCOPE(&dc->lock);
	while (!dc->is_wanted && !dc->is_closing)
		pthread_cond_wait(&dc->wake, &dc->lock);
	dc->is_wanted = false;
	return !dc->is_closing;
}

static void *keeper_main(void *arg)
{
	struct disk_cache *dc = arg;

	disk_dir_scan(&dc->dir, &dc->stop);
	atomic_store(&dc->is_scanned, true);
	do {
		make_room(dc);
	} while (wait_wanted(dc));
	return NULL;
}

static enum rc start_keeper(struct disk_cache *dc, struct err *err)
{
	sigset_t all, old;
	int errnum;

	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	errnum = pthread_create(&dc->thread, NULL, keeper_main, dc);
	if (!errnum)
		pthread_setname_np(dc->thread, "disk-cache");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (errnum)
		return err_set_errno(err, errnum, "start a thread");
	return RC_OK;
}

/* --- open and close ------------------------------------------------------- */

static void release(struct disk_cache *dc)
{
	disk_dir_close(&dc->dir);
	pthread_cond_destroy(&dc->wake);
	pthread_mutex_destroy(&dc->lock);
	free(dc);
}

enum rc disk_cache_open(struct disk_cache **ret, const char *dir,
			const struct disk_cache_options *o, struct err *err)
{
	struct disk_cache *dc = xcalloc(1, sizeof(*dc));
	enum rc rc;

	dc->max_bytes = o && o->max_bytes ? o->max_bytes : MAX_BYTES_DEFAULT;
	dc->keep_free = o ? o->keep_free : 0;
	pthread_mutex_init(&dc->lock, NULL);
	pthread_cond_init(&dc->wake, NULL);
	rc = disk_dir_open(&dc->dir, dir, true, err);
	if (!rc)
		rc = start_keeper(dc, err);
	if (rc) {
		release(dc);
		return rc;
	}
	*ret = dc;
	return RC_OK;
}

void disk_cache_close(struct disk_cache *dc)
{
	if (!dc)
		return;
	pthread_mutex_lock(&dc->lock);
	dc->is_closing = true;
	atomic_store(&dc->stop, true);
	pthread_cond_signal(&dc->wake);
	pthread_mutex_unlock(&dc->lock);
	pthread_join(dc->thread, NULL);
	release(dc);
}

/* --- blocks --------------------------------------------------------------- */

bool disk_cache_get(struct disk_cache *dc,
		    const uint8_t hash[DISK_CACHE_HASH_LEN], void *buf,
		    size_t len)
{
	switch (disk_dir_read(&dc->dir, hash, buf, len)) {
	case DISK_FOUND: count(&dc->hits, 1); return true;
	case DISK_DAMAGED: count(&dc->damaged, 1); break;
	case DISK_ABSENT: break;
	}
	count(&dc->misses, 1);
	return false;
}

/* Write the block beside its place, then give it its name; 0 or an errno. */
static int write_block(struct disk_cache *dc, const char *name,
		       const uint8_t owner[DISK_CACHE_OWNER_LEN], const void *p,
		       size_t len)
{
	uint8_t tag[DISK_CACHE_TAG_LEN] = DISK_CACHE_MAGIC;
	char temp[64];
	CLEANUP_FD int fd = -1;
	int errnum;

	snprintf(temp, sizeof(temp), DISK_CACHE_NEW "%ld-%p-%u", (long)getpid(),
		 (void *)dc, atomic_fetch_add(&dc->n_written, 1));
	fd = openat(dc->dir.fd, temp,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	memcpy(tag + sizeof(tag) - DISK_CACHE_OWNER_LEN, owner,
	       DISK_CACHE_OWNER_LEN);
	if (io_write(fd, p, len) || io_write(fd, tag, sizeof(tag)))
		errnum = errno;
	else
		errnum = disk_dir_publish(
			&dc->dir, temp, name,
			disk_cache_cost(len + DISK_CACHE_TAG_LEN),
			dc->max_bytes);
	if (errnum)
		unlinkat(dc->dir.fd, temp, 0);
	return errnum;
}

void disk_cache_put(struct disk_cache *dc,
		    const uint8_t hash[DISK_CACHE_HASH_LEN],
		    const uint8_t owner[DISK_CACHE_OWNER_LEN], const void *p,
		    size_t len)
{
	uint64_t cost = disk_cache_cost(len + DISK_CACHE_TAG_LEN);
	char name[DISK_CACHE_NAME_LEN + 1];
	struct disk_sums sums;
	int errnum;

	disk_cache_name(hash, name);
	if (!faccessat(dc->dir.fd, name, F_OK, AT_SYMLINK_NOFOLLOW) ||
	    !disk_usage_get(&dc->dir.usage, &sums))
		return;
	if (missing_free(dc, cost) ||
	    !disk_sums_has_room(&sums, cost, dc->max_bytes)) {
		want_room(dc);
		return;
	}
	errnum = write_block(dc, name, owner, p, len);
	if (errnum != EEXIST && errnum != ENOSPC)
		count(errnum ? &dc->errors : &dc->puts, 1);
	if (disk_sums_bytes(&sums) + cost > upper(dc))
		want_room(dc);
}

void disk_cache_remove(struct disk_cache *dc,
		       const uint8_t hash[DISK_CACHE_HASH_LEN])
{
	char name[DISK_CACHE_NAME_LEN + 1];

	disk_cache_name(hash, name);
	if (!faccessat(dc->dir.fd, name, F_OK, AT_SYMLINK_NOFOLLOW))
		disk_dir_remove(&dc->dir, name);
}

/* --- sweeping ------------------------------------------------------------- */

struct sweep {
	struct disk_cache *dc;
	disk_cache_owner_fn *fn;
	void *arg;
	uint64_t n;
};

static bool sweep_file(void *arg, const struct disk_file *file)
{
	struct sweep *s = arg;
	uint8_t owner[DISK_CACHE_OWNER_LEN];

	if (!disk_dir_owner(&s->dc->dir, file->name, owner) ||
	    s->fn(s->arg, owner))
		s->n += disk_dir_remove(&s->dc->dir, file->name);
	return true;
}

void disk_cache_sweep(struct disk_cache *dc, disk_cache_owner_fn *fn, void *arg)
{
	struct sweep s = { .dc = dc, .fn = fn, .arg = arg };

	disk_dir_walk(&dc->dir, sweep_file, &s);
	count(&dc->evictions, s.n);
}

#define SWEPT_NAME (sizeof("swept-") + 2 * DISK_CACHE_HASH_LEN)

static void swept_name(const char *location, char ret[SWEPT_NAME])
{
	uint8_t hash[SHA256_LEN];
	char hex[HEX_TEXT(DISK_CACHE_HASH_LEN)];

	sha256_of(location, strlen(location), hash);
	hex_encode(hash, DISK_CACHE_HASH_LEN, hex);
	snprintf(ret, SWEPT_NAME, "swept-%s", hex);
}

/* What is lost or torn costs another sweep. */
void disk_cache_set_swept(struct disk_cache *dc, const char *location,
			  int64_t time)
{
	char name[SWEPT_NAME], text[32];
	CLEANUP_FD int fd = -1;
	int len = snprintf(text, sizeof(text), "%" PRId64 "\n", time);

	swept_name(location, name);
	fd = openat(dc->dir.fd, name,
		    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd >= 0 && io_write(fd, text, (size_t)len))
		unlinkat(dc->dir.fd, name, 0);
}

int64_t disk_cache_swept(struct disk_cache *dc, const char *location)
{
	char name[SWEPT_NAME], text[32] = "", *end = text;
	CLEANUP_FD int fd = -1;
	ssize_t n = -1;
	long long time = 0;

	swept_name(location, name);
	fd = openat(dc->dir.fd, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		n = io_pread(fd, text, sizeof(text) - 1, 0);
	if (n > 0)
		time = strtoll(text, &end, 10);
	return end != text && *end == '\n' ? time : INT64_MIN;
}

void disk_cache_stats(struct disk_cache *dc, struct disk_cache_stats *ret)
{
	struct disk_sums sums = { 0 };

	*ret = (struct disk_cache_stats){
		.hits = atomic_load(&dc->hits),
		.misses = atomic_load(&dc->misses),
		.puts = atomic_load(&dc->puts),
		.evictions = atomic_load(&dc->evictions),
		.damaged = atomic_load(&dc->damaged),
		.errors = atomic_load(&dc->errors),
		.is_scanned = atomic_load(&dc->is_scanned),
	};
	if (!disk_usage_get(&dc->dir.usage, &sums))
		return;
	ret->bytes = disk_sums_bytes(&sums);
	ret->files = sums.files_added - sums.files_removed;
}

/* --- for the tools -------------------------------------------------------- */

enum rc disk_cache_clear(const char *dir, struct err *err)
{
	const atomic_bool stop = false;
	struct disk_dir d;
	enum rc rc = disk_dir_open(&d, dir, false, err);

	if (rc)
		return rc;
	disk_dir_scan(&d, &stop);
	disk_dir_evict(&d, 0, &stop);
	disk_dir_close(&d);
	return RC_OK;
}

struct check {
	struct disk_dir *d;
	uint64_t files, damaged;
	enum rc rc;
};

/* Blocks have sizes far below this. */
#define CHECK_MAX (UINT64_C(128) << 20)

static bool check_file(void *arg, const struct disk_file *file)
{
	struct check *c = arg;
	CLEANUP_FREE void *buf = NULL;
	uint8_t owner[DISK_CACHE_OWNER_LEN];
	uint64_t size = file->size;

	c->files++;
	if (file->size > CHECK_MAX) {
		disk_dir_remove(c->d, file->name);
		c->damaged++;
		return true;
	}
	buf = mem_array(file->size + 1, 1);
	if (!buf) {
		c->rc = RC_NOMEM;
		return false;
	}
	if (disk_dir_owner(c->d, file->name, owner))
		size -= DISK_CACHE_TAG_LEN;
	if (disk_dir_read(c->d, file->hash, buf, size) == DISK_DAMAGED)
		c->damaged++;
	return true;
}

enum rc disk_cache_verify(const char *dir, uint64_t *ret_files,
			  uint64_t *ret_damaged, struct err *err)
{
	struct disk_dir d;
	struct check c = { .d = &d };
	enum rc rc = disk_dir_open(&d, dir, false, err);

	if (rc)
		return rc;
	disk_dir_walk(&d, check_file, &c);
	disk_dir_close(&d);
	*ret_files = c.files;
	*ret_damaged = c.damaged;
	if (c.rc)
		return err_set(err, c.rc, "%s: out of memory", dir);
	return RC_OK;
}
