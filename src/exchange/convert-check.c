/* SPDX-License-Identifier: Apache-2.0 */
/* convert-check.c - is all that an archive has in another one, too? */
#include "config.h"

#include "exchange/convert-check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/stop.h"
#include "base/timestamp.h"
#include "base/workers.h"
#include "exchange/feed-volume.h"
#include "pack/by-place.h"
#include "run/throttle.h"

/* Files whose contents wait to be read in the order of their places. */
#define FILES_MAX (32u << 10)

/* Repacks of an archive that follow each other faster than it is read. */
#define TRIES_MAX 8u

struct check {
	const struct convert_check *c;
	uint32_t n_shards;
	bool is_by_place; /* contents are read in the order they lie in */
	atomic_uint next; /* shard that is nobody's yet */
	atomic_uint_fast64_t n_equal;

	/* Guards what follows, and is held in what is told. */
	pthread_mutex_t lock;
	struct err failure;
};

/* A shard on its way. */
struct shard_check {
	struct check *k;
	uint64_t n_lost; /* entries */
	struct err why;  /* of the first of these */
	/* Files that are the same but for contents that are not read yet; where
	 * they lie, and by number their hashes in the new archive.
	 */
	struct by_place files;
	uint8_t (*hashes)[SHA256_LEN];
	size_t cap_hashes;
};

/* --- the two entries ------------------------------------------------------ */

/* What is not the same; NULL: nothing.  Groups of links are named anew. */
static const char *difference(const struct entry *a, const struct entry *b)
{
	if (a->type != b->type)
		return "is of another type";
	if (a->mode != b->mode || a->uid != b->uid || a->gid != b->gid)
		return "has another mode or owner";
	if (a->mtime_s != b->mtime_s || a->mtime_ns != b->mtime_ns)
		return "has another time of modification";
	if (a->size != b->size)
		return "has another size";
	if (!span_equal(a->target, b->target))
		return "is a link to elsewhere";
	if (a->rdev_major != b->rdev_major || a->rdev_minor != b->rdev_minor)
		return "is another device";
	if (!span_equal(a->xattrs, b->xattrs))
		return "has other extended attributes";
	if (!span_equal(a->meta, b->meta))
		return "has other metadata";
	if (a->has_opaque != b->has_opaque ||
	    a->opaque_since != b->opaque_since)
		return "hides other entries";
	return NULL;
}

struct search {
	const struct entry *want;
	bool is_found;
	const char *what; /* see difference */
	bool has_hash;
	uint8_t sha256[SHA256_LEN];
};

static bool search_one(void *arg, const struct volume_entry *ve)
{
	struct search *s = arg;

	if (ve->e.created_at != s->want->created_at || !feed_volume_has(&ve->e))
		return true;
	s->is_found = true;
	s->what = difference(s->want, &ve->e);
	s->has_hash = ve->e.has_hash;
	memcpy(s->sha256, ve->e.sha256, SHA256_LEN);
	return false;
}

/* --- contents ------------------------------------------------------------- */

struct hashing {
	struct check *k;
	struct sha256 sum;
	uint64_t done; /* bytes */
};

static enum rc hash_bytes(void *arg, uint64_t off, const void *p, size_t len,
			  struct err *err)
{
	struct hashing *h = arg;

	if (stop_requested())
		return err_set(err, RC_STOPPED, "stopped by a signal");
	throttle_wait(h->k->c->throttle, 0, len);
	sha256_update_zeros(&h->sum, off - h->done);
	sha256_update(&h->sum, p, len);
	h->done = off + len;
	atomic_fetch_add(&h->k->c->live->bytes, len);
	return RC_OK;
}

/* *ret_unread: the failure is that of reading what is compared. */
static enum rc compare_content(struct check *k, const struct volume_entry *ve,
			       const uint8_t want[SHA256_LEN], bool *ret_unread,
			       struct err *err)
{
	struct hashing h = { .k = k };
	uint8_t hash[SHA256_LEN];
	enum rc rc;

	sha256_init(&h.sum);
	throttle_wait(k->c->throttle, 1, 0);
	rc = feed_volume_read(k->c->from, ve, hash_bytes, &h, err);
	*ret_unread = rc;
	if (rc)
		return err_prefix(err, "cannot be read again");
	sha256_update_zeros(&h.sum, ve->e.size - h.done);
	sha256_final(&h.sum, hash);
	if (memcmp(hash, want, SHA256_LEN) != 0)
		return err_set(err, RC_CORRUPT,
			       "has other bytes in the new archive");
	return RC_OK;
}

