/* SPDX-License-Identifier: Apache-2.0 */
/* receipt-make.h - the receipt of an erasure as things stand, and the records
 * of the log that keep receipts.
 */
#ifndef DESFS_REPACK_RECEIPT_MAKE_H
#define DESFS_REPACK_RECEIPT_MAKE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "erase/receipt.h"
#include "repack/old-set.h"
#include "repack/survey.h"
#include "volume/oplog.h"

struct store;

struct receipt_sources {
	struct store *st;
	const struct survey *survey;
	const struct old_set *old;
	int64_t now;
};

/* What the log's receipt of it says, if there is one, and all old revisions
 * that hold it now; of each whether it is gone or pending.  Its salt is there
 * when this returns.
 */
enum rc receipt_make(const struct receipt_sources *src,
		     const struct survey_erasure *e, struct receipt *ret,
		     struct err *err) MUST_CHECK;
/* Whether the log's receipt of it has all old revisions that hold it, and until
 * when stores keep them.
 */
bool receipt_is_known(const struct receipt_sources *src,
		      const struct survey_erasure *e) MUST_CHECK;

/* Records of kind erased, as many as it takes.
 *
 *	struct receipt_writer w = { .log, .st, .archive_id };
 *	receipt_write(&w, &receipt, err)	for each, which is handed over
 *	receipt_write_end(&w, err)
 *	receipt_writer_release(&w)
 */
struct receipt_writer {
	struct oplog *log;
	struct store *st;
	const uint8_t *archive_id;
	struct oplog_record record;
	size_t cap;
	size_t weight; /* about the bytes its receipts take */
	uint64_t n_written;
};
enum rc receipt_write(struct receipt_writer *w, struct receipt *r,
		      struct err *err) MUST_CHECK;
/* What is left; the record may also be given done and suppressed before. */
enum rc receipt_write_end(struct receipt_writer *w, struct err *err) MUST_CHECK;
void receipt_writer_release(struct receipt_writer *w);

#endif
