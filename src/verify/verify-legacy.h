/* SPDX-License-Identifier: Apache-2.0 */
/* verify-legacy.h - an archive of an older program read back whole: there is
 * little in it that could be compared with what it should be.
 */
#ifndef DESFS_VERIFY_VERIFY_LEGACY_H
#define DESFS_VERIFY_VERIFY_LEGACY_H

#include "base/err.h"
#include "verify/verify-backend.h"

/* Is it one?  Not if there is a descriptor, or something in its place. */
enum rc verify_is_legacy(struct verify_run *r, bool *ret,
			 struct err *err) MUST_CHECK;

enum rc verify_legacy(struct verify_run *r, struct err *err) MUST_CHECK;

#endif
