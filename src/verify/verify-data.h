/* SPDX-License-Identifier: Apache-2.0 */
/* verify-data.h - single files of a shard read back and hashed, best in the
 * order of the index.
 *
 * For one thread.  Who wants them all takes verify-files.h.
 */
#ifndef DESFS_VERIFY_VERIFY_DATA_H
#define DESFS_VERIFY_VERIFY_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "verify/raw-shard.h"
#include "verify/verify-report.h"

struct verify_data;

struct verify_data *verify_data_new(const struct raw_shard *s,
				    struct verify_report *report) MUST_CHECK;
void verify_data_free(struct verify_data *d);

/* True when the file is whole; what is damaged is reported, each block once.
 * refs are those of e, as they were read (raw_shard_refs): what they say of
 * their blocks is checked here.
 */
bool verify_data_file(struct verify_data *d, const struct entry *e,
		      const struct block_ref *refs);

/* The same, but what can wait is hashed with others at once: false when this
 * one or one before it is not whole; the last word has verify_data_end.
 */
bool verify_data_later(struct verify_data *d, const struct entry *e,
		       const struct block_ref *refs);
bool verify_data_end(struct verify_data *d);

#endif
