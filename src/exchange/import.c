/* SPDX-License-Identifier: Apache-2.0 */
/* import.c - a backup of another kind as a feed of desfs-pack. */
#include "config.h"

#include "exchange/import.h"

#include <stdlib.h>
#include <string.h>

#include "base/human.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "exchange/import-backend.h"
#include "exchange/import-path.h"
#include "shard/shard-entry.h"

#define SORTER_MEMORY (8u << 20)

/* --- the list ----------------------------------------------------------------
 */

struct listing {
	struct import *im;
	feed_emit_fn *emit;
	void *emit_arg;
	struct sorter_reader *entries, *links; /* links: NULL, there are none */
	struct span link_key, link_value;
	bool has_link;
	/* The last entry of a name so far. */
	struct buf path, value;
	uint64_t number;
	bool has_entry;
	/* The last one that was no directory. */
	struct buf above;
	bool has_above;
};

static bool is_below(const struct buf *dir, struct span path)
{
	return path.len > dir->len && path.p[dir->len] == '/' &&
	       !memcmp(path.p, dir->p, dir->len);
}

static enum rc check_above(struct listing *l, struct span path,
			   enum entry_type type, struct err *err)
{
	if (l->has_above && is_below(&l->above, path)) {
		size_t len = l->above.len < 200 ? l->above.len : 200;

		return err_set(err, RC_NOTDIR,
			       "is below %.*s, which is no directory", (int)len,
			       (const char *)l->above.p);
	}
	l->has_above = type != ENTRY_DIR && path.len;
	if (l->has_above) {
		buf_clear(&l->above);
		buf_append(&l->above, path.p, path.len);
		if (!buf_ok(&l->above))
			return err_set(err, RC_NOMEM, "out of memory");
	}
	return RC_OK;
}

static enum rc emit_entry(struct listing *l, struct err *err)
{
	struct span path = span_of(l->path.p, l->path.len);
	struct feed_record f = { .created_at = FEED_NO_TIME,
				 .number = l->number };
	struct import_record r;
	struct err why;

	if (!l->has_entry)
		return RC_OK;
	if (import_record_decode(span_of(l->value.p, l->value.len), &r, err))
		return err->rc;
	/* A link to nothing, of which was told. */
	if (r.link.len)
		return RC_OK;
	if (r.is_lost) {
		err_set(&why, RC_NOSPACE,
			"a hard link to what was excluded, whose content was "
			"not kept (see --spool-limit)");
		import_left_out(l->im, path, &why);
		return RC_OK;
	}
	if (check_above(l, path, r.it.type, &why)) {
		import_left_out(l->im, path, &why);
		return RC_OK;
	}
	f.it = r.it;
	f.place = r.place;
	entry_split_uid(path, &f.it.parent, &f.it.name);
	return l->emit(l->emit_arg, &f, err);
}

/* What a link stands for, in the place of what is known of it. */
static enum rc look_up_link(struct listing *l, struct span key,
			    struct span *value, struct err *err)
{
	while (l->has_link && span_compare(l->link_key, key) < 0) {
		enum rc rc = sorter_next(l->links, &l->link_key, &l->link_value,
					 err);

		l->has_link = !rc;
		if (rc && rc != RC_NOENT)
			return rc;
	}
	if (l->has_link && span_equal(l->link_key, key))
		*value = l->link_value;
	return RC_OK;
}

static enum rc take(struct listing *l, struct span key, struct span value,
		    struct err *err)
{
	struct import *im = l->im;
	struct import_record own;
	uint64_t number;

	if (import_record_decode(value, &own, err))
		return err->rc;
	if (own.is_excluded)
		return RC_OK;
	if (look_up_link(l, key, &value, err))
		return err->rc;
	if (!import_key_decode(key, &im->path, &number))
		return err_set(err, RC_IO, "temporary data are damaged");
	if (!span_equal(span_of(im->path.p, im->path.len),
			span_of(l->path.p, l->path.len)) &&
	    emit_entry(l, err))
		return err->rc;
	buf_clear(&l->path);
	buf_append(&l->path, im->path.p, im->path.len);
	buf_clear(&l->value);
	buf_append(&l->value, value.p, value.len);
	if (!buf_ok(&l->path) || !buf_ok(&l->value))
		return err_set(err, RC_NOMEM, "out of memory");
	l->number = number;
	l->has_entry = true;
	return RC_OK;
}

