/* SPDX-License-Identifier: Apache-2.0 */
/* json-check.h - is this text a JSON object?  Fed in pieces, nothing is built.
 *
 * For objects of other people that are passed on as they are, of any size.
 * What is accepted is what Python's json.loads takes: UTF-8, names may occur
 * twice, numbers have any size, and NaN, Infinity and -Infinity are numbers.
 * It owns nothing, and is for one thread at a time.
 */
#ifndef DESFS_BASE_JSON_CHECK_H
#define DESFS_BASE_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* Python gives up near 1000. */
#define JSON_CHECK_DEPTH 1024

struct json_check {
	uint64_t at; /* bytes taken; that of the first wrong one */
	uint8_t state;
	bool is_name;        /* the string under way is one */
	uint8_t more;        /* bytes missing of a character or an escape */
	uint8_t low, high;   /* between which the next of a character is */
	const char *literal; /* what is missing of it */
	unsigned int depth;
	uint8_t is_array[JSON_CHECK_DEPTH / 8]; /* bits */
};

void json_check_init(struct json_check *c);

/* False, now and from then on: it is none, see at. */
bool json_check_feed(struct json_check *c, const void *p,
		     size_t len) MUST_CHECK;

/* After all was fed: true if it was exactly one object. */
bool json_check_end(const struct json_check *c) MUST_CHECK;

#endif
