/* SPDX-License-Identifier: Apache-2.0 */
/* open-archive.h - an archive opened with the settings of options and files. */
#ifndef DESFS_CMD_OPEN_ARCHIVE_H
#define DESFS_CMD_OPEN_ARCHIVE_H

#include "base/compiler.h"
#include "base/err.h"
#include "conf/conf.h"

struct volume;

/* What is open, and what it points to meanwhile. */
struct open_archive {
	struct conf conf;
	struct volume *v;
};

/* The options are those of the command line, see conf/conf-opts.h.  Blocks are
 * checked against the hashes in the index.
 */
enum rc open_archive(struct open_archive *ret, const char *archive,
		     const struct conf *options, struct err *err) MUST_CHECK;
void close_archive(struct open_archive *a);

#endif
