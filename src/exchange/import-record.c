/* SPDX-License-Identifier: Apache-2.0 */
/* import-record.c - what a backup says of an entry, as an item, and that as
 * bytes.
 */
#include "config.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rd.h"
#include "base/wr.h"
#include "exchange/import-backend.h"

#define XATTR_KEY_MAX 255
#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

/* --- as bytes --------------------------------------------------------------
 */

void import_record_encode(const struct import_record *r, struct buf *out)
{
	buf_clear(out);
	wr_u8(out, r->has_content);
	wr_u8(out, r->is_excluded);
	wr_u8(out, r->is_lost);
	wr_u64(out, r->place);
	wr_u32(out, (uint32_t)r->link.len);
	buf_append(out, r->link.p, r->link.len);
	item_encode(&r->it, out);
}

enum rc import_record_decode(struct span value, struct import_record *ret,
			     struct err *err)
{
	struct rd r = { .p = (const uint8_t *)value.p, .left = value.len };

	*ret = (struct import_record){ .has_content = rd_u8(&r) };
	ret->is_excluded = rd_u8(&r);
	ret->is_lost = rd_u8(&r);
	ret->place = rd_le(&r, 8);
	ret->link.len = rd_le(&r, 4);
	ret->link.p = (const char *)rd_take(&r, ret->link.len);
	if (!rd_ok(&r))
		return err_set(err, RC_IO, "temporary data are damaged");
	return item_decode(r.p, r.left, &ret->it, err);
}

/* --- extended attributes ---------------------------------------------------
 */

struct attribute {
	size_t name, name_len; /* in names */
	const void *value;
	size_t value_len;
};

struct attributes {
	struct attribute *v;
	size_t n, cap;
	struct buf names;
};

/* -1: none. */
static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* GNU tar and libarchive write '=' and '%' as %3D and %25. */
static void append_name(struct buf *to, const char *s)
{
	for (; *s; s++) {
		int high = *s == '%' ? digit(s[1]) : -1;
		int low = high < 0 ? -1 : digit(s[2]);

		if (low < 0 || !(high | low)) {
			wr_u8(to, (uint8_t)*s);
			continue;
		}
		wr_u8(to, (uint8_t)(high << 4 | low));
		s += 2;
	}
}

static enum rc take_attribute(struct attributes *as, const char *name,
			      bool is_tar, const void *value, size_t len,
			      struct err *err)
{
	struct attribute a = { .name = as->names.len,
			       .value = value,
			       .value_len = len };

	if (is_tar)
		append_name(&as->names, name);
	else
		buf_append_str(&as->names, name);
	if (!buf_ok(&as->names))
		return err_set(err, RC_NOMEM, "out of memory");
	a.name_len = as->names.len - a.name;
	if (!a.name_len || a.name_len > XATTR_KEY_MAX)
		return err_set(err, RC_LIMIT,
			       "an attribute's name of %zu bytes", a.name_len);
	as->v = mem_grow(as->v, &as->cap, as->n + 1, sizeof(*as->v));
	as->v[as->n++] = a;
	return RC_OK;
}

static struct span name_of(const struct attributes *as,
			   const struct attribute *a)
{
	return span_of(as->names.p + a->name, a->name_len);
}

static int compare(const void *a, const void *b, void *arg)
{
	return span_compare(name_of(arg, a), name_of(arg, b));
}

static bool has_attribute(const struct attributes *as, const char *name)
{
	for (size_t i = 0; i < as->n; i++)
		if (span_equal(name_of(as, &as->v[i]),
			       span_of(name, strlen(name))))
			return true;
	return false;
}

/* A mode has the mask, where there is one, in the place of the group's; but
 * libarchive has put the group's own there.  Without a list that stays, within
 * what the mask allowed.
 */
static void mask_mode(struct item *it, unsigned int mask, bool is_kept)
{
	unsigned int bits = (it->mode & 070u) & mask << 3;

	if (mask < 8)
		it->mode = (uint16_t)((it->mode & ~070u) |
				      (is_kept ? mask << 3 : bits));
}

/* Lists that are written as text; value must stay as long as as. */
static enum rc read_acl(struct archive_entry *e, bool is_default,
			struct attributes *as, struct item *it,
			struct buf *value, struct import_loss *loss,
			struct err *err)
{
	const char *name = is_default ? ACL_DEFAULT : ACL_ACCESS;
	/* With numbers, which need not be known. */
	bool is_there = has_attribute(as, name);
	unsigned int mask;
	struct err why;
	enum rc rc = import_acl(e, is_default, value, &mask, &why);

	if (!is_default)
		mask_mode(it, mask, is_there || !rc);
	if (is_there)
		return RC_OK;
	if (rc) {
		snprintf(loss->text, sizeof(loss->text),
			 "its access list is not kept: %.120s", why.msg);
		return RC_OK;
	}
	if (!value->len)
		return RC_OK;
	if (!buf_ok(value))
		return err_set(err, RC_NOMEM, "out of memory");
	return take_attribute(as, name, false, value->p, value->len, err);
}

static enum rc read_all_xattrs(struct archive_entry *e, bool is_tar,
			       struct attributes *as, struct err *err)
{
	const char *name;
	const void *value;
	size_t len, total = 0;

