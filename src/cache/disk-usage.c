/* SPDX-License-Identifier: Apache-2.0 */
/* disk-usage.c - what a disk cache holds, counted by all processes together. */
#include "config.h"

#include "cache/disk-usage.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

#define USAGE_NAME "usage"
#define LOCK_WAIT_MS 1000u
#define LOCK_STEP_MS 1u
#define USAGE_MAGIC UINT64_C(0x3165676173756564) /* "deusage1" */

enum rc disk_usage_open(struct disk_usage *ret, int dirfd, struct err *err)
{
	ret->fd = openat(dirfd, USAGE_NAME,
			 O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (ret->fd < 0)
		return err_set_errno(err, errno, USAGE_NAME);
	pthread_mutex_init(&ret->lock, NULL);
	return RC_OK;
}

void disk_usage_close(struct disk_usage *u)
{
	if (u->fd < 0)
		return;
	close(u->fd);
	u->fd = -1;
	pthread_mutex_destroy(&u->lock);
}

/* Others hold it for moments, unless they were stopped just then: no reader
 * waits for those.
 */
static bool lock_file(int fd)
{
	const struct timespec step = { .tv_nsec = LOCK_STEP_MS * 1000000 };

	for (unsigned int ms = 0; flock(fd, LOCK_EX | LOCK_NB) < 0;
	     ms += LOCK_STEP_MS) {
		if ((errno != EWOULDBLOCK && errno != EINTR) ||
		    ms >= LOCK_WAIT_MS)
			return false;
		nanosleep(&step, NULL);
	}
	return true;
}

bool disk_usage_begin(struct disk_usage *u, struct disk_sums *s)
{
	ssize_t n;

	pthread_mutex_lock(&u->lock);
	if (!lock_file(u->fd)) {
		pthread_mutex_unlock(&u->lock);
		return false;
	}
	n = io_pread(u->fd, s, sizeof(*s), 0);
	if (n != (ssize_t)sizeof(*s) || s->magic != USAGE_MAGIC)
		*s = (struct disk_sums){ .magic = USAGE_MAGIC };
	return true;
}

bool disk_usage_end(struct disk_usage *u, const struct disk_sums *s)
{
	bool ok = !s || !io_pwrite(u->fd, s, sizeof(*s), 0);

	flock(u->fd, LOCK_UN);
	pthread_mutex_unlock(&u->lock);
	return ok;
}

bool disk_usage_get(struct disk_usage *u, struct disk_sums *ret)
{
	return disk_usage_begin(u, ret) && disk_usage_end(u, NULL);
}

bool disk_sums_has_room(const struct disk_sums *s, uint64_t bytes, uint64_t max)
{
	return s->is_scanned && bytes <= max &&
	       disk_sums_bytes(s) <= max - bytes;
}

void disk_sums_add(struct disk_sums *s, uint64_t bytes)
{
	s->added += bytes;
	s->files_added++;
}

void disk_sums_remove(struct disk_sums *s, uint64_t bytes)
{
	s->removed += bytes;
	s->files_removed++;
	/* Files of before the first scan may be removed before it ends. */
	if ((int64_t)(s->added - s->removed) < 0)
		s->removed = s->added;
	if ((int64_t)(s->files_added - s->files_removed) < 0)
		s->files_removed = s->files_added;
}

void disk_usage_set(struct disk_usage *u, const struct disk_sums *before,
		    uint64_t bytes, uint64_t files)
{
	struct disk_sums s;

	if (!disk_usage_begin(u, &s))
		return;
	/* What was added meanwhile may have been met by the walk or not, so it
	 * counts once more; what was removed meanwhile is left counted.  The
	 * sums of additions stay as they are, for other walks under way.
	 */
	s.removed = before->added - bytes;
	s.files_removed = before->files_added - files;
	s.is_scanned = 1;
	disk_usage_end(u, &s);
}
