/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-cut.c - cuts the bytes of a manifest into the texts of its records.
 */
#include "config.h"

#include "exchange/manifest-cut.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "exchange/manifest-cut-backend.h"

/* A record, what tells whether another one follows it, and what is read ahead.
 */
#define WINDOW (MANIFEST_RECORD_MAX + MANIFEST_AGAIN_AHEAD + (64u << 10))
#define NO_COLUMN UINT64_MAX

static_assert(MANIFEST_AGAIN_AHEAD >= MANIFEST_RECORD_MAX,
	      "the end of a broken record may be that far away");

static uint64_t count_lines(const char *p, size_t len)
{
	const char *end = p + len;
	uint64_t n = 0;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		p++;
		n++;
	}
	return n;
}

void manifest_cut_consume(struct manifest_cut *c)
{
	c->line += c->n_dropped_lines +
		   count_lines(c->p + c->from, c->at - c->from);
	c->n_dropped_lines = 0;
	c->from = c->at;
	c->is_long = false;
}

void manifest_cut_drop(struct manifest_cut *c, size_t at)
{
	c->n_dropped_lines += count_lines(c->p + c->from, at - c->from);
	c->from = at;
	c->is_long = true;
}

enum rc manifest_cut_read_on(struct manifest_cut *c, bool *ret, struct err *err)
{
	size_t n = 0;

	*ret = false;
	if (c->has_ended)
		return RC_OK;
	memmove(c->p, c->p + c->from, c->to - c->from);
	c->base += c->from;
	c->at -= c->from;
	c->checked -= c->checked < c->from ? c->checked : c->from;
	c->to -= c->from;
	c->from = 0;
	if (c->read(c->read_arg, c->p + c->to, WINDOW - c->to, &n, err))
		return err->rc;
	c->to += n;
	c->has_ended = !n;
	*ret = n;
	return RC_OK;
}

enum rc manifest_cut_fill(struct manifest_cut *c, bool *ret, struct err *err)
{
	if (!c->has_ended && c->at - c->from > MANIFEST_RECORD_MAX)
		manifest_cut_drop(c, c->at);
	return manifest_cut_read_on(c, ret, err);
}

enum rc manifest_cut_skip_blanks(struct manifest_cut *c, bool *ret,
				 struct err *err)
{
	for (;;) {
		for (; c->at < c->to && manifest_is_blank(c->p[c->at]);
		     c->at++) {
			c->column++;
			if (c->p[c->at] == '\n') {
				c->column = 0;
				c->line_is_blank = true;
			}
		}
		*ret = c->at < c->to;
		manifest_cut_consume(c);
		if (*ret)
			return RC_OK;
		if (manifest_cut_fill(c, ret, err))
			return err->rc;
		if (!*ret)
			return RC_OK;
	}
}

/* Go on to the first byte that is no blank, from its line's begin on; false at
 * the end.
 */
static enum rc skip_blank_lines(struct manifest_cut *c, bool *ret,
				struct err *err)
{
	for (;;) {
		while (c->at < c->to && manifest_is_blank(c->p[c->at])) {
			c->column++;
			if (c->p[c->at++] != '\n')
				continue;
			c->column = 0;
			manifest_cut_consume(c);
		}
		*ret = c->at < c->to;
		if (*ret)
			return RC_OK;
		if (manifest_cut_fill(c, ret, err))
			return err->rc;
		if (!*ret)
			return RC_OK;
	}
}

/* The first line of TSV may begin with tabs: with columns without a name. */
static void begin_tsv(struct manifest_cut *c)
{
	c->at = c->from;
	while (c->p[c->at] == ' ' || c->p[c->at] == '\r')
		c->at++;
	manifest_cut_consume(c);
}

