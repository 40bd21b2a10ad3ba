/* SPDX-License-Identifier: Apache-2.0 */
/* verify-target.c - what desfs verify was asked to look at. */
#include "config.h"

#include "cmd/verify-target.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "verify/archive-list.h"

static bool is_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

/* Where in the text a shard's key begins, after another part; NULL: nowhere. */
static const char *key_behind(const char *text)
{
	const char *name = strrchr(text, '/'), *at;

	if (!name || name == text)
		return NULL;
	for (at = name; at > text && at[-1] != '/'; at--)
		continue;
	return at > text && archive_key_is_shard(at) ? at : NULL;
}

static struct verify_target *add(struct verify_targets *t)
{
	t->v = mem_grow(t->v, &t->cap, t->n + 1, sizeof(*t->v));
	t->v[t->n] = (struct verify_target){ .what = NULL };
	return &t->v[t->n++];
}

static void add_key(struct verify_target *t, const char *key)
{
	t->keys = mem_grow(t->keys, &t->cap_keys, t->n_keys + 1,
			   sizeof(*t->keys));
	t->keys[t->n_keys++] = key;
}

static void add_argument(struct verify_targets *t, const char *arg)
{
	struct verify_target *last = t->n ? &t->v[t->n - 1] : NULL;
	const char *key = key_behind(arg);

	if (is_file(arg)) {
		last = add(t);
		last->is_file = true;
		last->what = xstrdup(arg);
	} else if (last && !last->is_file && archive_key_is_shard(arg)) {
		add_key(last, arg);
	} else if (key) {
		last = add(t);
		last->what = xmemdup0(arg, (size_t)(key - 1 - arg));
		add_key(last, key);
	} else {
		last = add(t);
		last->what = xstrdup(arg);
	}
}

void verify_targets_read(struct verify_targets *ret, int argc, char **argv)
{
	*ret = (struct verify_targets){ .v = NULL };
	for (int i = 0; i < argc; i++)
		add_argument(ret, argv[i]);
}

void verify_targets_release(struct verify_targets *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].what);
		free(t->v[i].keys);
	}
	free(t->v);
}
