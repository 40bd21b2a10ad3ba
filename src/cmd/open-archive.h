/* SPDX-License-Identifier: Apache-2.0 */
/* open-archive.h - an archive opened with the settings of options and files. */
#ifndef DESFS_CMD_OPEN_ARCHIVE_H
#define DESFS_CMD_OPEN_ARCHIVE_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "conf/conf.h"

struct volume;

/* What is open, and what it points to meanwhile. */
struct open_archive {
	struct conf conf;
	struct volume *v;
	uint64_t n_damage; /* see archive_result */
};

/* The options are those of the command line, see conf/conf-opts.h.  Blocks are
 * checked against the hashes in the index.
 */
enum rc open_archive(struct open_archive *ret, const char *archive,
		     const struct conf *options, struct err *err) MUST_CHECK;
/* The same with more to be said of how: all but its settings, index_cache and
 * verify count.
 */
struct volume_options;
enum rc open_archive_as(struct open_archive *ret, const char *archive,
			const struct conf *options,
			const struct volume_options *how,
			struct err *err) MUST_CHECK;
void close_archive(struct open_archive *a);

/* rc, or RC_CORRUPT if there is what cannot be read of an archive of an older
 * program, which was told before, and rc is RC_OK, RC_PARTIAL, or RC_NOENT,
 * since what was looked for may be in there: for tools that did all the rest.
 */
enum rc archive_result(const struct open_archive *a, enum rc rc,
		       struct err *err) MUST_CHECK;

#endif
