/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-feed.h - the records of a manifest, as desfs-pack takes them.
 *
 *	manifest_feed_open(&o, &f, err);
 *	options.feed = manifest_feed(f);
 *	rc = pack_run(&options, report, err);
 *	manifest_feed_end(f, rc, err);
 *	manifest_feed_free(f);
 */
#ifndef DESFS_EXCHANGE_MANIFEST_FEED_H
#define DESFS_EXCHANGE_MANIFEST_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "pack/worker.h"

struct feed;
struct manifest_feed;
struct report;

struct manifest_feed_options {
	const char *manifest; /* "-" is standard input */
	const char *results;  /* where to write them; "-" is standard output;
				 NULL: nowhere */
	const char *spool;    /* directory of temporary files */
	unsigned int format;  /* as in struct pack_options */
	struct worker worker; /* likewise */
	bool is_dry_run;
	struct report *report; /* counts what the run does not see */
};

/* Strings are borrowed; open files are found from the current directory. */
enum rc manifest_feed_open(const struct manifest_feed_options *o,
			   struct manifest_feed **ret,
			   struct err *err) MUST_CHECK;
const struct feed *manifest_feed(struct manifest_feed *f);

/* Write the results of the run that ended with rc, and err.  Returns that, or a
 * failure to write.
 */
enum rc manifest_feed_end(struct manifest_feed *f, enum rc rc,
			  struct err *err) MUST_CHECK;
void manifest_feed_free(struct manifest_feed *f);

#endif
