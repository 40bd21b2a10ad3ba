/* SPDX-License-Identifier: Apache-2.0 */
/* salvage.c - what is intact of a damaged shard, written as files. */
#include "config.h"

#include "restore/salvage.h"

#include <stdlib.h>
#include <string.h>
#include "base/table.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "restore/salvage-source.h"
#include "shard/shard-filter.h"
#include "shard/shard-format.h"
#include "verify/index-walk.h"
#include "verify/raw-shard.h"
#include "verify/salvage-scan.h"

/* The newest version of a name met so far. */
struct newest {
	uint64_t uid; /* hash; the key */
	int64_t created_at;
	bool is_done;
	UT_hash_handle hh;
};

struct salvage {
	struct raw_shard s;
	struct restore *to;
	const struct salvage_options *opts;
	struct salvage_totals *totals;
	struct salvage_source source;
	struct salvage_scan *scan;
	struct newest *newest;
	enum rc stop; /* what ends all of it: the target is full */
	struct err *err;
};

static struct newest *newest_of(struct salvage *v, const struct entry *e)
{
	uint64_t uid = filter_hash(e->parent, e->name);
	struct newest *n;

	HASH_FIND(hh, v->newest, &uid, sizeof(uid), n);
	if (n)
		return n;
	n = xcalloc(1, sizeof(*n));
	n->uid = uid;
	n->created_at = e->created_at;
	HASH_ADD(hh, v->newest, uid, sizeof(n->uid), n);
	return n;
}

static void lose(struct salvage *v, const struct entry *e,
		 const struct err *err)
{
	v->totals->lost++;
	if (v->opts->lost)
		v->opts->lost(v->opts->arg, e, err);
	if (err->rc == RC_NOSPACE) {
		v->stop = RC_NOSPACE;
		*v->err = *err;
	}
}

/* refs: where the content of a regular file is. */
static void save(struct salvage *v, const struct entry *e,
		 const struct block_ref *refs)
{
	struct restore_source calls = salvage_source_calls(&v->source);
	struct err err;
	enum rc rc = RC_OK;

	if (e->type == ENTRY_REG)
		rc = salvage_source_set(&v->source, e, refs, &err);
	if (!rc)
		rc = restore_entry(v->to, e, &calls, &err);
	if (rc)
		lose(v, e, &err);
	else if (e->type != ENTRY_WHITEOUT)
		v->totals->saved++;
}

/* --- by the index --------------------------------------------------------- */

static void save_indexed(struct salvage *v, const struct entry *e)
{
	CLEANUP_FREE struct block_ref *owned = NULL;
	const struct block_ref *refs = NULL;
	struct newest *n = newest_of(v, e);
	struct err err;

	/* The newest comes first. */
	if (n->is_done)
		return;
	n->is_done = true;
	if (raw_shard_refs(&v->s, e, &refs, &owned, &err))
		lose(v, e, &err);
	else
		save(v, e, refs);
}

/* True when all of the index could be read. */
static bool save_by_index(struct salvage *v)
{
	struct index_walk w;
	struct index_leaf leaf;
	bool is_complete = true;
	struct err err;
	enum rc rc;

	index_walk_init(&w, &v->s);
	for (;;) {
		rc = index_walk_next(&w, &leaf, &err);
		if (rc == RC_NOENT || v->stop)
			break;
		is_complete &= !rc;
		for (uint32_t i = 0; !rc && i < page_count(leaf.page); i++) {
			struct entry e;

			page_entry(leaf.page, i, &e);
			if (!v->stop)
				save_indexed(v, &e);
		}
	}
	index_walk_release(&w);
	return is_complete;
}

/* --- by the records ------------------------------------------------------- */

static void note_record(void *arg, const struct block_ref *own,
			const struct record *rec)
{
	struct salvage *v = arg;
	struct newest *n = newest_of(v, &rec->entry);

	(void)own;
	if (rec->entry.created_at > n->created_at)
		n->created_at = rec->entry.created_at;
}

static bool all_bytes_are(const uint8_t *p, uint8_t value)
{
	for (size_t i = 0; i < BLOCK_HASH_LEN; i++) {
		if (p[i] != value)
			return false;
	}
	return true;
}

static enum rc find_blocks(struct salvage *v, const struct block_ref *own,
			   const struct record *rec, struct block_ref *refs,
			   struct err *err)
{
	const struct content *c = &rec->entry.content;

	for (uint32_t i = 0; i < c->n_blocks; i++) {
		const uint8_t *hash = rec->hashes + (size_t)i * BLOCK_HASH_LEN;
		const struct block_ref *found = own;

		if (all_bytes_are(hash, 0)) {
			refs[i] =
				(struct block_ref){ .data_len = c->block_size };
			continue;
		}
		if (!all_bytes_are(hash, RECORD_HASH_OWN))
			found = salvage_scan_find(v->scan, hash);
		if (!found)
			return err_set(err, RC_CORRUPT,
				       "block %u of its %u is lost", i + 1,
				       c->n_blocks);
		refs[i] = *found;
	}
	return RC_OK;
}

static void save_record(void *arg, const struct block_ref *own,
			const struct record *rec)
{
	struct salvage *v = arg;
	struct newest *n = newest_of(v, &rec->entry);
	CLEANUP_FREE struct block_ref *refs = NULL;
	struct err err;

	if (v->stop || n->is_done || rec->entry.created_at != n->created_at)
		return;
	n->is_done = true;
	if (rec->where != RECORD_HASHES) {
		save(v, &rec->entry, own);
		return;
	}
	refs = mem_array(rec->entry.content.n_blocks, sizeof(*refs));
	if (!refs)
		err_set(&err, RC_NOMEM, "no memory for its blocks");
	if (!refs || find_blocks(v, own, rec, refs, &err))
		lose(v, &rec->entry, &err);
	else
		save(v, &rec->entry, refs);
}

static enum rc save_by_records(struct salvage *v)
{
	enum rc rc = salvage_scan_new(&v->s, &v->scan, v->err);
	size_t n;

	if (rc)
		return rc;
	n = salvage_scan_count(v->scan);
	for (size_t i = 0; i < n; i++)
		salvage_scan_records(v->scan, i, note_record, v);
	for (size_t i = 0; i < n; i++)
		salvage_scan_records(v->scan, i, save_record, v);
	return v->stop;
}

static void release(struct salvage *v)
{
	struct newest *n, *next;

	HASH_ITER(hh, v->newest, n, next)
	{
		HASH_DEL(v->newest, n);
		free(n);
	}
	salvage_scan_free(v->scan);
	salvage_source_release(&v->source);
}

enum rc salvage_shard(struct store *st, const char *key, struct restore *to,
		      const struct salvage_options *opts,
		      struct salvage_totals *ret, struct err *err)
{
	struct salvage v = {
		.to = to, .opts = opts, .totals = ret, .err = err
	};
	bool is_complete = false;
	enum rc rc;

	rc = raw_shard_open(&v.s, st, key, err);
	if (rc && !v.s.info.size)
		return rc;
	if (rc) {
		/* Without a footer all may be data. */
		v.s.footer = (struct shard_footer){
			.data_off = SHARD_HEADER_SIZE,
			.data_len = v.s.info.size > SHARD_HEADER_SIZE
					    ? v.s.info.size - SHARD_HEADER_SIZE
					    : 0,
		};
	}
	salvage_source_init(&v.source, &v.s);
	if (!rc)
		is_complete = save_by_index(&v);
	rc = v.stop;
	if (!rc && !is_complete)
		rc = save_by_records(&v);
	release(&v);
	return rc;
}
