/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-path.h - a path for each uid of an older archive, and back.
 *
 * There a uid is any text, here it is a path.  Where it can be one it stays as
 * it is; only what cannot be in a path, or would be hidden there, is written
 * with '%':
 *
 *	uid                            path
 *	a/b.txt, 100%, %41             the same
 *	/etc/passwd                    %2Fetc/passwd
 *	a//b                           a/%2Fb
 *	dir/                           dir%2F
 *	.  ..  (as parts)              %2E  %2E%2E
 *	.des  .des/x                   %2Edes  %2Edes/x
 *	a NUL in it                    %00
 *	(empty)                        %empty
 *	a part of more than 255 bytes  250 bytes%more/the rest
 *	a, where there is a/b as well  a%file
 *	50%2F, a%file, %empty          50%252F, a%25file, %25empty
 *
 * The last line: '%' is %25 where what follows would otherwise be one of these.
 * No two uids have the same path, so the uid can be had back from its path
 *alone. A marked path is that of no other uid and of no directory; an unmarked
 *one can be that of a directory, and then the mark is needed.
 *
 * "/" separates parts up to LEGACY_PATH_DEPTH of them, then it is %2F as well:
 *a uid of 65,535 bytes must not make 32,768 directories.  .des is the default
 * name of the control directory.
 *
 * All functions are pure.
 */
#ifndef DESFS_LEGACY_LEGACY_PATH_H
#define DESFS_LEGACY_LEGACY_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "shard/shard-entry.h"

#define LEGACY_PATH_MAX UID_MAX_LEN
#define LEGACY_PATH_PART_MAX 255
#define LEGACY_PATH_DEPTH 256

enum legacy_path_form {
	LEGACY_PATH_PLAIN,
	LEGACY_PATH_MARKED, /* the path is a directory as well: with %file */
};

/* True if the plain path of a uid is the uid itself: the usual case. */
bool legacy_path_is_uid(struct span uid) MUST_CHECK;

/* Replace what is in ret, initialised to hold at least LEGACY_PATH_MAX bytes,
 * by the path of a uid.  RC_LIMIT: the uid or its path is longer than that.
 */
enum rc legacy_path_of(struct span uid, enum legacy_path_form form,
		       struct buf *ret, struct err *err) MUST_CHECK;

/* Replace what is in ret, initialised likewise, by the uid of a path.  False:
 * legacy_path_of makes no such path, or memory is out.
 */
bool legacy_path_uid(struct span path, struct buf *ret,
		     enum legacy_path_form *ret_form) MUST_CHECK;

#endif
