/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-cut.c - cuts the bytes of a manifest into the texts of its records.
 */
#include "config.h"

#include "exchange/manifest-cut.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* A record, and what is read ahead of it. */
#define WINDOW (MANIFEST_RECORD_MAX + (64u << 10))
#define NO_COLUMN UINT64_MAX

static bool is_blank(char b)
{
	return b == ' ' || b == '\t' || b == '\n' || b == '\r';
}

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

/* All up to at is done with. */
static void consume(struct manifest_cut *c)
{
	c->line += c->n_dropped_lines +
		   count_lines(c->p + c->from, c->at - c->from);
	c->n_dropped_lines = 0;
	c->from = c->at;
	c->is_long = false;
}

/* Forget what was looked at of a record that is too long anyway. */
static void drop(struct manifest_cut *c)
{
	c->n_dropped_lines += count_lines(c->p + c->from, c->at - c->from);
	c->from = c->at;
	c->is_long = true;
}

/* More bytes behind those that are there; true when there are some. */
static enum rc fill(struct manifest_cut *c, bool *ret, struct err *err)
{
	size_t n = 0;

	*ret = false;
	if (c->has_ended)
		return RC_OK;
	if (c->at - c->from > MANIFEST_RECORD_MAX)
		drop(c);
	memmove(c->p, c->p + c->from, c->to - c->from);
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

/* Go on to the first byte that is no blank; false at the end. */
static enum rc skip_blanks(struct manifest_cut *c, bool *ret, struct err *err)
{
	for (;;) {
		for (; c->at < c->to && is_blank(c->p[c->at]); c->at++) {
			c->column++;
			if (c->p[c->at] == '\n') {
				c->column = 0;
				c->line_is_blank = true;
			}
		}
		*ret = c->at < c->to;
		consume(c);
		if (*ret)
			return RC_OK;
		if (fill(c, ret, err))
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
		while (c->at < c->to && is_blank(c->p[c->at])) {
			c->column++;
			if (c->p[c->at++] != '\n')
				continue;
			c->column = 0;
			consume(c);
		}
		*ret = c->at < c->to;
		if (*ret)
			return RC_OK;
		if (fill(c, ret, err))
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
	consume(c);
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
		if (fill(c, &has_more, err))
			return err->rc;
	if (c->to >= strlen(bom) && !memcmp(c->p, bom, strlen(bom))) {
		c->at = strlen(bom);
		consume(c);
	}
	if (skip_blank_lines(c, &has_more, err))
		return err->rc;
	if (!has_more) {
		consume(c);
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
	consume(c);
	return RC_OK;
}

void manifest_cut_release(struct manifest_cut *c)
{
	free(c->p);
	c->p = NULL;
}

/* The text up to len bytes from the record's first. */
static void end_text(struct manifest_cut *c, size_t len, const char *bad,
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
		if (fill(c, &has_more, err))
			return err->rc;
	} while (has_more);
	return c->at > c->from || c->is_long
		       ? RC_OK
		       : err_set(err, RC_NOENT, "the manifest has ended");
}

static struct span trim(struct span s)
{
	while (s.len && is_blank(s.p[s.len - 1]))
		s.len--;
	while (s.len && is_blank(*s.p))
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

