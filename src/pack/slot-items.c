/* SPDX-License-Identifier: Apache-2.0 */
/* slot-items.c - what the walk found of one slot, in order of keys. */
#include "config.h"

#include "pack/slot-items.h"

#include "base/sorter.h"
#include "pack/links.h"
#include "pack/pack.h"
#include "shard/shard-format.h"

enum rc slot_items_open(struct slot_items *s, const struct pack *p,
			uint32_t slot, struct err *err)
{
	enum rc rc;

	*s = (struct slot_items){ .last = { .max = 2 * UID_MAX_LEN } };
	rc = sorter_read(p->items, slot, &s->items, err);
	return rc ? rc : links_read(p->links, slot, &s->links, err);
}

void slot_items_close(struct slot_items *s)
{
	sorter_reader_free(s->items);
	links_reader_free(s->links);
	buf_release(&s->last);
	*s = (struct slot_items){ 0 };
}

enum rc slot_items_next(struct slot_items *s, struct item *ret, struct err *err)
{
	struct span key, value;
	enum rc rc;

	do {
		rc = sorter_next(s->items, &key, &value, err);
		if (rc)
			return rc;
	} while (s->last.len &&
		 span_equal(key, span_of(s->last.p, s->last.len)));
	buf_clear(&s->last);
	buf_append(&s->last, key.p, key.len);
	rc = item_decode(value.p, value.len, ret, err);
	if (rc)
		return rc;
	if (!item_key_decode(key, &ret->parent, &ret->name))
		return err_set(err, RC_IO, "temporary data were damaged");
	return ret->link ? links_find(s->links, key, ret, err) : RC_OK;
}
