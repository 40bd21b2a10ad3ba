/* SPDX-License-Identifier: Apache-2.0 */
/* compare-feed-key.c - a feed's records and the archive's versions, key by key.
 */
#include "config.h"

#include "pack/compare-feed-backend.h"

#include "base/mem.h"
#include "base/sorter.h"
#include "pack/links.h"
#include "shard/shard-format.h"

/* --- what comes next ----------------------------------------------------
 */

static enum rc damaged(struct err *err)
{
	return err_set(err, RC_IO, "temporary data were damaged");
}

static enum rc find_links(struct compare_feed *c, struct err *err)
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

static enum rc take_record(struct compare_feed *c, struct span key,
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

enum rc compare_feed_next(struct compare_feed *c, struct err *err)
{
	struct span key, value;
	enum rc rc = sorter_next(c->records, &key, &value, err);

	c->has_item = !rc;
	if (rc)
		return rc == RC_NOENT ? RC_OK : rc;
	return take_record(c, key, value, err);
}

enum rc compare_feed_next_ahead(struct compare_feed *c, struct err *err)
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

/* --- the key at hand ----------------------------------------------------
 */

bool compare_feed_is_root(const struct compare_feed *c)
{
	return !c->parent.len && !c->name.len;
}

static int order_of(const struct compare_feed *c, const struct entry *e)
{
	return entry_key_compare(c->parent, c->name, e->parent, e->name);
}

bool compare_feed_is_ahead(const struct compare_feed *c)
{
	return c->has_ahead && !order_of(c, &c->ahead.e);
}

void compare_feed_note(struct compare_feed *c, int64_t at, bool is_dir)
{
	struct seen *s = &c->seen;

	if (s->has_any && s->newest >= at)
		return;
	s->has_any = true;
	s->newest = at;
	s->is_dir = is_dir;
}

/* Take the next version of the key. */
static enum rc pass(struct compare_feed *c, struct err *err)
{
	const struct entry *e = &c->ahead.e;

	if (e->implicit)
		return compare_feed_next_ahead(c, err);
	compare_feed_note(c, e->created_at, e->type == ENTRY_DIR);
	if (c->has_old)
		return compare_feed_next_ahead(c, err);
	c->old = c->ahead;
	c->has_old = true;
	c->has_ahead = false;
	return compare_feed_next_ahead(c, err);
}

enum rc compare_feed_pass_newer(struct compare_feed *c, int64_t at,
				struct err *err)
{
	enum rc rc = RC_OK;

	while (!rc && compare_feed_is_ahead(c) && c->ahead.e.created_at > at)
		rc = pass(c, err);
	return rc;
}

enum rc compare_feed_pass_all(struct compare_feed *c, struct err *err)
{
	enum rc rc = RC_OK;

	while (!rc && compare_feed_is_ahead(c))
		rc = pass(c, err);
	return rc;
}

enum rc compare_feed_begin_key(struct compare_feed *c, struct err *err)
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
		rc = compare_feed_next_ahead(c, err);
	return rc;
}

void compare_feed_end_key(struct compare_feed *c)
{
	if (c->has_old)
		volume_entry_release(&c->old);
	c->has_old = false;
}

bool compare_feed_is_of_key(const struct compare_feed *c)
{
	return c->has_item && !entry_key_compare(c->parent, c->name,
						 c->item.parent, c->item.name);
}

struct span compare_feed_uid(const struct compare_feed *c, char **ret)
{
	char *p = xcalloc(1, entry_uid_len(c->parent, c->name) + 1);

	*ret = p;
	return span_of(p, entry_uid(c->parent, c->name, p));
}
