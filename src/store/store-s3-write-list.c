/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3-write-list.c - versions and unfinished uploads, page by page.
 *
 * Keys are not asked for in URL encoding: RGW then encodes them, but neither
 * the markers nor, for uploads, does it say so.  Those below STORE_TMP are
 * ours and have no characters that XML has not.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/list-pace.h"
#include "store/store-s3-write-backend.h"

#define PAGES_MAX 100000
#define EMPTY_PAGES_MAX 16

struct walk {
	struct s3_store *s;
	const char *what; /* "versions" or "uploads": the parameter */
	const char *id_marker_name;
	const char *prefix; /* in the archive, for messages */
	char *full_prefix;
	struct s3_page page;
	char *next, *next_id; /* markers of the next page; NULL: none */
	char *last;           /* full key seen last; NULL: none */
	struct list_pace pace;
	unsigned int n_empty;
	int64_t now; /* of the first answer; 0 before */
};

/* For messages. */
static const char *name_of(const struct walk *w)
{
	return *w->prefix ? w->prefix : w->what;
}

static void walk_release(struct walk *w)
{
	s3_page_release(&w->page);
	free(w->full_prefix);
	free(w->next);
	free(w->next_id);
	free(w->last);
}

static bool is_same(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

/* Does the list go on where it was, and further? */
static enum remote_verdict check_order(const struct walk *w,
				       const struct s3_page *page,
				       struct err *err)
{
	const char *last = w->last;

	for (size_t i = 0; i < page->n; i++) {
		const char *key = page->items[i].key;

		if (strncmp(key, w->full_prefix, strlen(w->full_prefix)) != 0)
			return s3_page_bad(err, "has a key without the prefix");
		if (last && strcmp(last, key) > 0)
			return s3_page_bad(err,
					   "is not in the order of its keys");
		last = key;
	}
	if (page->is_truncated && w->next && is_same(page->next, w->next) &&
	    is_same(page->next_id, w->next_id))
		return s3_page_bad(err, "does not go on");
	return REMOTE_DONE;
}

static enum remote_verdict check_page(void *arg, const struct http_response *r,
				      struct err *err)
{
	struct walk *w = arg;
	struct s3_page page = { 0 };
	enum remote_verdict v;

	v = s3_page_parse(r, &page, err);
	if (v != REMOTE_DONE)
		return v;
	v = check_order(w, &page, err);
	if (v != REMOTE_DONE) {
		s3_page_release(&page);
		return v;
	}
	if (!w->now)
		w->now = s3_reply_time(r);
	s3_page_release(&w->page);
	w->page = page;
	return REMOTE_DONE;
}

static enum rc get_page(struct walk *w, struct err *err)
{
	CLEANUP(s3_reply_release) struct s3_reply re = { 0 };
	struct sigv4_pair query[S3_QUERY_MAX] = {
		{ w->what, NULL },
		{ "prefix", w->full_prefix },
	};
	struct s3_request rq = { .kind = REMOTE_LIST,
				 .method = HTTP_GET,
				 .key = name_of(w),
				 .is_bucket = true,
				 .query = query,
				 .n_query = 2,
				 .max_body = S3_XML_MAX,
				 .ignores_stop = true,
				 .check = check_page,
				 .arg = w };

	if (w->next)
		query[rq.n_query++] =
			(struct sigv4_pair){ "key-marker", w->next };
	if (w->next_id)
		query[rq.n_query++] =
			(struct sigv4_pair){ w->id_marker_name, w->next_id };
	return s3_send(w->s, &rq, &re, err);
}

/* And see that the list as a whole gets on. */
static enum rc next_page(struct walk *w, struct err *err)
{
	uint64_t begun = clock_mono_ns();

	if (get_page(w, err))
		return err->rc;
	if (list_pace_page(&w->pace, clock_mono_ns() - begun, w->page.n, err) &&
	    w->page.is_truncated)
		return err_prefix(err, "%s", name_of(w));
	return RC_OK;
}

/* Remember where the next page begins. */
static enum rc go_on(struct walk *w, bool *ret_more, struct err *err)
{
	struct s3_page *p = &w->page;

	if (p->n) {
		free(w->last);
		w->last = xstrdup(p->items[p->n - 1].key);
		w->n_empty = 0;
	} else if (++w->n_empty > EMPTY_PAGES_MAX) {
		return err_set(err, RC_CORRUPT,
			       "%s: the server's list has no end", name_of(w));
	}
	free(w->next);
	free(w->next_id);
	w->next = p->is_truncated ? STEAL_PTR(p->next) : NULL;
	w->next_id = p->is_truncated ? STEAL_PTR(p->next_id) : NULL;
	*ret_more = p->is_truncated;
	return RC_OK;
}

static enum rc walk(struct walk *w, s3_item_fn *fn, void *arg, struct err *err)
{
	size_t skip = strlen(w->s->prefix);
	bool more = true;

	list_pace_begin(&w->pace, remote_timeout_ms(&w->s->rm));
	for (unsigned int n = 0; more; n++) {
		if (n >= PAGES_MAX)
			return err_set(err, RC_LIMIT, "%s: more than %d pages",
				       name_of(w), PAGES_MAX);
		if (next_page(w, err))
			return err->rc;
		for (size_t i = 0; i < w->page.n; i++) {
			const struct s3_item *it = &w->page.items[i];

			if (fn(arg, it->key + skip, it, err))
				return err->rc;
		}
		if (go_on(w, &more, err))
			return err->rc;
	}
	return RC_OK;
}

enum rc s3_write_list_versions(struct s3_store *s, const char *prefix,
			       s3_item_fn *fn, void *arg, int64_t *ret_now,
			       struct err *err)
{
	CLEANUP(walk_release)
	struct walk w = { .s = s,
			  .what = "versions",
			  .id_marker_name = "version-id-marker",
			  .prefix = prefix,
			  .full_prefix = s3_full_key(s, prefix) };

	if (walk(&w, fn, arg, err))
		return err->rc;
	if (ret_now)
		*ret_now = w.now;
	return RC_OK;
}

enum rc s3_write_list_uploads(struct s3_store *s, const char *prefix,
			      s3_item_fn *fn, void *arg, struct err *err)
{
	CLEANUP(walk_release)
	struct walk w = { .s = s,
			  .what = "uploads",
			  .id_marker_name = "upload-id-marker",
			  .prefix = prefix,
			  .full_prefix = s3_full_key(s, prefix) };

	return walk(&w, fn, arg, err);
}

static enum rc note_item(void *arg, const char *key, const struct s3_item *it,
			 struct err *err)
{
	bool *is_any = arg;

	(void)key;
	(void)it;
	(void)err;
	*is_any = true;
	return RC_OK;
}

/* Uploads first, as a run has its mark longer than these. */
enum rc s3_write_has_tmp(struct store *st, bool *ret, struct err *err)
{
	struct s3_store *s = (struct s3_store *)st;
	bool is_any = false;
	enum rc rc = s3_write_list_uploads(s, "", note_item, &is_any, err);

	if (rc && rc != RC_UNSUPPORTED)
		return rc;
	rc = s3_write_list_versions(s, STORE_TMP "/", note_item, &is_any, NULL,
				    err);
	if (rc == RC_UNSUPPORTED || rc == RC_ACCESS)
		rc = s3_list_items(s, STORE_TMP "/", "", true, note_item,
				   &is_any, NULL, err);
	if (!rc)
		*ret = is_any;
	return rc;
}
