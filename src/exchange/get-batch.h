/* SPDX-License-Identifier: Apache-2.0 */
/* get-batch.h - many files by uid and time, read in the order of their bytes.
 *
 *	b = get_batch_new(&options);
 *	get_batch_add(b, &pair, &err) for each;
 *	get_batch_run(b, &err);
 *	get_batch_free(b);
 *
 * Pairs are sorted by the slot their uid is routed to, so that the shards of a
 * few slots are searched and read at a time, by several threads, and what is
 * found is given out at once, in the order of its place in the shards: each
 * block is read and decoded once, neighbours together.  The order depends on
 * the archive and the pairs alone.
 *
 * Content is given out only after all of it was checked.  A pair that fails
 * costs no other.  Memory does not grow with the number of pairs; they are
 * kept in temporary files where they are many.
 */
#ifndef DESFS_EXCHANGE_GET_BATCH_H
#define DESFS_EXCHANGE_GET_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sha256.h"
#include "restore/restore.h"
#include "shard/shard-entry.h"

struct volume;

/* A file as somebody knows it.  created_at: see get_when; empty: the newest. */
struct get_pair {
	uint64_t number; /* the caller's */
	struct span uid, created_at;
	bool has_versions; /* others are wanted, perhaps of another batch */
};

enum get_status {
	GET_OK,
	GET_MISSING,
	GET_DELETED,
	GET_CORRUPT,
	GET_FAILED /* for any other reason */
};

/* "ok", "missing", ...; static. */
const char *get_status_text(enum get_status status);
enum get_status get_status_of(enum rc rc);

struct get_result {
	struct get_pair pair;
	enum get_status status;
	const struct err *why; /* unless GET_OK */
	/* Of GET_OK only: the name it was given out by, the version, its size
	 * and hash.
	 */
	struct span path;
	int64_t created_at;
	uint64_t size;
	uint8_t sha256[SHA256_LEN];
};

struct get_batch_options {
	struct volume *v;
	bool is_legacy;       /* see struct get_key */
	bool has_damage;      /* likewise */
	const char *temp_dir; /* borrowed; see spool_default_dir */
	unsigned int n_jobs;  /* threads that search and read; > 0 */
	/* Give out one file: path is the entry's parent and name.  What fails
	 * leaves nothing behind, unless is_broken says from then on that all
	 * that follows would fail as well.  Two versions of a uid have names
	 * with "@" and their time.
	 */
	enum rc (*put)(void *arg, struct span path, const struct entry *e,
		       const struct restore_source *src, struct err *err);
	bool (*is_broken)(void *arg);
	/* put compares the whole with the entry's hash itself before it shows
	 * the file: large ones need not be spooled.
	 */
	bool put_checks;
	/* Once for each pair, unless the run fails.  Borrowed for the call. */
	void (*result)(void *arg, const struct get_result *r);
	void *arg; /* of the functions; they are called by the run's thread */
};

struct get_batch;
struct get_batch *get_batch_new(const struct get_batch_options *o) MUST_CHECK;
enum rc get_batch_add(struct get_batch *b, const struct get_pair *pair,
		      struct err *err) MUST_CHECK;
/* RC_STOPPED, what put said when it broke, or what keeps the run from going on;
 * what fails of the pairs is in their results.
 */
enum rc get_batch_run(struct get_batch *b, struct err *err) MUST_CHECK;
void get_batch_free(struct get_batch *b); /* takes NULL */

#endif
