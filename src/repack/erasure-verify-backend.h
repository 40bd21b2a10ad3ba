/* SPDX-License-Identifier: Apache-2.0 */
/* erasure-verify-backend.h - what the files of erasure-verify share. */
#ifndef DESFS_REPACK_ERASURE_VERIFY_BACKEND_H
#define DESFS_REPACK_ERASURE_VERIFY_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/hex.h"
#include "repack/erasure-verify.h"
#include "repack/old-set.h"
#include "verify/uid-set.h"
#include "volume/oplog-state.h"

/* What a place has of an old shard. */
enum old_is { OLD_UNKNOWN, OLD_THERE, OLD_GONE };

struct checking {
	struct oplog *log;
	struct store *st;
	const struct oplog_state *state;
	struct old_set old;
	/* Of each place of each old shard, those of a shard together; they are
	 * asked once, whatever the number of receipts that tell of it.
	 */
	uint8_t *old_is;
	size_t *first_place;  /* of each old shard */
	struct uid_set heirs; /* that were asked, by their roots */
	erasure_finding_fn *fn;
	void *arg;
	struct erasure_verified *ret;
};

void checking_find(struct checking *c, const char *fmt, ...) PRINTF(2, 3);

struct receipt_texts {
	char id[HEX_TEXT(ERASURE_ID_LEN)], root[HEX_TEXT(8)];
};
struct receipt_texts receipt_texts_of(const struct receipt *r,
				      const uint8_t *root);

/* erasure-verify-receipt.c: one receipt against records and objects. */
enum rc check_receipt(struct checking *c, const struct receipt *r,
		      struct err *err) MUST_CHECK;
/* One that a record has, by its times and against the one that counts. */
void check_told(struct checking *c, const struct oplog_record *by,
		const struct receipt *r);

/* erasure-verify-object.c: whether an old shard is where all is to be gone, and
 * whether those in its place are what the record says.
 */
enum rc check_gone(struct checking *c, const struct receipt *r,
		   const struct old_shard *s, struct err *err) MUST_CHECK;
enum rc check_heir(struct checking *c, const struct shard_meta *m,
		   struct err *err) MUST_CHECK;

/* erasure-verify-done.c: whether as many erasures have receipts, or were taken
 * back, as documents that are called done have; and that these are gone.
 */
enum rc check_done(struct checking *c, struct err *err) MUST_CHECK;

#endif
