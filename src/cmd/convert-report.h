/* SPDX-License-Identifier: Apache-2.0 */
/* convert-report.h - what became of each entry of an archive that is converted:
 * counted, told, and written to the file of --report.
 *
 * Safe from any thread, but for init, release, open and end.
 */
#ifndef DESFS_CMD_CONVERT_REPORT_H
#define DESFS_CMD_CONVERT_REPORT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cmd/row-file.h"
#include "exchange/feed-volume.h"
#include "verify/uid-set.h"
#include "verify/verify.h"

struct convert_counts {
	uint64_t archived, there, failed, erased, duplicates;
	uint64_t lost;    /* entries of the old archive that cannot be read */
	uint64_t damaged; /* places of the old archive, or objects, of these */
	uint64_t verified, different;
	/* What was read of the old archive once, and cannot be again. */
	uint64_t uncompared;
};

struct lost_entries;

struct convert_report {
	const struct feed_volume *feed; /* while it runs */
	struct volume *from;            /* likewise */

	pthread_mutex_t lock; /* guards all below */
	struct convert_counts n;
	struct uid_set left_out; /* numbers that are not to be verified */
	struct lost_entries *lost;
	struct row_file rows;
	char *path, *part; /* NULL: no file */
};

void convert_report_init(struct convert_report *r);
void convert_report_release(struct convert_report *r);

/* Begin the file, which need not be. */
enum rc convert_report_open(struct convert_report *r, const char *path,
			    const char *from, const char *to,
			    struct err *err) MUST_CHECK;

/* The next are for struct feed_volume_options and struct convert_check, with
 * the report as arg.
 */
void convert_report_result(void *arg, const struct feed_result *result);
void convert_report_lost(void *arg, const struct shard_meta *shard, uint64_t n,
			 const struct err *why);
/* What of an archive of an older program cannot be read at all; a
 * volume_text_fn.
 */
void convert_report_unread(void *arg, const char *text);
bool convert_report_is_left_out(void *arg, uint64_t number);
void convert_report_differs(void *arg, const struct volume_entry *ve,
			    const struct err *why);
void convert_report_unread_again(void *arg, const struct volume_entry *ve,
				 const struct err *why);
/* Of those that were lost before it was told. */
void convert_report_lost_again(void *arg, const struct shard_meta *shard,
			       uint64_t n, const struct err *why);

/* What verify found in the new archive. */
void convert_report_finding(void *arg, const struct finding *f);

struct convert_counts convert_report_counts(struct convert_report *r);

/* The last row; the file gets its name.  rc is how the run ended. */
enum rc convert_report_end(struct convert_report *r, enum rc rc,
			   const struct verify_totals *totals,
			   struct err *err) MUST_CHECK;

#endif
