/* SPDX-License-Identifier: Apache-2.0 */
/* links.c - which names are the same file.
 *
 * Names are sorted by inode.  That order is read twice at a time: one reader
 * goes to the end of a group to count its names, the other follows, and gives
 * each name the group and the count; what it gives is sorted by slot and key,
 * the order in which items come.
 */
#include "config.h"

#include "pack/links.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rd.h"
#include "base/sorter.h"
#include "base/wr.h"
#include "shard/route.h"
#include "shard/shard-format.h"
#include "volume/descriptor.h"

struct links {
	const char *spool_dir;
	const struct descriptor *descriptor;
	bool has_times;
	struct sorter *inodes; /* inode: uid */
	struct sorter *names;  /* by slot; key: link, nlink, group */
};

struct links *links_new(const char *spool_dir, unsigned int n_feeds,
			const struct descriptor *d)
{
	struct links *l = xcalloc(1, sizeof(*l));

	l->spool_dir = spool_dir;
	l->descriptor = d;
	l->inodes = sorter_new_shared(spool_dir, LINKS_MEMORY / 2, 1, n_feeds);
	l->names = sorter_new(spool_dir, LINKS_MEMORY / 2, 1u << d->n_bits);
	return l;
}

void links_free(struct links *l)
{
	if (!l)
		return;
	sorter_free(l->inodes);
	sorter_free(l->names);
	free(l);
}

enum rc links_add(struct links *l, unsigned int feed, uint64_t dev,
		  uint64_t ino, struct span uid, struct err *err)
{
	const uint64_t key[2] = { dev, ino };

	return sorter_add_to(l->inodes, feed, 0, span_of(key, sizeof(key)), uid,
			     err);
}

void links_have_times(struct links *l)
{
	l->has_times = true;
}

enum rc links_add_version(struct links *l, unsigned int feed, uint64_t dev,
			  uint64_t ino, int64_t created_at, struct span uid,
			  struct err *err)
{
	const uint64_t key[3] = { dev, ino, (uint64_t)created_at };

	return sorter_add_to(l->inodes, feed, 0, span_of(key, sizeof(key)), uid,
			     err);
}

void links_end_feed(struct links *l, unsigned int feed)
{
	sorter_end_feed(l->inodes, feed);
}

/* --- groups -----------------------------------------------------------------
 */

/* A reader of inodes that tells where a group ends. */
struct group_reader {
	struct sorter_reader *r;
	bool has_name;
	struct span inode, uid; /* the next name, if there is one */
	struct buf group;       /* inode of the group at hand */
	struct buf last;        /* the name given last */
};

static enum rc group_next(struct group_reader *g, struct err *err)
{
	enum rc rc = sorter_next(g->r, &g->inode, &g->uid, err);

	g->has_name = !rc;
	return rc == RC_NOENT ? RC_OK : rc;
}

static enum rc group_open(struct group_reader *g, const struct links *l,
			  struct err *err)
{
	enum rc rc = sorter_read(l->inodes, 0, &g->r, err);

	buf_init(&g->group, 3 * sizeof(uint64_t));
	buf_init(&g->last, 2 * UID_MAX_LEN);
	return rc ? rc : group_next(g, err);
}

static void group_close(struct group_reader *g)
{
	sorter_reader_free(g->r);
	buf_release(&g->group);
	buf_release(&g->last);
}

static void set_text(struct buf *b, struct span s)
{
	buf_clear(b);
	buf_append(b, s.p, s.len);
}

static struct span text_of(const struct buf *b)
{
	return span_of(b->p, b->len);
}

/* The next name of the group, in g->last; RC_NOENT at its end.  A name that a
 * directory listed twice counts once.
 */
static enum rc group_name(struct group_reader *g, bool is_first,
			  struct err *err)
{
	enum rc rc = RC_OK;

	if (is_first)
		set_text(&g->group, g->inode);
	while (!rc && g->has_name && span_equal(g->inode, text_of(&g->group))) {
		if (is_first || !span_equal(g->uid, text_of(&g->last))) {
			set_text(&g->last, g->uid);
			return group_next(g, err);
		}
		rc = group_next(g, err);
	}
	return rc ? rc : err_set(err, RC_NOENT, "no more names");
}

/* --- names ------------------------------------------------------------------
 */

struct finish {
	struct links *l;
	struct group_reader count, give;
	uint64_t link; /* number of the last group */
	uint8_t group[LINK_GROUP_LEN];
	struct buf key, value;
};

void links_key_encode(struct span parent, struct span name, int64_t created_at,
		      struct buf *out)
{
	item_key_encode(parent, name, out);
	buf_append(out, "", 1);
	item_put_newest(created_at, out);
}

/* Of the group at hand. */
static int64_t group_time(const struct finish *f)
{
	uint64_t time;

	memcpy(&time, f->give.group.p + 2 * sizeof(time), sizeof(time));
	return (int64_t)time;
}

/* f->give has the smallest name.  Another time is another group, since some of
 * its names may have no version of the other: it takes part in the hash, behind
 * a byte that no name has, unless it is the run's own.
 */
