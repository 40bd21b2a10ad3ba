/* SPDX-License-Identifier: Apache-2.0 */
/* compare-feed.c - what of a slot is to be packed: a feed's records against the
 * archive.
 *
 * Both come in the order of their keys, and of a key from the newest to the
 * oldest.  What a key's directory needs comes last, see gather-feed.h.
 */
#include "config.h"

#include "pack/compare-feed.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/sorter.h"
#include "base/timestamp.h"
#include "pack/compare-file.h"
#include "pack/erased.h"
#include "pack/feed.h"
#include "pack/gather-feed.h"
#include "pack/links.h"
#include "pack/old-dir.h"
#include "pack/pack.h"
#include "pack/plan.h"
#include "shard/shard-format.h"
#include "volume/volume.h"

/* What is known of the key at hand, of versions of the archive and of those
 * planned.  Directories that are only implied do not count.
 */
struct seen {
	bool has_any, is_dir; /* is_dir: of the newest */
	int64_t newest;
};

struct compare {
	struct pack *p;
	struct plan *plan;
	struct sorter_reader *records;
	struct links_reader *links;
	struct buf link_key;

	bool has_item;
	struct item item; /* the next one; created_at of its record */
	enum feed_rank rank;

	struct volume_scan *scan; /* NULL: the archive has nothing */
	bool has_ahead;
	struct volume_entry ahead; /* the next one */

	struct old_dir dir; /* that of the key at hand, once asked for */

	/* The key at hand. */
	struct buf bytes;
	struct span parent, name;
	struct seen seen;
	bool has_old;
	struct volume_entry old; /* newest in the archive, none implied */
	bool has_last;
	int64_t last; /* of the record before */
};

/* --- what comes next -------------------------------------------------------
 */

static enum rc damaged(struct err *err)
{
	return err_set(err, RC_IO, "temporary data were damaged");
}

static enum rc find_links(struct compare *c, struct err *err)
{
	struct item *it = &c->item;

	if (!it->link)
		return RC_OK;
	buf_clear(&c->link_key);
	links_key_encode(it->parent, it->name, it->created_at, &c->link_key);
	if (!buf_ok(&c->link_key))
		return err_set(err, RC_NOMEM, "no memory for a name");
	return links_find(c->links, span_of(c->link_key.p, c->link_key.len), it,
			  err);
}

static enum rc take_record(struct compare *c, struct span key,
			   struct span value, struct err *err)
{
	size_t len = key.len - FEED_KEY_BYTES;
	const char *end = key.p + len;
	int64_t at;

	if (key.len < FEED_KEY_BYTES)
		return damaged(err);
	at = item_get_newest(end + 2);
	c->rank = (enum feed_rank)end[1];
	if (c->rank == FEED_ABOVE)
		c->item = item_implied(span_of("", 0), at);
	else if (item_decode(value.p, value.len, &c->item, err))
		return err->rc;
	if (!item_key_decode(span_of(key.p, len), &c->item.parent,
			     &c->item.name))
		return damaged(err);
	return find_links(c, err);
}

static enum rc next_item(struct compare *c, struct err *err)
{
	struct span key, value;
	enum rc rc = sorter_next(c->records, &key, &value, err);

	c->has_item = !rc;
	if (rc)
		return rc == RC_NOENT ? RC_OK : rc;
	return take_record(c, key, value, err);
}

static enum rc next_ahead(struct compare *c, struct err *err)
{
	enum rc rc;

	if (c->has_ahead)
		volume_entry_release(&c->ahead);
	c->has_ahead = false;
	if (!c->scan)
		return RC_OK;
	rc = volume_scan_next(c->scan, &c->ahead, err);
	if (rc)
		return rc == RC_NOENT ? RC_OK : rc;
	c->has_ahead = true;
	return RC_OK;
}

/* --- the key at hand -------------------------------------------------------
 */

static bool is_root(const struct compare *c)
{
	return !c->parent.len && !c->name.len;
}

static int order_of(const struct compare *c, const struct entry *e)
{
	return entry_key_compare(c->parent, c->name, e->parent, e->name);
}

static bool is_ahead_of_key(const struct compare *c)
{
	return c->has_ahead && !order_of(c, &c->ahead.e);
}

static void note(struct compare *c, int64_t at, bool is_dir)
{
	struct seen *s = &c->seen;

	if (s->has_any && s->newest >= at)
		return;
	s->has_any = true;
	s->newest = at;
	s->is_dir = is_dir;
}

/* Take the next version of the key. */
static enum rc pass(struct compare *c, struct err *err)
{
	const struct entry *e = &c->ahead.e;

