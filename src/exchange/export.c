/* SPDX-License-Identifier: Apache-2.0 */
/* export.c - entries written as one tar or zip stream. */
#include "config.h"

#include "exchange/export.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "exchange/export-backend.h"

/* Bytes a write: a multiple of what tar pads its end to. */
#define TAR_RECORD 10240
#define OUT_BLOCK (100 * TAR_RECORD)
#define KEEP_MEMORY (4 << 20)
#define LEFT_MAX (64u << 20)

/* GNU tar makes attributes of SCHILY's alone, and a time in the head of a gzip
 * file would differ from run to run.
 */
#define TAR_OPTIONS "xattrheader=SCHILY"
#define GZIP_OPTIONS "gzip:!timestamp"

bool export_by_name(const char *name, enum export_format *ret_format,
		    enum export_filter *ret_filter)
{
	static const struct {
		const char *end;
		enum export_format format;
		enum export_filter filter;
	} ends[] = {
		{ ".tar", EXPORT_TAR, EXPORT_PLAIN },
		{ ".tar.gz", EXPORT_TAR, EXPORT_GZIP },
		{ ".tgz", EXPORT_TAR, EXPORT_GZIP },
		{ ".tar.bz2", EXPORT_TAR, EXPORT_BZIP2 },
		{ ".tbz2", EXPORT_TAR, EXPORT_BZIP2 },
		{ ".tar.xz", EXPORT_TAR, EXPORT_XZ },
		{ ".txz", EXPORT_TAR, EXPORT_XZ },
		{ ".tar.lz4", EXPORT_TAR, EXPORT_LZ4 },
		{ ".tar.zst", EXPORT_TAR, EXPORT_ZSTD },
		{ ".tzst", EXPORT_TAR, EXPORT_ZSTD },
		{ ".zip", EXPORT_ZIP, EXPORT_PLAIN },
	};
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		size_t n = strlen(ends[i].end);

		if (len > n && !strcasecmp(name + len - n, ends[i].end)) {
			*ret_format = ends[i].format;
			*ret_filter = ends[i].filter;
			return true;
		}
	}
	return false;
}

/* --- the stream ----------------------------------------------------------- */

enum rc export_failed(struct export *x, struct err *err)
{
	x->is_broken = true;
	if (x->out_errno)
		return err_set_errno(err, x->out_errno, "output");
	return archive_library_error(x->archive, err);
}

static int out_open(struct archive *a, void *arg)
{
	(void)a;
	(void)arg;
	return ARCHIVE_OK;
}

static la_ssize_t out_write(struct archive *a, void *arg, const void *p,
			    size_t len)
{
	struct export *x = arg;

	(void)a;
	if (!x->is_broken && !x->out_errno && io_write(x->opts.fd, p, len))
		x->out_errno = errno;
	return (la_ssize_t)len;
}

static int add_filter(struct export *x)
{
	switch (x->opts.filter) {
	case EXPORT_PLAIN: return ARCHIVE_OK;
	case EXPORT_GZIP: return archive_write_add_filter_gzip(x->archive);
	case EXPORT_BZIP2: return archive_write_add_filter_bzip2(x->archive);
	case EXPORT_XZ: return archive_write_add_filter_xz(x->archive);
	case EXPORT_LZ4: return archive_write_add_filter_lz4(x->archive);
	case EXPORT_ZSTD: return archive_write_add_filter_zstd(x->archive);
	}
	return ARCHIVE_FATAL;
}

/* libarchive takes and returns a quarter of a MiB for each file of a zip: kept,
 * the kernel need not clear it each time.
 */
static void keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, KEEP_MEMORY);
	mallopt(M_TRIM_THRESHOLD, KEEP_MEMORY);
	mallopt(M_TOP_PAD, KEEP_MEMORY / 4);
}

static int set_format(struct export *x)
{
	struct archive *a = x->archive;

	if (x->opts.format == EXPORT_ZIP) {
		keep_memory();
		return archive_write_set_format_zip(a);
	}
	return archive_write_set_format_pax(a) ||
	       archive_write_set_options(a, TAR_OPTIONS) || add_filter(x) ||
	       (x->opts.filter == EXPORT_GZIP &&
		archive_write_set_options(a, GZIP_OPTIONS));
}

static enum rc start(struct export *x, struct err *err)
{
	bool is_padded =
		x->opts.format == EXPORT_TAR && x->opts.filter == EXPORT_PLAIN;

