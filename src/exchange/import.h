/* SPDX-License-Identifier: Apache-2.0 */
/* import.h - a backup of another kind, a tar or a zip, as a feed of desfs-pack.
 *
 *	import_open(&im, &options, &err);
 *	pack_options.feed = import_feed(im);
 *	pack_run(...);
 *	import_free(im);
 *
 * The feed's list reads the stream once and keeps contents in an unlinked file
 * until they are packed.  The backup's bytes are hostile: names that lead
 * elsewhere, or cannot be, are reported and left out, as are encrypted and
 * damaged files.  A backup that ends too early, or cannot be read further, ends
 * the run, and nothing of it is committed.
 *
 * Of several entries with one name the last counts, as when it is unpacked; of
 * a hard link, what its target was then.
 */
#ifndef DESFS_EXCHANGE_IMPORT_H
#define DESFS_EXCHANGE_IMPORT_H

#include <stdint.h>

#include "base/err.h"
#include "pack/feed.h"

struct filter;
struct import;
struct report;

struct import_options {
	const char *file;  /* "-": standard input; borrowed */
	const char *spool; /* directory for contents; borrowed */
	/* Bytes of contents and copies there at most; 0: nine tenths of what is
	 * free.
	 */
	uint64_t spool_limit;
	const struct filter *filter; /* what to leave out; may be NULL */
	struct report *report;       /* gets what is left out */
};

/* Loads libarchive and opens the file. */
enum rc import_open(struct import **ret, const struct import_options *opts,
		    struct err *err) MUST_CHECK;
void import_free(struct import *im); /* takes NULL */

/* Lives as long as it. */
const struct feed *import_feed(struct import *im);

#endif
