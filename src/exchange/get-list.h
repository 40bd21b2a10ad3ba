/* SPDX-License-Identifier: Apache-2.0 */
/* get-list.h - reads lists of (uid, created_at), in the notations of manifests.
 *
 * JSON, an array of objects or one a line, has "uid" and "created_at" as in
 * des-manifest(5); what else there is does not matter, so a manifest will do.
 * Other lists are lines of a uid, a tab and a time; the first line may name
 * the columns as in a manifest.  A pair without a time is of the newest
 * version.  Memory is bounded.  For one thread.
 */
#ifndef DESFS_EXCHANGE_GET_LIST_H
#define DESFS_EXCHANGE_GET_LIST_H

#include "base/err.h"
#include "exchange/get-batch.h"
#include "exchange/manifest-cut.h"

struct get_list;

enum rc get_list_open(struct get_list **ret, manifest_read_fn *read,
		      void *read_arg, struct err *err) MUST_CHECK;
void get_list_free(struct get_list *l); /* takes NULL */

/* The next pair, numbered from 0, borrowed until the next call; bad->rc says
 * that it is wrong, and why.  RC_NOENT at the end; all else is an error of
 * reading.
 */
enum rc get_list_next(struct get_list *l, struct get_pair *ret, struct err *bad,
		      struct err *err) MUST_CHECK;

#endif
