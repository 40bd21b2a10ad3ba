/* SPDX-License-Identifier: Apache-2.0 */
/* fs-readahead.c - how far the kernel reads ahead in files of the mount.
 *
 * It is an attribute of the mount's device in sysfs, which root may change.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "fs/fs.h"

#define DEFAULT_BYTES (UINT64_C(256) << 10)

/* Into path, of the mount's device; without a message to ourselves. */
static bool find_attribute(const char *mountpoint, char *path, size_t size)
{
	struct statx sx;

	if (statx(AT_FDCWD, mountpoint, AT_STATX_DONT_SYNC, STATX_TYPE, &sx))
		return false;
	snprintf(path, size, "/sys/class/bdi/%u:%u/read_ahead_kb",
		 sx.stx_dev_major, sx.stx_dev_minor);
	return true;
}

static bool set_attribute(const char *path, uint64_t value)
{
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRIu64, value);

	return fd >= 0 && write(fd, text, (size_t)n) == n;
}

void fs_readahead(struct fs *fs)
{
	uint64_t bytes = fs->o->readahead;
	char path[80];

	/* Of a remote archive volume/fetch decides what is asked for. */
	if (!bytes && volume_is_remote(fs->v))
		return;
	if (!bytes)
		bytes = DEFAULT_BYTES;
	if (find_attribute(fs->o->mountpoint, path, sizeof(path)) &&
	    set_attribute(path, bytes >> 10))
		fs->stats.readahead = bytes;
	else
		log_debug(LOG_ROOM_FS, "the kernel's read-ahead stays: %s",
			  strerror(errno));
}
