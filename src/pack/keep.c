/* SPDX-License-Identifier: Apache-2.0 */
/* keep.c - names below which nothing was looked at. */
#include "config.h"

#include "pack/keep.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/table.h"

struct kept {
	char *uid;
	size_t len;
	UT_hash_handle hh;
};

struct keep {
	pthread_mutex_t lock; /* guards all, while there are adders */
	struct kept *all;
	size_t bytes;
};

struct keep *keep_new(void)
{
	struct keep *k = xcalloc(1, sizeof(*k));

	pthread_mutex_init(&k->lock, NULL);
	return k;
}

void keep_free(struct keep *k)
{
	struct kept *e, *next;

	if (!k)
		return;
	HASH_ITER(hh, k->all, e, next)
	{
		HASH_DEL(k->all, e);
		free(e->uid);
		free(e);
	}
	pthread_mutex_destroy(&k->lock);
	free(k);
}

static bool keep_has(const struct keep *k, struct span uid)
{
	struct kept *e = NULL;

	HASH_FIND(hh, k->all, uid.p, uid.len, e);
	return e;
}

/* What to keep so that uid is: less and less exactly. */
static struct span choose(const struct keep *k, struct span uid)
{
	struct span parent, name;

	if (k->bytes < KEEP_MEMORY / 2)
		return uid;
	entry_split_uid(uid, &parent, &name);
	return k->bytes < KEEP_MEMORY ? parent : span_of("", 0);
}

void keep_add(struct keep *k, struct span uid)
{
	struct kept *e;
	LOCK_SCOPE(&k->lock);

	uid = choose(k, uid);
	if (keep_has(k, uid))
		return;
	e = xcalloc(1, sizeof(*e));
	e->uid = xmemdup0(uid.p, uid.len);
	e->len = uid.len;
	HASH_ADD_KEYPTR(hh, k->all, e->uid, e->len, e);
	k->bytes += sizeof(*e) + e->len;
}

bool keep_covers(const struct keep *k, struct span uid)
{
	if (!k->all)
		return false;
	for (;;) {
		struct span parent, name;

		if (keep_has(k, uid))
			return true;
		if (!uid.len)
			return false;
		entry_split_uid(uid, &parent, &name);
		uid = parent;
	}
}
