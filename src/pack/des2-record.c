/* SPDX-License-Identifier: Apache-2.0 */
/* des2-record.c - a file on its way through the sorter to a shard of the format
 * DES2.
 */
#include "config.h"

#include "pack/des2-record.h"

#include "base/rd.h"
#include "base/wr.h"

/* Most significant byte first, so that the sorter compares it as a number. */
static void put_number(struct buf *out, uint64_t v, size_t n)
{
	while (n-- > 0)
		wr_u8(out, (uint8_t)(v >> 8 * n));
}

static uint64_t take_number(struct rd *r, size_t n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | rd_le(r, 1);
	return v;
}

void des2_record_encode(const struct des2_record *r, struct buf *key,
			struct buf *value)
{
	const struct timestamp *ts = &r->created;

	put_number(key,
		   (uint64_t)ts->wall_year * 10000 +
			   (uint64_t)ts->wall_month * 100 +
			   (uint64_t)ts->wall_day,
		   DES2_DAY_LEN);
	buf_append(key, r->uid.p, r->uid.len);
	put_number(value, r->it.number, 8);
	wr_zigzag(value, ts->us);
	wr_zigzag(value, ts->wall_zone);
	item_encode(&r->it, value);
}

enum rc des2_record_decode(struct span key, struct span value,
			   struct des2_record *ret, struct err *err)
{
	struct rd k = { .p = (const uint8_t *)key.p, .left = key.len };
	struct rd r = { .p = (const uint8_t *)value.p, .left = value.len };
	struct des2_record rec = { .uid = span_of(NULL, 0) };
	int64_t us;

	(void)take_number(&k, DES2_DAY_LEN);
	rec.uid = span_of(k.p, k.left);
	(void)take_number(&r, 8);
	us = rd_zigzag(&r);
	rec.created = timestamp_in_zone(us, (int)rd_zigzag(&r));
	if (!rd_ok(&k) || !rd_ok(&r))
		return err_set(err, RC_IO, "temporary data are damaged");
	if (item_decode(r.p, r.left, &rec.it, err))
		return err->rc;
	entry_split_uid(rec.uid, &rec.it.parent, &rec.it.name);
	*ret = rec;
	return RC_OK;
}
