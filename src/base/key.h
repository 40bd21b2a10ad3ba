/* SPDX-License-Identifier: Apache-2.0 */
/* key.h - object keys: parts with '/' between them.
 *
 * A key has 1 to KEY_MAX bytes, does not begin or end with '/', and has no
 * part that is empty, "." or "..", or longer than KEY_PART_MAX; no byte is a
 * control character.  So a valid key names something beneath the root it is
 * opened at, in a directory as in S3.
 */
#ifndef DESFS_BASE_KEY_H
#define DESFS_BASE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define KEY_MAX 1024
#define KEY_PART_MAX 255

bool key_is_valid(const char *key) MUST_CHECK;

/* "a" and "b" give "a/b", an empty one gives the other; free() the result. */
char *key_join(const char *dir, const char *name) MUST_CHECK;

/* Length of what is before the last '/', 0 without one; *ret_name is the last
 * part, borrowed from key.
 */
size_t key_split(const char *key, const char **ret_name);

/* For tables in memory. */
uint64_t key_hash(const char *key);

#endif
