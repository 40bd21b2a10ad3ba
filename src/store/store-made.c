/* SPDX-License-Identifier: Apache-2.0 */
/* store-made.c - a store whose objects are made by another room. */
#include "config.h"

#include "store/store-made.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/store-backend.h"

struct made {
	struct store base;
	const struct store_made_ops *ops;
	void *arg;
	struct store *below;
};

static struct made *made_of(const struct store *st)
{
	return (struct made *)(uintptr_t)st;
}

static enum rc made_read_tail(struct store *st, const char *key, size_t max,
			      struct buf *ret, struct object_info *ret_info,
			      struct err *err)
{
	struct made *m = made_of(st);

	return m->ops->read_tail(m->arg, key, max, ret, ret_info, err);
}

static enum rc made_read(struct store *st, const char *key,
			 const struct object_info *expect, uint64_t off,
			 void *buf, size_t len, bool is_ahead, struct err *err)
{
	struct made *m = made_of(st);

	return m->ops->read(m->arg, key, expect, off, buf, len, is_ahead, err);
}

static enum rc made_list(struct store *st, const char *prefix,
			 const char *start_after, store_list_fn *fn, void *arg,
			 struct err *err)
{
	struct made *m = made_of(st);

	return m->ops->list(m->arg, prefix, start_after, fn, arg, err);
}

/* Reads of the store itself were counted by the caller. */
static void made_count(struct store *st, struct store_counters *ret)
{
	const struct store *below = made_of(st)->below;

	if (below->ops->count)
		below->ops->count(made_of(st)->below, ret);
}

static void made_each_zone(struct store *st, store_zone_fn *fn, void *arg)
{
	store_each_zone(made_of(st)->below, fn, arg);
}

static void made_close(struct store *st)
{
	struct made *m = made_of(st);

	m->ops->close(m->arg);
	free(m);
}

static const char *const no_schemes[] = { NULL };

static const struct store_backend backend = {
	.name = "made",
	.schemes = no_schemes,
	.no_writer = "objects that are made cannot be written",
	.close = made_close,
	.read_tail = made_read_tail,
	.read = made_read,
	.list = made_list,
	.count = made_count,
	.each_zone = made_each_zone,
};

struct store *store_made_new(const struct store_made_ops *ops, void *arg,
			     struct store *below)
{
	struct made *m = xcalloc(1, sizeof(*m));

	m->base.ops = &backend;
	m->base.url = xstrdup(store_url(below));
	m->base.location = xstrdup(store_location(below));
	m->ops = ops;
	m->arg = arg;
	m->below = below;
	return &m->base;
}

void *store_made_arg(const struct store *st, const struct store_made_ops *ops)
{
	const struct made *m = made_of(st);

	return st->ops == &backend && m->ops == ops ? m->arg : NULL;
}
