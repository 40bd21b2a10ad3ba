/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-size.h - whether a file can be as large as an older index says.
 *
 * An index of a few bytes may claim any size, and what is made of it grows with
 * that.  So larger files are looked at first; any thread.
 */
#ifndef DESFS_LEGACY_LEGACY_SIZE_H
#define DESFS_LEGACY_LEGACY_SIZE_H

#include "base/err.h"
#include "legacy/legacy-raw.h"
#include "legacy/legacy-set.h"

/* text is that of the record.  RC_CORRUPT: it is not so large, or cannot be
 * read; all else says nothing of the file.
 */
enum rc legacy_size_check(const struct legacy_set_options *o,
			  const struct legacy_raw *r, struct span text,
			  struct err *err) MUST_CHECK;

#endif
