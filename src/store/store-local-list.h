/* SPDX-License-Identifier: Apache-2.0 */
/* store-local-list.h - the keys of a directory store in order. */
#ifndef DESFS_STORE_STORE_LOCAL_LIST_H
#define DESFS_STORE_STORE_LOCAL_LIST_H

#include "store/store.h"

/* As store_list.  Regular files count, under names that are valid keys; what is
 * in STORE_TMP is not listed.
 */
enum rc store_local_list(struct store *st, const char *prefix,
			 const char *start_after, store_list_fn *fn, void *arg,
			 struct err *err) MUST_CHECK;

#endif
