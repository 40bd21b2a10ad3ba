/* SPDX-License-Identifier: Apache-2.0 */
/* convert-report.c - what became of each entry of an archive that is converted.
 */
#include "config.h"

#include "cmd/convert-report.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/table.h"
#include "base/version.h"
#include "cmd/json-row.h"
#include "cmd/tell.h"

/* How many entries of a shard were told to be lost. */
struct lost_entries {
	const char *key; /* borrowed of the archive */
	uint64_t n;
	UT_hash_handle hh;
};

/* --- rows ----------------------------------------------------------------- */

/* With the lock held, in all that follows. */
static struct buf *begin_row(struct convert_report *r, const char *kind)
{
	json_row_begin(&r->rows.row);
	json_row_str(&r->rows.row, "kind", kind);
	return &r->rows.row;
}

static void end_row(struct convert_report *r)
{
	row_file_put(&r->rows, "},\n");
}

static void put_entry(struct convert_report *r, const char *kind,
		      const struct volume_entry *ve, const struct err *why)
{
	const struct shard_meta *shard = volume_shard(r->from, ve->node);
	const struct entry *e = &ve->e;
	CLEANUP_FREE char *uid =
		xcalloc(1, entry_uid_len(e->parent, e->name) + 1);
	size_t len = entry_uid(e->parent, e->name, uid);
	struct buf *b;

	if (!r->path)
		return;
	b = begin_row(r, kind);
	json_row_bytes(b, "uid", uid, len);
	json_row_time(b, "created_at", e->created_at);
	json_row_str(b, "type", entry_type_text(e->type));
	json_row_u64(b, "size", e->size);
	/* Those of older programs are named by the reason. */
	if (shard && !volume_is_legacy(r->from))
		json_row_str(b, "object", shard->key);
	json_row_str(b, "reason", why->msg);
	end_row(r);
}

static void put_number(struct convert_report *r, const char *kind,
		       uint64_t number, const struct err *why)
{
	struct volume_entry ve;
	struct err err;

	if (!r->path)
		return;
	if (!feed_volume_get(r->feed, number, &ve, &err)) {
		put_entry(r, kind, &ve, why);
		volume_entry_release(&ve);
		return;
	}
	json_row_str(begin_row(r, kind), "reason", why->msg);
	end_row(r);
}

/* --- what happens --------------------------------------------------------- */

