/* SPDX-License-Identifier: Apache-2.0 */
/* text-line.c - a line of a label and of cells, as many as there is room for. */
#include "config.h"

#include "cmd/text-line.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define CELL_WIDTH 9
#define NS_PER_US 1000.0

static char *next_cell(struct line *l)
{
	assert(l->n < LINE_CELLS);
	return l->cells[l->n++];
}

void line_text(struct line *l, const char *text)
{
	snprintf(next_cell(l), HUMAN_MAX, "%s", text);
}

void line_number(struct line *l, uint64_t v, bool is_bytes)
{
	if (is_bytes)
		human_bytes(next_cell(l), v);
	else
		snprintf(next_cell(l), HUMAN_MAX, "%" PRIu64, v);
}

void line_rate(struct line *l, uint64_t grown, double seconds, bool is_bytes)
{
	double rate = (double)grown / seconds;

	if (!is_bytes && rate > 0 && rate < 9.95)
		snprintf(next_cell(l), HUMAN_MAX, "%.1f", rate);
	else
		line_number(l, (uint64_t)(rate + 0.5), is_bytes);
}

void line_time(struct line *l, const struct latency_counts *c, uint64_t ns)
{
	double us = (double)ns / NS_PER_US;

	if (!c->total)
		line_text(l, "-");
	else if (us < 999.5)
		snprintf(next_cell(l), HUMAN_MAX, "%.0f us", us);
	else if (us < 99950)
		snprintf(next_cell(l), HUMAN_MAX, "%.1f ms", us / 1000);
	else
		human_duration(next_cell(l), ns);
}

void line_ratio(struct line *l, double ratio)
{
	if (ratio < 0)
		line_text(l, "-");
	else
		snprintf(next_cell(l), HUMAN_MAX, "%.0f %%", ratio);
}

void line_put(unsigned int columns, const char *label, const struct line *l,
	      struct buf *out)
{
	unsigned int used = l->label_width;

	buf_printf(out, "%-*s", (int)l->label_width, label);
	for (unsigned int i = 0; i < l->n; i++) {
		used += CELL_WIDTH;
		if (used > columns)
			break;
		buf_printf(out, " %*s", CELL_WIDTH - 1, l->cells[i]);
	}
	buf_append_str(out, "\n");
}
