/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-set.c - what counts of all that shards of an older archive say. */
#include "config.h"

#include "legacy/legacy-set.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sorter.h"
#include "legacy/legacy-path.h"
#include "legacy/legacy-raw.h"
#include "legacy/legacy-set-backend.h"

/* Bytes of memory of each of the two sorters. */
#define SORTER_MEMORY (8u << 20)

/* A uid of days that follow each other may have entered at the same instant,
 * since days are those of clocks of all zones: at most so many.
 */
#define SAME_MAX 4u

struct legacy_set {
	struct legacy_set_options o;
	struct sorter *sorter; /* of raw records */
};

/* Going through them in order. */
struct pass {
	struct legacy_set *s;
	struct legacy_layout *layout;
	struct legacy_deleted deleted;
	struct buf last_key;     /* of path and day decided last */
	struct buf shown;        /* the path shown last, unmarked */
	struct buf path, uid;    /* of the record at hand */
	int64_t times[SAME_MAX]; /* versions of that path, the last ones */
	size_t n_times;
};

struct legacy_set *legacy_set_new(const struct legacy_set_options *o)
{
	struct legacy_set *s = xcalloc(1, sizeof(*s));

	s->o = *o;
	s->sorter = sorter_new(o->dir, SORTER_MEMORY, 1);
	return s;
}

void legacy_set_free(struct legacy_set *s)
{
	if (!s)
		return;
	sorter_free(s->sorter);
	free(s);
}

enum rc legacy_set_add(struct legacy_set *s, struct span key, struct span value,
		       struct err *err)
{
	return sorter_add(s->sorter, 0, key, value, err);
}

/* --- one record ----------------------------------------------------------- */

static struct span span_of_buf(const struct buf *b)
{
	return span_of(b->p, b->len);
}

/* True if path and day were decided by the record before. */
static bool is_decided(struct pass *p, struct span key)
{
	size_t len = legacy_raw_path_len(key) + LEGACY_RAW_DAY_LEN;
	struct span head = span_of(key.p, len < key.len ? len : key.len);

	if (span_equal(head, span_of_buf(&p->last_key)))
		return true;
	buf_clear(&p->last_key);
	buf_append(&p->last_key, head.p, head.len);
	return false;
}

/* What is shown below a path was shown just before it. */
static bool is_directory(const struct pass *p, struct span path)
{
	const struct buf *b = &p->shown;

	return b->len > path.len && b->p[path.len] == '/' &&
	       !memcmp(b->p, path.p, path.len);
}

/* The path as it is shown, in p->path. */
static enum rc mark(struct pass *p, struct err *err)
{
	enum legacy_path_form form;

	if (!legacy_path_uid(span_of_buf(&p->path), &p->uid, &form))
		return err_set(err, RC_NOMEM, "no memory for a path");
	return legacy_path_of(span_of_buf(&p->uid), LEGACY_PATH_MARKED,
			      &p->path, err);
}

static bool is_taken(const struct pass *p, int64_t time)
{
	for (size_t i = 0; i < p->n_times; i++) {
		if (p->times[i] == time)
			return true;
	}
	return false;
}

/* A time no other version of the path has. */
static int64_t own_time(struct pass *p, int64_t time)
{
	while (is_taken(p, time))
		time++;
	if (p->n_times == SAME_MAX)
		memmove(p->times, p->times + 1,
			--p->n_times * sizeof(*p->times));
	p->times[p->n_times++] = time;
	return time;
}

/* Remember the path as it is without a mark; its versions begin anew. */
static void note_shown(struct pass *p, struct span path)
{
	if (span_equal(path, span_of_buf(&p->shown)))
		return;
	buf_clear(&p->shown);
	buf_append(&p->shown, path.p, path.len);
	p->n_times = 0;
}

static enum rc take(struct pass *p, struct span key, struct span value,
		    struct err *err)
{
	struct span text, meta;
	struct legacy_raw r;
	bool is_dir;

	if (is_decided(p, key))
		return RC_OK;
	legacy_raw_parse(value, &r, &text, &meta);
	if (r.kind == LEGACY_RAW_TOMBSTONE)
		return legacy_deleted_add(&p->deleted, key, err);
	legacy_raw_path(key, &p->path);
	if (!buf_ok(&p->path) || !buf_ok(&p->last_key))
		return err_set(err, RC_NOMEM, "no memory for a path");
	is_dir = is_directory(p, span_of_buf(&p->path));
	/* Of versions of a marked one it was the first that looked back. */
	if (span_equal(span_of_buf(&p->path), span_of_buf(&p->shown)))
		is_dir = p->layout->is_marked;
	p->layout->is_marked = is_dir;
	note_shown(p, span_of_buf(&p->path));
	r.created_at = own_time(p, r.created_at);
	if (is_dir && mark(p, err))
		return err->rc;
	return legacy_layout_add(p->layout, span_of_buf(&p->path), &r, text,
				 meta, err);
}

/* --- all ------------------------------------------------------------------ */

static enum rc go_through(struct pass *p, struct err *err)
{
	struct sorter_reader *reader = NULL;
	struct span key, value;
	enum rc rc;

	rc = sorter_finish(p->s->sorter, err);
	if (!rc)
		rc = sorter_read(p->s->sorter, 0, &reader, err);
	while (!rc) {
		rc = sorter_next(reader, &key, &value, err);
		if (!rc)
			rc = take(p, key, value, err);
	}
	sorter_reader_free(reader);
	return rc == RC_NOENT ? RC_OK : rc;
}

static void swap_deleted(struct legacy_deleted *a, struct legacy_deleted *b)
{
	struct legacy_deleted c = *a;

	*a = *b;
	*b = c;
}

enum rc legacy_set_make(struct legacy_set *s, struct legacy_shards **ret,
			struct err *err)
{
	struct pass p = { .s = s };
	enum rc rc;

	p.layout = legacy_layout_new(&s->o);
	legacy_deleted_init(&p.deleted, s->o.dir);
	buf_init(&p.last_key, 4 * LEGACY_PATH_MAX);
	buf_init(&p.shown, LEGACY_PATH_MAX);
	buf_init(&p.path, LEGACY_PATH_MAX);
	buf_init(&p.uid, LEGACY_PATH_MAX);
	rc = go_through(&p, err);
	/* Its files are not needed any more. */
	sorter_free(s->sorter);
	s->sorter = NULL;
	if (!rc)
		rc = legacy_layout_make(p.layout, ret, err);
	if (!rc)
		swap_deleted(&p.deleted, &(*ret)->deleted);
	legacy_deleted_release(&p.deleted);
	legacy_layout_free(p.layout);
	buf_release(&p.last_key);
	buf_release(&p.shown);
	buf_release(&p.path);
	buf_release(&p.uid);
	return rc;
}
