/* SPDX-License-Identifier: Apache-2.0 */
/* salt.c - objects salts/ID: what links a receipt to the uid it is of. */
#include "config.h"

#include "repack/salt.h"

#include <stdio.h>

#include "volume/random-object.h"

_Static_assert(RECEIPT_SALT_LEN == RANDOM_OBJECT_LEN, "a salt is one");

void salt_key(const uint8_t id[ERASURE_ID_LEN], char ret[SALT_KEY_TEXT])
{
	char text[HEX_TEXT(ERASURE_ID_LEN)];

	hex_encode(id, ERASURE_ID_LEN, text);
	snprintf(ret, SALT_KEY_TEXT, SALT_PREFIX "%s", text);
}

enum rc salt_read(struct store *st, const uint8_t id[ERASURE_ID_LEN],
		  uint8_t ret[RECEIPT_SALT_LEN], struct err *err)
{
	char key[SALT_KEY_TEXT];

	salt_key(id, key);
	return random_object_read(st, key, ret, err);
}

enum rc salt_make(struct store *st, const uint8_t id[ERASURE_ID_LEN],
		  uint8_t ret[RECEIPT_SALT_LEN], struct err *err)
{
	char key[SALT_KEY_TEXT];

	salt_key(id, key);
	return random_object_make(st, key, ret, err);
}