	if (e->implicit)
		return next_ahead(c, err);
	note(c, e->created_at, e->type == ENTRY_DIR);
	if (c->has_old)
		return next_ahead(c, err);
	c->old = c->ahead;
	c->has_old = true;
	c->has_ahead = false;
	return next_ahead(c, err);
}

/* Up to the version of this time, if there is one. */
static enum rc pass_newer(struct compare *c, int64_t at, struct err *err)
{
	enum rc rc = RC_OK;

	while (!rc && is_ahead_of_key(c) && c->ahead.e.created_at > at)
		rc = pass(c, err);
	return rc;
}

static enum rc pass_all(struct compare *c, struct err *err)
{
	enum rc rc = RC_OK;

	while (!rc && is_ahead_of_key(c))
		rc = pass(c, err);
	return rc;
}

static enum rc begin_key(struct compare *c, struct err *err)
{
	enum rc rc = RC_OK;

	buf_clear(&c->bytes);
	item_key_encode(c->item.parent, c->item.name, &c->bytes);
	if (!buf_ok(&c->bytes))
		return err_set(err, RC_NOMEM, "no memory for a name");
	if (!item_key_decode(span_of(c->bytes.p, c->bytes.len), &c->parent,
			     &c->name))
		return damaged(err);
	c->seen = (struct seen){ 0 };
	c->has_last = false;
	while (!rc && c->has_ahead && order_of(c, &c->ahead.e) > 0)
		rc = next_ahead(c, err);
	return rc;
}

/* From when on its directory shows what is in it.  To ask costs time, and of
 * most records nobody has to know.
 */
static enum rc enter_dir(struct compare *c, struct err *err)
{
	return old_dir_enter(&c->dir, c->parent, err);
}

static void end_key(struct compare *c)
{
	if (c->has_old)
		volume_entry_release(&c->old);
	c->has_old = false;
}

static bool is_of_key(const struct compare *c)
{
	return c->has_item && !entry_key_compare(c->parent, c->name,
						 c->item.parent, c->item.name);
}

/* --- what became of a record -----------------------------------------------
 */

/* Borrowed from *ret, which is to be freed. */
static struct span uid_of(const struct compare *c, char **ret)
{
	char *p = xcalloc(1, entry_uid_len(c->parent, c->name) + 1);

	*ret = p;
	return span_of(p, entry_uid(c->parent, c->name, p));
}

static void tell_failed(struct compare *c, enum feed_status status,
			const struct err *why)
{
	CLEANUP_FREE char *p = NULL;
	struct span uid = uid_of(c, &p);

	report_given_up(c->p->report, uid, c->item.size, why);
	feed_tell(c->p->opts->feed, c->item.number, status,
		  status == FEED_FAILED ? why : NULL);
}

static void tell_erased(struct compare *c)
{
	CLEANUP_FREE char *p = NULL;
	struct span uid = uid_of(c, &p);

	report_erased(c->p->report, uid, c->item.type, c->item.size);
	feed_tell(c->p->opts->feed, c->item.number, FEED_ERASED, NULL);
}

static void tell_duplicate(struct compare *c)
{
	struct err why;

	/* Two runs have packed it once each, at the same time. */
	if (c->p->opts->feed->has_history) {
		feed_tell(c->p->opts->feed, c->item.number, FEED_DUPLICATE,
			  NULL);
		return;
	}
	err_set(&why, RC_EXISTS, "listed before with the same created_at");
	tell_failed(c, FEED_DUPLICATE, &why);
}

static void tell_there(struct compare *c, const struct volume_entry *ve)
{
	const struct feed *f = c->p->opts->feed;
	struct feed_result r = { .number = c->item.number,
				 .status = FEED_THERE,
				 .has_sha256 = ve->e.has_hash };
	const struct shard_meta *m = volume_shard(c->p->volume, ve->node);

	report_unchanged(c->p->report, 1, c->item.size);
	if (m)
		r.shard = m->key;
	if (ve->e.has_hash)
		memcpy(r.sha256, ve->e.sha256, sizeof(r.sha256));
	if (f->result)
		f->result(f->arg, &r);
}

/* --- is it there? ----------------------------------------------------------
 */

static bool has_other_hash(const struct item *it, const struct entry *e)
{
	return it->has_sha256 && (!e->has_hash || memcmp(it->sha256, e->sha256,
							 ENTRY_HASH_LEN) != 0);
}

static enum rc check_there(const struct item *it, const struct entry *e,
			   struct err *err)
{
	char is[HEX_TEXT(ENTRY_HASH_LEN)], wanted[HEX_TEXT(ENTRY_HASH_LEN)];
	char text[TIMESTAMP_TEXT];

