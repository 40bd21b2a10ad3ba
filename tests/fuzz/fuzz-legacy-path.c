/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-legacy-path.c - uids and paths of older archives: each uid has a path
 * that can be one and leads back to it; what is taken for a path is the one
 * that its uid has.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "legacy/legacy-path.h"

static void check_part(const char *p, size_t len)
{
	if (!len || len > LEGACY_PATH_PART_MAX || memchr(p, '\0', len) ||
	    (len <= 2 && !memcmp(p, "..", len)))
		abort();
}

static void check_path(const struct buf *path)
{
	const char *p = (const char *)path->p;
	size_t left = path->len;

	for (;;) {
		const char *slash = left ? memchr(p, '/', left) : NULL;

		check_part(p, slash ? (size_t)(slash - p) : left);
		if (!slash)
			break;
		left -= (size_t)(slash - p) + 1;
		p = slash + 1;
	}
}

static void check_uid(struct span uid, enum legacy_path_form form)
{
	CLEANUP_BUF struct buf path = { 0 };
	CLEANUP_BUF struct buf back = { 0 };
	enum legacy_path_form found;
	struct err err;

	buf_init(&path, LEGACY_PATH_MAX);
	buf_init(&back, LEGACY_PATH_MAX);
	if (legacy_path_of(uid, form, &path, &err)) {
		if (err.rc != RC_LIMIT || uid.len < 20000)
			abort();
		return;
	}
	check_path(&path);
	if (!legacy_path_uid(span_of(path.p, path.len), &back, &found) ||
	    found != form || !span_equal(span_of(back.p, back.len), uid))
		abort();
	if (form == LEGACY_PATH_PLAIN &&
	    legacy_path_is_uid(uid) !=
		    span_equal(uid, span_of(path.p, path.len)))
		abort();
}

static void check_taken(struct span path)
{
	CLEANUP_BUF struct buf uid = { 0 };
	CLEANUP_BUF struct buf again = { 0 };
	enum legacy_path_form form;
	struct err err;

	buf_init(&uid, LEGACY_PATH_MAX);
	buf_init(&again, LEGACY_PATH_MAX);
	if (!legacy_path_uid(path, &uid, &form))
		return;
	if (legacy_path_of(span_of(uid.p, uid.len), form, &again, &err) ||
	    !span_equal(span_of(again.p, again.len), path))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = span_of(data, size);

	check_uid(s, LEGACY_PATH_PLAIN);
	check_uid(s, LEGACY_PATH_MARKED);
	check_taken(s);
	return 0;
}
