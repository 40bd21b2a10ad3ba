/* SPDX-License-Identifier: Apache-2.0 */
/* import-link.c - hard links of a backup: which file each was another name of.
 *
 * A link names an earlier entry, the last of that name before it, which may be
 * a link itself.  Entries may be more than memory holds, so links, sorted by
 * what they name, are led along the entries in the order of their names; those
 * that met another link are led along once more.  Then all names of a file are
 * brought together, since cpio has the content with the last of them.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "base/rd.h"
#include "base/wr.h"
#include "exchange/import-backend.h"
#include "exchange/import-path.h"

#define SORTER_MEMORY (4u << 20)
/* Links to links to links. */
#define ROUNDS_MAX 16
/* As in import_key. */
#define NUMBER_LEN 8
#define IMPORT_DEV 1

/* In the order in which those of one file are wanted. */
enum group_rank { GROUP_CONTENT, GROUP_FILE, GROUP_NAME };

/* A link on its way. */
struct wanted {
	struct span key;           /* of the link's own entry */
	bool has_content, is_lost; /* see struct import_record */
	uint64_t place, size;
};

struct resolver {
	struct import *im;
	struct sorter *next;   /* links for the next round */
	struct sorter *groups; /* names and contents, by file */
	uint64_t n_next;
	/* The last entry before the link, in the order of keys. */
	struct buf key, value, to;
	bool has_entry;
};

enum rc import_add(struct sorter *to, const struct buf *key,
		   const struct buf *value, struct err *err)
{
	if (!buf_ok(key) || !buf_ok(value))
		return err_set(err, RC_NOMEM, "out of memory");
	return sorter_add(to, 0, span_of(key->p, key->len),
			  span_of(value->p, value->len), err);
}

static struct sorter *new_sorter(const struct import *im)
{
	return sorter_new(im->opts.spool, SORTER_MEMORY, 1);
}

/* --- links -----------------------------------------------------------------
 */

static enum rc add_wanted(struct import *im, struct sorter *to,
			  struct span target, uint64_t before,
			  const struct wanted *w, struct err *err)
{
	import_key(target, before, &im->key);
	buf_clear(&im->value);
	wr_u8(&im->value, w->has_content);
	wr_u8(&im->value, w->is_lost);
	wr_u64(&im->value, w->place);
	wr_u64(&im->value, w->size);
	buf_append(&im->value, w->key.p, w->key.len);
	return import_add(to, &im->key, &im->value, err);
}

static enum rc decode_wanted(struct span value, struct wanted *ret,
			     struct err *err)
{
	struct rd r = { .p = (const uint8_t *)value.p, .left = value.len };

	ret->has_content = rd_u8(&r);
	ret->is_lost = rd_u8(&r);
	ret->place = rd_le(&r, 8);
	ret->size = rd_le(&r, 8);
	ret->key = span_of(r.p, r.left);
	if (!rd_ok(&r))
		return err_set(err, RC_IO, "temporary data are damaged");
	return RC_OK;
}

enum rc import_links_add(struct import *im, struct span key,
			 const struct import_record *r, struct err *err)
{
	/* im->key is taken for the link's. */
	struct buf own = { .max = key.len };
	struct wanted w = { .has_content = r->has_content,
			    .is_lost = r->is_lost,
			    .place = r->place,
			    .size = r->it.size };
	enum rc rc;

	if (!im->links)
		im->links = new_sorter(im);
	buf_append(&own, key.p, key.len);
	w.key = span_of(own.p, own.len);
	rc = add_wanted(im, im->links, r->link, im->number, &w, err);
	buf_release(&own);
	im->n_links++;
	return rc;
}

static enum rc refuse(struct resolver *res, const struct wanted *w,
		      const char *why, struct span what, struct err *err)
{
	struct import *im = res->im;
	uint64_t number;
	struct err failure;

	if (!import_key_decode(w->key, &im->path, &number))
		return err_set(err, RC_IO, "temporary data are damaged");
	err_set(&failure, RC_CORRUPT, "a hard link %s%.*s", why,
		(int)(what.len < 200 ? what.len : 200), what.len ? what.p : "");
	import_left_out(im, span_of(im->path.p, im->path.len), &failure);
	return RC_OK;
}

/* --- what they name ---------------------------------------------------------
 */

static void number_be(struct buf *to, uint64_t n)
{
	for (unsigned int i = 8; i-- > 0;)
		wr_u8(to, (uint8_t)(n >> 8 * i));
}

static enum rc add_to_group(struct resolver *res, uint64_t file,
			    enum group_rank rank, uint64_t order,
			    struct err *err)
{
	buf_clear(&res->to);
	number_be(&res->to, file);
	wr_u8(&res->to, (uint8_t)rank);
	number_be(&res->to, order);
	return import_add(res->groups, &res->to, &res->im->value, err);
}

