/* SPDX-License-Identifier: Apache-2.0 */
/* des2-names.c - which shards and big files an archive of the format DES2 has.
 */
#include "config.h"

#include "pack/des2-names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "store/store.h"
#include "volume/descriptor.h"

struct list {
	struct des2_name *v; /* by day, hex and number, once sorted */
	size_t n, cap;
};

struct des2_names {
	unsigned int n_bits;
	struct list shards, sidecars;
	uint64_t *sizes; /* in order */
	size_t n_sizes, sizes_cap;
	char *foreign; /* a key of something else; NULL: none */
};

static int by_name(const void *a, const void *b)
{
	const struct des2_name *x = a, *y = b;
	int order = strcmp(x->day, y->day);

	if (!order)
		order = strcmp(x->hex, y->hex);
	if (!order)
		order = (x->number > y->number) - (x->number < y->number);
	return order;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void list_add(struct list *l, const struct des2_name *name)
{
	l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = *name;
}

/* Sort the shards, and say which of them have sidecars. */
static void list_join(struct list *shards, const struct list *sidecars)
{
	if (!shards->n)
		return;
	qsort(shards->v, shards->n, sizeof(*shards->v), by_name);
	for (size_t i = 0; i < sidecars->n; i++) {
		struct des2_name *shard =
			bsearch(&sidecars->v[i], shards->v, shards->n,
				sizeof(*shards->v), by_name);

		if (shard)
			shard->has_sidecar = true;
	}
}

/* Is it how a slot of n_bits is written? */
static bool fits_bits(const char *hex, unsigned int n_bits)
{
	unsigned long slot = strtoul(hex, NULL, 16);
	char again[16];

	snprintf(again, sizeof(again), "%0*lX", (int)(n_bits / 4), slot);
	return !(slot >> n_bits) && !strcmp(hex, again);
}

/* What goes with shards. */
static bool is_lock(const char *key)
{
	return !strncmp(key, STORE_LOCKS "/", strlen(STORE_LOCKS "/"));
}

static enum rc add_key(void *arg, const char *key, uint64_t size,
		       struct err *err)
{
	struct des2_names *n = arg;
	struct des2_name name;

	if (!strcmp(key, DESCRIPTOR_KEY))
		return err_set(err, RC_EXISTS,
			       "is an archive of format 3 (it has %s), where "
			       "--format 2 cannot be mixed in",
			       key);
	if (des2_parse_key(key, &name)) {
		if (!fits_bits(name.hex, n->n_bits))
			return err_set(err, RC_USAGE,
				       "%s: no name of a shard with --n-bits "
				       "%u; the archive has another",
				       key, n->n_bits);
		list_add(&n->shards, &name);
	} else if (des2_parse_sidecar(key, &name)) {
		list_add(&n->sidecars, &name);
	} else if (des2_is_big_key(key)) {
		n->sizes = mem_grow(n->sizes, &n->sizes_cap, n->n_sizes + 1,
				    sizeof(*n->sizes));
		n->sizes[n->n_sizes++] = size;
	} else if (!n->foreign && !is_lock(key)) {
		n->foreign = xstrdup(key);
	}
	return RC_OK;
}

static void names_free_p(struct des2_names **n)
{
	des2_names_free(*n);
}

enum rc des2_names_read(struct store *st, unsigned int n_bits,
			struct des2_names **ret, struct err *err)
{
	CLEANUP(names_free_p) struct des2_names *n = xcalloc(1, sizeof(*n));

	n->n_bits = n_bits;
	if (st && store_list(st, "", NULL, add_key, n, err))
		return err_prefix(err, "%s", store_url(st));
	/* Beside shards others may keep what they like. */
	if (n->foreign && !n->shards.n)
		return err_set(err, RC_EXISTS,
			       "%s: not empty and no archive of format 2: it "
			       "has %s but no shard",
			       store_url(st), n->foreign);
	list_join(&n->shards, &n->sidecars);
	if (n->n_sizes)
		qsort(n->sizes, n->n_sizes, sizeof(*n->sizes), by_size);
	*ret = STEAL_PTR(n);
	return RC_OK;
}

void des2_names_free(struct des2_names *n)
{
	if (!n)
		return;
	free(n->shards.v);
	free(n->sidecars.v);
	free(n->sizes);
	free(n->foreign);
	free(n);
}

const struct des2_name *des2_names_all(const struct des2_names *n,
				       size_t *ret_n)
{
	*ret_n = n->shards.n;
	return n->shards.v;
}

static int by_slot(const void *a, const void *b)
{
	const struct des2_name *x = a, *y = b;
	int order = strcmp(x->day, y->day);

	return order ? order : strcmp(x->hex, y->hex);
}

const struct des2_name *des2_names_find(const struct des2_names *n,
					const char *day, const char *hex,
					size_t *ret_n)
{
	const struct list *l = &n->shards;
	const struct des2_name *first, *end;
	struct des2_name want = { .number = 0 };

	*ret_n = 0;
	snprintf(want.day, sizeof(want.day), "%s", day);
	snprintf(want.hex, sizeof(want.hex), "%s", hex);
	first = l->n ? bsearch(&want, l->v, l->n, sizeof(want), by_slot) : NULL;
	if (!first)
		return NULL;
	while (first > l->v && !by_slot(first - 1, &want))
		first--;
	for (end = first; end < l->v + l->n && !by_slot(end, &want);)
		end++;
	*ret_n = (size_t)(end - first);
	return first;
}

bool des2_names_has_size(const struct des2_names *n, uint64_t size)
{
	return n->n_sizes &&
	       bsearch(&size, n->sizes, n->n_sizes, sizeof(*n->sizes), by_size);
}

struct some {
	struct list shards, sidecars;
};

static enum rc add_some(void *arg, const char *key, uint64_t size,
			struct err *err)
{
	struct some *s = arg;
	struct des2_name name;

	(void)size;
	(void)err;
	if (des2_parse_key(key, &name))
		list_add(&s->shards, &name);
	else if (des2_parse_sidecar(key, &name))
		list_add(&s->sidecars, &name);
	return RC_OK;
}

enum rc des2_names_list(struct store *st, const char *day, const char *hex,
			struct des2_name **ret, size_t *ret_n, struct err *err)
{
	char prefix[DES2_KEY_TEXT];
	struct some some = { 0 };
	enum rc rc;

	snprintf(prefix, sizeof(prefix), "%.15s_%.7s_", day, hex);
	rc = store_list(st, prefix, NULL, add_some, &some, err);
	list_join(&some.shards, &some.sidecars);
	free(some.sidecars.v);
	if (rc) {
		free(some.shards.v);
		return rc;
	}
	*ret = some.shards.v;
	*ret_n = some.shards.n;
	return RC_OK;
}
