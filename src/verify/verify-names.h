/* SPDX-License-Identifier: Apache-2.0 */
/* verify-names.h - the names that damage costs where the damage itself hides
 * them: the index by the records in the data, and the other way round.
 */
#ifndef DESFS_VERIFY_VERIFY_NAMES_H
#define DESFS_VERIFY_VERIFY_NAMES_H

#include <stdbool.h>

#include "verify/raw-shard.h"
#include "verify/verify-report.h"
#include "verify/verify-shard.h"

/* Reads the data once more, and the index if it can.
 *
 * is_index_lost: some of the index cannot be read, or all of it when there is
 * no footer; files of which there are records and no entries are lost, and were
 * counted before.  Otherwise entries of which there is no record any more, and
 * that can be read all the same, are told to be weak.
 */
void verify_names(const struct verify_shard_job *job, const struct raw_shard *s,
		  bool has_footer, bool is_index_lost,
		  struct verify_report *report);

#endif