		consume(c);
		if (find_line(c, err))
			return err->rc;
		s = span_of(c->p + c->from, c->at - c->from);
		s.len -= s.len && s.p[s.len - 1] == '\n';
		s.len -= s.len && s.p[s.len - 1] == '\r';
		end_text(c, s.len, NULL, ret);
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

/* --- an array -------------------------------------------------------------
 *
 * Two look at the bytes of an element.  json_check tells whether they are JSON.
 * The other knows only brackets and strings, to find the end of what is not.
 */

/* Let json_check have what it has not seen of the bytes before p + end. */
static void check_up_to(struct manifest_cut *c, size_t end)
{
	if (!c->bad &&
	    !json_check_feed(&c->check, c->p + c->checked, end - c->checked))
		c->bad = "not JSON";
	c->checked = end;
}

static void step_string(struct manifest_cut *c, char b)
{
	if (c->is_escaped)
		c->is_escaped = false;
	else if (b == '\\')
		c->is_escaped = true;
	else if (b == '"')
		c->in_string = false;
}

/* One more byte, at p + at; true when the element ends before it. */
static bool step_line_start(struct manifest_cut *c, char b)
{
	if (b == '\n') {
		/* No string goes beyond a line, so one that does so has lost
		 * its end.
		 */
		check_up_to(c, c->at + 1);
		c->in_string = false;
		c->is_escaped = false;
		c->column = 0;
		c->line_is_blank = true;
		return false;
	}
	if (b == '{' && c->line_is_blank && c->column == c->first_column) {
		check_up_to(c, c->at + 1);
		return c->bad;
	}
	return false;
}

/* True when the element ends: with the byte at p + at if *ret_with, else before
 * it.
 */
static bool step(struct manifest_cut *c, bool *ret_with)
{
	char b = c->p[c->at];

	*ret_with = false;
	if (step_line_start(c, b))
		return true;
	if (b != '\n') {
		c->column++;
		c->line_is_blank =
			c->line_is_blank && (is_blank(b) || b == ',');
	}
	if (c->in_string) {
		step_string(c, b);
		return false;
	}
	if (b == '"')
		c->in_string = true;
	else if (b == '{' || b == '[')
		c->depth++;
	else if (!c->depth && (b == ',' || b == ']'))
		return true;
	else if (c->depth && (b == '}' || b == ']'))
		c->depth--;
	if (b == '}' || b == ']')
		check_up_to(c, c->at + 1);
	*ret_with = !c->depth && !c->bad && json_check_end(&c->check);
	return *ret_with;
}

/* Take its first byte, which is there. */
static void begin_element(struct manifest_cut *c)
{
	json_check_init(&c->check);
	c->checked = c->at;
	c->bad = c->p[c->at] == '{' ? NULL : "not a JSON object";
	c->depth = c->p[c->at] == '{' || c->p[c->at] == '[';
	c->in_string = c->p[c->at] == '"';
	c->is_escaped = false;
	if (c->line_is_blank)
		c->first_column = c->column;
	c->line_is_blank = false;
	c->at++;
	c->column++;
}

/* From the element's first byte, which is there, to behind its last.  What is
 * bad ends where the next may begin.
 */
static enum rc next_element(struct manifest_cut *c, struct manifest_text *ret,
			    struct err *err)
{
	bool has_more = true, with = false;

	begin_element(c);
	if (c->p[c->at - 1] == ',') {
		c->wants_comma = false;
		end_text(c, 1, "no record before the comma", ret);
		return RC_OK;
	}
	do {
		for (; c->at < c->to; c->at++) {
			if (!step(c, &with))
				continue;
			c->at += with;
			/* A next one that was found by its brace has none. */
			c->wants_comma = with || c->p[c->at] != '{';
			end_text(c, c->at - c->from, c->bad, ret);
			return RC_OK;
		}
		check_up_to(c, c->to);
		if (fill(c, &has_more, err))
			return err->rc;
	} while (has_more);
	c->is_over = true;
	end_text(c, c->at - c->from, "the manifest ends within it", ret);
	return RC_OK;
}

/* The array is over; bad: wrongly so. */
static enum rc end_array(struct manifest_cut *c, const char *bad,
			 struct manifest_text *ret, struct err *err)
{
	c->is_over = true;
	if (!bad)
		return err_set(err, RC_NOENT, "the manifest has ended");
	*ret = (struct manifest_text){ .line = c->line, .bad = bad };
	return RC_OK;
}

/* At the array's end, as it seems. */
static enum rc next_end(struct manifest_cut *c, struct manifest_text *ret,
			struct err *err)
{
	bool has_more;

	c->at++;
	c->column++;
	c->line_is_blank = false;
	if (skip_blanks(c, &has_more, err))
		return err->rc;
	if (!has_more)
		return end_array(c, NULL, ret, err);
	(void)!end_array(c, "text behind the array", ret, err);
	/* It may be the bracket of a bad record. */
	c->is_over = !c->had_bad;
	return RC_OK;
}

/* Behind the comma, or to the array's end. */
static enum rc find_element(struct manifest_cut *c, bool *ret_has_more,
			    struct err *err)
{
	for (;;) {
		if (skip_blanks(c, ret_has_more, err))
			return err->rc;
		if (!*ret_has_more || c->p[c->at] != ',' || !c->wants_comma)
			return RC_OK;
		c->wants_comma = false;
		c->at++;
		c->column++;
	}
}

static enum rc next_of_array(struct manifest_cut *c, struct manifest_text *ret,
			     struct err *err)
{
	static const char no_end[] = "the array has no end: the manifest may "
				     "have been cut short";
	bool has_more, lacks_comma;

	consume(c);
	if (c->is_over)
		return end_array(c, NULL, ret, err);
	if (find_element(c, &has_more, err))
		return err->rc;
	if (!has_more)
		return end_array(c, no_end, ret, err);
	if (c->p[c->at] == ']')
		return next_end(c, ret, err);
	lacks_comma = c->wants_comma;
	if (next_element(c, ret, err))
		return err->rc;
	if (lacks_comma && !ret->bad)
		ret->bad = "no comma before it";
	c->had_bad = c->had_bad || ret->bad;
	return RC_OK;
}

enum rc manifest_cut_next(struct manifest_cut *c, struct manifest_text *ret,
			  struct err *err)
{
	return c->form == MANIFEST_JSON_ARRAY ? next_of_array(c, ret, err)
					      : next_line(c, ret, err);
}