/* The entry at hand has another name. */
static enum rc join(struct resolver *res, uint64_t file, const struct wanted *w,
		    struct err *err)
{
	struct buf *value = &res->im->value;
	struct import *im = res->im;
	uint64_t number;

	if (!import_key_decode(w->key, &im->other_path, &number))
		return err_set(err, RC_IO, "temporary data are damaged");
	buf_clear(value);
	wr_u32(value, (uint32_t)res->key.len);
	buf_append(value, res->key.p, res->key.len);
	buf_append(value, res->value.p, res->value.len);
	if (add_to_group(res, file, GROUP_FILE, 0, err))
		return err->rc;
	buf_clear(value);
	buf_append(value, w->key.p, w->key.len);
	if (add_to_group(res, file, GROUP_NAME, number, err))
		return err->rc;
	if (!w->has_content && !w->is_lost)
		return RC_OK;
	buf_clear(value);
	wr_u8(value, w->is_lost);
	wr_u64(value, w->place);
	wr_u64(value, w->size);
	/* The last one is wanted first. */
	return add_to_group(res, file, GROUP_CONTENT, UINT64_MAX - number, err);
}

static bool is_same_path(const struct buf *key, struct span other)
{
	return key->len == other.len && key->len >= NUMBER_LEN &&
	       !memcmp(key->p, other.p, key->len - NUMBER_LEN);
}

static enum rc settle(struct resolver *res, struct span key,
		      const struct wanted *w, struct err *err)
{
	struct import *im = res->im;
	struct import_record r;
	uint64_t number;

	if (!import_key_decode(key, &im->path, &number))
		return err_set(err, RC_IO, "temporary data are damaged");
	if (!res->has_entry || !is_same_path(&res->key, key)) {
		/* Not in im->path, which refuse has another use for. */
		buf_clear(&res->to);
		buf_append(&res->to, im->path.p, im->path.len);
		return refuse(res, w, "to what is not before it: ",
			      span_of(res->to.p, res->to.len), err);
	}
	if (import_record_decode(span_of(res->value.p, res->value.len), &r,
				 err) ||
	    !import_key_decode(span_of(res->key.p, res->key.len),
			       &im->other_path, &number))
		return err_set(err, RC_IO, "temporary data are damaged");
	if (r.it.type == ENTRY_DIR)
		return refuse(res, w, "to a directory", span_of("", 0), err);
	if (!r.link.len)
		return join(res, number, w, err);
	res->n_next++;
	return add_wanted(im, res->next, r.link, number, w, err);
}

static enum rc keep_entry(struct resolver *res, struct span key,
			  struct span value, struct err *err)
{
	buf_clear(&res->key);
	buf_clear(&res->value);
	buf_append(&res->key, key.p, key.len);
	buf_append(&res->value, value.p, value.len);
	if (!buf_ok(&res->key) || !buf_ok(&res->value))
		return err_set(err, RC_NOMEM, "out of memory");
	res->has_entry = true;
	return RC_OK;
}

/* Both in the order of their keys. */
static enum rc lead_along(struct resolver *res, struct sorter_reader *entries,
			  struct sorter_reader *links, struct err *err)
{
	struct span key, value, entry_key, entry_value;
	enum rc more = sorter_next(entries, &entry_key, &entry_value, err);
	enum rc rc;

	res->has_entry = false;
	while (!(rc = sorter_next(links, &key, &value, err))) {
		struct wanted w;

		while (!more && span_compare(entry_key, key) < 0) {
			if (keep_entry(res, entry_key, entry_value, err))
				return err->rc;
			more = sorter_next(entries, &entry_key, &entry_value,
					   err);
		}
		if (more && more != RC_NOENT)
			return more;
		if (decode_wanted(value, &w, err) || settle(res, key, &w, err))
			return err->rc;
	}
	return rc == RC_NOENT ? RC_OK : rc;
}

static enum rc do_round(struct resolver *res, struct sorter *links,
			struct err *err)
{
	struct sorter_reader *e = NULL, *l = NULL;
	enum rc rc = sorter_finish(links, err);

	if (!rc)
		rc = sorter_read(res->im->entries, 0, &e, err);
	if (!rc)
		rc = sorter_read(links, 0, &l, err);
	if (!rc)
		rc = lead_along(res, e, l, err);
	sorter_reader_free(e);
	sorter_reader_free(l);
	return rc;
}

static enum rc give_up(struct resolver *res, struct sorter *links,
		       struct err *err)
{
	struct sorter_reader *l = NULL;
	struct span key, value;
	enum rc rc = sorter_finish(links, err);

	if (!rc)
		rc = sorter_read(links, 0, &l, err);
	while (!rc && !(rc = sorter_next(l, &key, &value, err))) {
		struct wanted w;

		rc = decode_wanted(value, &w, err);
		if (!rc)
			rc = refuse(res, &w, "through too many others",
				    span_of("", 0), err);
	}
	sorter_reader_free(l);
	return rc == RC_NOENT ? RC_OK : rc;
}

