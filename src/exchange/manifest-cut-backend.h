/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-cut-backend.h - what the files of manifest-cut share; for them only.
 */
#ifndef DESFS_EXCHANGE_MANIFEST_CUT_BACKEND_H
#define DESFS_EXCHANGE_MANIFEST_CUT_BACKEND_H

#include "exchange/manifest-cut.h"

static inline bool manifest_is_blank(char b)
{
	return b == ' ' || b == '\t' || b == '\n' || b == '\r';
}

/* All up to at is done with. */
void manifest_cut_consume(struct manifest_cut *c);

/* Forget what a record that is too long anyway has before p + at. */
void manifest_cut_drop(struct manifest_cut *c, size_t at);

/* More bytes behind those that are there, for which there is room; true when
 * there are some.  fill makes room, and drops what is too long.
 */
enum rc manifest_cut_read_on(struct manifest_cut *c, bool *ret,
			     struct err *err) MUST_CHECK;
enum rc manifest_cut_fill(struct manifest_cut *c, bool *ret,
			  struct err *err) MUST_CHECK;

/* Go on to the first byte that is no blank; false at the end. */
enum rc manifest_cut_skip_blanks(struct manifest_cut *c, bool *ret,
				 struct err *err) MUST_CHECK;

/* The text up to len bytes from the record's first. */
void manifest_cut_end_text(struct manifest_cut *c, size_t len, const char *bad,
			   struct manifest_text *ret);

/* manifest_cut_next of an array. */
enum rc manifest_cut_of_array(struct manifest_cut *c, struct manifest_text *ret,
			      struct err *err) MUST_CHECK;

#endif
