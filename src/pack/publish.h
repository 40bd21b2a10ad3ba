/* SPDX-License-Identifier: Apache-2.0 */
/* publish.h - write log/index.json, for readers of web servers that cannot
 * list.
 */
#ifndef DESFS_PACK_PUBLISH_H
#define DESFS_PACK_PUBLISH_H

#include <stddef.h>

#include "base/err.h"

struct store;

/* Write the names of all log records of the store, which is open for writing,
 * into its index, again if another run added to them meanwhile.  *ret_n: how
 * many. RC_NOENT: there is no archive.
 */
enum rc publish_log(struct store *st, size_t *ret_n,
		    struct err *err) MUST_CHECK;

#endif
