/* SPDX-License-Identifier: Apache-2.0 */
/* import-read.c - all entries of a backup, once, their contents kept aside. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/human.h"
#include "base/log.h"
#include "base/stop.h"
#include "exchange/import-backend.h"
#include "exchange/import-path.h"
#include "pack/content.h"
#include "pack/filter.h"
#include "pack/report.h"
#include "shard/shard-format.h"

/* A tar ends with blocks of zeros, two of them if all is well. */
#define TAR_BLOCK 512
#define RETRIES 10

/* libarchive takes zeros for the end of a tar, whatever comes behind them; but
 * then it does not see whether a compressed one was read to its end.
 */
#define TAR_OPTIONS "tar:read_concatenated_archives"

static bool is_tar(const struct import *im)
{
	return (archive_format(im->archive) & ARCHIVE_FORMAT_BASE_MASK) ==
	       ARCHIVE_FORMAT_TAR;
}

void import_left_out(struct import *im, struct span path, const struct err *err)
{
	report_failed(im->opts.report, path, err);
}

/* It cannot be read further. */
static enum rc broken(struct import *im, const char *why, struct err *err)
{
	const struct import_input *in = &im->in;
	int64_t at = archive_filter_bytes(im->archive, -1);

	if (in->is_broken) {
		*err = in->failure;
		return err->rc;
	}
	if (at < 0)
		at = (int64_t)in->off;
	if (!why)
		why = archive_error_string(im->archive);
	return err_set(err, RC_CORRUPT,
		       "%s: damaged or cut after %" PRIu64
		       " entries, at byte %" PRId64 ": %.200s",
		       in->name, im->number, at, why ? why : "cannot be read");
}

/* --- content ---------------------------------------------------------------
 */

enum data_result { DATA_OK, DATA_BAD, DATA_BROKEN };

static enum data_result data_status(struct import *im, int status,
				    struct err *err)
{
	const char *text = archive_error_string(im->archive);

	if (status == ARCHIVE_OK)
		return DATA_OK;
	if (status == ARCHIVE_FATAL) {
		broken(im, NULL, err);
		return DATA_BROKEN;
	}
	err_set(err, RC_CORRUPT, "%.300s", text ? text : "cannot be read");
	return DATA_BAD;
}

/* What the spool said of a content. */
static enum data_result spool_result(enum rc rc)
{
	if (!rc)
		return DATA_OK;
	return rc == RC_LIMIT ? DATA_BAD : DATA_BROKEN;
}

/* A piece at off; size is INT64_MAX when it is not known. */
static enum data_result put_piece(struct import *im, struct import_content *c,
				  la_int64_t off, const void *p, size_t n,
				  uint64_t size, struct err *err)
{
	uint64_t at = (uint64_t)off;

	if (!n)
		return DATA_OK;
	if (off < 0 || at < c->end || at > size || n > size - at) {
		err_set(err, RC_CORRUPT,
			"data at %" PRId64 ", beyond its %" PRIu64 " bytes",
			(int64_t)off, size);
		return DATA_BAD;
	}
	return spool_result(
		import_spool_write(&im->contents, c, at, p, n, err));
}

static enum data_result read_data(struct import *im, struct import_content *c,
				  uint64_t size, struct err *err)
{
	unsigned int retries = 0;
	enum data_result result = DATA_OK;

	while (result == DATA_OK) {
		const void *p = NULL;
		size_t n = 0;
		la_int64_t off = 0;
		int status = archive_read_data_block(im->archive, &p, &n, &off);

		if (stop_requested()) {
			err_set(err, RC_STOPPED, "stopped by a signal");
			return DATA_BROKEN;
		}
		if (status == ARCHIVE_EOF)
			break;
		if (status == ARCHIVE_RETRY && retries++ < RETRIES)
			continue;
		result = data_status(im, status, err);
		if (result == DATA_OK)
			result = put_piece(im, c, off, p, n, size, err);
	}
	return result;
}

static enum data_result take_content(struct import *im, struct archive_entry *e,
				     struct import_record *r, struct err *err)
{
	bool is_known = archive_entry_size_is_set(e);
	bool is_sparse = archive_entry_sparse_count(e) > 0;
	int64_t stated = is_known ? archive_entry_size(e) : INT64_MAX;
	uint64_t size = stated < 0 ? 0 : (uint64_t)stated;
	struct import_content c;
	enum data_result result;

	/* Before it is read, which would take days. */
	if (!content_fits(size, BLOCK_SIZE_MAX) && is_known) {
		err_set(err, RC_LIMIT,
			"%" PRIu64 " bytes, more than a file can have", size);
		return DATA_BAD;
	}
	result = spool_result(import_spool_begin(
		&im->contents, is_known ? size : 0, is_sparse, &c, err));
	if (result == DATA_OK)
		result = read_data(im, &c, size, err);
	if (result != DATA_OK)
		return result;
	if (!is_known)
		size = c.end;
	if (!is_sparse && c.end != size) {
		err_set(err, RC_CORRUPT,
			"ends after %" PRIu64 " bytes, not %" PRIu64, c.end,
			size);
		return DATA_BAD;
	}
	result = spool_result(import_spool_end(&im->contents, &c, size, err));
	if (result != DATA_OK)
		return result;
	r->it.size = size;
	r->place = c.place;
	r->has_content = size > 0;
	return DATA_OK;
}

