/* SPDX-License-Identifier: Apache-2.0 */
/* import-path.h - names in archives of other kinds, which may be anything, made
 * uids; and keys by which these are sorted.
 *
 * Pure, for any thread.
 */
#ifndef DESFS_EXCHANGE_IMPORT_PATH_H
#define DESFS_EXCHANGE_IMPORT_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* raw without slashes at its ends, empty names and "."; empty: the top.
 * RC_ACCESS: it has a "..", RC_LIMIT: it, or a name in it, is too long.
 */
enum rc import_path(const char *raw, struct buf *ret, bool *ret_is_absolute,
		    struct err *err) MUST_CHECK;

/* Keys of a path are in the order of number; between those of a directory and
 * those of what is below it there are no others.
 */
void import_key(struct span path, uint64_t number, struct buf *ret);

/* The path of a key, and its number; false: it is none. */
bool import_key_decode(struct span key, struct buf *ret_path,
		       uint64_t *ret_number) MUST_CHECK;

#endif
