/* SPDX-License-Identifier: Apache-2.0 */
/* salt.h - objects salts/ID: what links a receipt to the uid it is of.
 *
 * Each is 32 random bytes, there before the receipt.  Without it nobody can
 * tell whose receipt it is.
 */
#ifndef DESFS_REPACK_SALT_H
#define DESFS_REPACK_SALT_H

#include <stdint.h>

#include "base/err.h"
#include "base/hex.h"
#include "erase/receipt.h"
#include "erase/tombstone.h"

struct store;

#define SALT_PREFIX "salts/"
#define SALT_KEY_TEXT (sizeof(SALT_PREFIX) + HEX_TEXT(ERASURE_ID_LEN))

void salt_key(const uint8_t id[ERASURE_ID_LEN], char ret[SALT_KEY_TEXT]);

/* RC_NOENT: there is none, or not any more. */
enum rc salt_read(struct store *st, const uint8_t id[ERASURE_ID_LEN],
		  uint8_t ret[RECEIPT_SALT_LEN], struct err *err) MUST_CHECK;
/* The one there is, else a fresh one; who comes second gets the first one's. */
enum rc salt_make(struct store *st, const uint8_t id[ERASURE_ID_LEN],
		  uint8_t ret[RECEIPT_SALT_LEN], struct err *err) MUST_CHECK;

#endif
