/* SPDX-License-Identifier: Apache-2.0 */
/* text-line.h - a line of a label and of cells, as many as there is room for.
 *
 *	struct line l = { .label_width = 16 };
 *
 *	line_number(&l, n, false);
 *	line_time(&l, &took, latency_quantile(&took, 990));
 *	line_put(80, "lookup", &l, out);
 */
#ifndef DESFS_CMD_TEXT_LINE_H
#define DESFS_CMD_TEXT_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/human.h"
#include "base/latency.h"

#define LINE_CELLS 8

struct line {
	char cells[LINE_CELLS][HUMAN_MAX];
	unsigned int n;
	unsigned int label_width; /* columns */
};

/* Add a cell. */
void line_text(struct line *l, const char *text);
void line_number(struct line *l, uint64_t v, bool is_bytes);
void line_rate(struct line *l, uint64_t grown, double seconds, bool is_bytes);
/* A duration among those in c; "-" when there are none. */
void line_time(struct line *l, const struct latency_counts *c, uint64_t ns);
/* In a hundred; "-" when negative. */
void line_ratio(struct line *l, double ratio);

/* Append the line, with the first of its cells that fit into the columns. */
void line_put(unsigned int columns, const char *label, const struct line *l,
	      struct buf *out);

#endif
