/* SPDX-License-Identifier: Apache-2.0 */
/* fs-control.c - the control directory: stats, metrics, requests, and the doors
 * to info and by-date.
 *
 * No open reaches the daemon, so the text of a control file is fixed when its
 * name is looked up: each lookup makes a snapshot with a node of its own, of
 * exact size, freed when the kernel forgets the node.  The kernel keeps the
 * name for no time, so every walk of the path makes a new one.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "fs/fs.h"

/* Alive at once; a closed one lives until the kernel drops its inode, which it
 * does with the name.
 */
#define SNAPSHOTS 64
#define SNAPSHOT_MAX (4u << 20)

struct snapshot {
	uint64_t number; /* 0: free */
	mode_t mode;
	char *text;
	size_t len;
};

struct fs_snapshots {
	pthread_mutex_t lock; /* guards all below */
	uint64_t n_made;
	struct snapshot all[SNAPSHOTS];
};

enum control_text { TEXT_STATS, TEXT_METRICS, TEXT_REQUESTS };

/* What is in the control directory.  A text has no fixed node. */
static const struct {
	const char *name;
	mode_t mode;
	uint64_t number;
	enum control_text text;
} files[] = {
	{ "by-date", S_IFDIR | 0555, CONTROL_BY_DATE, 0 },
	{ "info", S_IFDIR | 0555, CONTROL_INFO, 0 },
	{ "metrics", S_IFREG | 0444, 0, TEXT_METRICS },
	{ "requests", S_IFREG | 0400, 0, TEXT_REQUESTS },
	{ "stats", S_IFREG | 0444, 0, TEXT_STATS },
};

struct fs_snapshots *fs_snapshots_new(void)
{
	struct fs_snapshots *s = xcalloc(1, sizeof(*s));

	pthread_mutex_init(&s->lock, NULL);
	return s;
}

void fs_snapshots_free(struct fs_snapshots *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < SNAPSHOTS; i++)
		free(s->all[i].text);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

bool fs_is_control_name(const struct fs *fs, const char *name, size_t len)
{
	const char *control = fs->o->control;

	return *control && strlen(control) == len &&
	       !memcmp(control, name, len);
}

static void write_text(struct fs *fs, enum control_text which, struct buf *out)
{
	struct volume_stats vs;

	switch (which) {
	case TEXT_STATS:
		volume_stats(fs->v, &vs);
		fs_stats_text(&fs->stats, &vs, out);
		fs_stats_daemon(fs, out);
		fs_stats_zones(volume_store(fs->v), out);
		fs_push_text(fs, out);
		break;
	case TEXT_METRICS:
		volume_stats(fs->v, &vs);
		fs_stats_metrics(&fs->stats, &vs, out);
		fs_metrics_daemon(fs, out);
		fs_metrics_zones(volume_store(fs->v), out);
		fs_push_metrics(fs, out);
		break;
	case TEXT_REQUESTS: fs_stats_requests(&fs->stats, out); break;
	}
}

/* The slot is part of the number, so a number is found without a search; the
 * first number is larger than those of the fixed nodes.
 */
static struct snapshot *slot_of(struct fs_snapshots *s, uint64_t number)
{
	struct snapshot *shot = &s->all[number % SNAPSHOTS];

	return number && shot->number == number ? shot : NULL;
}

/* Takes the text; 0 when too many are held open. */
static uint64_t keep(struct fs_snapshots *s, struct buf *text, mode_t mode)
{
	LOCK_SCOPE(&s->lock);

	for (size_t i = 0; i < SNAPSHOTS; i++) {
		struct snapshot *shot = &s->all[i];

		if (shot->number)
			continue;
		s->n_made++;
		shot->number = s->n_made * SNAPSHOTS + i;
		shot->mode = mode;
		shot->text = (char *)text->p;
		shot->len = text->len;
		*text = (struct buf){ .max = text->max };
		return shot->number;
	}
	return 0;
}

static void reply_virtual(struct fs_call *c, uint64_t number, mode_t mode,
			  size_t len, double entry_timeout)
{
	struct fuse_entry_param e = {
		.ino = nodeid_of_control(number),
		.attr_timeout = FS_FOREVER,
		.entry_timeout = entry_timeout,
	};

	fs_attr_virtual(c->fs, e.ino, mode, len, &e.attr);
	/* Nobody will forget a node the kernel did not get. */
	if (fuse_reply_entry(c->req, &e))
		fs_control_forget(c->fs, number);
}

void fs_control_enter(struct fs_call *c)
{
	reply_virtual(c, CONTROL_TOP, S_IFDIR | 0555, 0, FS_FOREVER);
}

