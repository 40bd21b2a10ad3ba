/* SPDX-License-Identifier: Apache-2.0 */
/* erasure-verify.h - whether what receipts and the log say is so. */
#ifndef DESFS_REPACK_ERASURE_VERIFY_H
#define DESFS_REPACK_ERASURE_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "erase/receipt.h"
#include "shard/shard-entry.h"
#include "volume/oplog.h"

struct store;

/* What is wrong: of a record, a receipt, or an object; text tells which. */
typedef void erasure_finding_fn(void *arg, const char *text);

struct erasure_verified {
	uint64_t records, links; /* prev members that were followed */
	uint64_t receipts, final, purged;
	uint64_t heirs; /* shards that count in the place of what is erased */
	uint64_t findings;
};

/* The chains of the log; that as many erasures have receipts as are called
 * done; of each receipt that records tell of what was replaced and purged, that
 * it is gone from each zone, and that what took its place is there with the
 * root that the log says.  Reads the log, which keeps its receipts, and asks
 * for each shard once.
 */
enum rc erasure_verify(struct oplog *log, struct store *st,
		       erasure_finding_fn *fn, void *arg,
		       struct erasure_verified *ret,
		       struct err *err) MUST_CHECK;

/* Of one uid: which receipts are its, and whether some shard has it still. */
struct erasure_subject {
	struct span uid;
	const uint8_t *salt; /* NULL: those in the archive */
	/* Which versions: up to a time, or that of one alone, or either.  Times
	 * that are tried are from and to, that when it was asked, and those
	 * between them that the log has of shards; INT64_MIN and INT64_MAX: any
	 * time.
	 */
	bool is_until, is_one;
	int64_t from, to;
	unsigned int jobs;
};
typedef void erasure_match_fn(void *arg, const struct receipt *r);
/* *ret_n: how many are.  Findings: shards that count and have it, in a version
 * that a receipt says is gone.  The log was read.
 */
enum rc erasure_verify_subject(struct oplog *log, struct store *st,
			       const struct erasure_subject *subject,
			       erasure_match_fn *match, erasure_finding_fn *fn,
			       void *arg, size_t *ret_n,
			       struct err *err) MUST_CHECK;

/* Remove the salt of an erasure that is done, everywhere.  RC_NOENT: it has no
 * receipt; RC_CHANGED: the receipt is not the last one.
 */
enum rc erasure_forget(const struct oplog *log, struct store *st,
		       const uint8_t id[ERASURE_ID_LEN],
		       struct err *err) MUST_CHECK;

#endif
