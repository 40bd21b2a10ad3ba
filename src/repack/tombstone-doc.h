/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone-doc.h - the documents of tombstones that the log names. */
#ifndef DESFS_REPACK_TOMBSTONE_DOC_H
#define DESFS_REPACK_TOMBSTONE_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hex.h"
#include "erase/tombstone.h"
#include "volume/oplog-state.h"

struct store;

/* The document; to be released after success.  RC_CORRUPT: it is gone, or
 * another.
 */
enum rc tombstone_doc_read(struct store *st, const struct oplog_object *o,
			   struct tombstone *ret, struct err *err) MUST_CHECK;

/* What operators call it by: the random part of its key. */
#define TOMBSTONE_ID_TEXT HEX_TEXT(ERASURE_ID_LEN)
void tombstone_doc_id(const char *key, char ret[TOMBSTONE_ID_TEXT]);
/* Is it so long, and of hexadecimal digits? */
bool tombstone_doc_is_id(const char *text, size_t len) MUST_CHECK;

#endif
