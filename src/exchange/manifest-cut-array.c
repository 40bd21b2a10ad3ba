/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-cut-array.c - the texts of the records of an array.
 *
 * Two look at the bytes of an element.  json_check tells whether they are JSON.
 * The other knows only brackets and strings, to find the end of what is not; as
 * it may miss that, a third (manifest-again.h) looks for the next record.
 */
#include "config.h"

#include "exchange/manifest-cut-backend.h"

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
			c->line_is_blank && (manifest_is_blank(b) || b == ',');
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
	c->has_looked = false;
	c->found = MANIFEST_AGAIN_NONE;
	manifest_again_begin(&c->again, c->base + c->at,
			     c->is_behind_good && c->p[c->at] == '{');
	if (c->line_is_blank)
		c->first_column = c->column;
	c->line_is_blank = false;
	c->at++;
	c->column++;
}

/* --- the next one behind what is bad -------------------------------------- */

static struct manifest_view view_of(const struct manifest_cut *c)
{
	return (struct manifest_view){ .p = c->p + c->from,
				       .begin = c->base + c->from,
				       .end = c->base + c->to,
				       .is_all = c->has_ended };
}

/* Look for it, with as many bytes as that takes. */
static enum rc look(struct manifest_cut *c, struct err *err)
{
	bool has_more;

	c->has_looked = true;
	for (;;) {
		const struct manifest_view v = view_of(c);

		c->found = manifest_again_find(&c->again, &v, &c->next);
		/* For what is that far away there is no room yet. */
		if (c->found != MANIFEST_AGAIN_MORE ||
		    c->next - v.begin > MANIFEST_RECORD_MAX)
			return RC_OK;
		if (manifest_cut_read_on(c, &has_more, err))
			return err->rc;
	}
}

static bool is_past_next(const struct manifest_cut *c)
{
	return c->base + c->at >= c->next;
}

/* True when the element ends, before c->next, which is not behind p + at. */
static enum rc find_next(struct manifest_cut *c, bool *ret, struct err *err)
{
	*ret = false;
	if (!c->bad)
		return RC_OK;
	if (!c->has_looked && look(c, err))
		return err->rc;
	while (c->found == MANIFEST_AGAIN_MORE && is_past_next(c)) {
		manifest_cut_drop(c, (size_t)(c->next - c->base));
		if (look(c, err))
			return err->rc;
	}
	*ret = c->found == MANIFEST_AGAIN_HERE && is_past_next(c);
	return RC_OK;
}

/* Does what is bad end before p + at, where there is a comma, as its brackets
 * say, or a brace, as its column says?
 */
static enum rc check_end(struct manifest_cut *c, bool *ret, struct err *err)
{
	bool has_more;

	for (;;) {
		const struct manifest_view v = view_of(c);
		enum manifest_again_found may =
			manifest_again_may(&c->again, &v, c->base + c->at);

		*ret = may != MANIFEST_AGAIN_NONE;
		if (may != MANIFEST_AGAIN_MORE)
			return RC_OK;
		if (c->at - c->from > MANIFEST_RECORD_MAX)
			manifest_cut_drop(c, c->at);
		if (manifest_cut_read_on(c, &has_more, err))
			return err->rc;
	}
}

/* Take the byte before which what is bad does not end. */
static void step_over(struct manifest_cut *c)
{
	/* Of a comma all is known. */
	if (c->p[c->at] != '{')
		return;
	c->column++;
	c->line_is_blank = false;
	c->depth++;
}

/* Back to c->next, as if it were reached just now. */
static void turn_to_next(struct manifest_cut *c)
{
	size_t i;

	c->at = (size_t)(c->next - c->base);
	c->column = 0;
	c->line_is_blank = true;
	for (i = c->at; i > c->from && c->p[i - 1] != '\n'; i--) {
		char b = c->p[i - 1];

		c->column++;
		c->line_is_blank &= manifest_is_blank(b) || b == ',';
	}
	c->line_is_blank &= i > c->from;
}

/* --- elements ------------------------------------------------------------- */

/* Where it is, before p + at or c->next. */
static void end_element(struct manifest_cut *c, bool is_next, bool with,
			struct manifest_text *ret)
{
	const char *bad = c->bad;

	if (is_next) {
		turn_to_next(c);
		if (!c->line_is_blank)
			bad = "not JSON: the next record was looked for behind "
			      "it";
	}
	c->at += with;
	/* A next one that was found by its brace has no comma. */
	c->wants_comma = with || c->p[c->at] != '{';
	manifest_cut_end_text(c, c->at - c->from, bad, ret);
}

/* From the element's first byte, which is there, to behind its last.  What is
 * bad ends where the next may begin.
 */
static enum rc next_element(struct manifest_cut *c, struct manifest_text *ret,
			    struct err *err)
{
	bool has_more = true, with = false, is_next = false, ends;

	begin_element(c);
	if (c->p[c->at - 1] == ',') {
		c->wants_comma = false;
		manifest_cut_end_text(c, 1, "no record before the comma", ret);
		return RC_OK;
	}
	do {
		for (; c->at < c->to; c->at++) {
			if (find_next(c, &is_next, err))
				return err->rc;
			if (!is_next && !step(c, &with))
				continue;
			ends = true;
			if (!is_next && c->bad && c->p[c->at] != ']' &&
			    check_end(c, &ends, err))
				return err->rc;
			if (ends) {
				end_element(c, is_next, with, ret);
				return RC_OK;
			}
			step_over(c);
		}
		check_up_to(c, c->to);
		if (find_next(c, &is_next, err))
			return err->rc;
		if (is_next) {
			end_element(c, true, false, ret);
			return RC_OK;
		}
		/* It may have read on. */
		if (c->at == c->to && manifest_cut_fill(c, &has_more, err))
			return err->rc;
		if (c->found == MANIFEST_AGAIN_NONE)
			c->has_looked = false;
	} while (has_more || c->at < c->to);
	c->is_over = true;
	manifest_cut_end_text(c, c->at - c->from, "the manifest ends within it",
			      ret);
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
	if (manifest_cut_skip_blanks(c, &has_more, err))
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
		if (manifest_cut_skip_blanks(c, ret_has_more, err))
			return err->rc;
		if (!*ret_has_more || c->p[c->at] != ',' || !c->wants_comma)
			return RC_OK;
		c->wants_comma = false;
		c->at++;
		c->column++;
	}
}

enum rc manifest_cut_of_array(struct manifest_cut *c, struct manifest_text *ret,
			      struct err *err)
{
	static const char no_end[] = "the array has no end: the manifest may "
				     "have been cut short";
	bool has_more, lacks_comma;

	manifest_cut_consume(c);
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
	c->is_behind_good = !ret->bad;
	return RC_OK;
}