static enum rc do_rounds(struct resolver *res, struct err *err)
{
	struct sorter *links = res->im->links;
	enum rc rc = RC_OK;

	res->im->links = NULL;
	for (unsigned int i = 0; !rc && links; i++) {
		res->next = new_sorter(res->im);
		res->n_next = 0;
		rc = do_round(res, links, err);
		sorter_free(links);
		links = res->next;
		if (!rc && res->n_next && i + 1 == ROUNDS_MAX) {
			rc = give_up(res, links, err);
			res->n_next = 0;
		}
		if (!res->n_next) {
			sorter_free(links);
			links = NULL;
		}
	}
	sorter_free(links);
	return rc;
}

/* --- all names of a file ----------------------------------------------------
 */

struct group {
	uint64_t file;
	bool has_content, has_file, is_lost;
	uint64_t place, size;
	struct import_record r; /* borrows from value */
};

static enum rc add_name(struct resolver *res, const struct group *g,
			struct span key, struct sorter *to, struct err *err)
{
	struct import *im = res->im;
	struct import_record r = g->r;

	r.it.dev = IMPORT_DEV;
	r.it.ino = g->file + 1;
	r.it.nlink = 2;
	if (g->has_content && r.it.type == ENTRY_REG) {
		r.has_content = true;
		r.is_lost = g->is_lost;
		r.place = g->place;
		r.it.size = g->size;
	}
	import_record_encode(&r, &im->value);
	buf_clear(&im->key);
	buf_append(&im->key, key.p, key.len);
	return import_add(to, &im->key, &im->value, err);
}

static enum rc group_file(struct resolver *res, struct group *g,
			  struct span value, struct sorter *to, struct err *err)
{
	struct rd r = { .p = (const uint8_t *)value.p, .left = value.len };
	uint32_t len = (uint32_t)rd_le(&r, 4);
	struct span key = span_of(rd_take(&r, len), len);

	/* Once for each other name. */
	if (g->has_file)
		return RC_OK;
	if (!rd_ok(&r))
		return err_set(err, RC_IO, "temporary data are damaged");
	if (keep_entry(res, key, span_of(r.p, r.left), err) ||
	    import_record_decode(span_of(res->value.p, res->value.len), &g->r,
				 err))
		return err->rc;
	g->has_file = true;
	return add_name(res, g, key, to, err);
}

static enum rc group_content(struct group *g, struct span value,
			     struct err *err)
{
	struct rd r = { .p = (const uint8_t *)value.p, .left = value.len };

	if (g->has_content)
		return RC_OK;
	g->has_content = true;
	g->is_lost = rd_u8(&r);
	g->place = rd_le(&r, 8);
	g->size = rd_le(&r, 8);
	return rd_ok(&r) ? RC_OK
			 : err_set(err, RC_IO, "temporary data are damaged");
}

static enum rc group_row(struct resolver *res, struct group *g, struct span key,
			 struct span value, struct sorter *to, struct err *err)
{
	uint64_t file = 0;

	if (key.len != 17)
		return err_set(err, RC_IO, "temporary data are damaged");
	for (unsigned int i = 0; i < 8; i++)
		file = file << 8 | (uint8_t)key.p[i];
	if (file != g->file)
		*g = (struct group){ .file = file };
	switch ((enum group_rank)key.p[8]) {
	case GROUP_CONTENT: return group_content(g, value, err);
	case GROUP_FILE: return group_file(res, g, value, to, err);
	case GROUP_NAME: return add_name(res, g, value, to, err);
	}
	return err_set(err, RC_IO, "temporary data are damaged");
}

static enum rc do_groups(struct resolver *res, struct sorter *to,
			 struct err *err)
{
	struct group g = { .file = UINT64_MAX };
	struct sorter_reader *reader = NULL;
	struct span key, value;
	enum rc rc = sorter_finish(res->groups, err);

	if (!rc)
		rc = sorter_read(res->groups, 0, &reader, err);
	while (!rc && !(rc = sorter_next(reader, &key, &value, err)))
		rc = group_row(res, &g, key, value, to, err);
	sorter_reader_free(reader);
	return rc == RC_NOENT ? sorter_finish(to, err) : rc;
}

enum rc import_links_resolve(struct import *im, struct sorter **ret,
			     struct err *err)
{
	struct resolver res = { .im = im };
	struct sorter *to;
	enum rc rc;

	*ret = NULL;
	if (!im->n_links)
		return RC_OK;
	buf_init(&res.key, SIZE_MAX / 2);
	buf_init(&res.value, SIZE_MAX / 2);
	buf_init(&res.to, SIZE_MAX / 2);
	res.groups = new_sorter(im);
	to = new_sorter(im);
	rc = do_rounds(&res, err);
	if (!rc)
		rc = do_groups(&res, to, err);
	if (rc)
		sorter_free(to);
	else
		*ret = to;
	sorter_free(res.groups);
	buf_release(&res.key);
	buf_release(&res.value);
	buf_release(&res.to);
	return rc;
}
