/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.h - reads the records of a manifest, see des-manifest(5).
 *
 *	manifest_open(&m, read, arg, err);
 *	while (!(rc = manifest_next(m, &record, err)))
 *		... record.why.rc: a bad one ...
 *	manifest_free(m);
 *
 * Memory is bounded whatever comes.  For one thread.
 */
#ifndef DESFS_EXCHANGE_MANIFEST_H
#define DESFS_EXCHANGE_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sha256.h"
#include "base/timestamp.h"
#include "exchange/manifest-cut.h"
#include "shard/shard-entry.h"

/* Borrowed until the next call.  Of a bad one all is set that could be read, up
 * to what is wrong with it; the rest is empty.
 */
struct manifest_record {
	uint64_t number; /* from 0 */
	struct err why;  /* rc is RC_OK: it is good */
	bool has_uid;
	struct span uid;             /* any bytes */
	struct span created_at_text; /* as it is written */
	struct timestamp created_at;
	uint64_t size;
	const char *source; /* ends with a NUL */
	bool has_sha256;
	uint8_t sha256[SHA256_LEN];
	struct span meta; /* an object without blanks, or empty */
};

struct manifest;

/* Fails when what can be read of it is no manifest at all. */
enum rc manifest_open(struct manifest **ret, manifest_read_fn *read,
		      void *read_arg, struct err *err) MUST_CHECK;
void manifest_free(struct manifest *m);

enum manifest_form manifest_form(const struct manifest *m);

/* RC_NOENT at the end; all else is an error of reading. */
enum rc manifest_next(struct manifest *m, struct manifest_record *ret,
		      struct err *err) MUST_CHECK;

#endif
