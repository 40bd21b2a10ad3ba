/* SPDX-License-Identifier: Apache-2.0 */
/* rebuild-gone.c - shards that count by what is left of a log, though they are
 * there no more.
 */
#include "config.h"

#include "verify/rebuild-gone.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "verify/archive-list.h"

void rebuild_gone_release(struct rebuild_gone *g)
{
	free(g->all);
	*g = (struct rebuild_gone){ .n = 0 };
}

static int by_key(const void *a, const void *b)
{
	const struct shard_meta *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

void rebuild_gone_add(struct rebuild_gone *g, const struct shard_meta *m)
{
	g->all = mem_grow(g->all, &g->cap, g->n + 1, sizeof(*g->all));
	g->all[g->n++] = m;
}

void rebuild_gone_sort(struct rebuild_gone *g)
{
	if (g->n)
		qsort(g->all, g->n, sizeof(*g->all), by_key);
}

bool rebuild_gone_has(const struct rebuild_gone *g, const struct shard_meta *m)
{
	return g->n && bsearch(&m, g->all, g->n, sizeof(*g->all), by_key);
}

void rebuild_gone_told(struct rebuild_gone *ret, const struct oplog_state *s)
{
	for (size_t i = 0; i < oplog_state_n_purged(s); i++) {
		const struct oplog_purged *p = oplog_state_purged_at(s, i);
		const struct shard_meta *m = oplog_state_find(s, p->key);

		if (!m || p->how == RECEIPT_PENDING ||
		    memcmp(p->root, m->root, SHARD_ROOT_LEN) != 0 ||
		    (ret->n && ret->all[ret->n - 1] == m))
			continue;
		rebuild_gone_add(ret, m);
	}
	rebuild_gone_sort(ret);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void rebuild_gone_missing(struct rebuild_gone *ret, const struct oplog_state *s,
			  const struct archive_list *list)
{
	const char **keys = xcalloc(list->n + 1, sizeof(*keys));
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (list->objects[i].kind == OBJECT_SHARD)
			keys[n++] = list->objects[i].key;
	}
	if (n)
		qsort(keys, n, sizeof(*keys), by_text);
	for (size_t i = 0; i < oplog_state_n_counting(s); i++) {
		const struct shard_meta *m = oplog_state_counting(s, i);

		if (!n || !bsearch(&m->key, keys, n, sizeof(*keys), by_text))
			rebuild_gone_add(ret, m);
	}
	free(keys);
	rebuild_gone_sort(ret);
}
