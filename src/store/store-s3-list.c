/* SPDX-License-Identifier: Apache-2.0 */
/* store-s3-list.c - the keys of a bucket in order, page by page.
 *
 * Each page must go on where the last one ended: keys that are out of order, a
 * token that comes twice, pages without keys and ever more pages of few keys
 * would make a listing without an end; and pages that come too slowly one that
 * nobody waits for (list-pace.h).
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/key.h"
#include "base/mem.h"
#include "net/http-date.h"
#include "store/list-pace.h"
#include "store/store-s3-backend.h"

#define PAGE_KEYS "1000"
#define PAGES_MAX 20000
#define EMPTY_PAGES_MAX 16
#define SMALL_PAGE 100 /* keys; servers fill their pages */
#define SMALL_PAGES_MAX 1000
#define TOKEN_MAX 8192

struct listing {
	struct s3_store *s;
	const char *prefix; /* in the archive, for messages */
	char *full_prefix;
	char *after; /* full; "": from the beginning */
	bool with_tmp;
	struct s3_page page;
	char *token; /* of the next page; NULL: this is the first */
	char *last;  /* full key seen last; NULL: none */
	struct list_pace pace;
	unsigned int n_empty; /* pages without keys, one after the other */
	unsigned int n_small;
	int64_t now; /* of the first answer, us since 1970; 0 before */
};

/* For messages. */
static const char *name_of(const struct listing *l)
{
	return *l->prefix ? l->prefix : "list of keys";
}

static void listing_release(struct listing *l)
{
	s3_page_release(&l->page);
	free(l->full_prefix);
	free(l->after);
	free(l->token);
	free(l->last);
}

enum remote_verdict s3_page_bad(struct err *err, const char *what)
{
	err_set(err, RC_CORRUPT, "the server's list %s", what);
	return REMOTE_RETRY;
}

enum remote_verdict s3_page_parse(const struct http_response *r,
				  struct s3_page *ret, struct err *err)
{
	if (r->status != 200)
		return s3_page_bad(err, "is not of status 200");
	if (!s3_xml_list(r->body.p, r->body.len, ret, err))
		return REMOTE_DONE;
	err_prefix(err, "the server's list");
	return err->rc == RC_CORRUPT ? REMOTE_RETRY : REMOTE_FAILED;
}

static enum remote_verdict check_keys(const struct listing *l,
				      const struct s3_page *page,
				      struct err *err)
{
	const char *last = l->last;

	for (size_t i = 0; i < page->n; i++) {
		const char *key = page->items[i].key;

		if (strncmp(key, l->full_prefix, strlen(l->full_prefix)) != 0)
			return s3_page_bad(err, "has a key without the prefix");
		if (last && strcmp(last, key) >= 0)
			return s3_page_bad(err,
					   "is not in the order of its keys");
		last = key;
	}
	return REMOTE_DONE;
}

int64_t s3_reply_time(const struct http_response *r)
{
	int64_t s;

	return http_date_parse_now(r->date, &s) ? s * 1000000 : clock_wall_us();
}

static enum remote_verdict check_page(void *arg, const struct http_response *r,
				      struct err *err)
{
	struct listing *l = arg;
	struct s3_page page = { 0 };
	enum remote_verdict v;

	v = s3_page_parse(r, &page, err);
	if (v != REMOTE_DONE)
		return v;
	v = check_keys(l, &page, err);
	if (v == REMOTE_DONE && page.is_truncated &&
	    (!page.next || !*page.next || strlen(page.next) > TOKEN_MAX ||
	     (l->token && !strcmp(l->token, page.next))))
		v = s3_page_bad(err, "does not say how it goes on");
	if (v != REMOTE_DONE) {
		s3_page_release(&page);
		return v;
	}
	if (!l->now)
		l->now = s3_reply_time(r);
	s3_page_release(&l->page);
	l->page = page;
	return REMOTE_DONE;
}

static enum rc get_page(struct listing *l, struct err *err)
{
	CLEANUP(s3_reply_release) struct s3_reply re = { 0 };
	struct sigv4_pair query[S3_QUERY_MAX] = {
		{ "list-type", "2" },
		{ "encoding-type", "url" },
		{ "max-keys", PAGE_KEYS },
		{ "prefix", l->full_prefix },
	};
	struct s3_request rq = { .kind = REMOTE_LIST,
				 .method = HTTP_GET,
				 .key = name_of(l),
				 .is_bucket = true,
				 .query = query,
				 .n_query = 4,
				 .max_body = S3_XML_MAX,
				 .check = check_page,
				 .arg = l };

