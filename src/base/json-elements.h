/* SPDX-License-Identifier: Apache-2.0 */
/* json-elements.h - the elements of a long array in a JSON document, one by
 * one, so that not all of them need to be in memory as values.
 *
 * Only what is needed to find where elements end is looked at.  The rest of the
 * document, and each element, goes through json_parse, which refuses what is
 * wrong in it.
 */
#ifndef DESFS_BASE_JSON_ELEMENTS_H
#define DESFS_BASE_JSON_ELEMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

/* A piece of text, borrowed. */
struct json_piece {
	const char *p;
	size_t len;
};

struct json_elements {
	struct json_piece before; /* the document up to the array's '[' */
	struct json_piece after;  /* and from its ']' on */
	struct json_piece rest;   /* of what is between */
	bool is_begun;
};

/* Find the array that is the member name of the object that the document is.
 * False: no such member could be found, it may be that the document is none.
 */
bool json_elements_find(struct json_elements *ret, const void *p, size_t len,
			const char *name) MUST_CHECK;

/* The next element; it may be empty, or otherwise no JSON, where the document
 * is wrong.  False at the end.
 */
bool json_elements_next(struct json_elements *e,
			struct json_piece *ret) MUST_CHECK;

#endif
