/* SPDX-License-Identifier: Apache-2.0 */
/* attr.h - what an archive keeps of a file's attributes.
 *
 * Of the extended attributes these are kept: user.*, trusted.*,
 * security.capability and the POSIX ACLs.  The others describe the machine
 * (labels, integrity measures) and are left to it.  For one thread.
 */
#ifndef DESFS_PACK_ATTR_H
#define DESFS_PACK_ATTR_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"
#include "pack/item.h"

struct attr_reader;

struct attr_reader *attr_reader_new(void) MUST_CHECK;
void attr_reader_free(struct attr_reader *a);

/* Fill type, mode, owner, times, size, numbers from st; false for a kind of
 * file that cannot be packed (a socket).
 */
bool attr_from_stat(const struct stat *st, struct item *ret) MUST_CHECK;

/* Extended attributes and, of a symbolic link, the target of name in the
 * directory dir; name NULL means dir itself.  The spans are valid until the
 * next call.
 */
enum rc attr_read(struct attr_reader *a, int dir, const char *name,
		  struct item *it, struct err *err) MUST_CHECK;

#endif
