/* SPDX-License-Identifier: Apache-2.0 */
/* verify.h - read an archive or a shard back, compare, report.
 *
 * Without deep, all that says where files are is checked: descriptor, log, and
 * of each shard header, footer, index and filter.  With deep also the data:
 * every block, and the SHA-256 of every file.
 *
 * What is found comes to a callback, in the order of the shards' keys whatever
 * the number of threads, on the thread that called.  A signal ends it between
 * two pieces of work with RC_STOPPED (base/stop.h): shards that were told until
 * then were looked at whole, and nothing is told of others.
 */
#ifndef DESFS_VERIFY_VERIFY_H
#define DESFS_VERIFY_VERIFY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-entry.h"
#include "shard/shard-format.h"

struct store_settings;
struct throttle;

#define FINDING_NO_OFFSET UINT64_MAX

enum finding_kind {
	FINDING_DAMAGE, /* key, offset, what was wanted and found */
	FINDING_LOST,   /* uid is an entry that the damage at that offset costs,
			 * or text tells of several */
	FINDING_WEAK, /* uid is an entry that can be read, but no more when the
		       * index is lost too */
	FINDING_UNREAD, /* the shard could not be read, and may be whole */
	FINDING_NOTE,   /* no damage: something left over */
};

struct finding {
	enum finding_kind kind;
	const char *store; /* which of the zones has it so; NULL: whichever */
	const char *key;   /* the object */
	uint64_t off;      /* in it, or FINDING_NO_OFFSET */
	const char *text;
	struct span uid; /* p is NULL for none */
};

/* All is borrowed for the call. */
typedef void finding_fn(void *arg, const struct finding *f);
/* For who wants the totals only. */
finding_fn finding_ignore;

/* In zones each copy of a shard is one, but for what is deleted and lost: an
 * entry is lost where no copy has it, as far as they agree.
 */
struct verify_totals {
	uint64_t shards;         /* looked at */
	uint64_t damaged_shards; /* of them */
	uint64_t missing_shards; /* named by the log, and not there */
	uint64_t unread_shards;  /* not looked at: they could not be read */
	uint64_t skipped_shards; /* not chosen, or done before */
	uint64_t old_shards;     /* replaced, within their grace period */
	uint64_t entries, files, plain_bytes; /* looked at */
	uint64_t blocks;                      /* with deep */
	uint64_t deleted, overdue; /* of the entries: deleted, and of these
				    * those that should be gone */
	uint64_t damage, lost, weak, notes; /* findings of each kind */
	uint64_t late; /* of damage: nothing is broken, but deleted too late */
};

/* One shard, after all that was found in it. */
struct verify_shard_result {
	const char *store; /* as of a finding */
	const char *key;
	const uint8_t *root; /* as the log has it; NULL: it has not */
	const struct verify_totals *totals; /* of this shard alone */
};
typedef void verify_shard_fn(void *arg, const struct verify_shard_result *s);

/* Whether a shard in a store was looked at before and is to be passed over. */
typedef bool verify_done_fn(void *arg, const char *store, const char *key);

/* How far it is, for other threads.  Of all archives of a run; zeroed at first.
 */
struct verify_live {
	atomic_uint_fast64_t shards, shards_total;
	atomic_uint_fast64_t files, files_total;
	atomic_uint_fast64_t bytes, bytes_total; /* plain bytes of these */
	atomic_uint_fast64_t damage, lost;       /* as in the totals, so far */
	atomic_uint_fast64_t damaged_shards, missing_shards, unread_shards;
};

struct verify_options {
	const struct store_settings *settings; /* of the archive; NULL: none */
	bool deep;
	unsigned int jobs; /* threads; 0: one */
	/* Only these shards of an archive; none: all. */
	const char *const *keys;
	size_t n_keys;
	/* So many per cent of the shards, by the seed; 0: all. */
	double sample;
	uint64_t seed;
	/* Only shards that the archive has since then, microseconds. */
	bool has_since;
	int64_t since;
	struct throttle *throttle; /* of reading; NULL: none */
	struct verify_live *live;  /* may be NULL */
	verify_done_fn *is_done;   /* may be NULL */
	finding_fn *fn;
	verify_shard_fn *shard_fn; /* may be NULL */
	void *arg;
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