	archive_entry_xattr_reset(e);
	while (!archive_entry_xattr_next(e, &name, &value, &len)) {
		if (!name)
			continue;
		total += strlen(name) + len;
		if (len > XATTRS_MAX || total > XATTRS_MAX)
			return err_set(err, RC_LIMIT,
				       "attributes of more than %u bytes",
				       XATTRS_MAX);
		if (take_attribute(as, name, is_tar, value, len, err))
			return err->rc;
	}
	return RC_OK;
}

static enum rc pack_xattrs(struct attributes *as, struct buf *to,
			   struct err *err)
{
	if (as->n)
		qsort_r(as->v, as->n, sizeof(*as->v), compare, as);
	for (size_t i = 0; i < as->n; i++) {
		const struct attribute *a = &as->v[i];

		if (!i || compare(a - 1, a, as))
			xattr_append(to, name_of(as, a),
				     span_of(a->value, a->value_len));
	}
	if (!buf_ok(to))
		return err_set(err, RC_NOMEM, "out of memory");
	return RC_OK;
}

static enum rc read_xattrs(struct archive_entry *e, bool is_tar,
			   struct item *it, struct buf *to,
			   struct import_loss *loss, struct err *err)
{
	CLEANUP_BUF struct buf access = { .max = XATTRS_MAX };
	CLEANUP_BUF struct buf by_default = { .max = XATTRS_MAX };
	struct attributes as = { .names.max = 2 * XATTRS_MAX };
	enum rc rc = read_all_xattrs(e, is_tar, &as, err);

	if (!rc)
		rc = read_acl(e, false, &as, it, &access, loss, err);
	if (!rc)
		rc = read_acl(e, true, &as, it, &by_default, loss, err);
	buf_clear(to);
	if (!rc)
		rc = pack_xattrs(&as, to, err);
	buf_release(&as.names);
	free(as.v);
	it->xattrs = span_of(to->p, to->len);
	return rc;
}

/* --- the rest ---------------------------------------------------------------
 */

static enum rc read_type(struct archive_entry *e, enum entry_type *ret,
			 struct err *err)
{
	unsigned int type = archive_entry_filetype(e);

	/* Of a hard link formats say this or that. */
	if (type == AE_IFREG || archive_entry_hardlink(e))
		*ret = ENTRY_REG;
	else if (type == AE_IFDIR)
		*ret = ENTRY_DIR;
	else if (type == AE_IFLNK)
		*ret = ENTRY_SYMLINK;
	else if (type == AE_IFIFO)
		*ret = ENTRY_FIFO;
	else if (type == AE_IFCHR)
		*ret = ENTRY_CHR;
	else if (type == AE_IFBLK)
		*ret = ENTRY_BLK;
	else
		return err_set(err, RC_UNSUPPORTED,
			       "of a kind that cannot be packed (%o)", type);
	return RC_OK;
}

static enum rc read_owner(struct archive_entry *e, struct item *it,
			  struct err *err)
{
	la_int64_t uid = archive_entry_uid(e), gid = archive_entry_gid(e);

	if (uid < 0 || uid > UINT32_MAX || gid < 0 || gid > UINT32_MAX)
		return err_set(err, RC_LIMIT,
			       "owner %" PRId64 " and group %" PRId64
			       ", of 32 bits at most",
			       (int64_t)uid, (int64_t)gid);
	it->uid = (uint32_t)uid;
	it->gid = (uint32_t)gid;
	return RC_OK;
}

/* A pax time before 1970 is a decimal number, "-1.5"; libarchive reads that as
 * -1 seconds and half a second more.
 */
static void read_mtime(struct archive_entry *e, bool is_tar, struct item *it)
{
	int64_t s = archive_entry_mtime(e);
	long ns = archive_entry_mtime_nsec(e);

	if (ns < 0 || ns > 999999999)
		ns = 0;
	if (is_tar && s < 0 && s > INT64_MIN && ns) {
		s--;
		ns = 1000000000 - ns;
	}
	it->mtime_s = s;
	it->mtime_ns = (uint32_t)ns;
}

enum rc import_record_read(struct archive_entry *e, bool is_tar,
			   struct import_record *ret, struct buf *xattrs,
			   struct import_loss *ret_loss, struct err *err)
{
	struct item *it = &ret->it;
	enum rc rc;

	ret_loss->text[0] = '\0';
	*ret = (struct import_record){ .it.dir = ITEM_NO_DIR };
	rc = read_type(e, &it->type, err);
	if (!rc)
		rc = read_owner(e, it, err);
	if (rc)
		return rc;
	it->mode = archive_entry_perm(e) & 07777;
	read_mtime(e, is_tar, it);
	it->nlink = it->type != ENTRY_DIR;
	if (it->type == ENTRY_SYMLINK) {
		const char *target = archive_entry_symlink(e);

		it->target = span_of(target, target ? strlen(target) : 0);
		it->size = it->target.len;
	} else if (it->type == ENTRY_CHR || it->type == ENTRY_BLK) {
		it->rdev_major = (uint32_t)archive_entry_rdevmajor(e);
		it->rdev_minor = (uint32_t)archive_entry_rdevminor(e);
	}
	return read_xattrs(e, is_tar, it, xattrs, ret_loss, err);
}
