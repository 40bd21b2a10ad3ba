/* SPDX-License-Identifier: Apache-2.0 */
/* own.c - what in the sources is the archive's own, by whatever path it is met.
 */
#include "config.h"

#include "pack/own.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/mem.h"
#include "pack/pack.h"
#include "shard/shard-format.h"
#include "store/store.h"
#include "volume/descriptor.h"

#define DIRS_MAX (1u << 20) /* known by their numbers: a thousand years */

#define TOMBSTONES "tombstones"

struct place {
	uint64_t dev, ino;
};

struct own {
	struct place *dirs; /* in order */
	size_t n, cap;
	bool has_id;
	uint8_t id[SHARD_ID_LEN];
	char id_text[HEX_TEXT(SHARD_ID_LEN)];
};

static int by_number(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->dev != y->dev)
		return (x->dev > y->dev) - (x->dev < y->dev);
	return (x->ino > y->ino) - (x->ino < y->ino);
}

static void add_dir(struct own *o, const struct stat *st)
{
	if (o->n == DIRS_MAX)
		return;
	o->dirs = mem_grow(o->dirs, &o->cap, o->n + 1, sizeof(*o->dirs));
	o->dirs[o->n++] = (struct place){ st->st_dev, st->st_ino };
}

static void add_in(struct own *o, int dir, const char *name);

/* The directory and those in it, one of which may be looked into, too. */
static void add_below(struct own *o, int fd, const char *look_into)
{
	CLEANUP_DIR DIR *dir = io_fdopendir(fd);
	const struct dirent *e;
	struct stat st;

	if (!dir)
		return;
	while ((e = readdir(dir))) {
		if (!strcmp(e->d_name, "..") ||
		    (e->d_type != DT_DIR && e->d_type != DT_UNKNOWN))
			continue;
		if (!fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISDIR(st.st_mode))
			add_dir(o, &st);
		if (look_into && !strcmp(e->d_name, look_into))
			add_in(o, dirfd(dir), look_into);
	}
}

static void add_in(struct own *o, int dir, const char *name)
{
	add_below(o,
		  openat(dir, name,
			 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
		  NULL);
}

static void add_place(struct own *o, const char *url)
{
	if (!strncmp(url, "file://", 7))
		url += 7;
	if (strstr(url, "://"))
		return;
	/* Days, the log, holds, salts, unfinished files are on one level, but
	 * tombstones have days of their own.
	 */
	add_below(o, open(url, O_RDONLY | O_DIRECTORY | O_CLOEXEC), TOMBSTONES);
}

static void add_zone(void *arg, const struct store_zone *z)
{
	add_place(arg, z->url);
}

struct own *own_new(const struct pack *p)
{
	struct own *o = xcalloc(1, sizeof(*o));

	add_place(o, p->opts->archive);
	if (p->store)
		store_each_zone(p->store, add_zone, o);
	if (o->n)
		qsort(o->dirs, o->n, sizeof(*o->dirs), by_number);
	o->has_id = p->has_descriptor;
	memcpy(o->id, p->descriptor.archive_id, SHARD_ID_LEN);
	hex_encode(o->id, SHARD_ID_LEN, o->id_text);
	return o;
}

void own_free(struct own *o)
{
	if (!o)
		return;
	free(o->dirs);
	free(o);
}

bool own_is_dir(const struct own *o, const struct stat *st)
{
	const struct place is = { st->st_dev, st->st_ino };

	return o && o->n && bsearch(&is, o->dirs, o->n, sizeof(is), by_number);
}

bool own_has_id(const struct own *o)
{
	return o && o->has_id;
}

/* Devices and pipes are not even opened. */
static int open_descriptor(int dir)
{
	struct stat st;

	if (fstatat(dir, DESCRIPTOR_KEY, &st, AT_SYMLINK_NOFOLLOW) ||
	    !S_ISREG(st.st_mode) || st.st_size > DESCRIPTOR_MAX)
		return -1;
	return openat(dir, DESCRIPTOR_KEY,
		      O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW |
			      O_CLOEXEC);
}

bool own_holds(const struct own *o, int dir)
{
	CLEANUP_FREE uint8_t *text = NULL;
	CLEANUP_FD int fd = -1;
	struct descriptor d;
	struct err err;
	ssize_t n;

	if (!own_has_id(o))
		return false;
	fd = open_descriptor(dir);
	if (fd < 0)
		return false;
	text = xcalloc(1, DESCRIPTOR_MAX + 1);
	n = io_read(fd, text, DESCRIPTOR_MAX + 1);
	if (n < 0 || n > (ssize_t)DESCRIPTOR_MAX ||
	    descriptor_decode(text, (size_t)n, &d, &err))
		return false;
	return !memcmp(d.archive_id, o->id, SHARD_ID_LEN);
}

bool own_holds_below(const struct own *o, int dir, const char *name)
{
	CLEANUP_FD int fd = -1;

	if (!own_has_id(o))
		return false;
	fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && own_holds(o, fd);
}

bool own_has_bytes(const struct own *o, const void *p, size_t len)
{
	if (!own_has_id(o) || !len)
		return false;
	if (len >= SHARD_MAGIC_LEN &&
	    !memcmp(p, SHARD_HEADER_MAGIC, SHARD_MAGIC_LEN))
		return memmem(p,
			      len < SHARD_HEADER_SIZE ? len : SHARD_HEADER_SIZE,
			      o->id, SHARD_ID_LEN);
	return *(const char *)p == '{' &&
	       memmem(p, len, o->id_text, sizeof(o->id_text) - 1);
}