/* Versions are in shards of their days, and all days are many shards. */
static uint32_t day_of(const struct entry *e)
{
	char text[TIMESTAMP_DAY_TEXT];

	timestamp_day(e->created_at, text);
	return (uint32_t)strtoul(text, NULL, 10);
}

/* Once more on a later view if a shard was replaced and is gone. */
static enum rc find(struct check *k, struct span uid, const struct entry *e,
		    struct search *s, struct err *err)
{
	for (unsigned int n = 1;; n++) {
		bool changed;
		enum rc rc;

		*s = (struct search){ .want = e };
		rc = volume_versions(k->c->to, uid, day_of(e), search_one, s,
				     err);
		if (rc != RC_CHANGED || n == TRIES_MAX)
			return rc;
		rc = volume_refresh(k->c->to, &changed, err);
		if (rc)
			return rc;
	}
}

static bool has_content(const struct entry *e)
{
	return e->type == ENTRY_REG && e->size;
}

/* All but the bytes. */
static enum rc compare(struct check *k, const struct entry *e, struct search *s,
		       struct err *err)
{
	CLEANUP_FREE char *uid =
		xcalloc(1, entry_uid_len(e->parent, e->name) + 1);
	size_t len = entry_uid(e->parent, e->name, uid);

	if (find(k, span_of(uid, len), e, s, err))
		return err_prefix(err, "the new archive");
	if (!s->is_found)
		return err_set(err, RC_CORRUPT, "is not in the new archive");
	if (s->what)
		return err_set(err, RC_CORRUPT, "%s in the new archive",
			       s->what);
	if (has_content(e) && !s->has_hash)
		return err_set(err, RC_CORRUPT,
			       "its SHA-256 is not in the new archive");
	return RC_OK;
}

/* --- the walk ------------------------------------------------------------- */

static void end_with(struct check *k, const struct err *err)
{
	LOCK_SCOPE(&k->lock);

	if (!k->failure.rc)
		k->failure = *err;
}

static bool has_ended(struct check *k)
{
	LOCK_SCOPE(&k->lock);

	return k->failure.rc;
}

/* What may pass says nothing of either archive.  What a disk cannot read it
 * will not read the next time.
 */
static bool may_pass(const struct check *k, bool is_unread, enum rc rc)
{
	if (!is_unread)
		return rc_is_transient(rc) || rc == RC_ACCESS;
	return rc_is_transient(rc) &&
	       (rc != RC_IO || volume_is_remote(k->c->from));
}

static void tell(struct check *k, const struct volume_entry *ve, bool is_unread,
		 const struct err *why)
{
	const struct convert_check *c = k->c;
	LOCK_SCOPE(&k->lock);

	if (is_unread)
		c->unread(c->arg, ve, why);
	else
		c->differs(c->arg, ve, why);
}

/* What became of an entry; false: nothing more is to be compared. */
static bool judge(struct check *k, const struct volume_entry *ve,
		  bool is_unread, enum rc rc, const struct err *err)
{
	if (rc && may_pass(k, is_unread, rc)) {
		end_with(k, err);
		return false;
	}
	if (rc)
		tell(k, ve, is_unread, err);
	else
		atomic_fetch_add(&k->n_equal, 1);
	atomic_fetch_add(&k->c->live->files, ve->e.type == ENTRY_REG);
	return true;
}

static void count_lost(void *arg, uint64_t n, const struct err *why)
{
	struct shard_check *s = arg;

	if (!s->n_lost)
		s->why = *why;
	s->n_lost += n;
}

/* --- contents by place ---------------------------------------------------- */

static void put_off(struct shard_check *s, const struct volume_entry *ve,
		    const uint8_t hash[SHA256_LEN])
{
	size_t i = s->files.n;

	s->hashes = mem_grow(s->hashes, &s->cap_hashes, i + 1,
			     sizeof(*s->hashes));
	memcpy(s->hashes[i], hash, SHA256_LEN);
	by_place_add(&s->files, ve, i);
}

