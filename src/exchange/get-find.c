/* SPDX-License-Identifier: Apache-2.0 */
/* get-find.c - finds what somebody knows by uid and time. */
#include "config.h"

#include "exchange/get-find.h"

#include "base/buf.h"
#include "exchange/get-content.h"
#include "exchange/get-when.h"
#include "legacy/legacy-path.h"
#include "volume/volume.h"

/* A path is not there, or is another thing: there may be another path. */
static bool may_go_on(enum rc rc)
{
	return rc == RC_NOENT || rc == RC_USAGE || rc == RC_DELETED;
}

static enum rc find_path(struct volume *v, struct span path,
			 const struct volume_when *when,
			 struct volume_entry *ret, struct err *err)
{
	struct volume_entry ve;
	enum rc rc = volume_version(v, path, when, &ve, err);

	if (rc)
		return rc;
	rc = get_check_type(&ve, err);
	if (rc)
		volume_entry_release(&ve);
	else
		*ret = ve;
	return rc;
}

/* The first error counts, unless a later one says more. */
static enum rc find_other(struct volume *v, struct span path,
			  const struct volume_when *when,
			  struct volume_entry *ret, struct err *err)
{
	struct err other;
	enum rc rc = find_path(v, path, when, ret, &other);

	if (!rc)
		return RC_OK;
	if (rc != RC_NOENT && (err->rc == RC_NOENT || !may_go_on(rc)))
		*err = other;
	return err->rc;
}

static enum rc find_form(struct volume *v, struct span uid,
			 enum legacy_path_form form,
			 const struct volume_when *when,
			 struct volume_entry *ret, struct err *err)
{
	CLEANUP_BUF struct buf path = { .max = LEGACY_PATH_MAX };
	struct err none;
	struct span span;

	/* What has no path is nowhere. */
	if (legacy_path_of(uid, form, &path, &none))
		return form == LEGACY_PATH_PLAIN
			       ? err_set(err, RC_NOENT, "no such file")
			       : err->rc;
	span = span_of((const char *)path.p, path.len);
	if (form == LEGACY_PATH_PLAIN)
		return find_path(v, span, when, ret, err);
	return find_other(v, span, when, ret, err);
}

/* What was deleted is nowhere for that, and the sidecar that says so was read,
 * whatever else was not.  But of all days, one that was not read may have it.
 */
static enum rc look_for_tombstone(struct volume *v, const struct get_key *key,
				  struct err *err)
{
	bool has_day = key->created_at && *key->created_at;
	bool is_deleted = false;
	struct err other;

	if (!key->is_legacy || (key->has_damage && !has_day))
		return err->rc;
	if (volume_legacy_is_deleted(v, key->uid, &is_deleted, &other))
		*err = other;
	else if (is_deleted)
		err_set(err, RC_DELETED, "was deleted");
	return err->rc;
}

/* In words that fit. */
static enum rc is_nowhere(const struct get_key *key, struct err *err)
{
	if (key->has_damage)
		return err_set(err, RC_CORRUPT,
			       "is not in what can be read of the archive");
	if (key->is_legacy && key->created_at && *key->created_at)
		return err_set(err, RC_NOENT, "is not there on that day");
	return err->rc;
}

enum rc get_find(struct volume *v, const struct get_key *key,
		 struct volume_entry *ret, struct err *err)
{
	struct volume_when when;
	enum rc rc = get_when(key->created_at, &when, err);

	if (rc)
		return rc;
	if (key->is_legacy)
		when.has_time = false;
	rc = find_form(v, key->uid, LEGACY_PATH_PLAIN, &when, ret, err);
	if (may_go_on(rc))
		rc = find_form(v, key->uid, LEGACY_PATH_MARKED, &when, ret,
			       err);
	if (may_go_on(rc) && !key->is_legacy && key->uid.len &&
	    !legacy_path_is_uid(key->uid))
		rc = find_other(v, key->uid, &when, ret, err);
	if (may_go_on(rc))
		rc = look_for_tombstone(v, key, err);
	return rc == RC_NOENT ? is_nowhere(key, err) : rc;
}
