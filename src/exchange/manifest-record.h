/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-record.h - what the fields of a manifest's record mean. */
#ifndef DESFS_EXCHANGE_MANIFEST_RECORD_H
#define DESFS_EXCHANGE_MANIFEST_RECORD_H

#include "base/buf.h"
#include "base/err.h"
#include "exchange/manifest-fields.h"
#include "exchange/manifest.h"

/* Memory of what is not in the manifest in that form. */
struct manifest_scratch {
	struct buf source, meta;
};

void manifest_scratch_init(struct manifest_scratch *s);
void manifest_scratch_release(struct manifest_scratch *s);

/* Set what the fields say, but number and why; the first that is wrong is told.
 * Borrowed from both.
 */
enum rc manifest_record_set(const struct manifest_fields *fields,
			    struct manifest_scratch *scratch,
			    struct manifest_record *ret,
			    struct err *err) MUST_CHECK;

#endif
