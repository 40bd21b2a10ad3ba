/* SPDX-License-Identifier: Apache-2.0 */
/* erasure-key.h - the keys of the list of what is not to be archived again.
 *
 * They lie in a file outside of the archive that nobody else may read, as lines
 * "key = 64 hexadecimal digits".  The first one is what the list is written
 * with; the others are those it was written with before, and are asked, too.
 * No message holds a key.
 */
#ifndef DESFS_CONF_ERASURE_KEY_H
#define DESFS_CONF_ERASURE_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ERASURE_KEY_LEN 32u
#define ERASURE_KEYS_MAX 16u

struct erasure_keys {
	uint8_t v[ERASURE_KEYS_MAX][ERASURE_KEY_LEN];
	size_t n;
};

/* path is erasure_key of desfs.conf(5); NULL: there are no keys.  RC_ACCESS:
 * others may read the file; RC_USAGE: it has none, or what is no key.  To be
 * wiped after success.
 */
enum rc erasure_keys_load(const char *path, struct erasure_keys *ret,
			  struct err *err) MUST_CHECK;
void erasure_keys_wipe(struct erasure_keys *k);

/* Make a file with a fresh key, of mode 0600.  RC_EXISTS: there is one. */
enum rc erasure_key_make(const char *path, struct err *err) MUST_CHECK;

#endif