	timestamp_format(e->created_at, text);
	if (e->type != it->type)
		return err_set(err, RC_EXISTS,
			       "there with other content: %s is a %s, wanted a "
			       "%s",
			       text, entry_type_text(e->type),
			       entry_type_text(it->type));
	if (e->size != it->size)
		return err_set(err, RC_EXISTS,
			       "there with other content: %s has %llu bytes, "
			       "wanted %llu",
			       text, (unsigned long long)e->size,
			       (unsigned long long)it->size);
	if (!span_equal(e->target, it->target))
		return err_set(err, RC_EXISTS,
			       "there with other content: %s has another "
			       "target",
			       text);
	if (!has_other_hash(it, e))
		return RC_OK;
	hex_encode(e->sha256, ENTRY_HASH_LEN, is);
	hex_encode(it->sha256, ENTRY_HASH_LEN, wanted);
	return err_set(err, RC_EXISTS,
		       "there with other content: %s has sha256 %s, wanted %s",
		       text, is, wanted);
}

static void decide_there(struct compare *c)
{
	struct err why;

	if (check_there(&c->item, &c->ahead.e, &why))
		tell_failed(c, FEED_FAILED, &why);
	else
		tell_there(c, &c->ahead);
}

/* --- what is planned -------------------------------------------------------
 */

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* From when on the directory at hand shows what is in it, if it follows e, the
 * newest version before, or NULL.
 */
static void set_opaque(const struct compare *c, const struct entry *e,
		       struct item *it)
{
	int64_t since = c->dir.floor;

	if (e && e->type == ENTRY_DIR &&
	    (is_root(c) || e->created_at >= c->dir.floor)) {
		it->has_opaque = e->has_opaque;
		it->opaque_since = e->opaque_since;
		return;
	}
	if (is_root(c))
		return;
	if (e && e->type != ENTRY_DIR)
		since = later(since, e->created_at + 1);
	else if (e && e->has_opaque)
		since = later(since, e->opaque_since);
	it->has_opaque = since != INT64_MIN;
	it->opaque_since = it->has_opaque ? since : 0;
}

/* The same of a version whose time is given: one that is older than what the
 * archive has changes nothing of that.
 */
static enum rc set_opaque_at(struct compare *c, struct item *it,
			     struct err *err)
{
	struct volume_entry ve;
	struct span uid;
	CLEANUP_FREE char *p = NULL;
	enum rc rc = RC_NOENT;

	if (enter_dir(c, err))
		return err->rc;
	if (c->p->volume && (c->has_old || is_ahead_of_key(c))) {
		uid = uid_of(c, &p);
		rc = volume_newest(c->p->volume, uid, &ve, err);
	}
	if (rc && rc != RC_NOENT)
		return rc;
	if (rc) {
		set_opaque(c, NULL, it);
		return RC_OK;
	}
	if (ve.e.created_at < it->created_at)
		set_opaque(c, &ve.e, it);
	volume_entry_release(&ve);
	return RC_OK;
}

static enum rc plan_item(struct compare *c, struct item *it, struct err *err)
{
	struct plan_place place;

	if (!timestamp_is_valid(it->created_at))
		return err_set(err, RC_LIMIT,
			       "created_at is beyond the year 9999");
	note(c, it->created_at, it->type == ENTRY_DIR);
	return plan_add(c->plan, it, &place, err);
}

/* A version with its own time. */
static enum rc decide_version(struct compare *c, struct err *err)
{
	struct item *it = &c->item;
	const struct erased *erased = c->p->erased;
	struct err why;

	if (pass_newer(c, it->created_at, err))
		return err->rc;
	if (is_ahead_of_key(c) && c->ahead.e.created_at == it->created_at &&
	    !c->ahead.e.implicit) {
		decide_there(c);
		return RC_OK;
	}
	if (erased_after(erased, it->parent, it->name, it->created_at) !=
	    it->created_at) {
		if (!c->p->opts->allow_erased) {
			tell_erased(c);
			return RC_OK;
		}
		err_set(&why, RC_DELETED,
			"this version was deleted, and would not be seen: a "
			"tombstone is still there");
		tell_failed(c, FEED_FAILED, &why);
		return RC_OK;
	}
	if (it->type == ENTRY_DIR && !c->p->opts->feed->has_history &&
	    set_opaque_at(c, it, err))
		return err->rc;
	return plan_item(c, it, err);
}

/* --- records without a time ------------------------------------------------
 */

/* The newest version, if it is in the tree or will be as soon as its directory
 * is.
 */
