/* SPDX-License-Identifier: Apache-2.0 */
/* store-local-list.c - the keys of a directory store in order.
 *
 * Directories are read whole and sorted with a '/' behind their names, which
 * gives the order of the whole keys.  One directory is open at a time; those
 * above it are remembered by their sorted names.
 */
#include "config.h"

#include "store/store-local-list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/key.h"
#include "base/mem.h"
#include "store/store-local-backend.h"

struct item {
	char *key; /* of a directory with '/' at its end */
	uint64_t size;
};

/* The items still to come, last first: the next one is at the end. */
struct listing {
	const struct local_store *ls;
	const char *prefix, *start_after;
	struct item *items;
	size_t n, cap;
};

static void listing_release(struct listing *l)
{
	while (l->n)
		free(l->items[--l->n].key);
	free(l->items);
}

static int by_key_descending(const void *a, const void *b)
{
	const struct item *x = a;
	const struct item *y = b;

	return strcmp(y->key, x->key);
}

static bool begins_with(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* Whether a key, or some key below that directory, may be asked for. */
static bool is_wanted(const struct listing *l, const char *key, bool is_dir)
{
	if (is_dir)
		return strcmp(key, STORE_TMP "/") != 0 &&
		       (begins_with(key, l->prefix) ||
			begins_with(l->prefix, key)) &&
		       (strcmp(key, l->start_after) > 0 ||
			begins_with(l->start_after, key));
	return begins_with(key, l->prefix) && strcmp(key, l->start_after) > 0;
}

/* Add what is called name in dir, unless it is of no interest. */
static enum rc add_name(struct listing *l, int dirfd, const char *dir,
			const char *name, struct err *err)
{
	CLEANUP_FREE char *key = xasprintf("%s%s", dir, name);
	struct stat sb;

	if (!strcmp(name, ".") || !strcmp(name, "..") ||
	    !store_key_is_listed(key))
		return RC_OK;
	if (fstatat(dirfd, name, &sb, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? RC_OK
				       : err_set_errno(err, errno, "%s", key);
	if (S_ISDIR(sb.st_mode)) {
		char *with_slash = xasprintf("%s/", key);

		free(key);
		key = with_slash;
	} else if (!S_ISREG(sb.st_mode)) {
		/* It stands where an object belongs: reading it is an error,
		 * but it must not look like a key that is not there.
		 */
		sb.st_size = 0;
	}
	if (!is_wanted(l, key, S_ISDIR(sb.st_mode)))
		return RC_OK;
	l->items = mem_grow(l->items, &l->cap, l->n + 1, sizeof(*l->items));
	l->items[l->n++] =
		(struct item){ STEAL_PTR(key), (uint64_t)sb.st_size };
	return RC_OK;
}

/* Add the names of a directory, "" or one with a '/' at its end. */
static enum rc add_dir(struct listing *l, const char *dir, struct err *err)
{
	CLEANUP_DIR DIR *d = NULL;
	size_t len = strlen(dir);
	size_t before = l->n;
	int fd = store_local_open_dir(l->ls, dir, len ? len - 1 : 0);

	/* What is not there has no keys. */
	if (fd < 0 && errno == ENOENT)
		return RC_OK;
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return err_set(err, RC_CORRUPT, "%s: not a directory", dir);
	d = io_fdopendir(fd);
	if (!d)
		return err_set_errno(err, errno, "%s", len ? dir : "/");
	for (;;) {
		const struct dirent *e;

		errno = 0;
		e = readdir(d);
		if (!e && errno)
			return err_set_errno(err, errno, "%s", len ? dir : "/");
		if (!e)
			break;
		if (add_name(l, dirfd(d), dir, e->d_name, err))
			return err->rc;
	}
	if (l->n > before)
		qsort(l->items + before, l->n - before, sizeof(*l->items),
		      by_key_descending);
	return RC_OK;
}

enum rc store_local_list(struct store *st, const char *prefix,
			 const char *start_after, store_list_fn *fn, void *arg,
			 struct err *err)
{
	CLEANUP(listing_release)
	struct listing l = { .ls = (struct local_store *)st,
			     .prefix = prefix,
			     .start_after = start_after };
	const char *name;
	size_t len = key_split(prefix, &name);
	CLEANUP_FREE char *top = xmemdup0(prefix, len ? len + 1 : 0);

	if (len) {
		top[len] = '\0';
		if (!key_is_valid(top))
			return err_set(err, RC_USAGE, "%s: not a valid prefix",
				       prefix);
		top[len] = '/';
	}
	if (add_dir(&l, top, err))
		return err->rc;
	while (l.n) {
		CLEANUP_FREE char *key = l.items[--l.n].key;
		uint64_t size = l.items[l.n].size;
		bool is_dir = key[strlen(key) - 1] == '/';

		enum rc rc = is_dir ? add_dir(&l, key, err)
				    : fn(arg, key, size, err);

		if (rc)
			return rc;
	}
	return RC_OK;
}
