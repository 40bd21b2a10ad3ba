/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-make.c - files and directories in the order of shards into these. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sorter.h"
#include "legacy/legacy-content.h"
#include "legacy/legacy-path.h"
#include "legacy/legacy-set-backend.h"
#include "legacy/legacy-size.h"
#include "legacy/legacy-time.h"

#define FILE_MODE 0644
#define DIR_MODE 0755

/* Entries of a shard: what is held in memory of each is a few dozen bytes. */
#define ENTRIES_MAX 200000u

/* Bytes of the names of directories that are named again in a further part. */
#define ABOVE_MAX (4u << 20)

/* A content of the shard under way, in the order of which they are laid out: as
 * they lie in the older objects, so that who reads in the order of offsets goes
 * through these from their begin to their end.  Numbers of objects would not
 * do: several threads give them as they come to it.
 */
struct content_place {
	uint64_t off, size;
	uint64_t start;  /* then, in the shard */
	const char *key; /* NULL: an object of its own, or none */
	uint32_t nth;    /* in the order of entries */
};

struct making {
	struct legacy_layout *l;
	struct legacy_shards *to;
	struct legacy_shard which; /* is under way: day, slot, part */
	struct spool records;      /* its entries */
	uint64_t n_records;
	struct content_place *contents;
	size_t n_contents, cap_contents;
	struct buf last; /* last key, to leave out directories named twice */
	/* Paths of directories that entries of a further part are in, while the
	 * part before has those of the directories, each with a zero byte.
	 */
	struct buf above;
	size_t n_above;
	struct buf first;  /* key of the part's first record */
	struct buf parent; /* of the last one */
	struct buf text;   /* of the entry at hand, where it was made here */
	struct buf key, value;
};

static uint64_t read_be(const char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | (uint8_t)p[i];
	return v;
}

static void set_times(struct entry *e, int64_t created_at)
{
	int64_t s = created_at / 1000000;
	int64_t us = created_at % 1000000;

	if (us < 0) {
		s--;
		us += 1000000;
	}
	e->created_at = created_at;
	e->mtime_s = s;
	e->mtime_ns = (uint32_t)us * 1000;
}

/* --- entries -------------------------------------------------------------- */

static enum rc add_dir(struct making *m, struct entry *e, int64_t created_at,
		       struct err *err)
{
	const struct span none = { .p = NULL };

	e->type = ENTRY_DIR;
	e->implicit = true;
	e->mode = DIR_MODE;
	set_times(e, created_at);
	return legacy_shards_add(m->to, e, NULL, none, none, err);
}

static struct legacy_place place_of(struct making *m,
				    const struct legacy_raw *r,
				    struct span text)
{
	struct legacy_place place = { .size = r->size,
				      .off = r->off,
				      .stored_len = r->stored_len,
				      .object = r->object,
				      .codec = r->codec };

	if (r->kind == LEGACY_RAW_DAMAGED)
		place.how = LEGACY_DAMAGED;
	else if (r->is_external)
		place.how = r->has_hash ? LEGACY_OUTSIDE : LEGACY_EXTERNAL;
	memcpy(place.sha256, r->sha256, sizeof(place.sha256));
	if (place.how == LEGACY_EXTERNAL)
		place.off =
			legacy_contents_turn(m->l->o.contents, &place, text);
	return place;
}

/* Object and state of it, of what is in one that is known. */
static char *origin_of(struct making *m, const struct legacy_place *place)
{
	const struct legacy_object *o;

	if (place->how != LEGACY_INLINE)
		return xstrdup("");
	o = legacy_objects_get(m->l->o.objects, place->object);
	return xasprintf("%s %" PRIu64 " %s", o->key, o->info.size,
			 o->info.tag);
}

static enum rc add_file(struct making *m, struct entry *e, uint64_t start,
			const struct legacy_raw *r, struct span text,
			struct span meta, struct err *err)
{
	struct legacy_place place = place_of(m, r, text);
	CLEANUP_FREE char *origin = origin_of(m, &place);

	place.start = start;
	e->type = ENTRY_REG;
	e->mode = FILE_MODE;
	e->size = place.size;
	e->has_hash = r->has_hash;
	memcpy(e->sha256, r->sha256, sizeof(e->sha256));
	e->meta = meta;
	set_times(e, r->created_at);
	return legacy_shards_add(m->to, e, place.size ? &place : NULL, text,
				 span_of(origin, strlen(origin)), err);
}

/* The next record of the shard; *nth: the number of its content. */
static enum rc add_record(struct making *m, struct span key, struct span value,
			  size_t *nth, struct err *err)
{
	struct span text, meta;
	struct entry e = { 0 };
	struct legacy_raw r;
	uint64_t start = 0;

	e.parent = span_of(key.p, strlen(key.p));
	e.name = span_after(key, e.parent.len + 1);
	legacy_raw_parse(value, &r, &text, &meta);
	if (r.kind == LEGACY_RAW_DIR)
		return add_dir(m, &e, r.created_at, err);
	if (r.size)
		start = m->contents[(*nth)++].start;
	return add_file(m, &e, start, &r, text, meta, err);
}

