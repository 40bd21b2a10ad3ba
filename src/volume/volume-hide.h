/* SPDX-License-Identifier: Apache-2.0 */
/* volume-hide.h - what tombstones hide, and which directories they leave empty.
 *
 * For volume*.c only.  A deleted version is left out wherever an entry would be
 * shown or read.  A deleted directory is not, while something is left below it:
 * like one that was inferred, it is shown as long as there is.  Where nothing
 * is deleted all of this takes a branch.
 */
#ifndef DESFS_VOLUME_VOLUME_HIDE_H
#define DESFS_VOLUME_VOLUME_HIDE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "erase/tombstone-set.h"
#include "volume/view.h"
#include "volume/volume-state.h"

static inline bool view_hides(const struct view *view, const struct entry *e)
{
	return tombstone_set_hides(view->deleted, e->parent, e->name,
				   e->created_at);
}

static inline bool volume_has_deleted(struct volume *v)
{
	return atomic_load_explicit(&v->has_deleted, memory_order_acquire);
}

/* Make of a deleted directory's entry one that was inferred.  It stays as
 * opaque as it was: what it hid is not to be seen because of that.  So does its
 * mode, which may keep others from what is below.
 */
void volume_infer(struct entry *e);

/* Whether a directory that was inferred has something below it that is not
 * deleted: in the tree, or on the day.  Others are shown always.
 */
enum rc volume_dir_is_shown(struct volume *v, const struct view *view,
			    const struct view_day *day,
			    const struct volume_entry *dir, bool *ret,
			    struct err *err) MUST_CHECK;

/* RC_DELETED, if the entry is by now. */
enum rc volume_check_deleted(struct volume *v, const struct entry *e,
			     struct err *err) MUST_CHECK;
static inline enum rc volume_check_live(struct volume *v, const struct entry *e,
					struct err *err)
{
	return volume_has_deleted(v) ? volume_check_deleted(v, e, err) : RC_OK;
}

/* The same for an entry of any type that was got by its node, which becomes
 * what is shown.
 */
enum rc volume_admit(struct volume *v, struct volume_entry *ve,
		     struct err *err) MUST_CHECK;

#endif
