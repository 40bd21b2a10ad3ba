/* SPDX-License-Identifier: Apache-2.0 */
/* store-trace.h - a line for each request as it was sent (--trace).
 *
 * TIME METHOD WHAT RANGE RESULT BYTES MS TRY: fields with a blank between them,
 * "-" for one that is empty.  METHOD is LIST for a GET of keys, WHAT is the key
 * or prefix, percent-encoded; RESULT the status, or what went wrong instead of
 * one; BYTES those of the bodies, of the request for PUT and POST.  Headers,
 * queries and hosts are not in it, so there is nothing secret.
 */
#ifndef DESFS_STORE_STORE_TRACE_H
#define DESFS_STORE_STORE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "net/http.h"

struct trace;

struct trace_line {
	enum http_method method;
	bool is_list;
	const char *what;
	const char *range;   /* NULL: none */
	unsigned int status; /* 0: none came, see rc */
	enum rc rc;
	uint64_t bytes, ns;
	unsigned int n; /* which try of its call, from 1 */
};

/* Append to a file, made with mode 0600; "-" is standard error. */
enum rc trace_open(struct trace **ret, const char *path,
		   struct err *err) MUST_CHECK;
void trace_close(struct trace *t); /* takes NULL */

/* Any thread; a line that cannot be written is lost. */
void trace_write(struct trace *t, const struct trace_line *l);

#endif