enum rc manifest_cut_init(struct manifest_cut *c, manifest_read_fn *read,
			  void *read_arg, struct err *err)
{
	static const char bom[] = "\xef\xbb\xbf";
	bool has_more = true;

	*c = (struct manifest_cut){ .read = read,
				    .read_arg = read_arg,
				    .form = MANIFEST_TSV,
				    .line = 1,
				    .first_column = NO_COLUMN,
				    .line_is_blank = true };
	c->p = mem_array(1, WINDOW);
	if (!c->p)
		return err_set(err, RC_NOMEM, "manifest: out of memory");
	while (c->to < strlen(bom) && has_more)
		if (manifest_cut_fill(c, &has_more, err))
			return err->rc;
	if (c->to >= strlen(bom) && !memcmp(c->p, bom, strlen(bom))) {
		c->at = strlen(bom);
		manifest_cut_consume(c);
	}
	if (skip_blank_lines(c, &has_more, err))
		return err->rc;
	if (!has_more) {
		manifest_cut_consume(c);
		return RC_OK;
	}
	if (c->p[c->at] == '[') {
		c->form = MANIFEST_JSON_ARRAY;
		c->at++;
		c->column++;
	} else if (c->p[c->at] == '{') {
		c->form = MANIFEST_JSON_LINES;
	} else {
		begin_tsv(c);
	}
	manifest_cut_consume(c);
	return RC_OK;
}

void manifest_cut_release(struct manifest_cut *c)
{
	free(c->p);
	c->p = NULL;
}

void manifest_cut_end_text(struct manifest_cut *c, size_t len, const char *bad,
			   struct manifest_text *ret)
{
	*ret = (struct manifest_text){ .text = span_of(c->p + c->from, len),
				       .line = c->line,
				       .bad = bad };
	if (!c->is_long && len <= MANIFEST_RECORD_MAX)
		return;
	ret->text.len = 0;
	ret->bad = "more than 1 MiB";
}

/* --- lines ---------------------------------------------------------------- */

/* From from to at, which is behind the line's end if it has one. */
static enum rc find_line(struct manifest_cut *c, struct err *err)
{
	bool has_more = true;

	do {
		size_t left = c->to - c->at;
		char *end = left ? memchr(c->p + c->at, '\n', left) : NULL;

		c->at = end ? (size_t)(end + 1 - c->p) : c->to;
		if (end)
			return RC_OK;
		if (manifest_cut_fill(c, &has_more, err))
			return err->rc;
	} while (has_more);
	return c->at > c->from || c->is_long
		       ? RC_OK
		       : err_set(err, RC_NOENT, "the manifest has ended");
}

static struct span trim(struct span s)
{
	while (s.len && manifest_is_blank(s.p[s.len - 1]))
		s.len--;
	while (s.len && manifest_is_blank(*s.p))
		s = span_after(s, 1);
	return s;
}

static const char *check_object(struct manifest_cut *c, struct span s)
{
	json_check_init(&c->check);
	if (*s.p != '{')
		return "not a JSON object";
	if (!json_check_feed(&c->check, s.p, s.len))
		return "not JSON";
	return json_check_end(&c->check) ? NULL
					 : "not JSON: the line ends within it";
}

static enum rc next_line(struct manifest_cut *c, struct manifest_text *ret,
			 struct err *err)
{
	for (;;) {
		struct span s;

		manifest_cut_consume(c);
		if (find_line(c, err))
			return err->rc;
		s = span_of(c->p + c->from, c->at - c->from);
		s.len -= s.len && s.p[s.len - 1] == '\n';
		s.len -= s.len && s.p[s.len - 1] == '\r';
		manifest_cut_end_text(c, s.len, NULL, ret);
		if (ret->bad)
			return RC_OK;
		ret->text = c->form == MANIFEST_TSV ? s : trim(s);
		if (!ret->text.len)
			continue;
		if (c->form == MANIFEST_TSV)
			return RC_OK;
		ret->bad = check_object(c, ret->text);
		return RC_OK;
	}
}

enum rc manifest_cut_next(struct manifest_cut *c, struct manifest_text *ret,
			  struct err *err)
{
	return c->form == MANIFEST_JSON_ARRAY
		       ? manifest_cut_of_array(c, ret, err)
		       : next_line(c, ret, err);
}
