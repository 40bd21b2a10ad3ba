/* SPDX-License-Identifier: Apache-2.0 */
/* rebuild.h - descriptor and log made again from the footers of the shards.
 *
 * The footers are the truth.  All shards carry the archive's id, which is a
 * hash of the descriptor's fields; the one field they do not carry, the time of
 * the first run, is among their own times, and the id tells which.
 */
#ifndef DESFS_VERIFY_REBUILD_H
#define DESFS_VERIFY_REBUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct store_settings;

struct rebuild_options {
	const struct store_settings *settings; /* NULL: none */
	bool force;           /* also when the log can be read */
	bool drop_tombstones; /* those that are lost delete nothing more */
	bool dry_run;         /* write nothing */
	/* Told of each object that is damaged, foreign, written or removed. */
	void (*tell)(void *arg, const char *key, const char *text);
	void *arg;
};

struct rebuild_totals {
	uint64_t shards;  /* intact ones */
	uint64_t damaged; /* left out */
	uint64_t added;   /* shards no log record named before */
	uint64_t missing; /* that count, and are not there */
	bool descriptor_written;
};

/* RC_EXISTS: there is nothing to rebuild.  RC_PARTIAL is left to the caller,
 * who looks at ret->damaged.
 */
enum rc rebuild_archive(const char *url, const struct rebuild_options *opts,
			struct rebuild_totals *ret, struct err *err) MUST_CHECK;

#endif
