/* SPDX-License-Identifier: Apache-2.0 */
/* survey.h - the deletions that are not done yet, and which shards hold them.
 *
 *	survey_read(&s, st, log, err);
 *	survey_add(&s, &shard);		for each shard to be looked at
 *	survey_look(&s, st, jobs, err);
 *	... s.erasures[i].holders ...
 *	survey_release(&s);
 *
 * Borrows from the log: not across an oplog_read.
 */
#ifndef DESFS_REPACK_SURVEY_H
#define DESFS_REPACK_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "erase/tombstone.h"
#include "shard/shard-entry.h"
#include "volume/oplog-state.h"
#include "volume/oplog.h"

struct store;

/* A live document. */
struct survey_doc {
	const struct oplog_tombstone *logged;
	struct tombstone doc;
	size_t *members; /* of each of its erasures: which of the survey's */
};

struct survey_erasure {
	const struct survey_doc *doc;
	const struct erasure *erasure;
	struct span parent, name;
	bool is_withdrawn;
	const struct receipt *receipt; /* the log's, final or not; or NULL */
	uint32_t *holders;             /* numbers of shards, ascending */
	size_t n_holders, cap;
};

struct survey_shard {
	const char *key;
	const uint8_t *root;
	const struct shard_meta *meta; /* NULL: not known */
	const struct oplog_old *old;   /* NULL: it counts */
	/* Looking failed: it may hold everything that it could. */
	char *problem;
	bool is_missing; /* no place has it */
};

/* A zeroed one is valid. */
struct survey {
	struct survey_doc *docs;
	size_t n_docs;
	struct survey_erasure *erasures; /* in the order of their uids' keys */
	size_t n_erasures;
	struct survey_shard *shards;
	size_t n_shards, cap;
};

void survey_release(struct survey *s);

/* All live documents, each compared with the hash in the log.  One that cannot
 * be read is an error.
 */
enum rc survey_read(struct survey *ret, struct store *st,
		    const struct oplog *log, struct err *err) MUST_CHECK;

/* To be looked at; borrows. */
void survey_add(struct survey *s, const struct survey_shard *shard);
/* All that count, and all that are old and not known to be gone. */
void survey_add_all(struct survey *s, const struct oplog_state *state);

/* Look for each erasure that is neither withdrawn nor finished in each shard
 * that may hold it, with so many threads.  A shard that cannot be read is no
 * failure: it is taken to hold what it may.
 */
enum rc survey_look(struct survey *s, struct store *st, unsigned int jobs,
		    struct err *err) MUST_CHECK;

/* Whether nothing is to be done for it any more. */
bool survey_is_finished(const struct survey_erasure *e);

#endif
