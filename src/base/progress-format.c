/* SPDX-License-Identifier: Apache-2.0 */
/* progress-format.c - the words of progress. */
#include "config.h"

#include "base/progress-format.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/human.h"
#include "base/json-text.h"

/* --- a line for people ------------------------------------------------------
 */

/* What a line is made of, in the order of display.  Where the terminal is too
 * narrow, pieces of the highest rank go first.
 */
struct piece {
	char text[64];
	unsigned int rank;
};

enum { PIECES_MAX = 8 };

struct line {
	struct piece v[PIECES_MAX];
	size_t n;
};

static void add_piece(struct line *l, unsigned int rank, const char *fmt, ...)
	PRINTF(3, 4);

static void add_piece(struct line *l, unsigned int rank, const char *fmt, ...)
{
	struct piece *piece = &l->v[l->n++];
	va_list ap;

	assert(l->n <= PIECES_MAX);
	piece->rank = rank;
	va_start(ap, fmt);
	vsnprintf(piece->text, sizeof(piece->text), fmt, ap);
	va_end(ap);
}

static void add_bytes(struct line *l, const struct progress_counters *c)
{
	char in[HUMAN_MAX], out[HUMAN_MAX];

	human_bytes(in, c->bytes_in);
	if (!c->bytes_out) {
		add_piece(l, 3, "%s", in);
		return;
	}
	add_piece(l, 3, "%s -> %s", in, human_bytes(out, c->bytes_out));
	if (c->bytes_in)
		add_piece(l, 5, "%.1f %%",
			  100.0 * (double)c->bytes_out / (double)c->bytes_in);
}

static void make_line(const struct progress_counters *c,
		      struct progress_speed speed, struct line *l)
{
	char text[HUMAN_MAX];

	if (c->files_total)
		add_piece(l, 0, "%" PRIu64 "/%" PRIu64 " files", c->files_done,
			  c->files_total);
	else
		add_piece(l, 0, "%" PRIu64 " files", c->files_done);
	if (c->errors)
		add_piece(l, 1, "%" PRIu64 " failed", c->errors);
	add_bytes(l, c);
	if (speed.files >= 1)
		add_piece(l, 6, "%.0f/s", speed.files);
	if (speed.bytes >= 1)
		add_piece(l, 4, "%s/s",
			  human_bytes(text, (uint64_t)speed.bytes));
	if (c->slots_total)
		add_piece(l, 7, "%" PRIu64 "/%" PRIu64 " %s", c->slots_done,
			  c->slots_total, c->unit ? c->unit : "slots");
	if (speed.is_left_known)
		add_piece(l, 2, "%s left", human_duration(text, speed.ns_left));
}

static size_t columns(const struct line *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += strlen(l->v[i].text) + (i ? 2 : 0);
	return n;
}

static void drop_least(struct line *l)
{
	size_t least = 0;

	for (size_t i = 1; i < l->n; i++)
		if (l->v[i].rank > l->v[least].rank)
			least = i;
	memmove(l->v + least, l->v + least + 1,
		(l->n - least - 1) * sizeof(*l->v));
	l->n--;
}

void progress_format_line(const struct progress_counters *c,
			  struct progress_speed speed, size_t width,
			  struct buf *b)
{
	struct line l = { .n = 0 };
	size_t used = 0;

	if (c->phase && *c->phase) {
		text_escape(b, c->phase, strlen(c->phase));
		buf_append_str(b, ": ");
		used = b->len;
	}
	make_line(c, speed, &l);
	while (l.n > 1 && used + columns(&l) >= width)
		drop_least(&l);
	for (size_t i = 0; i < l.n; i++)
		buf_printf(b, "%s%s", i ? ", " : "", l.v[i].text);
}

/* --- JSON -------------------------------------------------------------------
 */

static void json_uint(struct buf *b, const char *name, bool is_known,
		      uint64_t n)
{
	if (is_known)
		buf_printf(b, ",\"%s\":%" PRIu64, name, n);
	else
		buf_printf(b, ",\"%s\":null", name);
}

static void json_double(struct buf *b, const char *name, bool is_known,
			int digits, double x)
{
	if (is_known)
		buf_printf(b, ",\"%s\":%.*f", name, digits, x);
	else
		buf_printf(b, ",\"%s\":null", name);
}

/* The fields are documented in desfs-pack(1), and all are there always. */
void progress_format_json(const struct progress_counters *c,
			  struct progress_speed speed, uint64_t ns,
			  bool is_last, struct buf *b)
{
	const char *phase = c->phase ? c->phase : "";
	double ratio =
		c->bytes_in ? (double)c->bytes_out / (double)c->bytes_in : 0;

	buf_append_str(b, "{\"v\":1,\"type\":\"progress\",\"phase\":");
	json_text_string(b, phase, strlen(phase));
	json_uint(b, "slots_done", c->slots_total, c->slots_done);
	json_uint(b, "slots_total", c->slots_total, c->slots_total);
	json_uint(b, "files_done", true, c->files_done);
	json_uint(b, "files_total", c->files_total, c->files_total);
	json_uint(b, "bytes_done", true, c->bytes_done);
	json_uint(b, "bytes_total", c->files_total, c->bytes_total);
	json_uint(b, "files_in", true, c->files_in);
	json_uint(b, "bytes_in", true, c->bytes_in);
	json_uint(b, "bytes_out", true, c->bytes_out);
	json_double(b, "ratio", c->bytes_in, 4, ratio);
	json_uint(b, "failed", true, c->errors);
	json_double(b, "seconds", true, 1, (double)ns / CLOCK_NS_PER_SEC);
	json_double(b, "files_per_second", true, 1, speed.files);
	json_double(b, "bytes_per_second", true, 0, speed.bytes);
	json_double(b, "seconds_left", speed.is_left_known, 0,
		    (double)speed.ns_left / CLOCK_NS_PER_SEC);
	buf_printf(b, ",\"done\":%s}\n", is_last ? "true" : "false");
}