/* Numbers go on by one, and the set wants bits that differ at their ends. */
static uint64_t number_hash(uint64_t number)
{
	return (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

void convert_report_result(void *arg, const struct feed_result *result)
{
	struct convert_report *r = arg;
	LOCK_SCOPE(&r->lock);

	switch (result->status) {
	case FEED_ARCHIVED: r->n.archived++; return;
	case FEED_THERE: r->n.there++; return;
	case FEED_FAILED:
		r->n.failed++;
		put_number(r, "failed", result->number, result->why);
		break;
	case FEED_ERASED: r->n.erased++; break;
	case FEED_DUPLICATE: r->n.duplicates++; break;
	}
	uid_set_add(&r->left_out, number_hash(result->number));
}

static void put_lost(struct convert_report *r, const char *kind,
		     const struct shard_meta *shard, uint64_t n,
		     const struct err *why)
{
	if (!r->path)
		return;
	begin_row(r, kind);
	json_row_str(&r->rows.row, "object", shard->key);
	json_row_u64(&r->rows.row, "entries", n);
	json_row_str(&r->rows.row, "reason", why->msg);
	end_row(r);
}

static struct lost_entries *lost_of(struct convert_report *r,
				    const struct shard_meta *shard)
{
	struct lost_entries *l = NULL;

	HASH_FIND_STR(r->lost, shard->key, l);
	if (l)
		return l;
	l = xcalloc(1, sizeof(*l));
	l->key = shard->key;
	HASH_ADD_KEYPTR(hh, r->lost, l->key, strlen(l->key), l);
	return l;
}

void convert_report_lost(void *arg, const struct shard_meta *shard, uint64_t n,
			 const struct err *why)
{
	struct convert_report *r = arg;
	LOCK_SCOPE(&r->lock);

	tell("%s: %" PRIu64 " entries cannot be read: %s", shard->key, n,
	     why->msg);
	r->n.lost += n;
	r->n.damaged++;
	lost_of(r, shard)->n += n;
	put_lost(r, "lost", shard, n, why);
}

void convert_report_lost_again(void *arg, const struct shard_meta *shard,
			       uint64_t n, const struct err *why)
{
	struct convert_report *r = arg;
	LOCK_SCOPE(&r->lock);
	uint64_t before = lost_of(r, shard)->n;

	if (n <= before)
		return;
	n -= before;
	tell("%s: %" PRIu64 " entries cannot be read again to be compared: %s",
	     shard->key, n, why->msg);
	r->n.uncompared += n;
	put_lost(r, "uncompared", shard, n, why);
}

void convert_report_unread(void *arg, const char *text)
{
	struct convert_report *r = arg;
	LOCK_SCOPE(&r->lock);

	tell("%s", text);
	r->n.damaged++;
	if (!r->path)
		return;
	begin_row(r, "unread");
	json_row_str(&r->rows.row, "reason", text);
	end_row(r);
}

bool convert_report_is_left_out(void *arg, uint64_t number)
{
	struct convert_report *r = arg;
	LOCK_SCOPE(&r->lock);

	return uid_set_has(&r->left_out, number_hash(number));
}

static void tell_entry(struct convert_report *r, const char *kind,
		       const struct volume_entry *ve, const struct err *why)
{
	const struct entry *e = &ve->e;
	CLEANUP_FREE char *uid =
		xcalloc(1, entry_uid_len(e->parent, e->name) + 1);
	size_t len = entry_uid(e->parent, e->name, uid);

	tell_failed(span_of(uid, len), why);
	put_entry(r, kind, ve, why);
}

void convert_report_differs(void *arg, const struct volume_entry *ve,
			    const struct err *why)
{
	struct convert_report *r = arg;
	LOCK_SCOPE(&r->lock);

	r->n.different++;
	tell_entry(r, "different", ve, why);
}

void convert_report_unread_again(void *arg, const struct volume_entry *ve,
				 const struct err *why)
{
	struct convert_report *r = arg;
	LOCK_SCOPE(&r->lock);

	r->n.uncompared++;
	tell_entry(r, "uncompared", ve, why);
}

void convert_report_finding(void *arg, const struct finding *f)
{
	struct convert_report *r = arg;
	LOCK_SCOPE(&r->lock);

	if (f->kind == FINDING_NOTE || f->kind == FINDING_WEAK)
		return;
	if (f->kind != FINDING_LOST)
		tell("%s: %s", f->key, f->text);
	if (!r->path)
		return;
	begin_row(r, "damage");
	json_row_str(&r->rows.row, "object", f->key);
	if (f->uid.p)
		json_row_bytes(&r->rows.row, "uid", f->uid.p, f->uid.len);
	if (f->text)
		json_row_str(&r->rows.row, "reason", f->text);
	end_row(r);
}

struct convert_counts convert_report_counts(struct convert_report *r)
{
	LOCK_SCOPE(&r->lock);

	return r->n;
}

/* --- the file ------------------------------------------------------------- */

void convert_report_init(struct convert_report *r)
{
	*r = (struct convert_report){ .feed = NULL };
	pthread_mutex_init(&r->lock, NULL);
	row_file_init(&r->rows);
}

enum rc convert_report_open(struct convert_report *r, const char *path,
			    const char *from, const char *to, struct err *err)
{
	struct buf *b = &r->rows.row;

	if (!io_may_replace(AT_FDCWD, path, err))
		return err->rc;
	r->part = xasprintf("%s.part", path);
	if (row_file_begin(&r->rows, r->part, err))
		return err->rc;
	r->path = xstrdup(path);
	json_row_begin_kind(b, "convert-report");
	json_row_str(b, "version", version_text());
	json_row_str(b, "from", from);
	json_row_str(b, "to", to);
	row_file_put(&r->rows, ",\"rows\":[\n");
	json_row_time(begin_row(r, "run"), "started", clock_wall_us());
	end_row(r);
	return RC_OK;
}

enum rc convert_report_end(struct convert_report *r, enum rc rc,
			   const struct verify_totals *totals, struct err *err)
{
	struct buf *b;

	if (!r->path)
		return RC_OK;
	b = begin_row(r, "total");
	json_row_time(b, "ended", clock_wall_us());
	json_row_str(b, "result", rc_text(rc));
	json_row_u64(b, "archived", r->n.archived);
	json_row_u64(b, "there", r->n.there);
	json_row_u64(b, "failed", r->n.failed);
	json_row_u64(b, "lost", r->n.lost);
	json_row_u64(b, "erased", r->n.erased);
	json_row_u64(b, "duplicates", r->n.duplicates);
	json_row_u64(b, "verified", r->n.verified);
	json_row_u64(b, "different", r->n.different);
	json_row_u64(b, "uncompared", r->n.uncompared);
	json_row_u64(b, "shards", totals->shards);
	json_row_u64(b, "damage", totals->damage);
	row_file_put(&r->rows, "}\n]}\n");
	return row_file_publish(&r->rows, r->part, r->path, err);
}

void convert_report_release(struct convert_report *r)
{
	struct lost_entries *l, *next;

	HASH_ITER(hh, r->lost, l, next)
	{
		HASH_DEL(r->lost, l);
		free(l);
	}
	row_file_release(&r->rows);
	uid_set_release(&r->left_out);
	pthread_mutex_destroy(&r->lock);
	free(r->path);
	free(r->part);
}