	x->archive = archive_write_new();
	x->entry = archive_entry_new();
	if (!x->archive || !x->entry)
		return err_set(err, RC_NOMEM, "libarchive: out of memory");
	/* A warning of a filter, too: it would be a program's. */
	if (set_format(x) ||
	    archive_write_set_bytes_per_block(x->archive, OUT_BLOCK) ||
	    archive_write_set_bytes_in_last_block(x->archive,
						  is_padded ? TAR_RECORD : 1) ||
	    archive_write_open(x->archive, x, out_open, out_write, NULL))
		return export_failed(x, err);
	x->is_open = true;
	return RC_OK;
}

enum rc export_open(struct export **ret, const struct export_options *opts,
		    struct err *err)
{
	locale_t before;
	struct export *x;
	enum rc rc;

	rc = archive_library_load(err);
	if (rc)
		return rc;
	x = xcalloc(1, sizeof(*x));
	x->opts = *opts;
	before = archive_library_enter();
	rc = start(x, err);
	archive_library_leave(before);
	if (!rc)
		rc = export_content_init(x, err);
	if (rc)
		export_free(x);
	else
		*ret = x;
	return rc;
}

void export_free(struct export *x)
{
	if (!x)
		return;
	/* Ended in order, it goes nowhere; but a large file would take its
	 * time.
	 */
	x->is_broken = true;
	if (x->is_open && x->left > LEFT_MAX)
		archive_write_fail(x->archive);
	if (x->archive)
		archive_write_free(x->archive);
	if (x->entry)
		archive_entry_free(x->entry);
	export_content_release(x);
	export_link_release(x);
	free(x);
}

enum rc export_finish(struct export *x, struct err *err)
{
	locale_t before;
	int status;

	if (x->is_broken)
		return export_failed(x, err);
	before = archive_library_enter();
	status = archive_write_close(x->archive);
	archive_library_leave(before);
	x->is_open = false;
	if (status || x->out_errno)
		return export_failed(x, err);
	return RC_OK;
}

bool export_is_broken(const struct export *x)
{
	return x->is_broken;
}

void export_totals(const struct export *x, struct export_totals *ret)
{
	*ret = x->totals;
}

/* --- an entry's header ---------------------------------------------------- */

/* libarchive writes '=' and '%' in names as %3D and %25, as GNU tar does; and
 * others, too, which that one takes as they are.
 */
static bool has_odd_xattr(const struct entry *e)
{
	struct span key, value;
	size_t pos = 0;

	while (xattr_next(e->xattrs, &pos, &key, &value))
		for (size_t i = 0; i < key.len; i++)
			if ((uint8_t)key.p[i] < 33 || (uint8_t)key.p[i] > 126)
				return true;
	return false;
}

static void set_xattr(struct export *x, struct span name, struct span value)
{
	CLEANUP_FREE char *key = xmemdup0(name.p, name.len);

	archive_entry_xattr_add_entry(x->entry, key, value.p, value.len);
}

static unsigned int file_type(enum entry_type type)
{
	switch (type) {
	case ENTRY_REG: return AE_IFREG;
	case ENTRY_DIR: return AE_IFDIR;
	case ENTRY_SYMLINK: return AE_IFLNK;
	case ENTRY_FIFO: return AE_IFIFO;
	case ENTRY_CHR: return AE_IFCHR;
	case ENTRY_BLK: return AE_IFBLK;
	case ENTRY_WHITEOUT: break;
	}
	return 0;
}

/* A pax time is a decimal number, "-1.5".  libarchive writes the sign and the
 * seconds, and behind them the nanoseconds, which in ours count upwards.  There
 * is no "-0", so the second before 1970 is not divided.
 */
static void set_mtime(struct export *x, const struct entry *e)
{
	int64_t s = e->mtime_s;
	uint32_t ns = e->mtime_ns;

	if (s < 0 && ns && x->opts.format == EXPORT_TAR) {
		ns = s < -1 ? 1000000000 - ns : 0;
		s += s < -1;
	}
	archive_entry_set_mtime(x->entry, (time_t)s, (long)ns);
}

static void set_attributes(struct export *x, const struct entry *e)
{
	struct archive_entry *to = x->entry;

	archive_entry_set_filetype(to, file_type(e->type));
	archive_entry_set_perm(to, e->mode & 07777);
	archive_entry_set_uid(to, e->uid);
	archive_entry_set_gid(to, e->gid);
	set_mtime(x, e);
	if (e->type == ENTRY_CHR || e->type == ENTRY_BLK) {
		archive_entry_set_rdevmajor(to, e->rdev_major);
		archive_entry_set_rdevminor(to, e->rdev_minor);
	}
}

