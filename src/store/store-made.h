/* SPDX-License-Identifier: Apache-2.0 */
/* store-made.h - a store whose objects are made by another room, out of those
 * of a store below it.
 *
 * It is used like any other, but cannot be written to and is no remote one:
 * what it makes is to be kept by nobody on a disk.
 */
#ifndef DESFS_STORE_STORE_MADE_H
#define DESFS_STORE_STORE_MADE_H

#include "base/err.h"
#include "store/store.h"

/* All are called with the arg of store_made_new, by any thread, with keys that
 * are valid; messages begin with the key.
 */
struct store_made_ops {
	/* As store_read_tail, store_read and store_list, of which start_after
	 * is never NULL.
	 */
	enum rc (*read_tail)(void *arg, const char *key, size_t max,
			     struct buf *ret, struct object_info *ret_info,
			     struct err *err);
	enum rc (*read)(void *arg, const char *key,
			const struct object_info *expect, uint64_t off,
			void *buf, size_t len, bool is_ahead, struct err *err);
	enum rc (*list)(void *arg, const char *prefix, const char *start_after,
			store_list_fn *fn, void *arg_of_fn, struct err *err);
	void (*close)(void *arg);
};

/* below is borrowed until close: its name, requests and zones are told as the
 * store's own.
 */
struct store *store_made_new(const struct store_made_ops *ops, void *arg,
			     struct store *below) MUST_CHECK;

/* The arg of a store made with these ops; NULL: of another one. */
void *store_made_arg(const struct store *st, const struct store_made_ops *ops);

#endif
