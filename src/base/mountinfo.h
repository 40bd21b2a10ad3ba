/* SPDX-License-Identifier: Apache-2.0 */
/* mountinfo.h - what is mounted where. */
#ifndef DESFS_BASE_MOUNTINFO_H
#define DESFS_BASE_MOUNTINFO_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/err.h"

/* Is the topmost mount at path, a name as realpath(3) gives it, of desfs? It
 * is not asked, so that a daemon that is dead or stuck does not matter.
 */
MUST_CHECK enum rc mountinfo_has_desfs(const char *path, bool *ret,
				       struct err *err);

#endif