static void set_header(struct export *x, struct span path,
		       const struct entry *e, const char *link)
{
	struct archive_entry *to = x->entry;
	CLEANUP_FREE char *name = xmemdup0(path.p, path.len);
	struct span key, value;
	size_t pos = 0;

	archive_entry_clear(to);
	archive_entry_copy_pathname(to, path.len ? name : ".");
	set_attributes(x, e);
	if (link) {
		archive_entry_copy_hardlink(to, link);
		return;
	}
	archive_entry_set_size(to,
			       e->type == ENTRY_REG ? (la_int64_t)e->size : 0);
	if (e->type == ENTRY_SYMLINK) {
		CLEANUP_FREE char *target =
			xmemdup0(e->target.p, e->target.len);

		archive_entry_copy_symlink(to, target);
	}
	if (x->opts.format == EXPORT_ZIP)
		return;
	while (xattr_next(e->xattrs, &pos, &key, &value))
		set_xattr(x, key, value);
}

/* A warning is of names that are not UTF-8, which are there all the same. */
static enum rc put_header(struct export *x, struct err *err)
{
	int status = archive_write_header(x->archive, x->entry);

	if (status == ARCHIVE_FAILED)
		return archive_library_error(x->archive, err);
	if (status < ARCHIVE_WARN || x->out_errno)
		return export_failed(x, err);
	return RC_OK;
}

static bool is_utf8(struct span s)
{
	while (s.len) {
		uint32_t c;
		size_t n = utf8_decode(s.p, s.len, &c);

		if (!n)
			return false;
		s = span_after(s, n);
	}
	return true;
}

/* --- an entry ------------------------------------------------------------- */

static bool has_place(struct export *x, struct span path, const struct entry *e)
{
	if (x->opts.format == EXPORT_TAR)
		return true;
	if (e->type != ENTRY_REG && e->type != ENTRY_DIR &&
	    e->type != ENTRY_SYMLINK) {
		x->totals.no_special++;
		return false;
	}
	return path.len;
}

static void count(struct export *x, const struct entry *e, bool is_link)
{
	struct export_totals *t = &x->totals;

	t->no_meta += e->meta.len > 0;
	t->no_xattrs += e->xattrs.len > 0 && x->opts.format == EXPORT_ZIP;
	if (is_link) {
		t->links++;
		return;
	}
	t->odd_xattrs += x->opts.format == EXPORT_TAR && has_odd_xattr(e);
	t->files += e->type == ENTRY_REG;
	t->bytes += e->type == ENTRY_REG ? e->size : 0;
	t->dirs += e->type == ENTRY_DIR;
	t->others += e->type != ENTRY_REG && e->type != ENTRY_DIR;
}

static enum rc put_entry(struct export *x, struct span path,
			 const struct entry *e,
			 const struct restore_source *src, struct err *err)
{
	const char *link = export_link_find(x, path, e);
	struct export_content c = { .e = e, .src = src };
	bool has_content;
	enum rc rc = RC_OK;

	if (link && x->opts.format == EXPORT_ZIP) {
		x->totals.no_link++;
		link = NULL;
	}
	has_content = e->type == ENTRY_REG && !link;
	set_header(x, path, e, link);
	if (has_content)
		rc = export_content_begin(x, &c, err);
	if (!rc)
		rc = put_header(x, err);
	if (rc)
		return rc;
	count(x, e, link);
	x->left = has_content ? e->size : 0;
	if (has_content)
		rc = export_content_data(x, &c, err);
	if (!x->is_broken &&
	    (archive_write_finish_entry(x->archive) < ARCHIVE_WARN ||
	     x->out_errno))
		rc = export_failed(x, err);
	if (!rc)
		export_link_note(x, path, e);
	return rc;
}

enum rc export_entry(struct export *x, struct span path, const struct entry *e,
		     const struct restore_source *src, struct err *err)
{
	locale_t before;
	enum rc rc;

	if (x->is_broken)
		return export_failed(x, err);
	if (e->type == ENTRY_WHITEOUT ||
	    (e->type == ENTRY_DIR && e->implicit) || !has_place(x, path, e))
		return RC_OK;
	/* In a zip the locale says whether a name is marked as UTF-8. */
	if (x->opts.format == EXPORT_ZIP && !is_utf8(path))
		return put_entry(x, path, e, src, err);
	before = archive_library_enter();
	rc = put_entry(x, path, e, src, err);
	archive_library_leave(before);
	return rc;
}
