/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-again.h - where the records of an array go on behind a broken one.
 *
 * A whole object behind "}" and a comma may be the next record, or may be one
 * within the broken record: nested there, or in a string that lost its escapes.
 * The first is so where all up to it is right, and it may begin there; else
 * what is around it must end later, with a bracket or a quote.  So it is the
 * next record if a comma and another object follow it, and so on up to the end
 * of the array, or for the next MANIFEST_AGAIN_AHEAD bytes.  Of objects that
 * are broken again no bracket may close more than it opens.  What no bytes
 * tell from the next record is taken for it: objects in a string that lost its
 * escapes, if the string was cut and has no end, and those nested in a record
 * that lost all that was behind them.  Pure but for what is found.
 */
#ifndef DESFS_EXCHANGE_MANIFEST_AGAIN_H
#define DESFS_EXCHANGE_MANIFEST_AGAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json-check.h"

/* As much as a record may have, so that the end of the broken one is seen. */
#define MANIFEST_AGAIN_AHEAD (1u << 20)

/* Bytes of a manifest from begin up to end, counted from its first one. */
struct manifest_view {
	const char *p;
	uint64_t begin, end;
	bool is_all; /* nothing follows */
};

/* Zeros to begin with. */
struct manifest_again {
	uint64_t at;         /* all before was looked at */
	unsigned int behind; /* up to there: 1 a brace, 2 that and a comma */
	struct json_check check; /* likewise, of the broken record */
	/* From an object at run_at on there was nothing else, up to one at
	 * run_to of which not all was looked at.  The second of these is at
	 * run_next, if that is behind run_at; else it is not known.
	 */
	uint64_t run_at, run_next, run_to;
	uint64_t begin; /* of the broken one */
};

/* Look for an object behind the one at at, should it be broken.  is_behind: it
 * is an object, and only a whole one was between the last begin and this.
 */
void manifest_again_begin(struct manifest_again *a, uint64_t at,
			  bool is_behind);

enum manifest_again_found {
	MANIFEST_AGAIN_NONE, /* in these bytes; more may be looked at */
	MANIFEST_AGAIN_HERE, /* at *ret */
	MANIFEST_AGAIN_MORE  /* at *ret, if what follows says so */
};

/* The first one; the view has what was not looked at. */
enum manifest_again_found manifest_again_find(struct manifest_again *a,
					      const struct manifest_view *v,
					      uint64_t *ret);

/* A broken record seems to end before a comma or a brace at at.  NONE: what
 * follows says that it does not end there; MORE: if what follows does not say
 * so.
 */
enum manifest_again_found manifest_again_may(struct manifest_again *a,
					     const struct manifest_view *v,
					     uint64_t at);

#endif
