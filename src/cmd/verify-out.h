/* SPDX-License-Identifier: Apache-2.0 */
/* verify-out.h - what desfs verify has found, as text or JSON.
 *
 * For one thread.
 */
#ifndef DESFS_CMD_VERIFY_OUT_H
#define DESFS_CMD_VERIFY_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "verify/verify.h"

#define VERIFY_NO_TARGET (-1)

/* The members of a row, between json_row_begin and json_row_end.  target: which
 * of several archives it is about.
 */
void verify_row_finding(struct buf *b, const struct finding *f, int target);
void verify_row_totals(struct buf *b, const struct verify_totals *t);

/* Damaged and missing shards for each shard looked at or missed. */
double verify_corruption_rate(uint64_t shards, uint64_t damaged,
			      uint64_t missing);

/* Text for people: of many names that one object costs only the first, and how
 * many more there are.
 */
struct verify_text {
	char *key; /* of the object whose names are being told */
	uint64_t n_named, n_more;
};

void verify_text_finding(struct verify_text *t, const struct finding *f);
/* Nothing more comes of that object. */
void verify_text_end(struct verify_text *t);

/* The last line. */
void verify_print_totals(const struct verify_totals *t, bool is_deep,
			 bool is_json);

#endif
