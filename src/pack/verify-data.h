/* SPDX-License-Identifier: Apache-2.0 */
/* verify-data.h - every block of a shard's data checked, every file's bytes
 * hashed.
 *
 * verify_data_file for each file in the order of the index, then
 * verify_data_rest for what no file refers to.
 */
#ifndef DESFS_PACK_VERIFY_DATA_H
#define DESFS_PACK_VERIFY_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "pack/raw-shard.h"
#include "pack/verify-report.h"

struct verify_data;

struct verify_data *verify_data_new(const struct raw_shard *s,
				    struct verify_report *report) MUST_CHECK;
void verify_data_free(struct verify_data *d);

/* True when the file is whole; what is damaged is reported, each block once. */
bool verify_data_file(struct verify_data *d, const struct entry *e,
		      const struct block_ref *refs);

/* The blocks nobody refers to.  is_complete: all files were looked at, so that
 * the footer's counts must agree.
 */
void verify_data_rest(struct verify_data *d, bool is_complete);

#endif
