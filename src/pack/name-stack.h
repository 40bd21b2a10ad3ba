/* SPDX-License-Identifier: Apache-2.0 */
/* name-stack.h - the names of directories that a walker is to enter: a stack of
 * ranges, one for each directory on its way, in bounded memory and then in a
 * temporary file.
 *
 * Names are added to the topmost range alone, and taken from any.  For one
 * thread.
 */
#ifndef DESFS_PACK_NAME_STACK_H
#define DESFS_PACK_NAME_STACK_H

#include <stdbool.h>

#include "base/spool.h"

#define NAME_STACK_BYTES 4096 /* of one name with its NUL, at most */

struct name_stack {
	struct spool spool;
};

/* Offsets in the stack; names from next to end are left. */
struct name_range {
	uint64_t begin, next, end;
};

/* About so many bytes stay in memory; once there is a file in spool_dir, which
 * is borrowed, up to 256 KiB.
 */
void name_stack_init(struct name_stack *s, const char *spool_dir,
		     size_t memory);
void name_stack_release(struct name_stack *s);

/* An empty range on top of all others. */
struct name_range name_stack_begin(const struct name_stack *s);

/* Add len bytes of names, each with its NUL, to the topmost range. */
enum rc name_stack_add(struct name_stack *s, struct name_range *r,
		       const char *names, size_t len,
		       struct err *err) MUST_CHECK;

static inline bool name_range_is_empty(const struct name_range *r)
{
	return r->next == r->end;
}

/* The first name left of a range that is not empty. */
enum rc name_stack_take(const struct name_stack *s, struct name_range *r,
			char ret[NAME_STACK_BYTES], struct err *err) MUST_CHECK;

/* Take names from the end of the range, half of them but no more than a few
 * thousand; its only one when it has but one.  The caller frees *ret.
 */
enum rc name_stack_split(const struct name_stack *s, struct name_range *r,
			 char **ret, size_t *ret_len,
			 struct err *err) MUST_CHECK;

/* Does the range, which is not empty, have only one name? */
enum rc name_stack_is_single(const struct name_stack *s,
			     const struct name_range *r, bool *ret,
			     struct err *err) MUST_CHECK;

/* Forget the topmost range and what is left in it. */
void name_stack_end(struct name_stack *s, const struct name_range *r);

#endif
