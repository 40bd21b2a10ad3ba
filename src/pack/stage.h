/* SPDX-License-Identifier: Apache-2.0 */
/* stage.h - contents that a feed fetches together, before they are packed one by
 * one.
 *
 * The next files of a plan, as far as they have room in a temporary file, are
 * fetched when the first of them is opened.  What could not be fetched, or is
 * large, is opened as if there were no stage.  For the thread that reads.
 */
#ifndef DESFS_PACK_STAGE_H
#define DESFS_PACK_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct feed;
struct item;
struct plan;
struct stage;

/* Memory that each takes. */
#define STAGE_MEMORY (8u << 20)

struct stage_options {
	const struct feed *feed;
	const struct plan *plan;
	const char *spool;  /* directory of the temporary file */
	bool is_slow;       /* reads are to be few at a time */
};

/* All borrowed, the plan finished.  NULL: the feed has nothing to fetch. */
struct stage *stage_new(const struct stage_options *o) MUST_CHECK;
/* The calls that follow take NULL. */
void stage_free(struct stage *s);

/* The next item of the plan is at hand. */
void stage_step(struct stage *s);

/* The content of the item at hand as feed's open gives it; false: it is not
 * there.
 */
bool stage_open(struct stage *s, const struct item *it, int *ret_fd,
		uint64_t *ret_base) MUST_CHECK;

#endif
