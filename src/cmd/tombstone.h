/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone.h - what the files of desfs tombstone share among themselves. */
#ifndef DESFS_CMD_TOMBSTONE_H
#define DESFS_CMD_TOMBSTONE_H

#include <stdbool.h>

#include "base/err.h"
#include "cmd/open-log.h"
#include "conf/conf.h"

struct tombstone_options {
	/* add */
	const char *created_at, *by, *ticket, *from, *spool;
	unsigned int reason; /* enum erasure_reason */
	bool is_null, recursive, force, no_copies;
	/* aggregate */
	const char *day;

	bool dry_run, json;
	unsigned int verbose;
	struct conf conf;
};

/* args: what follows ARCHIVE, ends with NULL. */
enum rc tombstone_cmd_add(const struct tombstone_options *o, struct open_log *l,
			  char **args, struct err *err) MUST_CHECK;
enum rc tombstone_cmd_list(const struct tombstone_options *o,
			   struct open_log *l, char **args,
			   struct err *err) MUST_CHECK;
enum rc tombstone_cmd_show(const struct tombstone_options *o,
			   struct open_log *l, char **args,
			   struct err *err) MUST_CHECK;
enum rc tombstone_cmd_aggregate(const struct tombstone_options *o,
				struct open_log *l, char **args,
				struct err *err) MUST_CHECK;
enum rc tombstone_cmd_remove(const struct tombstone_options *o,
			     struct open_log *l, char **args,
			     struct err *err) MUST_CHECK;

#endif
