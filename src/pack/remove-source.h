/* SPDX-License-Identifier: Apache-2.0 */
/* remove-source.h - removes from the sources what the archive has proven to
 * have.
 */
#ifndef DESFS_PACK_REMOVE_SOURCE_H
#define DESFS_PACK_REMOVE_SOURCE_H

#include "base/err.h"

struct pack;

/* RC_USAGE when that may not be done with these options. */
enum rc remove_source_check(const struct pack *p, struct err *err) MUST_CHECK;
/* The same of the sources, once p->own is there. */
enum rc remove_source_check_places(const struct pack *p,
				   struct err *err) MUST_CHECK;

/* After the run was committed, or at the end of a dry one, which only tells.
 * What was packed and what was there unchanged is removed, directories
 * excepted.  Files that are kept though they were packed are reported as
 * failed.
 */
enum rc remove_source(struct pack *p, struct err *err) MUST_CHECK;

#endif
