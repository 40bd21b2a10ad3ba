/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-aggregate.c - the tombstones of an hour in one object more. */
#include "config.h"

#include "repack/tombstone-aggregate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "erase/aggregate.h"
#include "repack/tombstone-doc.h"
#include "store/store-write.h"
#include "verify/archive-list.h"
#include "volume/oplog-object.h"
#include "volume/oplog-state.h"
#include "volume/oplog.h"

/* Compared at a time. */
#define PIECE ((size_t)1 << 20)

struct hour {
	char key[AGGREGATE_KEY_TEXT];
	const struct oplog_tombstone *t;
};

struct aggregator {
	struct store *st;
	const uint8_t *archive_id;
	struct hour *v; /* documents by hour, and then by time */
	size_t n;
	struct tombstone_aggregated counts;
};

static int by_hour(const void *pa, const void *pb)
{
	const struct hour *a = pa, *b = pb;
	int order = strcmp(a->key, b->key);

	if (!order)
		order = (a->t->record->time > b->t->record->time) -
			(a->t->record->time < b->t->record->time);
	return order ? order : strcmp(a->t->object->key, b->t->object->key);
}

static bool is_of_day(const struct oplog_tombstone *t, uint32_t day)
{
	char text[TIMESTAMP_DAY_TEXT];

	timestamp_day(t->record->time, text);
	return !day || strtoul(text, NULL, 10) == day;
}

static void gather(struct aggregator *a, const struct oplog_state *state,
		   uint32_t day)
{
	size_t n = oplog_state_n_tombstones(state);

	a->v = xcalloc(n + 1, sizeof(*a->v));
	for (size_t i = 0; i < n; i++) {
		const struct oplog_tombstone *t =
			oplog_state_tombstone(state, i);

		if (t->done || !is_of_day(t, day))
			continue;
		a->v[a->n].t = t;
		aggregate_key(t->record->time, a->v[a->n++].key);
	}
	if (a->n)
		qsort(a->v, a->n, sizeof(*a->v), by_hour);
}

/* Whether the object is there with these bytes. */
static bool is_there(struct aggregator *a, const char *key,
		     const struct buf *text)
{
	CLEANUP_BUF struct buf last = { .max = 1 };
	CLEANUP_FREE uint8_t *piece = mem_array(PIECE, 1);
	struct object_info info = { 0 };
	struct err err;

	if (!piece || store_read_tail(a->st, key, 1, &last, &info, &err) ||
	    info.size != text->len)
		return false;
	for (size_t at = 0; at < text->len; at += PIECE) {
		size_t n = text->len - at < PIECE ? text->len - at : PIECE;

		if (store_read(a->st, key, &info, at, piece, n, &err) ||
		    memcmp(piece, text->p + at, n) != 0)
			return false;
	}
	return true;
}

static enum rc put(struct aggregator *a, const char *key,
		   const struct buf *text, struct err *err)
{
	enum rc rc;

	if (is_there(a, key, text))
		return RC_OK;
	rc = store_replace(a->st, key, text->p, text->len, err);
	if (!rc)
		a->counts.written++;
	return rc;
}

/* The documents from first to end are of one hour.  What there is no room for
 * is read from where it is.
 */
static enum rc write_hour(struct aggregator *a, size_t first, size_t end,
			  struct err *err)
{
	CLEANUP_BUF struct buf out = { .max = AGGREGATE_MAX };
	int64_t time = a->v[first].t->record->time;
	struct aggregate_writer w;

	aggregate_begin(&w, a->archive_id, &out);
	for (size_t i = first; i < end; i++) {
		CLEANUP_BUF struct buf text = { .max = TOMBSTONE_MAX };
		const struct oplog_tombstone *t = a->v[i].t;

		if (oplog_object_read(a->st, t->object, TOMBSTONE_MAX, &text,
				      err))
			return err->rc;
		if (!aggregate_add(&w, text.p, text.len))
			break;
		time = t->record->time;
		a->counts.documents++;
	}
	aggregate_end(&w, time);
	if (!buf_ok(&out))
		return err_set(err, RC_LIMIT, "%s: too long", a->v[first].key);
	a->counts.hours++;
	return put(a, a->v[first].key, &out, err);
}

static size_t end_of_hour(const struct aggregator *a, size_t first)
{
	size_t end = first + 1;

	while (end < a->n && !strcmp(a->v[end].key, a->v[first].key))
		end++;
	return end;
}

static enum rc write_all(struct aggregator *a, struct err *err)
{
	size_t end;

	for (size_t first = 0; first < a->n; first = end) {
		end = end_of_hour(a, first);
		if (end > first + 1 && write_hour(a, first, end, err))
			return err->rc;
	}
	return RC_OK;
}

enum rc tombstone_aggregate(struct store *st, struct oplog *log,
			    const uint8_t archive_id[SHARD_ID_LEN],
			    uint32_t day, struct tombstone_aggregated *ret,
			    struct err *err)
{
	struct aggregator a = { .st = st, .archive_id = archive_id };
	bool changed;
	enum rc rc;

	oplog_want_all(log);
	rc = oplog_read(log, st, &changed, err);
	if (!rc) {
		gather(&a, oplog_state(log), day);
		rc = write_all(&a, err);
	}
	free(a.v);
	*ret = a.counts;
	return rc;
}

/* --- whether there is anything to do -------------------------------------- */

/* Bytes of the aggregate of documents from first to end; 0: it is not known. */
static uint64_t size_of_hour(const struct aggregator *a, size_t first,
			     size_t end, const struct archive_list *there)
{
	CLEANUP_BUF struct buf out = { .max = AGGREGATE_MAX };
	struct aggregate_writer w;
	uint64_t size;

	aggregate_begin(&w, a->archive_id, &out);
	aggregate_end(&w, a->v[end - 1].t->record->time);
	size = out.len + (end - first - 1);
	for (size_t i = first; i < end; i++) {
		const struct archive_object *o =
			archive_list_find(there, a->v[i].t->object->key);

		if (!o || !o->size)
			return 0;
		/* Without its newline. */
		size += o->size - 1;
	}
	return size;
}

static bool is_hour_due(const struct aggregator *a, size_t first, size_t end,
			const struct archive_list *there)
{
	const struct archive_object *o =
		archive_list_find(there, a->v[first].key);

	return !o || o->size != size_of_hour(a, first, end, there);
}

bool tombstone_aggregate_is_due(const struct oplog *log,
				const uint8_t archive_id[SHARD_ID_LEN],
				const struct archive_list *there)
{
	struct aggregator a = { .archive_id = archive_id };
	bool is_due = false;
	size_t end;

	gather(&a, oplog_state(log), 0);
	for (size_t first = 0; !is_due && first < a.n; first = end) {
		end = end_of_hour(&a, first);
		is_due = end > first + 1 && is_hour_due(&a, first, end, there);
	}
	free(a.v);
	return is_due;
}
