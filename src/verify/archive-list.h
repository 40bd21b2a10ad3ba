/* SPDX-License-Identifier: Apache-2.0 */
/* archive-list.h - all objects of an archive by their keys; for verify,
 * rebuild.
 *
 * Readers never list: what counts is what the log names.
 */
#ifndef DESFS_VERIFY_ARCHIVE_LIST_H
#define DESFS_VERIFY_ARCHIVE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

enum object_kind {
	OBJECT_DESCRIPTOR,
	OBJECT_LOG,
	OBJECT_TOMBSTONE, /* and all else of deletions there */
	OBJECT_SALT,
	OBJECT_HOLD,
	OBJECT_SHARD,
	OBJECT_OTHER,
};

struct archive_object {
	char *key;
	uint64_t size;
	enum object_kind kind;
};

/* In order of the keys. */
struct archive_list {
	struct archive_object *objects;
	size_t n, cap;
};

/* YYYYMMDD/YYYYMMDD_....des */
bool archive_key_is_shard(const char *key) MUST_CHECK;

/* RC_UNSUPPORTED: of a web server, which cannot list. */
enum rc archive_list_read(struct archive_list *ret, struct store *st,
			  struct err *err) MUST_CHECK;
void archive_list_release(struct archive_list *l);
/* NULL: it has none of that key. */
const struct archive_object *archive_list_find(const struct archive_list *l,
					       const char *key) MUST_CHECK;

/* True when something in it can only be of an archive. */
bool archive_list_is_archive(const struct archive_list *l);

#endif
