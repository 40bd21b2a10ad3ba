/* SPDX-License-Identifier: Apache-2.0 */
/* get-days.h - pairs in the order of their days, for archives of older
 * programs, of which a day is read at a time.
 *
 * All are added, then all are taken.  Memory is bounded.  For one thread.
 */
#ifndef DESFS_EXCHANGE_GET_DAYS_H
#define DESFS_EXCHANGE_GET_DAYS_H

#include "base/err.h"
#include "exchange/get-batch.h"

struct get_days;

/* temp_dir is borrowed. */
struct get_days *get_days_new(const char *temp_dir) MUST_CHECK;
void get_days_free(struct get_days *d); /* takes NULL */

enum rc get_days_add(struct get_days *d, const struct get_pair *pair,
		     struct err *err) MUST_CHECK;

/* On which no file was archived: of what has a time that is none. */
#define GET_NO_DAY 10101u

/* The next pair, and its day as get_when has it: 0 first, for what has no time.
 * Borrowed until the next call.  A uid that was added with several days, or
 * without one as well, has_versions, but for the pair without.  RC_NOENT at the
 * end.
 */
enum rc get_days_next(struct get_days *d, struct get_pair *ret,
		      uint32_t *ret_day, struct err *err) MUST_CHECK;

#endif
