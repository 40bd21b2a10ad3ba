/* SPDX-License-Identifier: Apache-2.0 */
/* remove-file.h - takes a packed file out of its source, if it still is what
 * the archive has.
 */
#ifndef DESFS_PACK_REMOVE_FILE_H
#define DESFS_PACK_REMOVE_FILE_H

#include <stdint.h>

#include "base/err.h"
#include "pack/item.h"

struct attr_reader;
struct own;
struct throttle;
struct tree;

/* Where from; all borrowed, and for one thread. */
struct remove_from {
	struct tree *tree;
	const struct own *own;
	struct attr_reader *attrs;
	struct throttle *throttle; /* NULL: none */
};

/* What a name gets while it is looked at for the last time; 16 hex digits
 * follow.
 */
#define REMOVE_PREFIX ".desfs-removing-"

/* Remove the file, no directory, that want is in the tree, as the walk saw it.
 * sha256: of the archive's bytes; NULL when the file has none.  What is own
 * stays.
 *
 * A regular file is read again and compared, under a lease, which the kernel
 * gives only while nobody has the file open for writing; where there are no
 * leases, or not for us, the times alone tell that nobody wrote to it then.
 * The change time of a file with other names in the sources does not count, as
 * it changes when one of these is removed; but all that it stands for does.
 * Whatever else has taken the name in the meantime gets it back.
 *
 * RC_NOENT: it is gone already.  RC_CHANGED: it is another file, or in use.
 * RC_USAGE: it looks like the archive's.
 * Whoever calls ignores SIGIO, by which the kernel asks for a lease back.
 */
enum rc remove_file(const struct remove_from *from, const struct item *want,
		    const uint8_t *sha256, struct err *err) MUST_CHECK;

#endif
