/* SPDX-License-Identifier: Apache-2.0 */
/* get-find.h - finds what somebody knows by uid and time.  Any thread.
 *
 * A uid that cannot be a path is looked for under the path it has
 * (legacy-path.h), and one that is a directory's as well under the marked one.
 */
#ifndef DESFS_EXCHANGE_GET_FIND_H
#define DESFS_EXCHANGE_GET_FIND_H

#include <stdbool.h>

#include "base/err.h"
#include "shard/shard-entry.h"

struct volume;
struct volume_entry;

/* What is looked for; zeros are fine. */
struct get_key {
	struct span uid;
	const char *created_at; /* see get_when; NULL: the newest */
	/* In an archive of an older program, opened for the day of the time, of
	 * which there is one version only; and all paths there are of uids.  In
	 * others a uid that has another path is looked for as it is as well,
	 * since it may be the name of a file that was packed.
	 */
	bool is_legacy;
	/* Parts of it cannot be read: what is nowhere else may be there, so
	 * RC_NOENT becomes RC_CORRUPT.
	 */
	bool has_damage;
};

/* The regular file.  RC_USAGE: the time is none, or it is no file; the others
 * are volume_version's.
 */
enum rc get_find(struct volume *v, const struct get_key *key,
		 struct volume_entry *ret, struct err *err) MUST_CHECK;

#endif
