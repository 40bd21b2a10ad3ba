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
#include "volume/oplog-state.h"
#include "volume/oplog.h"

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

/* It may be there as it would be written. */
static enum rc put(struct aggregator *a, const char *key,
		   const struct buf *text, struct err *err)
{
	CLEANUP_BUF struct buf now = { .max = AGGREGATE_MAX };
	struct err gone;
	enum rc rc;

	if (!store_read_all(a->st, key, AGGREGATE_MAX, &now, &gone) &&
	    now.len == text->len && !memcmp(now.p, text->p, now.len))
		return RC_OK;
	buf_release(&now);
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
	CLEANUP_FREE struct aggregate_text *docs =
		xcalloc(end - first, sizeof(*docs));
	CLEANUP_BUF struct buf texts = { .max = AGGREGATE_MAX + TOMBSTONE_MAX };
	CLEANUP_BUF struct buf out = { .max = AGGREGATE_MAX };
	int64_t time = a->v[first].t->record->time;
	size_t n = 0, at = 0;

	for (; n < end - first && texts.len < AGGREGATE_MAX; n++) {
		const struct oplog_tombstone *t = a->v[first + n].t;
		size_t before = texts.len;

		if (tombstone_doc_bytes(a->st, t->object, &texts, err))
			return err->rc;
		docs[n].len = texts.len - before;
		time = t->record->time;
	}
	for (size_t i = 0; i < n; i++) {
		docs[i].p = texts.p + at;
		at += docs[i].len;
	}
	aggregate_encode(a->archive_id, time, docs, n, &out, &n);
	if (!buf_ok(&out))
		return err_set(err, RC_LIMIT, "%s: too long", a->v[first].key);
	a->counts.hours++;
	a->counts.documents += n;
	return put(a, a->v[first].key, &out, err);
}

static enum rc write_all(struct aggregator *a, struct err *err)
{
	size_t end;

	for (size_t first = 0; first < a->n; first = end) {
		end = first + 1;
		while (end < a->n && !strcmp(a->v[end].key, a->v[first].key))
			end++;
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
