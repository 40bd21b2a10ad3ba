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

/* Give the calling thread a working directory of its own, if the system lets
 * it: then the attributes of a name cost no path.  For threads made for this.
 */
void attr_own_directory(struct attr_reader *a);

/* True when the attributes of names are to be had through /proc alone. */
bool attr_needs_proc(const struct attr_reader *a) MUST_CHECK;

/* The directory, open as dir, that the names which follow are in. */
void attr_enter(struct attr_reader *a, int dir);

/* Extended attributes and, of a symbolic link, the target of a name.  The spans
 * are valid until the next call.
 */
enum rc attr_read(struct attr_reader *a, const char *name, struct item *it,
		  struct err *err) MUST_CHECK;

/* Those of the directory open as fd itself. */
enum rc attr_read_dir(struct attr_reader *a, int fd, struct item *it,
		      struct err *err) MUST_CHECK;

#endif
