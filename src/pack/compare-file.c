/* SPDX-License-Identifier: Apache-2.0 */
/* compare-file.c - is one file what the archive has of it? */
#include "config.h"

#include "pack/compare-file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/stop.h"
#include "base/timestamp.h"
#include "pack/pack.h"
#include "pack/tree.h"
#include "run/state.h"

#define HASH_READ (256u << 10) /* bytes read at once */

int64_t compare_mtime_us(const struct item *it)
{
	if (it->mtime_s < TIMESTAMP_MIN / 1000000)
		return TIMESTAMP_MIN;
	if (it->mtime_s > TIMESTAMP_MAX / 1000000)
		return TIMESTAMP_MAX;
	return it->mtime_s * 1000000 + it->mtime_ns / 1000;
}

static bool links_are_same(const struct item *it, const struct entry *e)
{
	if (it->type == ENTRY_DIR)
		return !it->nlink || it->nlink == e->nlink;
	return it->nlink == e->nlink &&
	       !memcmp(it->link_group, e->link_group, LINK_GROUP_LEN);
}

static bool attributes_are_same(const struct item *it, const struct entry *e)
{
	return it->type == e->type && !e->implicit && it->mode == e->mode &&
	       it->uid == e->uid && it->gid == e->gid && it->size == e->size &&
	       it->mtime_s == e->mtime_s && it->mtime_ns == e->mtime_ns &&
	       it->rdev_major == e->rdev_major &&
	       it->rdev_minor == e->rdev_minor &&
	       span_equal(it->target, e->target) &&
	       span_equal(it->xattrs, e->xattrs);
}

bool compare_attributes(const struct item *it, const struct entry *e)
{
	return attributes_are_same(it, e) && links_are_same(it, e);
}

/* Up to one byte more than the size the walk saw: a file that grows while it is
 * read has changed, however long it gets.
 */
static enum rc hash_file(struct pack *p, int fd, uint64_t size,
			 uint8_t out[SHA256_LEN], struct err *err)
{
	struct sha256 h;
	CLEANUP_FREE uint8_t *bytes = xcalloc(1, HASH_READ);
	uint64_t done = 0;
	ssize_t n;

	sha256_init(&h);
	while (done <= size) {
		if (stop_asked())
			return err_set(err, RC_STOPPED, "stopped by a signal");
		throttle_wait(p->throttle, 0,
			      size - done < HASH_READ ? size - done
						      : HASH_READ);
		n = io_read(fd, bytes, HASH_READ);
		if (n < 0)
			return err_set_errno(err, errno, "cannot be read");
		if (!n)
			break;
		sha256_update(&h, bytes, (size_t)n);
		done += (uint64_t)n;
	}
	sha256_final(&h, out);
	return RC_OK;
}

static enum compare_result compare_content(struct pack *p, struct tree *tree,
					   const struct item *it,
					   const struct entry *e)
{
	CLEANUP_BUF struct buf uid = { .max = SIZE_MAX / 2 };
	uint8_t hash[SHA256_LEN];
	CLEANUP_FD int fd = -1;
	enum state_doing was;
	struct err err;
	enum rc rc;

	was = state_enter(STATE_READING);
	state_file(it->parent, it->name);
	throttle_wait(p->throttle, 1, 0);
	rc = tree_open(tree, it, &fd, &err);
	if (!rc)
		rc = tree_check(fd, it, &err);
	if (!rc)
		rc = hash_file(p, fd, it->size, hash, &err);
	if (!rc)
		rc = tree_check(fd, it, &err);
	state_file_end();
	state_leave(was);
	if (!rc)
		return e->has_hash && !memcmp(hash, e->sha256, sizeof(hash))
			       ? COMPARE_SAME
			       : COMPARE_DIFFERS;
	/* The slot is left, and so is this file. */
	if (rc == RC_STOPPED)
		return COMPARE_FAILED;
	buf_append(&uid, it->parent.p, it->parent.len);
	if (it->parent.len)
		buf_append_str(&uid, "/");
	buf_append(&uid, it->name.p, it->name.len);
	report_given_up(p->report, span_of(uid.p, uid.len), it->size, &err);
	return COMPARE_FAILED;
}

enum compare_result compare_file(struct pack *p, struct tree *tree,
				 const struct item *it, const struct entry *e)
{
	if (!compare_attributes(it, e))
		return COMPARE_DIFFERS;
	if (p->opts->checksum && it->type == ENTRY_REG && it->size)
		return compare_content(p, tree, it, e);
	return COMPARE_SAME;
}
