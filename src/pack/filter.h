/* SPDX-License-Identifier: Apache-2.0 */
/* filter.h - which files to leave out, by rsync's include and exclude patterns.
 *
 * Rules are added in order and the first that matches a path decides; a path
 * that none matches is included.  The meaning of patterns is that of rsync(1),
 * PATTERN MATCHING RULES.  As with rsync, a directory that is excluded hides
 * all below it, so the caller asks for each directory before it descends.
 *
 * Building is for one thread; a built filter may be used by many.  The time for
 * one rule and path is at most proportional to the product of their lengths.
 */
#ifndef DESFS_PACK_FILTER_H
#define DESFS_PACK_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Bytes of the longest pattern, as in rsync. */
#define FILTER_RULE_MAX 4095

struct filter;

struct filter *filter_new(void) MUST_CHECK;
void filter_free(struct filter *f);

/* One rule: "PATTERN" or "- PATTERN" excludes, "+ PATTERN" includes, "!" drops
 * all rules so far, "" does nothing.
 */
enum rc filter_add_rule(struct filter *f, const char *text,
			struct err *err) MUST_CHECK;

/* The rules in a file, one a line; "-" is standard input.  Empty lines and
 * lines that begin with '#' or ';' are skipped.
 */
enum rc filter_add_file(struct filter *f, const char *path,
			struct err *err) MUST_CHECK;

/* Is the path to be left out?  It is relative to the root of the transfer,
 * without '/' at either end; the root itself ("") is never left out.
 */
bool filter_excludes(const struct filter *f, const char *path, size_t len,
		     bool is_dir);

/* Is it, or a directory it is in?  f may be NULL. */
bool filter_excludes_below(const struct filter *f, const char *path, size_t len,
			   bool is_dir);

struct buf;
/* All rules, for a digest: two filters that do the same may differ in it. */
void filter_describe(const struct filter *f, struct buf *out);

#endif
