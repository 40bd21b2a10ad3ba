/* SPDX-License-Identifier: Apache-2.0 */
/* fd-cache.c - descriptors of the objects read last.
 *
 * The table is small, so it is searched from end to end: 128 hashes are 1 KiB.
 */
#include "config.h"

#include "store/fd-cache.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"

struct node {
	struct fd_ref ref; /* first: a reference is its node */
	char *key;
	unsigned int refs; /* the table's own is not counted */
	bool listed;
	uint64_t used; /* the clock at its last use */
};

struct fd_cache {
	pthread_mutex_t lock; /* guards all below */
	uint64_t clock;
	unsigned int n, max;
	uint64_t *hashes;
	struct node **nodes;
};

/* FNV-1a. */
static uint64_t hash_of(const char *key)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *key; key++)
		h = (h ^ (uint8_t)*key) * UINT64_C(0x100000001b3);
	return h;
}

struct fd_cache *fd_cache_new(unsigned int max)
{
	struct fd_cache *c = xcalloc(1, sizeof(*c));

	pthread_mutex_init(&c->lock, NULL);
	c->max = max;
	c->hashes = xcalloc(max, sizeof(*c->hashes));
	c->nodes = xcalloc(max, sizeof(*c->nodes));
	return c;
}

static void node_free(struct node *n)
{
	if (!n)
		return;
	close(n->ref.fd);
	free(n->key);
	free(n);
}

void fd_cache_free(struct fd_cache *c)
{
	if (!c)
		return;
	for (unsigned int i = 0; i < c->n; i++)
		node_free(c->nodes[i]);
	pthread_mutex_destroy(&c->lock);
	free(c->hashes);
	free(c->nodes);
	free(c);
}

struct fd_ref *fd_cache_get(struct fd_cache *c, const char *key)
{
	uint64_t hash = hash_of(key);
	LOCK_SCOPE(&c->lock);

	for (unsigned int i = 0; i < c->n; i++) {
		struct node *n = c->nodes[i];

		if (c->hashes[i] != hash || strcmp(n->key, key) != 0)
			continue;
		n->refs++;
		n->used = ++c->clock;
		return &n->ref;
	}
	return NULL;
}

/* Take a node out of the table; the caller holds the lock.  Returns it when
 * nobody uses it any more, to be freed without the lock.
 */
static struct node *unlist(struct fd_cache *c, unsigned int i)
{
	struct node *n = c->nodes[i];

	c->n--;
	c->nodes[i] = c->nodes[c->n];
	c->hashes[i] = c->hashes[c->n];
	n->listed = false;
	return n->refs ? NULL : n;
}

static unsigned int oldest(const struct fd_cache *c)
{
	unsigned int found = 0;

	for (unsigned int i = 1; i < c->n; i++) {
		if (c->nodes[i]->used < c->nodes[found]->used)
			found = i;
	}
	return found;
}

static struct node *add(struct fd_cache *c, struct node *n, uint64_t hash)
{
	struct node *gone = NULL;
	LOCK_SCOPE(&c->lock);

	if (c->n == c->max)
		gone = unlist(c, oldest(c));
	n->used = ++c->clock;
	c->hashes[c->n] = hash;
	c->nodes[c->n++] = n;
	return gone;
}

struct fd_ref *fd_cache_add(struct fd_cache *c, const char *key, int fd)
{
	struct node *n = xcalloc(1, sizeof(*n));

	n->ref.fd = fd;
	n->key = xstrdup(key);
	n->refs = 1;
	n->listed = true;
	node_free(add(c, n, hash_of(key)));
	return &n->ref;
}

static struct node *put(struct fd_cache *c, struct node *n)
{
	LOCK_SCOPE(&c->lock);

	return --n->refs || n->listed ? NULL : n;
}

void fd_cache_put(struct fd_cache *c, struct fd_ref *ref)
{
	node_free(put(c, (struct node *)ref));
}

static struct node *drop(struct fd_cache *c, struct node *n)
{
	LOCK_SCOPE(&c->lock);

	n->refs--;
	for (unsigned int i = 0; i < c->n; i++) {
		if (c->nodes[i] == n)
			return unlist(c, i);
	}
	return n->refs ? NULL : n;
}

void fd_cache_drop(struct fd_cache *c, struct fd_ref *ref)
{
	node_free(drop(c, (struct node *)ref));
}