/* --- entries ---------------------------------------------------------------
 */

/* What is no failure of the entry. */
static void tell_note(const struct import *im, const char *raw,
		      const char *text)
{
	CLEANUP_BUF struct buf name = { .max = 1u << 20 };

	name_escape(&name, raw, strlen(raw));
	log_warn("%s: %s: %s", im->in.name, buf_str(&name), text);
}

static enum rc note_path(struct import *im, const char *raw, struct buf *to,
			 struct err *err)
{
	bool is_absolute;
	enum rc rc = import_path(raw, to, &is_absolute, err);

	if (!rc && is_absolute && !im->has_told_absolute) {
		im->has_told_absolute = true;
		log_warn("%s: '/' at the beginning of names is left out",
			 im->in.name);
	}
	return rc;
}

static bool needs_content(const struct import_record *r,
			  struct archive_entry *e)
{
	if (r->it.type != ENTRY_REG)
		return false;
	return !r->link.len ||
	       (archive_entry_size_is_set(e) && archive_entry_size(e) > 0);
}

static enum rc take_link(struct import *im, struct archive_entry *e,
			 struct import_record *r, struct err *err)
{
	const char *target = archive_entry_hardlink(e);

	if (!target)
		return RC_OK;
	if (note_path(im, target, &im->other_path, err))
		return err_prefix(err, "hard link");
	if (!im->other_path.len)
		return err_set(err, RC_CORRUPT, "a hard link to nothing");
	r->link = span_of(im->other_path.p, im->other_path.len);
	return RC_OK;
}

/* What is to be said of it, without content. */
static enum rc look(struct import *im, struct archive_entry *e,
		    struct import_record *r, struct err *err)
{
	const char *raw = archive_entry_pathname(e);
	struct import_loss loss;
	enum rc rc;

	if (!raw)
		return err_set(err, RC_CORRUPT, "its name cannot be read");
	rc = note_path(im, raw, &im->path, err);
	if (rc) {
		buf_clear(&im->path);
		buf_append_str(&im->path, raw);
		return rc;
	}
	if (archive_entry_is_encrypted(e))
		return err_set(err, RC_UNSUPPORTED, "is encrypted");
	rc = import_record_read(e, is_tar(im), r, &im->xattrs, &loss, err);
	if (!rc && loss.text[0])
		tell_note(im, raw, loss.text);
	if (!rc)
		rc = take_link(im, e, r, err);
	if (!rc && !im->path.len && r->it.type != ENTRY_DIR)
		rc = err_set(err, RC_CORRUPT, "has no name");
	return rc;
}

static enum rc keep(struct import *im, const struct import_record *r,
		    struct err *err)
{
	import_key(span_of(im->path.p, im->path.len), im->number, &im->key);
	import_record_encode(r, &im->value);
	if (import_add(im->entries, &im->key, &im->value, err))
		return err->rc;
	return r->link.len
		       ? import_links_add(im, span_of(im->key.p, im->key.len),
					  r, err)
		       : RC_OK;
}

static bool is_excluded(const struct import *im, const struct import_record *r)
{
	return filter_excludes_below(im->opts.filter, (const char *)im->path.p,
				     im->path.len, r->it.type == ENTRY_DIR);
}

static bool may_have_links(const struct import *im)
{
	switch (archive_format(im->archive) & ARCHIVE_FORMAT_BASE_MASK) {
	case ARCHIVE_FORMAT_TAR:
	case ARCHIVE_FORMAT_CPIO:
	case ARCHIVE_FORMAT_XAR:
	case ARCHIVE_FORMAT_RAR_V5: return true;
	default: return false;
	}
}

/* Other names of it may come, which are not excluded. */
static enum rc take_excluded(struct import *im, struct archive_entry *e,
			     struct import_record *r, struct err *err)
{
	int64_t size = archive_entry_size_is_set(e) ? archive_entry_size(e)
						    : INT64_MAX;
	struct err why;

	report_excluded(im->opts.report);
	if (r->it.type == ENTRY_DIR || !may_have_links(im))
		return RC_OK;
	r->is_excluded = true;
	if (needs_content(r, e)) {
		enum data_result result = DATA_BAD;

		if (size >= 0 &&
		    import_spool_takes_excluded(&im->contents, (uint64_t)size))
			result = take_content(im, e, r, &why);
		if (result == DATA_BROKEN) {
			*err = why;
			return err->rc;
		}
		r->is_lost = result != DATA_OK;
	}
	return keep(im, r, err);
}

static enum rc take_entry(struct import *im, struct archive_entry *e,
			  struct err *err)
{
	struct import_record r;
	struct err why;

