/* SPDX-License-Identifier: Apache-2.0 */
/* table.h - uthash's hash tables, with a hash function that every compiler
 * takes without a warning.
 *
 * One table is private to one source file; see uthash's manual for the macros.
 */
#ifndef DESFS_BASE_TABLE_H
#define DESFS_BASE_TABLE_H

#define HASH_FUNCTION(key, len, hash) HASH_FNV(key, len, hash)

#include <uthash.h>

#endif