static const struct entry *visible_old(const struct compare *c)
{
	const struct entry *e = &c->old.e;

	if (!c->has_old || e->type == ENTRY_WHITEOUT ||
	    c->seen.newest != e->created_at)
		return NULL;
	return is_root(c) || e->created_at >= c->dir.floor ? e : NULL;
}

static bool is_same(const struct item *it, const struct entry *e)
{
	return compare_attributes(it, e) && span_equal(it->meta, e->meta) &&
	       !has_other_hash(it, e);
}

static enum rc decide_current(struct compare *c, struct err *err)
{
	struct item *it = &c->item;
	const struct entry *e;
	int64_t at = c->p->stamp;

	if (pass_all(c, err) || enter_dir(c, err))
		return err->rc;
	e = visible_old(c);
	if (e && is_same(it, e)) {
		tell_there(c, &c->old);
		return RC_OK;
	}
	if (e && e->type == ENTRY_DIR && it->type != ENTRY_DIR)
		at = later(at, c->p->safe_stamp);
	if (!is_root(c))
		at = later(at, c->dir.floor);
	if (c->seen.has_any)
		at = later(at, c->seen.newest + 1);
	it->created_at = erased_after(c->p->erased, it->parent, it->name, at);
	if (it->type == ENTRY_DIR)
		set_opaque(c, c->has_old ? &c->old.e : NULL, it);
	return plan_item(c, it, err);
}

/* --- directories that nobody listed ----------------------------------------
 */

/* So that it is in the tree it has an entry where it is looked for, as all
 * directories of a walk have.  It is none of those that are only implied, which
 * go when nothing is below them in their own shard.
 */
static enum rc decide_above(struct compare *c, struct err *err)
{
	struct item *it = &c->item;
	const struct seen *s = &c->seen;

	if (pass_all(c, err))
		return err->rc;
	if ((s->has_any && (s->is_dir || it->created_at <= s->newest)) ||
	    erased_keeps_out(c->p->erased, it))
		return RC_OK;
	if (enter_dir(c, err))
		return err->rc;
	it->implicit = false;
	it->created_at = erased_after(c->p->erased, it->parent, it->name,
				      it->created_at);
	set_opaque(c, c->has_old ? &c->old.e : NULL, it);
	report_found(c->p->report, 1, 0);
	return plan_item(c, it, err);
}

/* --- the merge -------------------------------------------------------------
 */

static enum rc decide_listed(struct compare *c, struct err *err)
{
	int64_t at = c->item.created_at;

	if (c->has_last && c->last == at) {
		tell_duplicate(c);
		return RC_OK;
	}
	c->has_last = true;
	c->last = at;
	if (erased_keeps_out(c->p->erased, &c->item)) {
		tell_erased(c);
		return RC_OK;
	}
	return at == FEED_NO_TIME ? decide_current(c, err)
				  : decide_version(c, err);
}

/* All records of a key. */
static enum rc step(struct compare *c, struct err *err)
{
	enum rc rc = begin_key(c, err);
	bool has_above = false;

	while (!rc && is_of_key(c)) {
		if (c->rank == FEED_LISTED)
			rc = decide_listed(c, err);
		else if (!has_above)
			rc = decide_above(c, err);
		has_above |= c->rank == FEED_ABOVE;
		if (!rc)
			rc = next_item(c, err);
	}
	end_key(c);
	return rc;
}

static enum rc merge(struct compare *c, struct err *err)
{
	enum rc rc = next_item(c, err);

	if (!rc)
		rc = next_ahead(c, err);
	while (!rc && c->has_item) {
		rc = step(c, err);
		if (!rc && pack_is_stopping(c->p, err))
			rc = err->rc;
	}
	return rc;
}

enum rc compare_feed_slot(struct pack *p, uint32_t slot, struct plan *plan,
			  struct err *err)
{
	struct compare c = { .p = p, .plan = plan };
	enum rc rc;

	old_dir_init(&c.dir, p->dirs_now);
	buf_init(&c.bytes, 2 * UID_MAX_LEN);
	buf_init(&c.link_key, 2 * UID_MAX_LEN);
	rc = sorter_read(p->items, slot, &c.records, err);
	if (!rc)
		rc = links_read(p->links, slot, &c.links, err);
	if (!rc && p->volume)
		rc = volume_scan_slot(p->volume, slot, &c.scan, err);
	if (!rc)
		rc = merge(&c, err);
	end_key(&c);
	if (c.has_ahead)
		volume_entry_release(&c.ahead);
	volume_scan_free(c.scan);
	sorter_reader_free(c.records);
	links_reader_free(c.links);
	old_dir_release(&c.dir);
	buf_release(&c.bytes);
	buf_release(&c.link_key);
	return rc;
}