static enum rc emit_all(struct listing *l, struct err *err)
{
	struct span key, value;
	enum rc rc = RC_OK;

	if (l->links) {
		rc = sorter_next(l->links, &l->link_key, &l->link_value, err);
		l->has_link = !rc;
		rc = rc == RC_NOENT ? RC_OK : rc;
	}
	while (!rc && !(rc = sorter_next(l->entries, &key, &value, err))) {
		if (stop_requested())
			return err_set(err, RC_STOPPED, "stopped by a signal");
		rc = take(l, key, value, err);
	}
	return rc == RC_NOENT ? emit_entry(l, err) : rc;
}

static enum rc list_sorted(struct import *im, struct sorter *links,
			   feed_emit_fn *emit, void *emit_arg, struct err *err)
{
	struct listing l = { .im = im, .emit = emit, .emit_arg = emit_arg };
	enum rc rc = sorter_read(im->entries, 0, &l.entries, err);

	buf_init(&l.path, SIZE_MAX / 2);
	buf_init(&l.value, SIZE_MAX / 2);
	buf_init(&l.above, SIZE_MAX / 2);
	if (!rc && links)
		rc = sorter_read(links, 0, &l.links, err);
	if (!rc)
		rc = emit_all(&l, err);
	sorter_reader_free(l.entries);
	sorter_reader_free(l.links);
	buf_release(&l.path);
	buf_release(&l.value);
	buf_release(&l.above);
	return rc;
}

static enum rc list(void *arg, feed_emit_fn *emit, void *emit_arg,
		    struct err *err)
{
	struct import *im = arg;
	struct sorter *links = NULL;
	char bytes[HUMAN_MAX];
	enum rc rc;

	im->entries = sorter_new(im->opts.spool, SORTER_MEMORY, 1);
	rc = import_read(im, err);
	if (!rc && im->contents.bytes)
		log_warn("%s: contents are kept in %s until they are packed, "
			 "%s",
			 im->in.name, im->opts.spool,
			 human_bytes(bytes, im->contents.bytes));
	if (!rc)
		rc = sorter_finish(im->entries, err);
	if (!rc)
		rc = import_links_resolve(im, &links, err);
	if (!rc)
		rc = list_sorted(im, links, emit, emit_arg, err);
	sorter_free(links);
	sorter_free(im->entries);
	im->entries = NULL;
	return rc;
}

static enum rc open_content(void *arg, uint64_t place, uint64_t size,
			    int *ret_fd, uint64_t *ret_base, struct err *err)
{
	const struct import *im = arg;

	(void)size;
	return import_spool_get(&im->contents, place, ret_fd, ret_base, err);
}

/* --- the whole ---------------------------------------------------------------
 */

enum rc import_open(struct import **ret, const struct import_options *opts,
		    struct err *err)
{
	struct import *im;
	enum rc rc = archive_library_load(err);

	if (rc)
		return rc;
	im = xcalloc(1, sizeof(*im));
	im->opts = *opts;
	im->feed =
		(struct feed){ .list = list, .open = open_content, .arg = im };
	im->feed.identity = im->identity = feed_identity("backup", opts->file);
	import_spool_init(&im->contents, opts->spool, opts->spool_limit);
	buf_init(&im->path, SIZE_MAX / 2);
	buf_init(&im->other_path, SIZE_MAX / 2);
	buf_init(&im->key, SIZE_MAX / 2);
	buf_init(&im->value, SIZE_MAX / 2);
	buf_init(&im->xattrs, 2 * XATTRS_MAX);
	rc = import_input_open(im, err);
	if (rc)
		import_free(im);
	else
		*ret = im;
	return rc;
}

void import_free(struct import *im)
{
	if (!im)
		return;
	import_input_close(im);
	import_spool_release(&im->contents);
	sorter_free(im->entries);
	sorter_free(im->links);
	buf_release(&im->path);
	buf_release(&im->other_path);
	buf_release(&im->key);
	buf_release(&im->value);
	buf_release(&im->xattrs);
	free(im->identity);
	free(im);
}

const struct feed *import_feed(struct import *im)
{
	return &im->feed;
}
