/* SPDX-License-Identifier: Apache-2.0 */
/* rebuild-log.h - what is left of a log that cannot be read as a whole, and how
 * it is made readable again; for rebuild.c.
 */
#ifndef DESFS_VERIFY_REBUILD_LOG_H
#define DESFS_VERIFY_REBUILD_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "shard/shard-format.h"
#include "volume/oplog-record.h"
#include "volume/oplog-state.h"

struct archive_list;
struct store;

/* Told of an object's key, and what is with it. */
typedef void log_rest_tell_fn(void *arg, const char *key, const char *text);

/* A zeroed one is valid. */
struct log_rest {
	struct oplog_record *records; /* that can be read, by name */
	size_t n, cap;
	struct oplog_state *state; /* of these */
	const char **damaged;      /* keys, borrowed from the list */
	size_t n_damaged, damaged_cap;
};

void log_rest_release(struct log_rest *l);

/* Read each record and each checkpoint by itself.  A failure that says nothing
 * of the object ends it.
 */
enum rc log_rest_read(struct log_rest *ret, struct store *st,
		      const struct archive_list *list,
		      const uint8_t archive_id[SHARD_ID_LEN],
		      struct err *err) MUST_CHECK;

/* Let checkpoints stand for the records that are lost or damaged and that
 * others name as the one before them, without saying anything, and remove what
 * is damaged.  Only when a record says what they may have said.
 */
enum rc log_rest_mend(const struct log_rest *l, struct store *st,
		      const uint8_t archive_id[SHARD_ID_LEN], bool is_dry,
		      log_rest_tell_fn *tell, void *arg,
		      struct err *err) MUST_CHECK;

/* Tombstone and suppression documents that the state does not know, as records
 * for oplog_write: one of each kind, perhaps without any.  What is damaged is
 * told, and counted.
 */
enum rc log_rest_documents(struct store *st, const struct archive_list *list,
			   const struct oplog_state *state,
			   const uint8_t archive_id[SHARD_ID_LEN],
			   struct oplog_record *ret_tombstones,
			   struct oplog_record *ret_erased,
			   uint64_t *ret_damaged, log_rest_tell_fn *tell,
			   void *arg, struct err *err) MUST_CHECK;

/* Live tombstone documents that the state names and that are lost or damaged
 * are put back where the aggregate of their hour has them.  Of the others:
 * *ret_erased, a record that says they are done, so that nobody asks for them.
 */
enum rc log_rest_live(struct store *st, const struct oplog_state *state,
		      const uint8_t archive_id[SHARD_ID_LEN], bool is_dry,
		      struct oplog_record *ret_erased, log_rest_tell_fn *tell,
		      void *arg, struct err *err) MUST_CHECK;

#endif
