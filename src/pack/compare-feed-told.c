/* SPDX-License-Identifier: Apache-2.0 */
/* compare-feed-told.c - what a feed is told of records that are not packed.
 */
#include "config.h"

#include "pack/compare-feed-backend.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "pack/pack.h"

void compare_feed_tell_failed(struct compare_feed *c, enum feed_status status,
			      const struct err *why)
{
	CLEANUP_FREE char *p = NULL;
	struct span uid = compare_feed_uid(c, &p);

	report_given_up(c->p->report, uid, c->item.size, why);
	feed_tell(c->p->opts->feed, c->item.number, status,
		  status == FEED_FAILED ? why : NULL);
}

void compare_feed_tell_erased(struct compare_feed *c)
{
	CLEANUP_FREE char *p = NULL;
	struct span uid = compare_feed_uid(c, &p);

	report_erased(c->p->report, uid, c->item.type, c->item.size);
	feed_tell(c->p->opts->feed, c->item.number, FEED_ERASED, NULL);
}

void compare_feed_tell_duplicate(struct compare_feed *c)
{
	struct err why;

	/* Two runs have packed it once each, at the same time. */
	if (c->p->opts->feed->has_history) {
		feed_tell(c->p->opts->feed, c->item.number, FEED_DUPLICATE,
			  NULL);
		return;
	}
	err_set(&why, RC_EXISTS, "listed before with the same created_at");
	compare_feed_tell_failed(c, FEED_DUPLICATE, &why);
}

void compare_feed_tell_there(struct compare_feed *c,
			     const struct volume_entry *ve)
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

bool compare_feed_has_other_hash(const struct item *it, const struct entry *e)
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
	if (!compare_feed_has_other_hash(it, e))
		return RC_OK;
	hex_encode(e->sha256, ENTRY_HASH_LEN, is);
	hex_encode(it->sha256, ENTRY_HASH_LEN, wanted);
	return err_set(err, RC_EXISTS,
		       "there with other content: %s has sha256 %s, wanted %s",
		       text, is, wanted);
}

void compare_feed_tell_present(struct compare_feed *c)
{
	struct err why;

	if (check_there(&c->item, &c->ahead.e, &why))
		compare_feed_tell_failed(c, FEED_FAILED, &why);
	else
		compare_feed_tell_there(c, &c->ahead);
}
