/* SPDX-License-Identifier: Apache-2.0 */
/* export-link.c - which files are in the stream already, under another name.
 *
 * As in restore-link.c, but in bounded memory: a group is forgotten when all of
 * its names have come, and beyond the bound new ones are not remembered.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/table.h"
#include "exchange/export-backend.h"

/* What the table itself takes for each. */
#define LINK_OVERHEAD 64

struct export_link {
	struct entry e; /* only its values, no spans */
	char *path;     /* owned */
	size_t path_len;
	uint32_t n_seen; /* names */
	UT_hash_handle hh;
};

static struct export_link *find(struct export *x, const struct entry *e)
{
	struct export_link *l = NULL;

	if (e->type == ENTRY_DIR || !link_group_is_set(e->link_group))
		return NULL;
	HASH_FIND(hh, x->links, e->link_group, LINK_GROUP_LEN, l);
	return l;
}

const char *export_link_find(struct export *x, struct span path,
			     const struct entry *e)
{
	const struct export_link *l = find(x, e);

	/* Asked for twice, it is no link to itself. */
	if (!l || !entry_is_same_file(&l->e, e) ||
	    span_equal(path, span_of(l->path, l->path_len)))
		return NULL;
	return l->path;
}

static uint64_t memory_of(const struct export_link *l)
{
	return sizeof(*l) + LINK_OVERHEAD + l->path_len;
}

static void forget(struct export *x, struct export_link *l)
{
	x->links_memory -= memory_of(l);
	HASH_DEL(x->links, l);
	free(l->path);
	free(l);
}

void export_link_note(struct export *x, struct span path, const struct entry *e)
{
	struct export_link *l = find(x, e);

	if (l) {
		l->n_seen++;
		if (l->e.nlink && l->n_seen >= l->e.nlink)
			forget(x, l);
		return;
	}
	if (e->type == ENTRY_DIR || !link_group_is_set(e->link_group) ||
	    e->nlink == 1 || x->links_memory > EXPORT_LINKS_MEMORY)
		return;
	l = xcalloc(1, sizeof(*l));
	l->e = *e;
	l->path = xmemdup0(path.p, path.len);
	l->path_len = path.len;
	l->n_seen = 1;
	x->links_memory += memory_of(l);
	HASH_ADD(hh, x->links, e.link_group, LINK_GROUP_LEN, l);
}

void export_link_release(struct export *x)
{
	struct export_link *l, *next;

	HASH_ITER(hh, x->links, l, next)
	{
		forget(x, l);
	}
}
