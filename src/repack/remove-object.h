/* SPDX-License-Identifier: Apache-2.0 */
/* remove-object.h - an object of the log removed in each place that has it. */
#ifndef DESFS_REPACK_REMOVE_OBJECT_H
#define DESFS_REPACK_REMOVE_OBJECT_H

#include <stdbool.h>

#include "base/err.h"

struct store;

/* All versions in all zones; what is not there is no error.  ret_is_kept: a
 * store keeps it somewhere.
 */
enum rc remove_object(struct store *st, const char *key, bool *ret_is_kept,
		      struct err *err) MUST_CHECK;

#endif