/* --- shards --------------------------------------------------------------- */

/* NULL is the last one. */
static int compare_keys(const char *x, const char *y)
{
	if (x == y)
		return 0;
	if (!x || !y)
		return x ? -1 : 1;
	return strcmp(x, y);
}

static int by_object(const void *a, const void *b)
{
	const struct content_place *x = a, *y = b;
	int order = compare_keys(x->key, y->key);

	if (order)
		return order;
	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	return (x->nth > y->nth) - (x->nth < y->nth);
}

static int by_entry(const void *a, const void *b)
{
	const struct content_place *x = a, *y = b;

	return (x->nth > y->nth) - (x->nth < y->nth);
}

static enum rc lay_out(struct making *m, struct err *err)
{
	struct content_place *c = m->contents;

	if (m->n_contents)
		qsort(c, m->n_contents, sizeof(*c), by_object);
	for (size_t i = 0; i < m->n_contents; i++) {
		if (legacy_shards_place(m->to, c[i].size, c[i].nth, &c[i].start,
					err))
			return err->rc;
	}
	if (m->n_contents)
		qsort(c, m->n_contents, sizeof(*c), by_entry);
	return RC_OK;
}

static enum rc add_records(struct making *m, struct err *err)
{
	struct legacy_raw_reader r = { .sp = &m->records,
				       .end = spool_len(&m->records),
				       .piece = { .max = SIZE_MAX / 2 } };
	enum rc rc = RC_OK;
	size_t nth = 0;

	while (!rc) {
		struct span key, value;

		rc = legacy_raw_next(&r, &key, &value, err);
		if (!rc)
			rc = add_record(m, key, value, &nth, err);
	}
	buf_release(&r.piece);
	return rc == RC_NOENT ? RC_OK : rc;
}

static int by_key(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	struct span p[2], n[2];

	entry_split_uid(span_of(*x, strlen(*x)), &p[0], &n[0]);
	entry_split_uid(span_of(*y, strlen(*y)), &p[1], &n[1]);
	return entry_key_compare(p[0], n[0], p[1], n[1]);
}

/* Directories that come before all records of the part. */
static enum rc add_above(struct making *m, struct err *err)
{
	CLEANUP_FREE char **paths = xcalloc(m->n_above + 1, sizeof(char *));
	char *at = (char *)m->above.p;

	for (size_t i = 0; i < m->n_above; i++) {
		paths[i] = at;
		at += strlen(at) + 1;
	}
	qsort(paths, m->n_above, sizeof(*paths), by_key);
	for (size_t i = 0; i < m->n_above; i++) {
		struct entry e = { 0 };

		entry_split_uid(span_of(paths[i], strlen(paths[i])), &e.parent,
				&e.name);
		if (add_dir(m, &e, legacy_time_of_day(m->which.day), err))
			return err->rc;
	}
	return RC_OK;
}

/* Each shard has the root. */
static enum rc make_shard(struct making *m, struct err *err)
{
	const struct legacy_set_options *o = &m->l->o;
	struct entry root = { .parent = { .p = "" }, .name = { .p = "" } };
	struct legacy_shard *w = &m->which;

	if (!m->n_records)
		return RC_OK;
	w->revision = o->revision(o->revision_arg, w->day, w->slot);
	if (legacy_shards_begin(m->to, o->archive_id, w, err) ||
	    lay_out(m, err) ||
	    add_dir(m, &root, legacy_time_of_day(w->day), err) ||
	    add_above(m, err) || add_records(m, err) ||
	    legacy_shards_end(m->to, err) || spool_clear(&m->records, err))
		return err->rc;
	m->n_records = 0;
	m->n_contents = 0;
	m->n_above = 0;
	buf_clear(&m->above);
	buf_clear(&m->parent);
	return RC_OK;
}

/* The shard of an entry: another one, or one more part. */
static enum rc turn_to(struct making *m, uint32_t day, uint32_t slot,
		       struct err *err)
{
	bool is_same = day == m->which.day && slot == m->which.slot;

	if (is_same && m->n_records < ENTRIES_MAX && m->above.len < ABOVE_MAX)
		return RC_OK;
	if (make_shard(m, err))
		return err->rc;
	m->which = (struct legacy_shard){
		.day = day,
		.slot = slot,
		.part = is_same ? m->which.part + 1 : 0,
	};
	return RC_OK;
}

/* --- records -------------------------------------------------------------- */

/* Why it cannot be read replaces what it is. */
static enum rc make_damaged(struct making *m, struct legacy_raw *r,
			    struct span *text, const struct err *why,
			    struct err *err)
{
	buf_clear(&m->text);
	buf_append_str(&m->text, why->msg);
	if (!buf_ok(&m->text))
		return err_set(err, RC_NOMEM, "no memory for a text");
	*text = span_of(m->text.p, m->text.len);
	r->kind = LEGACY_RAW_DAMAGED;
	r->text_len = (uint32_t)text->len;
	r->is_external = r->has_hash = false;
	r->size = 1;
	return RC_OK;
}

