/* SPDX-License-Identifier: Apache-2.0 */
/* salt.c - objects salts/ID: what links a receipt to the uid it is of. */
#include "config.h"

#include "repack/salt.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/unique.h"
#include "store/store-write.h"

void salt_key(const uint8_t id[ERASURE_ID_LEN], char ret[SALT_KEY_TEXT])
{
	char text[HEX_TEXT(ERASURE_ID_LEN)];

	hex_encode(id, ERASURE_ID_LEN, text);
	snprintf(ret, SALT_KEY_TEXT, SALT_PREFIX "%s", text);
}

enum rc salt_read(struct store *st, const uint8_t id[ERASURE_ID_LEN],
		  uint8_t ret[RECEIPT_SALT_LEN], struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = RECEIPT_SALT_LEN };
	char key[SALT_KEY_TEXT];

	salt_key(id, key);
	if (store_read_all(st, key, RECEIPT_SALT_LEN, &b, err))
		return err->rc;
	if (b.len != RECEIPT_SALT_LEN)
		return err_set(err, RC_CORRUPT, "%s: %zu bytes, not %d", key,
			       b.len, RECEIPT_SALT_LEN);
	memcpy(ret, b.p, RECEIPT_SALT_LEN);
	return RC_OK;
}

enum rc salt_make(struct store *st, const uint8_t id[ERASURE_ID_LEN],
		  uint8_t ret[RECEIPT_SALT_LEN], struct err *err)
{
	char key[SALT_KEY_TEXT];
	bool existed = false;
	enum rc rc = salt_read(st, id, ret, err);

	if (rc != RC_NOENT)
		return rc;
	salt_key(id, key);
	if (unique_bytes(ret, RECEIPT_SALT_LEN, err))
		return err->rc;
	rc = store_put(st, key, ret, RECEIPT_SALT_LEN, &existed, err);
	/* Its bytes are random: another's, not ours of before. */
	if (rc == RC_EXISTS)
		rc = salt_read(st, id, ret, err);
	return rc;
}
