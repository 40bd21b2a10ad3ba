/* SPDX-License-Identifier: Apache-2.0 */
/* open-log.h - an archive opened for those who write into its log: store,
 * descriptor, log.
 */
#ifndef DESFS_CMD_OPEN_LOG_H
#define DESFS_CMD_OPEN_LOG_H

#include <stdbool.h>

#include "base/err.h"
#include "conf/conf.h"
#include "volume/descriptor.h"

struct oplog;
struct store;

struct open_log {
	struct conf conf;
	struct descriptor descriptor;
	struct store *st;
	struct oplog *log; /* with receipts; nothing was read yet */
};

/* The options are those of the command line, see conf/conf-opts.h.  RC_NOENT:
 * there is no archive; nothing is made.
 */
enum rc open_log(struct open_log *ret, const char *archive,
		 const struct conf *options, bool for_writing,
		 struct err *err) MUST_CHECK;
void close_log(struct open_log *l);

#endif