static void reply_text(struct fs_call *c, enum control_text which, mode_t mode)
{
	CLEANUP_BUF struct buf text = { .max = SNAPSHOT_MAX };
	uint64_t number;
	size_t len;

	write_text(c->fs, which, &text);
	len = text.len;
	if (!buf_ok(&text)) {
		fs_reply_errno(c, ENOMEM);
		return;
	}
	number = keep(c->fs->snapshots, &text, mode);
	if (number)
		reply_virtual(c, number, mode, len, 0);
	else
		fs_reply_errno(c, ENFILE);
}

/* The directory info is the archive's root seen another way. */
static void reply_info(struct fs_call *c)
{
	struct fuse_entry_param e = {
		.ino = nodeid_of_control(CONTROL_INFO),
		.attr_timeout = FS_FOREVER,
		.entry_timeout = FS_FOREVER,
	};
	struct volume_entry ve;
	struct err err;
	enum rc rc = volume_root(c->fs->v, &ve, &err);

	if (rc == RC_NOENT) {
		fs_reply_errno(c, ENOENT);
	} else if (rc) {
		fs_reply_rc(c, &err);
	} else {
		fs_info_attr(c->fs, &ve, &e.attr);
		e.attr.st_ino = e.ino & INT64_MAX;
		volume_entry_release(&ve);
		fuse_reply_entry(c->req, &e);
	}
}

void fs_control_lookup(struct fs_call *c, uint64_t number, const char *name)
{
	if (number == CONTROL_BY_DATE) {
		fs_days_lookup(c, name);
		return;
	}
	for (size_t i = 0; number == CONTROL_TOP && i < ARRAY_LEN(files); i++) {
		if (strcmp(files[i].name, name))
			continue;
		if (files[i].number == CONTROL_INFO)
			reply_info(c);
		else if (files[i].number)
			reply_virtual(c, files[i].number, files[i].mode, 0,
				      FS_FOREVER);
		else
			reply_text(c, files[i].text, files[i].mode);
		return;
	}
	fs_reply_negative(c);
}

/* Size and mode of a node; false when it was forgotten. */
static bool describe(struct fs *fs, uint64_t number, mode_t *ret_mode,
		     size_t *ret_len)
{
	const struct snapshot *shot;
	LOCK_SCOPE(&fs->snapshots->lock);

	*ret_mode = S_IFDIR | 0555;
	*ret_len = 0;
	if (number <= CONTROL_INFO)
		return true;
	shot = slot_of(fs->snapshots, number);
	if (!shot)
		return false;
	*ret_mode = shot->mode;
	*ret_len = shot->len;
	return true;
}

void fs_control_getattr(struct fs_call *c, uint64_t number)
{
	struct stat st;
	mode_t mode;
	size_t len;

	if (!describe(c->fs, number, &mode, &len)) {
		fs_reply_errno(c, ESTALE);
		return;
	}
	fs_attr_virtual(c->fs, c->ino, mode, len, &st);
	fuse_reply_attr(c->req, &st, FS_FOREVER);
}

/* Listed without nodes: reading the directory makes no snapshots. */
void fs_control_list(struct fs_listing *l, off_t off)
{
	for (size_t i = (size_t)off; i < ARRAY_LEN(files); i++) {
		struct fuse_entry_param e = { .ino = 0 };

		e.attr.st_mode = files[i].mode;
		e.attr.st_ino =
			nodeid_of_control(files[i].number ? files[i].number
							  : SNAPSHOTS - 1 - i) &
			INT64_MAX;
		if (!fs_list_add(l, files[i].name, &e, (off_t)i + 3))
			return;
	}
}

void fs_reply_piece(struct fs_call *c, const void *p, size_t len, size_t size,
		    off_t off)
{
	size_t from = (uint64_t)off < len ? (size_t)off : len;
	size_t n = len - from < size ? len - from : size;

	fuse_reply_buf(c->req, n ? (const char *)p + from : "", n);
}

void fs_control_read(struct fs_call *c, uint64_t number, size_t size, off_t off)
{
	CLEANUP_FREE char *copy = NULL;
	const struct snapshot *shot;
	size_t len = 0;

	pthread_mutex_lock(&c->fs->snapshots->lock);
	shot = slot_of(c->fs->snapshots, number);
	if (shot) {
		len = shot->len;
		copy = xmemdup0(shot->text, len);
	}
	pthread_mutex_unlock(&c->fs->snapshots->lock);
	if (copy)
		fs_reply_piece(c, copy, len, size, off);
	else
		fs_reply_errno(c, number <= CONTROL_INFO ? EISDIR : ESTALE);
}

void fs_control_forget(struct fs *fs, uint64_t number)
{
	struct snapshot *shot;
	LOCK_SCOPE(&fs->snapshots->lock);

	shot = slot_of(fs->snapshots, number);
	if (!shot)
		return;
	free(shot->text);
	*shot = (struct snapshot){ .number = 0 };
}