	if (*l->after)
		query[rq.n_query++] =
			(struct sigv4_pair){ "start-after", l->after };
	if (l->token)
		query[rq.n_query++] =
			(struct sigv4_pair){ "continuation-token", l->token };
	return s3_send(l->s, &rq, &re, err);
}

/* And see that the list as a whole gets on. */
static enum rc next_page(struct listing *l, struct err *err)
{
	uint64_t begun = clock_mono_ns();

	if (get_page(l, err))
		return err->rc;
	if (list_pace_page(&l->pace, clock_mono_ns() - begun, l->page.n, err) &&
	    l->page.is_truncated)
		return err_prefix(err, "%s", name_of(l));
	return RC_OK;
}

/* Folder marks of other programs, and what belongs to the store itself. */
static bool is_listed(const struct listing *l, const char *key)
{
	return store_key_is_listed(key) &&
	       (l->with_tmp || strncmp(key, STORE_TMP "/", 4) != 0);
}

static enum rc tell_page(const struct listing *l, s3_item_fn *fn, void *arg,
			 struct err *err)
{
	size_t skip = strlen(l->s->prefix);

	for (size_t i = 0; i < l->page.n; i++) {
		const struct s3_item *it = &l->page.items[i];
		enum rc rc;

		/* Some servers do not know start-after. */
		if (strcmp(it->key, l->after) <= 0 ||
		    !is_listed(l, it->key + skip))
			continue;
		rc = fn(arg, it->key + skip, it, err);
		if (rc)
			return rc;
	}
	return RC_OK;
}

/* Remember where the next page begins; RC_OK and *ret_more. */
static enum rc go_on(struct listing *l, bool *ret_more, struct err *err)
{
	struct s3_page *p = &l->page;

	if (p->n) {
		free(l->last);
		l->last = xstrdup(p->items[p->n - 1].key);
		l->n_empty = 0;
		l->n_small += p->n < SMALL_PAGE;
	} else {
		l->n_empty++;
	}
	if (l->n_empty > EMPTY_PAGES_MAX || l->n_small > SMALL_PAGES_MAX)
		return err_set(err, RC_CORRUPT,
			       "%s: the server's list has no end", name_of(l));
	free(l->token);
	l->token = p->is_truncated ? xstrdup(p->next) : NULL;
	*ret_more = p->is_truncated;
	return RC_OK;
}

enum rc s3_list_items(struct s3_store *s, const char *prefix,
		      const char *start_after, bool with_tmp, s3_item_fn *fn,
		      void *arg, int64_t *ret_now, struct err *err)
{
	CLEANUP(listing_release)
	struct listing l = { .s = s,
			     .prefix = prefix,
			     .full_prefix = s3_full_key(s, prefix),
			     .after = *start_after ? s3_full_key(s, start_after)
						   : xstrdup(""),
			     .with_tmp = with_tmp };
	bool more = true;

	list_pace_begin(&l.pace, remote_timeout_ms(&s->rm));
	for (unsigned int n = 0; more; n++) {
		enum rc rc;

		if (n >= PAGES_MAX)
			return err_set(err, RC_LIMIT,
				       "%s: more than %d pages of keys",
				       name_of(&l), PAGES_MAX);
		if (next_page(&l, err))
			return err->rc;
		rc = tell_page(&l, fn, arg, err);
		if (rc)
			return rc;
		if (go_on(&l, &more, err))
			return err->rc;
	}
	if (ret_now)
		*ret_now = l.now;
	return RC_OK;
}

struct keys {
	store_list_fn *fn;
	void *arg;
};

static enum rc tell_key(void *arg, const char *key, const struct s3_item *it,
			struct err *err)
{
	const struct keys *k = arg;

	return k->fn(k->arg, key, it->size, err);
}

enum rc s3_list_keys(struct s3_store *s, const char *prefix,
		     const char *start_after, store_list_fn *fn, void *arg,
		     struct err *err)
{
	struct keys k = { fn, arg };

	return s3_list_items(s, prefix, start_after, false, tell_key, &k, NULL,
			     err);
}
