/* SPDX-License-Identifier: Apache-2.0 */
/* raw-ahead.h - one large read of a shard in the place of many small ones, for
 * who goes through it in nearly the order it is in.
 *
 * Reads grow while they follow each other and are answered in time; what lies
 * elsewhere is read by itself.  Whether bytes are right is for others to say.
 * For one thread.
 */
#ifndef DESFS_VERIFY_RAW_AHEAD_H
#define DESFS_VERIFY_RAW_AHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct raw_ahead;
struct raw_shard;

/* Reads of at most max bytes of data; memory for as many, and a fourth more for
 * the index.
 */
struct raw_ahead *raw_ahead_new(size_t max) MUST_CHECK;
void raw_ahead_free(struct raw_ahead *a); /* takes NULL */

/* As store_read; always of the same shard, which is open.  After a few calls in
 * a row that met no answer nothing more is asked, as each takes its time.
 */
enum rc raw_ahead_read(struct raw_ahead *a, const struct raw_shard *s,
		       uint64_t off, void *buf, size_t len,
		       struct err *err) MUST_CHECK;

/* Was that so?  Then err says what they met. */
bool raw_ahead_gave_up(const struct raw_ahead *a, struct err *err);

#endif