static void name_group(struct finish *f)
{
	const struct links *l = f->l;
	struct span uid = text_of(&f->give.last);
	int64_t time = l->has_times ? group_time(f) : LINKS_NO_TIME;

	if (time != LINKS_NO_TIME) {
		buf_clear(&f->key);
		buf_append(&f->key, uid.p, uid.len);
		buf_append(&f->key, "", 1);
		wr_u64(&f->key, (uint64_t)time);
		uid = text_of(&f->key);
	}
	link_group_of(l->descriptor->archive_id, uid, f->group);
}

static enum rc give_name(struct finish *f, uint32_t n, struct err *err)
{
	const struct descriptor *d = f->l->descriptor;
	struct span uid = text_of(&f->give.last);
	struct span parent, name;
	uint32_t slot = route_slot((enum route_kind)d->route, d->n_bits, uid.p,
				   uid.len);

	entry_split_uid(uid, &parent, &name);
	buf_clear(&f->key);
	if (f->l->has_times)
		links_key_encode(parent, name, group_time(f), &f->key);
	else
		item_key_encode(parent, name, &f->key);
	buf_clear(&f->value);
	wr_varint(&f->value, f->link);
	wr_varint(&f->value, n);
	buf_append(&f->value, f->group, LINK_GROUP_LEN);
	if (!buf_ok(&f->key) || !buf_ok(&f->value))
		return err_set(err, RC_NOMEM, "no memory for a name");
	return sorter_add(f->l->names, slot, text_of(&f->key),
			  text_of(&f->value), err);
}

static enum rc finish_group(struct finish *f, struct err *err)
{
	uint32_t n = 0;
	enum rc rc;

	do
		rc = group_name(&f->count, !n, err);
	while (!rc && ++n < UINT32_MAX);
	if (rc != RC_NOENT)
		return rc ? rc : err_set(err, RC_LIMIT, "too many hard links");
	rc = group_name(&f->give, true, err);
	if (rc)
		return rc;
	/* Names of an inode are sorted, so this is the smallest. */
	if (n > 1)
		name_group(f);
	f->link++;
	while (!rc) {
		if (n > 1)
			rc = give_name(f, n, err);
		if (!rc)
			rc = group_name(&f->give, false, err);
		if (rc == RC_NOENT)
			return RC_OK;
	}
	return rc;
}

enum rc links_finish(struct links *l, struct err *err)
{
	struct finish f = { .l = l };
	enum rc rc = sorter_finish(l->inodes, err);

	buf_init(&f.key, 2 * UID_MAX_LEN);
	buf_init(&f.value, 2 * UID_MAX_LEN);
	if (!rc)
		rc = group_open(&f.count, l, err);
	if (!rc)
		rc = group_open(&f.give, l, err);
	while (!rc && f.count.has_name)
		rc = finish_group(&f, err);
	group_close(&f.count);
	group_close(&f.give);
	buf_release(&f.key);
	buf_release(&f.value);
	sorter_free(l->inodes);
	l->inodes = NULL;
	return rc ? rc : sorter_finish(l->names, err);
}

/* --- reading ----------------------------------------------------------------
 */

struct links_reader {
	struct sorter_reader *r;
	bool is_begun, has_name;
	struct span key, value; /* the first name not below what is asked for */
};

enum rc links_read(const struct links *l, uint32_t slot,
		   struct links_reader **ret, struct err *err)
{
	struct links_reader *r = xcalloc(1, sizeof(*r));
	enum rc rc = sorter_read(l->names, slot, &r->r, err);

	if (rc) {
		free(r);
		return rc;
	}
	*ret = r;
	return RC_OK;
}

void links_reader_free(struct links_reader *r)
{
	if (!r)
		return;
	sorter_reader_free(r->r);
	free(r);
}

static enum rc go_to(struct links_reader *r, struct span key, struct err *err)
{
	while (!r->is_begun || (r->has_name && span_compare(r->key, key) < 0)) {
		enum rc rc = sorter_next(r->r, &r->key, &r->value, err);

		if (rc && rc != RC_NOENT)
			return rc;
		r->is_begun = true;
		r->has_name = !rc;
	}
	return RC_OK;
}

enum rc links_find(struct links_reader *r, struct span key, struct item *it,
		   struct err *err)
{
	const uint8_t *group;
	struct rd rd;
	enum rc rc = go_to(r, key, err);

	it->link = 0;
	it->nlink = 1;
	memset(it->link_group, 0, LINK_GROUP_LEN);
	if (rc || !r->has_name || !span_equal(r->key, key))
		return rc;
	rd = (struct rd){ .p = (const uint8_t *)r->value.p,
			  .left = r->value.len };
	it->link = rd_varint(&rd);
	it->nlink = (uint32_t)rd_varint(&rd);
	group = rd_take(&rd, LINK_GROUP_LEN);
	if (!group || rd.left)
		return err_set(err, RC_IO, "temporary data were damaged");
	memcpy(it->link_group, group, LINK_GROUP_LEN);
	return RC_OK;
}
