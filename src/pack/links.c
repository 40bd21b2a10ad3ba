/* SPDX-License-Identifier: Apache-2.0 */
/* links.c - which names are the same file. */
#include "config.h"

#include "pack/links.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/table.h"

struct link_key {
	uint64_t dev, ino;
};

struct link {
	struct link_key key;
	uint64_t number;
	char *group; /* the smallest uid */
	size_t group_len;
	uint32_t n;
	UT_hash_handle hh;
};

struct links {
	pthread_mutex_t lock; /* guards all, while there are adders */
	struct link *by_key;
	struct link **by_number; /* number - 1 */
	size_t n, cap;
};

struct links *links_new(void)
{
	struct links *l = xcalloc(1, sizeof(*l));

	pthread_mutex_init(&l->lock, NULL);
	return l;
}

void links_free(struct links *l)
{
	if (!l)
		return;
	HASH_CLEAR(hh, l->by_key);
	for (size_t i = 0; i < l->n; i++) {
		free(l->by_number[i]->group);
		free(l->by_number[i]);
	}
	free(l->by_number);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static struct link *link_new(struct links *l, struct link_key key)
{
	struct link *k = xcalloc(1, sizeof(*k));

	k->key = key;
	l->by_number = mem_grow(l->by_number, &l->cap, l->n + 1,
				sizeof(struct link *));
	l->by_number[l->n++] = k;
	k->number = l->n;
	HASH_ADD(hh, l->by_key, key, sizeof(k->key), k);
	return k;
}

uint64_t links_add(struct links *l, uint64_t dev, uint64_t ino, struct span uid)
{
	struct link_key key = { .dev = dev, .ino = ino };
	struct link *k = NULL;
	LOCK_SCOPE(&l->lock);

	HASH_FIND(hh, l->by_key, &key, sizeof(key), k);
	if (!k)
		k = link_new(l, key);
	if (!k->group ||
	    span_compare(uid, span_of(k->group, k->group_len)) < 0) {
		free(k->group);
		k->group = xmemdup0(uid.p, uid.len);
		k->group_len = uid.len;
	}
	k->n++;
	return k->number;
}

uint32_t links_group(const struct links *l, uint64_t number,
		     struct span *ret_group)
{
	const struct link *k = l->by_number[number - 1];

	*ret_group = span_of(k->group, k->group_len);
	return k->n;
}
