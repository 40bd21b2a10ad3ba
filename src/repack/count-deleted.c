/* SPDX-License-Identifier: Apache-2.0 */
/* count-deleted.c - how much of a shard is deleted and still in it. */
#include "config.h"

#include "repack/count-deleted.h"

#include <string.h>

#include "base/cleanup.h"
#include "erase/tombstone-set.h"
#include "repack/engine-stream.h"
#include "repack/goes.h"
#include "shard/shard-filter.h"
#include "verify/raw-ahead.h"

#define AHEAD_BYTES (4u << 20)

static int key_order(const struct tombstone_uid *u, const char *uid, size_t len)
{
	struct span parent, name;

	entry_split_uid(span_of(uid, len), &parent, &name);
	return entry_key_compare(u->parent, u->name, parent, name);
}

/* The first uid of the set that is not before the shard's first. */
static size_t first_within(const struct tombstone_set *set,
			   const struct shard_meta *m)
{
	size_t low = 0, high = tombstone_set_count(set);

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		struct tombstone_uid u;

		tombstone_set_at(set, mid, &u);
		if (key_order(&u, m->first, m->first_len) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool has_time(const struct tombstone_uid *u, const struct shard_meta *m)
{
	if (u->until != TOMBSTONE_NONE && u->until >= m->created_min)
		return true;
	for (size_t i = 0; i < u->n_times; i++) {
		if (u->times[i] >= m->created_min &&
		    u->times[i] <= m->created_max)
			return true;
	}
	return false;
}

struct filter {
	struct buf bits;
	uint32_t n, size;
};

static enum rc read_filter(const struct raw_shard *s, struct filter *ret,
			   struct err *err)
{
	const struct shard_footer *f = &s->footer;
	enum rc rc;

	buf_init(&ret->bits, SIZE_MAX / 2);
	rc = raw_shard_section(s, &f->filter, f->filter.len, &ret->bits, err);
	if (rc)
		return err_prefix(err, "%s: filter", s->key);
	ret->n = (uint32_t)(f->filter_dir.len / BLOCK_HASH_LEN);
	ret->size = ret->n ? (uint32_t)(f->filter.len / ret->n) : 0;
	return RC_OK;
}

static bool may_have(const struct filter *f, const struct tombstone_uid *u)
{
	uint64_t hash = filter_hash(u->parent, u->name);
	uint32_t i;

	/* A shard of three or fewer entries may have a filter of no use. */
	if (!f->n || !f->size)
		return true;
	i = filter_partition(hash, f->n);
	return filter_may_contain(f->bits.p + (size_t)i * f->size, f->size,
				  hash);
}

/* The next from *i on that may be in a shard of which the log says this. */
static bool next_within(const struct tombstone_set *set,
			const struct shard_meta *m, size_t *i,
			struct tombstone_uid *ret)
{
	size_t n = tombstone_set_count(set);

	while (*i < n) {
		tombstone_set_at(set, (*i)++, ret);
		if (key_order(ret, m->last, m->last_len) > 0)
			return false;
		if (has_time(ret, m))
			return true;
	}
	return false;
}

static bool is_any_within(const struct tombstone_set *set,
			  const struct shard_meta *m)
{
	size_t i = first_within(set, m);
	struct tombstone_uid u;

	return next_within(set, m, &i, &u);
}

/* Whether any uid of the set may be in the shard. */
static enum rc may_have_any(const struct raw_shard *s,
			    const struct shard_meta *m,
			    const struct tombstone_set *set, bool *ret,
			    struct err *err)
{
	struct filter f = { .n = 0 };
	size_t i = first_within(set, m);
	struct tombstone_uid u;
	bool is_read = false;
	enum rc rc = RC_OK;

	*ret = false;
	while (!*ret && !rc && next_within(set, m, &i, &u)) {
		if (!is_read)
			rc = read_filter(s, &f, err);
		is_read = true;
		*ret = !rc && may_have(&f, &u);
	}
	buf_release(&f.bits);
	return rc;
}

static enum rc count(struct source *src, const struct tombstone_set *set,
		     const struct holds *holds, struct deleted_count *ret,
		     struct err *err)
{
	struct stream_item it;
	struct stream st;
	uint64_t n = 0;
	enum rc rc;

	stream_open(&st, src, 1, false);
	while (!(rc = stream_next(&st, &it, err))) {
		n++;
		if (it.e->implicit || !entry_goes(set, holds, it.e))
			continue;
		ret->entries++;
		if (it.e->type == ENTRY_REG)
			ret->bytes += it.e->size;
	}
	stream_close(&st);
	if (rc != RC_NOENT)
		return rc;
	return n == src->s.footer.n_entries
		       ? RC_OK
		       : err_set(err, RC_CHANGED, "%s: cannot be read whole",
				 src->s.key);
}

enum rc count_deleted(struct store *st, const struct shard_meta *m,
		      const struct tombstone_set *deleted,
		      const struct holds *holds, struct deleted_count *ret,
		      struct err *err)
{
	struct source src = { .meta = m };
	bool any;
	enum rc rc;

	*ret = (struct deleted_count){ 0 };
	if (!deleted || !is_any_within(deleted, m))
		return RC_OK;
	rc = raw_shard_open(&src.s, st, m->key, err);
	if (rc)
		return err_prefix(err, "%s", m->key);
	if (memcmp(src.s.footer.root, m->root, SHARD_ROOT_LEN) != 0)
		return err_set(err, RC_CORRUPT,
			       "%s: root hash is not that of the log", m->key);
	rc = may_have_any(&src.s, m, deleted, &any, err);
	if (rc || !any)
		return rc;
	src.s.ahead = raw_ahead_new(AHEAD_BYTES);
	rc = count(&src, deleted, holds, ret, err);
	raw_ahead_free(src.s.ahead);
	return rc;
}
