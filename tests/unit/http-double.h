/* SPDX-License-Identifier: Apache-2.0 */
/* http-double.h - stands in for net/http.h and net/retry.h: answers from a
 * list, no waits between tries.
 */
#ifndef DESFS_TESTS_HTTP_DOUBLE_H
#define DESFS_TESTS_HTTP_DOUBLE_H

#include <stdbool.h>
#include <stddef.h>

#include "net/http.h"

struct http_answer {
	enum rc rc; /* not RC_OK: there is no answer but this */
	unsigned int status;
	const char *body; /* NULL: none */
	size_t len;       /* of it; 0: it is a string */
	const char *etag, *content_range, *location, *date, *retry_after;
	const char *bucket_region, *last_modified, *version_id;
};

struct http_sent {
	char *method, *url;
	char *headers; /* "Name: value\n" each */
	size_t body_len;
	bool is_ahead;
};

/* From here on requests get these, one each; more requests than answers fail
 * the test.
 */
void double_answers(const struct http_answer *a, size_t n);
#define DOUBLE_ANSWERS(...)                                                  \
	double_answers((const struct http_answer[]){ __VA_ARGS__ },          \
		       sizeof((const struct http_answer[]){ __VA_ARGS__ }) / \
			       sizeof(struct http_answer))

/* Since double_answers. */
size_t double_n_sent(void);
const struct http_sent *double_sent(size_t i);
/* Whether request i had that line; "" for any of that name is not offered. */
bool double_has_header(size_t i, const char *line);
/* All answers were taken; forgets what was sent. */
void double_end(void);

#endif
