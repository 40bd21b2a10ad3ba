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
	uint32_t *members; /* of each of its erasures: which of the survey's */
};

/* There may be millions: no room is lost. */
struct survey_erasure {
	const struct survey_doc *doc;
	const struct erasure *erasure;
	const struct receipt *receipt; /* the log's, final or not; or NULL */
	uint32_t *holders;             /* numbers of shards, ascending */
	uint32_t n_holders, cap;
	uint32_t one;        /* where there is one alone, holders is this */
	uint32_t parent_len; /* of the uid */
	bool is_withdrawn;
};

struct survey_shard {
	const char *key;
	const uint8_t *root;
	const struct shard_meta *meta; /* NULL: not known */
	const struct oplog_old *old;   /* NULL: it counts */
	/* It is there, though the log does not say so; any root will do. */
	bool is_stray;
	const char *zone; /* of a stray: where */
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

/* The same, but those that log has kept are not read again: for who only tells
 * how things stand.
 */
enum rc survey_read_known(struct survey *ret, struct store *st,
			  const struct oplog *log, struct err *err) MUST_CHECK;

/* To be looked at; borrows. */
void survey_add(struct survey *s, const struct survey_shard *shard);
/* One that the log does not expect there.  Both are borrowed. */
void survey_add_stray(struct survey *s, const char *key, const char *zone);
/* All that count, and all that are old and not known to be gone. */
void survey_add_all(struct survey *s, const struct oplog_state *state);

/* Look for each erasure that is neither withdrawn nor finished in each shard
 * that may hold it, with so many threads.  A shard that cannot be read is no
 * failure: it is taken to hold what it may.
 */
enum rc survey_look(struct survey *s, struct store *st, unsigned int jobs,
		    struct err *err) MUST_CHECK;

/* Of erasures that no shard holds, so far as survey_look found, and that wanted
 * says are to be looked at: whether the log is right about what shards they may
 * be in, by the shards themselves.  One that is not as the log says is taken to
 * hold them.  wanted: one for each erasure.
 */
enum rc survey_check(struct survey *s, struct store *st, const bool *wanted,
		     unsigned int jobs, struct err *err) MUST_CHECK;

/* A shard holds it; for one thread at a time. */
void survey_add_holder(struct survey_erasure *e, uint32_t number);

/* Whether nothing is to be done for it any more. */
bool survey_is_finished(const struct survey_erasure *e);

#endif
