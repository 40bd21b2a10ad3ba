/* SPDX-License-Identifier: Apache-2.0 */
/* restore-link.c - hard links made again, by their link group.
 *
 * A group is remembered by the first name of it that was written.  Names of one
 * group that differ in anything were not the same file when they were packed.
 */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/table.h"
#include "restore/beneath.h"
#include "restore/restore-backend.h"

struct restore_link {
	struct entry e; /* only its values, no spans */
	char *path;     /* owned */
	size_t parent_len;
	char *name; /* within path */
	UT_hash_handle hh;
};

static struct restore_link *find(struct restore *r, const struct entry *e)
{
	struct restore_link *l = NULL;

	if (e->type == ENTRY_DIR || !link_group_is_set(e->link_group))
		return NULL;
	HASH_FIND(hh, r->links, e->link_group, LINK_GROUP_LEN, l);
	return l && entry_is_same_file(&l->e, e) ? l : NULL;
}

bool restore_as_link(struct restore *r, const struct entry *e, int dir,
		     const char *name)
{
	const struct restore_link *l = find(r, e);
	CLEANUP_FD int from = -1;
	struct err err;

	if (!l)
		return false;
	/* Without success it is written anew, as a file of its own. */
	if (beneath_open_dir(r->top, span_of(l->path, l->parent_len), false,
			     &from, &err))
		return false;
	return !linkat(from, l->name, dir, name, 0);
}

void restore_note_link(struct restore *r, const struct entry *e)
{
	struct restore_link *l;

	if (e->type == ENTRY_DIR || !link_group_is_set(e->link_group) ||
	    find(r, e))
		return;
	HASH_FIND(hh, r->links, e->link_group, LINK_GROUP_LEN, l);
	if (l)
		return;
	l = xcalloc(1, sizeof(*l));
	l->e = *e;
	l->path = xcalloc(1, entry_uid_len(e->parent, e->name) + 1);
	entry_uid(e->parent, e->name, l->path);
	l->parent_len = e->parent.len;
	l->name = l->path + (e->parent.len ? e->parent.len + 1 : 0);
	HASH_ADD(hh, r->links, e.link_group, LINK_GROUP_LEN, l);
}

void restore_free_links(struct restore *r)
{
	struct restore_link *l, *next;

	HASH_ITER(hh, r->links, l, next)
	{
		HASH_DEL(r->links, l);
		free(l->path);
		free(l);
	}
}
