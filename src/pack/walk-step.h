/* SPDX-License-Identifier: Apache-2.0 */
/* walk-step.h - what all ways of walking do with one name; for walk*.c only.
 *
 * A step is one thread's.
 */
#ifndef DESFS_PACK_WALK_STEP_H
#define DESFS_PACK_WALK_STEP_H

#include <sys/stat.h>

#include "base/buf.h"
#include "pack/attr.h"
#include "pack/walk.h"

struct walk_step {
	const struct walk_options *opts;
	unsigned int walker; /* its number */
	struct attr_reader *attrs;
	struct buf uid; /* of what is looked at */
	/* Not reported yet. */
	uint64_t n_found, found_bytes;
};

/* The walker's number is below opts->n_walkers.  From the thread itself, which
 * gets a working directory of its own and so must be made for the walk.
 */
enum rc walk_step_init(struct walk_step *w, const struct walk_options *opts,
		       unsigned int walker, struct err *err) MUST_CHECK;
void walk_step_release(struct walk_step *w);

/* Report what was found since; to be called now and then. */
void walk_step_report(struct walk_step *w);

/* Report the name in w->uid as failed and keep what the archive has of it. */
void walk_fail(struct walk_step *w, const struct err *err);

/* w->uid becomes parent_len bytes of itself, '/', name.  False, and reported,
 * when that is too long.
 */
bool walk_set_uid(struct walk_step *w, size_t parent_len, const char *name);

/* Emit w->uid, which st describes: name in the directory that attr_enter was
 * called with last.  it gives source, dir and nlink of directories, all else is
 * filled in.
 */
enum rc walk_emit(struct walk_step *w, const char *name, const struct stat *st,
		  const struct item *it, struct err *err) MUST_CHECK;

/* The same of the directory open as fd. */
enum rc walk_emit_dir(struct walk_step *w, int fd, const struct stat *st,
		      const struct item *it, struct err *err) MUST_CHECK;

/* Add the directory w->uid to opts->dirs. */
enum rc walk_add_dir(struct walk_step *w, const struct stat *st,
		     uint64_t parent, uint64_t *ret,
		     struct err *err) MUST_CHECK;

/* The archive's root when no source is it: implicit. */
enum rc walk_add_root(const struct walk_options *opts, uint64_t *ret,
		      struct err *err) MUST_CHECK;

/* Does a pattern leave out w->uid?  Then that is reported. */
bool walk_is_excluded(struct walk_step *w, bool is_dir);

/* Is the directory w->uid the archive, or in it?  Then that is reported. */
bool walk_is_archive(struct walk_step *w, const struct stat *st);
/* The same by what the directory name in dir holds. */
bool walk_holds_archive(struct walk_step *w, int dir, const char *name);

#endif
