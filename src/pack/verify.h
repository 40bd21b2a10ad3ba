/* SPDX-License-Identifier: Apache-2.0 */
/* verify.h - read an archive or a shard back, compare, report.
 *
 * Without deep, all that says where files are is checked: descriptor, log, and
 * of each shard header, footer, index and filter.  With deep also the data:
 * every block, and the SHA-256 of every file.
 *
 * What is found comes to a callback, in the order of the shards' keys whatever
 * the number of threads, on the thread that called.
 */
#ifndef DESFS_PACK_VERIFY_H
#define DESFS_PACK_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-entry.h"

struct store_settings;

#define FINDING_NO_OFFSET UINT64_MAX

enum finding_kind {
	FINDING_DAMAGE, /* key, offset, what was wanted and found */
	FINDING_LOST,   /* uid is an entry that the damage before it costs, or
			 * text tells of several */
	FINDING_NOTE,   /* no damage: something left over */
};

struct finding {
	enum finding_kind kind;
	const char *key; /* the object */
	uint64_t off;    /* in it, or FINDING_NO_OFFSET */
	const char *text;
	struct span uid; /* p is NULL for none */
};

/* All is borrowed for the call. */
typedef void finding_fn(void *arg, const struct finding *f);

struct verify_options {
	const struct store_settings *settings; /* of the archive; NULL: none */
	bool deep;
	unsigned int jobs; /* threads; 0: one */
	finding_fn *fn;
	void *arg;
};

struct verify_totals {
	uint64_t shards, entries, files, plain_bytes; /* looked at */
	uint64_t blocks;                              /* with deep */
	uint64_t damage, lost, notes; /* findings of each kind */
};

/* Adds to ret.  RC_OK also when there is damage: totals tell.  RC_NOENT: there
 * is nothing to verify.
 */
enum rc verify_archive(const char *url, const struct verify_options *opts,
		       struct verify_totals *ret, struct err *err) MUST_CHECK;

/* One shard, a file of its own. */
enum rc verify_shard_file(const char *path, const struct verify_options *opts,
			  struct verify_totals *ret,
			  struct err *err) MUST_CHECK;

#endif
