/* SPDX-License-Identifier: Apache-2.0 */
/* log-index.h - log/index.json: what stands below log/, for web servers, which
 * cannot list; see desfs-archive(5), LOG INDEX.  Pure.
 */
#ifndef DESFS_STORE_LOG_INDEX_H
#define DESFS_STORE_LOG_INDEX_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define LOG_INDEX_DIR "log/"
#define LOG_INDEX_KEY LOG_INDEX_DIR "index.json"
#define LOG_INDEX_MAX (64u << 20) /* bytes of the document */

struct log_index {
	char **names; /* below log/, in ascending order */
	size_t n;
};

/* RC_CORRUPT: not such a document; RC_UNSUPPORTED: of a newer version;
 * RC_LIMIT.
 */
enum rc log_index_parse(const void *p, size_t len, struct log_index *ret,
			struct err *err) MUST_CHECK;
void log_index_release(struct log_index *ix);

/* Append the document of names, which are ascending.  RC_USAGE: they are not,
 * or one is not valid.
 */
enum rc log_index_write(const char *const *names, size_t n, struct buf *out,
			struct err *err) MUST_CHECK;

#endif