/* What is not as large as is said becomes damage. */
static enum rc check_file(struct making *m, struct legacy_raw *r,
			  struct span *text, struct err *err)
{
	struct err why;
	enum rc rc = legacy_size_check(&m->l->o, r, *text, &why);

	if (rc == RC_CORRUPT)
		return make_damaged(m, r, text, &why, err);
	if (rc)
		*err = why;
	return rc;
}

static const char *key_of(struct making *m, uint32_t object)
{
	return legacy_objects_get(m->l->o.objects, object)->key;
}

static void note_content(struct making *m, const struct legacy_raw *r)
{
	bool is_inline = r->kind == LEGACY_RAW_FILE && !r->is_external;

	if (r->kind == LEGACY_RAW_DIR || !r->size)
		return;
	m->contents = mem_grow(m->contents, &m->cap_contents, m->n_contents + 1,
			       sizeof(*m->contents));
	m->contents[m->n_contents] = (struct content_place){
		.off = is_inline ? r->off : 0,
		.size = r->size,
		.key = is_inline ? key_of(m, r->object) : NULL,
		.nth = (uint32_t)m->n_contents,
	};
	m->n_contents++;
}

/* The directory an entry is in must be in its part, see add_dir in
 * legacy-layout.c.  Names are parent, zero byte, name.
 */
static void note_parent(struct making *m, struct span names)
{
	struct span parent = span_of(names.p, strlen(names.p));
	struct span above, name, first_parent, first_name;

	if (!m->n_records) {
		buf_clear(&m->first);
		buf_append(&m->first, names.p, names.len);
	}
	if (!m->which.part || !parent.len ||
	    span_equal(parent, span_of(m->parent.p, m->parent.len)))
		return;
	buf_clear(&m->parent);
	buf_append(&m->parent, parent.p, parent.len);
	entry_split_uid(parent, &above, &name);
	first_parent = span_of(m->first.p, strlen((char *)m->first.p));
	first_name = span_of(m->first.p + first_parent.len + 1,
			     m->first.len - first_parent.len - 1);
	if (entry_key_compare(above, name, first_parent, first_name) >= 0)
		return;
	buf_append(&m->above, parent.p, parent.len + 1);
	m->n_above++;
}

static enum rc take(struct making *m, struct span key, struct span value,
		    struct err *err)
{
	struct span text, meta;
	struct legacy_raw r;

	if (span_equal(key, span_of(m->last.p, m->last.len)))
		return RC_OK; /* a directory that was named before */
	if (turn_to(m, (uint32_t)read_be(key.p, 4),
		    (uint32_t)read_be(key.p + 4, 2), err))
		return err->rc;
	buf_clear(&m->last);
	buf_append(&m->last, key.p, key.len);
	legacy_raw_parse(value, &r, &text, &meta);
	if (check_file(m, &r, &text, err))
		return err->rc;
	note_content(m, &r);
	note_parent(m, span_of(key.p + 6, key.len - 6 - 9));
	/* Without day and slot before the names, and time behind them. */
	buf_clear(&m->key);
	buf_append(&m->key, key.p + 6, key.len - 6 - 9);
	legacy_raw_value(&r, text.p, meta.p, &m->value);
	if (!buf_ok(&m->last) || !buf_ok(&m->above) || !buf_ok(&m->first))
		return err_set(err, RC_NOMEM, "no memory for an entry");
	m->n_records++;
	return legacy_raw_write(&m->records, &m->key, &m->value, err);
}

static enum rc make(struct making *m, struct err *err)
{
	struct sorter_reader *reader = NULL;
	struct span key, value;
	enum rc rc;

	rc = sorter_finish(m->l->sorter, err);
	if (!rc)
		rc = sorter_read(m->l->sorter, 0, &reader, err);
	while (!rc) {
		rc = sorter_next(reader, &key, &value, err);
		if (!rc)
			rc = take(m, key, value, err);
	}
	sorter_reader_free(reader);
	return rc == RC_NOENT ? make_shard(m, err) : rc;
}

enum rc legacy_layout_make(struct legacy_layout *l, struct legacy_shards **ret,
			   struct err *err)
{
	struct making m = { .l = l };
	enum rc rc;

	m.to = legacy_shards_new(l->o.dir);
	spool_init(&m.records, l->o.dir, LEGACY_SPOOL_MEMORY);
	buf_init(&m.last, 4 * LEGACY_PATH_MAX);
	buf_init(&m.key, 4 * LEGACY_PATH_MAX);
	buf_init(&m.above, ABOVE_MAX + 4 * LEGACY_PATH_MAX);
	buf_init(&m.first, 4 * LEGACY_PATH_MAX);
	buf_init(&m.parent, LEGACY_PATH_MAX);
	buf_init(&m.value, 4 * META_MAX);
	buf_init(&m.text, ERR_MSG_MAX);
	rc = make(&m, err);
	spool_release(&m.records);
	buf_release(&m.last);
	buf_release(&m.key);
	buf_release(&m.above);
	buf_release(&m.first);
	buf_release(&m.parent);
	buf_release(&m.value);
	buf_release(&m.text);
	free(m.contents);
	if (rc)
		legacy_shards_unref(m.to);
	else
		*ret = m.to;
	return rc;
}