	buf_clear(&im->path);
	if (look(im, e, &r, &why)) {
		import_left_out(im, span_of(im->path.p, im->path.len), &why);
		return RC_OK;
	}
	if (is_excluded(im, &r))
		return take_excluded(im, e, &r, err);
	if (needs_content(&r, e)) {
		switch (take_content(im, e, &r, &why)) {
		case DATA_OK: break;
		case DATA_BAD:
			import_left_out(im, span_of(im->path.p, im->path.len),
					&why);
			return RC_OK;
		case DATA_BROKEN: *err = why; return why.rc;
		}
	}
	return keep(im, &r, err);
}

/* Not that a name is no text, which it need not be. */
static void tell_warning(const struct import *im, struct archive_entry *e)
{
	const char *text = archive_error_string(im->archive);
	const char *raw = archive_entry_pathname(e);

	if (text && !strstr(text, "can't be converted"))
		tell_note(im, raw ? raw : "", text);
}

/* RC_NOENT at the end. */
static enum rc next(struct import *im, struct archive_entry **ret,
		    struct err *err)
{
	int64_t before = archive_filter_bytes(im->archive, 0);
	struct err why;
	int status, retries = 0;

	do {
		if (stop_requested())
			return err_set(err, RC_STOPPED, "stopped by a signal");
		status = archive_read_next_header(im->archive, ret);
		if (status == ARCHIVE_FAILED) {
			archive_library_error(im->archive, &why);
			import_left_out(im, span_of("(an entry)", 10), &why);
		}
	} while ((status == ARCHIVE_RETRY && retries++ < RETRIES) ||
		 status == ARCHIVE_FAILED);
	if (status == ARCHIVE_EOF) {
		/* libarchive is content with less. */
		if (is_tar(im) &&
		    archive_filter_bytes(im->archive, 0) - before < TAR_BLOCK)
			return broken(im, "the mark of its end is missing",
				      err);
		return err_set(err, RC_NOENT, "no more entries");
	}
	if (status < ARCHIVE_WARN)
		return broken(im, NULL, err);
	if (status == ARCHIVE_WARN)
		tell_warning(im, *ret);
	return RC_OK;
}

/* So that what comes next begins at a header.  What was compressed may be large
 * between two reads; the rest is quick, or nothing.
 */
static enum rc pass_over(struct import *im, struct err *err)
{
	bool is_plain = archive_filter_bytes(im->archive, 0) ==
			archive_filter_bytes(im->archive, -1);
	int status = is_tar(im) && !is_plain ? ARCHIVE_OK : ARCHIVE_EOF;

	while (status == ARCHIVE_OK) {
		const void *p = NULL;
		size_t n = 0;
		la_int64_t off = 0;

		if (stop_requested())
			return err_set(err, RC_STOPPED, "stopped by a signal");
		status = archive_read_data_block(im->archive, &p, &n, &off);
	}
	if (archive_read_data_skip(im->archive) < ARCHIVE_WARN)
		return broken(im, NULL, err);
	return RC_OK;
}

static enum rc read_all(struct import *im, struct err *err)
{
	struct archive_entry *e;
	enum rc rc;

	if (archive_read_open1(im->archive))
		return broken(im, NULL, err);
	while (!(rc = next(im, &e, err))) {
		rc = take_entry(im, e, err);
		if (!rc)
			rc = pass_over(im, err);
		if (rc)
			return rc;
		im->number++;
	}
	return rc == RC_NOENT ? RC_OK : rc;
}

/* No "raw" and no "mtree", which has names of other files; and for zip the
 * table of contents, as a cut one has none.
 */
static void support(struct archive *a)
{
	archive_read_support_filter_bzip2(a);
	archive_read_support_filter_compress(a);
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_lz4(a);
	archive_read_support_filter_lzip(a);
	archive_read_support_filter_lzma(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_format_7zip(a);
	archive_read_support_format_cab(a);
	archive_read_support_format_cpio(a);
	archive_read_support_format_rar(a);
	archive_read_support_format_rar5(a);
	archive_read_support_format_tar(a);
	archive_read_support_format_xar(a);
	archive_read_support_format_zip_seekable(a);
	archive_read_set_options(a, TAR_OPTIONS);
}

enum rc import_read(struct import *im, struct err *err)
{
	locale_t before = (locale_t)0;
	enum rc rc = RC_OK;

	im->archive = archive_read_new();
	if (!im->archive)
		rc = err_set(err, RC_NOMEM, "libarchive: out of memory");
	if (!rc) {
		support(im->archive);
		rc = import_input_start(im, err);
	}
	if (!rc && im->in.has_text_names)
		before = archive_library_enter();
	if (!rc)
		rc = read_all(im, err);
	if (before)
		archive_library_leave(before);
	if (im->archive)
		archive_read_free(im->archive);
	im->archive = NULL;
	return rc ? rc : import_spool_finish(&im->contents, err);
}