static bool check_put_off(struct shard_check *s, const struct by_place_file *f)
{
	struct check *k = s->k;
	bool is_unread = false, more;
	struct volume_entry ve;
	struct err err;
	enum rc rc = volume_get(k->c->from, f->node, &ve, &err);

	if (rc_is_transient(rc)) {
		end_with(k, &err);
		return false;
	}
	if (rc) {
		count_lost(s, 1, &err);
		return true;
	}
	rc = compare_content(k, &ve, s->hashes[f->number], &is_unread, &err);
	more = judge(k, &ve, is_unread, rc, &err);
	volume_entry_release(&ve);
	return more;
}

static bool check_all_put_off(struct shard_check *s)
{
	bool more = true;

	by_place_sort(&s->files);
	for (size_t i = 0; i < s->files.n && more; i++)
		more = check_put_off(s, &s->files.files[i]);
	s->files.n = 0;
	return more;
}

/* --- shards --------------------------------------------------------------- */

static bool check_entry(void *arg, const struct volume_entry *ve)
{
	struct shard_check *s = arg;
	struct check *k = s->k;
	bool is_unread = false;
	struct search with;
	struct err err;
	enum rc rc;

	if (stop_requested()) {
		err_set(&err, RC_STOPPED, "stopped by a signal");
		end_with(k, &err);
		return false;
	}
	if (!feed_volume_has(&ve->e) ||
	    k->c->is_left_out(k->c->arg, feed_volume_number(ve)))
		return true;
	rc = compare(k, &ve->e, &with, &err);
	if (!rc && has_content(&ve->e) && k->is_by_place) {
		put_off(s, ve, with.sha256);
		return s->files.n < FILES_MAX || check_all_put_off(s);
	}
	if (!rc && has_content(&ve->e))
		rc = compare_content(k, ve, with.sha256, &is_unread, &err);
	return judge(k, ve, is_unread, rc, &err);
}

static void check_shard(struct check *k, uint32_t shard)
{
	const struct convert_check *c = k->c;
	struct shard_check s = { .k = k };
	const struct shard_meta *meta =
		volume_shard(c->from, (struct volume_node){ .shard = shard });
	struct err err;
	enum rc rc;

	rc = volume_shard_entries(c->from, shard, check_entry, count_lost, &s,
				  &err);
	if (rc_is_transient(rc))
		end_with(k, &err);
	else if (rc && meta)
		count_lost(&s, meta->n_entries, &err);
	if (!has_ended(k))
		(void)check_all_put_off(&s);
	free(s.files.files);
	free(s.hashes);
	if (s.n_lost) {
		LOCK_SCOPE(&k->lock);

		c->lost(c->arg, meta, s.n_lost, &s.why);
	}
	atomic_fetch_add(&c->live->shards, 1);
}

static void check_main(void *arg)
{
	struct check *k = arg;

	while (!has_ended(k)) {
		uint32_t shard = atomic_fetch_add(&k->next, 1);

		if (shard >= k->n_shards)
			return;
		check_shard(k, shard);
	}
}

static void expect(struct check *k)
{
	struct verify_live *live = k->c->live;
	struct volume_stats s;

	volume_stats(k->c->from, &s);
	atomic_store(&live->shards_total, k->n_shards);
	atomic_store(&live->files_total, s.n_files);
	atomic_store(&live->bytes_total, s.plain_bytes);
}

enum rc convert_check(const struct convert_check *c, uint64_t *ret_n_equal,
		      struct err *err)
{
	struct check k = { .c = c,
			   .n_shards = volume_shard_bound(c->from),
			   .is_by_place = volume_is_remote(c->from) };
	unsigned int n = c->jobs ? c->jobs : 1;
	struct workers *threads = NULL;
	enum rc rc;

	expect(&k);
	pthread_mutex_init(&k.lock, NULL);
	rc = workers_start(&threads, "check", n, n, err);
	for (unsigned int i = 0; i < n && !rc; i++)
		workers_submit(threads, check_main, &k);
	workers_stop(threads);
	pthread_mutex_destroy(&k.lock);
	if (rc)
		return rc;
	if (k.failure.rc) {
		*err = k.failure;
		return err->rc;
	}
	*ret_n_equal = atomic_load(&k.n_equal);
	return RC_OK;
}
