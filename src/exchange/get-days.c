/* SPDX-License-Identifier: Apache-2.0 */
/* get-days.c - pairs in the order of their days. */
#include "config.h"

#include "exchange/get-days.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/rd.h"
#include "base/sorter.h"
#include "base/wr.h"
#include "exchange/get-when.h"

#define SORT_MEMORY (8u << 20)
/* A uid, escapes and all, and a time: no record of a list is longer. */
#define VALUE_MAX (2u << 20)

/* The record before, until it is known what follows it. */
struct pending {
	struct buf uid, time;
	uint32_t day;
	uint64_t number;
	bool is_there, has_versions;
};

struct get_days {
	struct sorter *by_uid;        /* uid; day, number, time */
	struct sorter *by_day;        /* day, number; has_versions, time, uid */
	struct sorter_reader *reader; /* of by_day; NULL: not begun */
	struct buf value;
	struct pending pending;
};

struct get_days *get_days_new(const char *temp_dir)
{
	struct get_days *d = xcalloc(1, sizeof(*d));

	d->by_uid = sorter_new(temp_dir, SORT_MEMORY, 1);
	d->by_day = sorter_new(temp_dir, SORT_MEMORY, 1);
	buf_init(&d->value, VALUE_MAX);
	buf_init(&d->pending.uid, VALUE_MAX);
	buf_init(&d->pending.time, VALUE_MAX);
	return d;
}

void get_days_free(struct get_days *d)
{
	if (!d)
		return;
	sorter_reader_free(d->reader);
	sorter_free(d->by_uid);
	sorter_free(d->by_day);
	buf_release(&d->value);
	buf_release(&d->pending.uid);
	buf_release(&d->pending.time);
	free(d);
}

/* So that bytes compare as numbers do. */
static void put_be(struct buf *b, uint64_t v, unsigned int n)
{
	while (n-- > 0)
		wr_u8(b, (uint8_t)(v >> (8 * n)));
}

static uint64_t get_be(struct rd *r, unsigned int n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | rd_u8(r);
	return v;
}

static struct span span_of_buf(const struct buf *b)
{
	return span_of((const char *)b->p, b->len);
}

static uint32_t day_of(struct get_days *d, struct span time)
{
	struct err none;
	uint32_t day;

	buf_clear(&d->value);
	buf_append(&d->value, time.p, time.len);
	buf_append(&d->value, "", 1);
	if (!buf_ok(&d->value) ||
	    get_when_day((const char *)d->value.p, &day, &none))
		return GET_NO_DAY;
	return day;
}

enum rc get_days_add(struct get_days *d, const struct get_pair *pair,
		     struct err *err)
{
	uint32_t day = day_of(d, pair->created_at);

	buf_clear(&d->value);
	put_be(&d->value, day, 4);
	put_be(&d->value, pair->number, 8);
	buf_append(&d->value, pair->created_at.p, pair->created_at.len);
	if (!buf_ok(&d->value))
		return err_set(err, RC_NOMEM, "list: out of memory");
	return sorter_add(d->by_uid, 0, pair->uid, span_of_buf(&d->value), err);
}

/* --- from one order to the other ------------------------------------------ */

static enum rc put_pending(struct get_days *d, struct err *err)
{
	struct pending *p = &d->pending;
	struct buf key = { .max = 12 };
	enum rc rc;

	if (!p->is_there)
		return RC_OK;
	put_be(&key, p->day, 4);
	put_be(&key, p->number, 8);
	buf_clear(&d->value);
	wr_u8(&d->value, p->has_versions && p->day);
	wr_u32(&d->value, (uint32_t)p->time.len);
	buf_append(&d->value, p->time.p, p->time.len);
	buf_append(&d->value, p->uid.p, p->uid.len);
	if (!buf_ok(&key) || !buf_ok(&d->value) || !buf_ok(&p->uid) ||
	    !buf_ok(&p->time))
		rc = err_set(err, RC_NOMEM, "list: out of memory");
	else
		rc = sorter_add(d->by_day, 0, span_of_buf(&key),
				span_of_buf(&d->value), err);
	buf_release(&key);
	return rc;
}

static enum rc take(struct get_days *d, struct span uid, struct span value,
		    struct err *err)
{
	struct rd r = { .p = (const uint8_t *)value.p, .left = value.len };
	uint32_t day = (uint32_t)get_be(&r, 4);
	uint64_t number = get_be(&r, 8);
	struct pending *p = &d->pending;
	bool is_other = p->is_there && p->day != day &&
			span_equal(span_of_buf(&p->uid), uid);
	enum rc rc;

	p->has_versions |= is_other;
	rc = put_pending(d, err);
	p->is_there = true;
	p->has_versions = is_other;
	p->day = day;
	p->number = number;
	buf_clear(&p->uid);
	buf_append(&p->uid, uid.p, uid.len);
	buf_clear(&p->time);
	buf_append(&p->time, r.p, r.left);
	return rc;
}

static enum rc begin(struct get_days *d, struct err *err)
{
	struct sorter_reader *reader = NULL;
	enum rc rc = sorter_finish(d->by_uid, err);
	struct span uid, value;

	if (!rc)
		rc = sorter_read(d->by_uid, 0, &reader, err);
	while (!rc) {
		rc = sorter_next(reader, &uid, &value, err);
		if (!rc)
			rc = take(d, uid, value, err);
	}
	sorter_reader_free(reader);
	if (rc != RC_NOENT)
		return rc;
	rc = put_pending(d, err);
	if (!rc)
		rc = sorter_finish(d->by_day, err);
	if (!rc)
		rc = sorter_read(d->by_day, 0, &d->reader, err);
	return rc;
}

enum rc get_days_next(struct get_days *d, struct get_pair *ret,
		      uint32_t *ret_day, struct err *err)
{
	struct span key, value;
	struct rd k, r;
	uint32_t len;
	enum rc rc = d->reader ? RC_OK : begin(d, err);

	if (!rc)
		rc = sorter_next(d->reader, &key, &value, err);
	if (rc)
		return rc;
	k = (struct rd){ .p = (const uint8_t *)key.p, .left = key.len };
	r = (struct rd){ .p = (const uint8_t *)value.p, .left = value.len };
	*ret_day = (uint32_t)get_be(&k, 4);
	ret->number = get_be(&k, 8);
	ret->has_versions = rd_u8(&r);
	len = rd_u32(&r);
	ret->created_at = span_of((const char *)r.p, len);
	ret->uid = span_of((const char *)r.p + len, r.left - len);
	return RC_OK;
}
