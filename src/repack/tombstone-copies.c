/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-copies.c - names that stay and have the bytes of names that go. */
#include "config.h"

#include "repack/tombstone-copies.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sorter.h"
#include "shard/shard-filter.h"
#include "verify/uid-set.h"

#define HASHES_MEMORY (16u << 20)
#define ORDINAL_BYTES 4u

struct group {
	uint8_t b[LINK_GROUP_LEN];
};

struct hash {
	uint8_t b[ENTRY_HASH_LEN];
};

struct tombstone_copies {
	struct uid_set gone;   /* hashes of uids, and of uids with a time */
	struct sorter *sorter; /* shard and content hash of what goes */
	struct group *groups;  /* its link groups */
	size_t n_groups, cap_groups;

	struct sorter_reader *reader;
	bool has_next;
	uint32_t next_shard;
	struct hash next;
	struct hash *hashes; /* of the shard that is looked at, in order */
	size_t n_hashes, cap_hashes;

	tombstone_copy_fn *fn;
	void *arg;
};

struct tombstone_copies *tombstone_copies_new(const char *spool)
{
	struct tombstone_copies *c = xcalloc(1, sizeof(*c));

	c->sorter = sorter_new(spool, HASHES_MEMORY, 1);
	return c;
}

void tombstone_copies_free(struct tombstone_copies *c)
{
	if (!c)
		return;
	sorter_reader_free(c->reader);
	sorter_free(c->sorter);
	uid_set_release(&c->gone);
	free(c->groups);
	free(c->hashes);
	free(c);
}

/* --- what goes -------------------------------------------------------------
 */

static uint64_t uid_hash(struct span uid)
{
	struct span parent, name;

	entry_split_uid(uid, &parent, &name);
	return filter_hash(parent, name);
}

static uint64_t version_hash(uint64_t hash, int64_t time)
{
	return hash ^ ((uint64_t)time + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

void tombstone_copies_take_all(struct tombstone_copies *c, struct span uid)
{
	uid_set_add(&c->gone, uid_hash(uid));
}

void tombstone_copies_take_one(struct tombstone_copies *c, struct span uid,
			       int64_t time)
{
	uid_set_add(&c->gone, version_hash(uid_hash(uid), time));
}

static bool has_bytes(const struct entry *e)
{
	return e->type == ENTRY_REG && e->has_hash && e->size;
}

static void add_group(struct tombstone_copies *c, const uint8_t *group)
{
	c->groups = mem_grow(c->groups, &c->cap_groups, c->n_groups + 1,
			     sizeof(*c->groups));
	memcpy(c->groups[c->n_groups++].b, group, LINK_GROUP_LEN);
}

enum rc tombstone_copies_add(struct tombstone_copies *c, const struct entry *e,
			     uint32_t shard, struct err *err)
{
	uint8_t key[ORDINAL_BYTES + ENTRY_HASH_LEN] = { (uint8_t)(shard >> 24),
							(uint8_t)(shard >> 16),
							(uint8_t)(shard >> 8),
							(uint8_t)shard };

	if (link_group_is_set(e->link_group))
		add_group(c, e->link_group);
	if (!has_bytes(e))
		return RC_OK;
	memcpy(key + ORDINAL_BYTES, e->sha256, ENTRY_HASH_LEN);
	return sorter_add(c->sorter, 0, span_of(key, sizeof(key)),
			  span_of("", 0), err);
}

/* --- what stays ------------------------------------------------------------
 */

static int by_group(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct group));
}

static int by_hash(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct hash));
}

static enum rc next_hash(struct tombstone_copies *c, struct err *err)
{
	struct span key, value;
	const uint8_t *p;
	enum rc rc = sorter_next(c->reader, &key, &value, err);

	c->has_next = !rc;
	if (rc)
		return rc == RC_NOENT ? RC_OK : rc;
	p = (const uint8_t *)key.p;
	c->next_shard = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
			(uint32_t)p[2] << 8 | p[3];
	memcpy(c->next.b, p + ORDINAL_BYTES, ENTRY_HASH_LEN);
	return RC_OK;
}

/* The hashes of a shard; its number is not below that of any before. */
static enum rc take_hashes(struct tombstone_copies *c, uint32_t shard,
			   struct err *err)
{
	c->n_hashes = 0;
	while (c->has_next && c->next_shard == shard) {
		c->hashes = mem_grow(c->hashes, &c->cap_hashes, c->n_hashes + 1,
				     sizeof(*c->hashes));
		c->hashes[c->n_hashes++] = c->next;
		if (next_hash(c, err))
			return err->rc;
	}
	return RC_OK;
}

static bool is_gone(const struct tombstone_copies *c, const struct entry *e)
{
	uint64_t hash = filter_hash(e->parent, e->name);

	return uid_set_has(&c->gone, hash) ||
	       uid_set_has(&c->gone, version_hash(hash, e->created_at));
}

static bool is_link(const struct tombstone_copies *c, const struct entry *e)
{
	return c->n_groups && link_group_is_set(e->link_group) &&
	       bsearch(e->link_group, c->groups, c->n_groups,
		       sizeof(*c->groups), by_group);
}

static bool is_equal(const struct tombstone_copies *c, const struct entry *e)
{
	return c->n_hashes && has_bytes(e) &&
	       bsearch(e->sha256, c->hashes, c->n_hashes, sizeof(*c->hashes),
		       by_hash);
}

static enum rc look(void *arg, const struct found *f, struct err *err)
{
	struct tombstone_copies *c = arg;
	bool link;

	(void)err;
	if (f->is_deleted || f->is_copy || f->e.type == ENTRY_DIR)
		return RC_OK;
	link = is_link(c, &f->e);
	if ((link || is_equal(c, &f->e)) && !is_gone(c, &f->e))
		c->fn(c->arg, &f->e, link);
	return RC_OK;
}

/* What is damaged keeps nobody from deleting. */
static enum rc look_through(struct tombstone_copies *c, struct find *f,
			    uint32_t shard, uint64_t *ret_damaged,
			    struct err *err)
{
	enum rc rc = find_in_shard(f, shard, look, c, err);

	if (rc != RC_CORRUPT)
		return rc;
	*ret_damaged += 1;
	return RC_OK;
}

enum rc tombstone_copies_find(struct tombstone_copies *c, struct find *f,
			      tombstone_copy_fn *fn, void *arg,
			      uint64_t *ret_damaged, struct err *err)
{
	uint32_t n = find_n_shards(f);
	enum rc rc = sorter_finish(c->sorter, err);

	*ret_damaged = 0;
	c->fn = fn;
	c->arg = arg;
	if (c->n_groups)
		qsort(c->groups, c->n_groups, sizeof(*c->groups), by_group);
	if (!rc)
		rc = sorter_read(c->sorter, 0, &c->reader, err);
	if (!rc)
		rc = next_hash(c, err);
	for (uint32_t i = 0; !rc && i < n; i++) {
		rc = take_hashes(c, i, err);
		if (!rc && (c->n_hashes || c->n_groups))
			rc = look_through(c, f, i, ret_damaged, err);
	}
	return rc;
}
