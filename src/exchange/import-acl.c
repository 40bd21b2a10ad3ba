/* SPDX-License-Identifier: Apache-2.0 */
/* import-acl.c - POSIX access lists of a backup, as the extended attributes
 * that Linux has for them.
 */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/wr.h"
#include "exchange/import-backend.h"

#define ACL_VERSION 2
#define ACL_NO_ID UINT32_MAX
#define ACL_NO_MASK 8
#define ACL_MAX 8000      /* what 64 KiB hold */
#define LOOK_UP_MIN 8192u /* bytes, for a user or a group */
#define LOOK_UP_MAX (4u << 20)

/* Of Linux, in the order in which a list has them. */
enum acl_tag {
	ACL_OWNER = 0x01,
	ACL_USER = 0x02,
	ACL_OWNING_GROUP = 0x04,
	ACL_GROUP = 0x08,
	ACL_MASK = 0x10,
	ACL_OTHERS = 0x20,
};

struct acl_row {
	enum acl_tag tag;
	unsigned int perms; /* as in a mode: 4, 2, 1 */
	uint32_t id;
};

static bool tag_of(int tag, enum acl_tag *ret)
{
	switch (tag) {
	case ARCHIVE_ENTRY_ACL_USER_OBJ: *ret = ACL_OWNER; return true;
	case ARCHIVE_ENTRY_ACL_USER: *ret = ACL_USER; return true;
	case ARCHIVE_ENTRY_ACL_GROUP_OBJ: *ret = ACL_OWNING_GROUP; return true;
	case ARCHIVE_ENTRY_ACL_GROUP: *ret = ACL_GROUP; return true;
	case ARCHIVE_ENTRY_ACL_MASK: *ret = ACL_MASK; return true;
	case ARCHIVE_ENTRY_ACL_OTHER: *ret = ACL_OTHERS; return true;
	default: return false;
	}
}

static int compare(const void *a, const void *b)
{
	const struct acl_row *x = a, *y = b;

	if (x->tag != y->tag)
		return x->tag < y->tag ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/* GNU tar writes names alone, and looks them up when it unpacks.  A group may
 * have many members.
 */
static int look_up_in(const char *name, bool is_group, char *room, size_t len,
		      bool *ret_found, uint32_t *ret)
{
	struct passwd pw, *has_pw = NULL;
	struct group gr, *has_gr = NULL;
	int errnum;

	if (is_group) {
		errnum = getgrnam_r(name, &gr, room, len, &has_gr);
		*ret_found = has_gr;
		*ret = has_gr ? gr.gr_gid : 0;
	} else {
		errnum = getpwnam_r(name, &pw, room, len, &has_pw);
		*ret_found = has_pw;
		*ret = has_pw ? pw.pw_uid : 0;
	}
	return errnum;
}

static enum rc look_up(const char *name, bool is_group, uint32_t *ret,
		       struct err *err)
{
	bool is_found = false;
	int errnum = ERANGE;

	for (size_t len = LOOK_UP_MIN; errnum == ERANGE && len <= LOOK_UP_MAX;
	     len *= 2) {
		char *room = xcalloc(1, len);

		errnum = look_up_in(name, is_group, room, len, &is_found, ret);
		free(room);
	}
	if (is_found)
		return RC_OK;
	if (errnum == ERANGE || errnum == EIO || errnum == EMFILE ||
	    errnum == ENFILE || errnum == ENOMEM)
		return err_set_errno(err, errnum, "'%.100s'", name);
	return err_set(err, RC_UNSUPPORTED, "'%.100s' is not known here", name);
}

/* false: there are no more. */
static bool next_row(struct archive_entry *e, int type, struct acl_row *ret,
		     struct err *err)
{
	int perms, tag, id;
	const char *name;

	if (archive_entry_acl_next(e, type, &type, &perms, &tag, &id, &name) !=
	    ARCHIVE_OK)
		return false;
	ret->perms = (unsigned int)perms & 7;
	ret->id = ACL_NO_ID;
	/* What is wrong with the first is enough; but all have to be seen. */
	if (!tag_of(tag, &ret->tag)) {
		ret->tag = ACL_OTHERS;
		if (!err->rc)
			err_set(err, RC_UNSUPPORTED, "of a kind of its own");
	} else if (ret->tag == ACL_USER || ret->tag == ACL_GROUP) {
		ret->id = (uint32_t)id;
		if (id < 0 && !err->rc)
			(void)look_up(name ? name : "", ret->tag == ACL_GROUP,
				      &ret->id, err);
	}
	return true;
}

enum rc import_acl(struct archive_entry *e, bool is_default, struct buf *ret,
		   unsigned int *ret_mask, struct err *err)
{
	int type = is_default ? ARCHIVE_ENTRY_ACL_TYPE_DEFAULT
			      : ARCHIVE_ENTRY_ACL_TYPE_ACCESS;
	int n = archive_entry_acl_reset(e, type);
	struct acl_row *rows;
	size_t n_rows = 0;

	*ret_mask = ACL_NO_MASK;
	err->rc = RC_OK;
	if (n <= 0)
		return RC_OK;
	rows = xcalloc((size_t)n, sizeof(*rows));
	while (n_rows < (size_t)n && next_row(e, type, &rows[n_rows], err)) {
		if (rows[n_rows].tag == ACL_MASK)
			*ret_mask = rows[n_rows].perms;
		n_rows++;
	}
	if (!err->rc && n_rows > ACL_MAX)
		err_set(err, RC_LIMIT, "%zu rows", n_rows);
	if (!err->rc) {
		qsort(rows, n_rows, sizeof(*rows), compare);
		wr_u32(ret, ACL_VERSION);
	}
	for (size_t i = 0; i < n_rows && !err->rc; i++) {
		wr_u16(ret, (uint16_t)rows[i].tag);
		wr_u16(ret, (uint16_t)rows[i].perms);
		wr_u32(ret, rows[i].id);
	}
	free(rows);
	return err->rc;
}
