/* SPDX-License-Identifier: Apache-2.0 */
/* json-members.h - members of a JSON object of any size, fed in pieces.
 *
 * Of each member a function is asked by its name what to do: skip it, take its
 * value, or enter it, so that its own members come next.  Only names and values
 * that are taken are held in memory.  The document is checked as
 * base/json-check.h says; a name may occur twice.
 *
 *	json_members_init(&m, &handler, &limits);
 *	while (!rc && (read a piece))
 *		rc = json_members_feed(&m, p, len, &err);
 *	if (!rc)
 *		rc = json_members_end(&m, &err);
 *	json_members_release(&m);
 *
 * For one thread at a time.
 */
#ifndef DESFS_BASE_JSON_MEMBERS_H
#define DESFS_BASE_JSON_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json-check.h"
#include "base/json-elements.h"

enum json_member_use {
	JSON_MEMBER_SKIP,
	JSON_MEMBER_TAKE,
	JSON_MEMBER_ENTER, /* if it is an object; else it is taken */
};

/* Names and values are as written: names without their quotes, with escapes;
 * values without blanks around them.  They are borrowed for the call.  The
 * level of a member is 1 in the document, 2 in a member that was entered.
 */
struct json_members_handler {
	enum json_member_use (*use)(void *arg, unsigned int level,
				    struct json_piece name);
	/* What was taken; an error ends it all. */
	enum rc (*value)(void *arg, unsigned int level, struct json_piece name,
			 struct json_piece value, struct err *err);
	void *arg;
};

struct json_members {
	struct json_members_handler handler;
	struct json_check check;
	unsigned int depth; /* of brackets that are open */
	unsigned int level; /* of the object whose members are wanted */
	enum json_member_use use;
	bool in_string;
	bool is_escaped; /* the next byte of the string is */
	bool is_name;    /* what comes next at that level, or has begun */
	struct buf name;
	struct buf value;
};

/* A name or a taken value of more than max bytes is RC_LIMIT. */
void json_members_init(struct json_members *m,
		       const struct json_members_handler *handler, size_t max);
void json_members_release(struct json_members *m);

/* RC_CORRUPT: no JSON object, with the offset of the byte that is wrong.  After
 * an error nothing may follow but json_members_release.
 */
enum rc json_members_feed(struct json_members *m, const void *p, size_t len,
			  struct err *err) MUST_CHECK;
enum rc json_members_end(struct json_members *m, struct err *err) MUST_CHECK;

/* The text of a member of a whole document, the last of that name as Python's
 * json.loads has it; ret is at least 1 byte.  False, and "": it is no object,
 * or has no such text of less than cap bytes without NUL.
 */
bool json_members_text(struct json_piece doc, const char *name, char *ret,
		       size_t cap);

/* Does a string, given without its quotes, stand for that text? */
bool json_string_is(struct json_piece string, const char *text) MUST_CHECK;

/* Append what a string stands for that is correct JSON, given without its
 * quotes: UTF-8, NUL may be in it.  False: it has half of a surrogate pair, or
 * out failed.
 */
bool json_unescape(struct json_piece string, struct buf *out) MUST_CHECK;

#endif
