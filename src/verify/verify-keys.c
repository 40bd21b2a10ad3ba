/* SPDX-License-Identifier: Apache-2.0 */
/* verify-keys.c - the lists of several stores, page by page, as one. */
#include "config.h"

#include "verify/verify-keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

/* A directory is read anew for each page, so there are few; and they take some
 * megabytes a store.
 */
#define PAGE 65536u

struct found {
	char *key;
	uint64_t size;
};

/* What of a place was listed and not handed out. */
struct page {
	struct found *all;
	size_t at, n, cap;
	size_t max;
	bool is_full;       /* there may be more behind it */
	bool is_over;       /* nothing is */
	bool is_unlistable; /* a web server */
};

struct verify_keys {
	struct verify_place *places;
	size_t n;
	const char *prefix;
	struct page *pages;
	char *key;
	uint64_t *sizes;
};

static void page_clear(struct page *p)
{
	while (p->n)
		free(p->all[--p->n].key);
	p->at = 0;
}

struct verify_keys *verify_keys_new_paged(struct verify_place *places, size_t n,
					  const char *prefix, size_t page)
{
	struct verify_keys *k = xcalloc(1, sizeof(*k));

	k->places = places;
	k->n = n;
	k->prefix = prefix;
	k->pages = xcalloc(n + 1, sizeof(*k->pages));
	k->sizes = xcalloc(n + 1, sizeof(*k->sizes));
	for (size_t i = 0; i < n; i++)
		k->pages[i].max = page;
	return k;
}

struct verify_keys *verify_keys_new(struct verify_place *places, size_t n,
				    const char *prefix)
{
	return verify_keys_new_paged(places, n, prefix, PAGE);
}

void verify_keys_free(struct verify_keys *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->n; i++) {
		page_clear(&k->pages[i]);
		free(k->pages[i].all);
	}
	free(k->pages);
	free(k->sizes);
	free(k->key);
	free(k);
}

/* store_list_fn */
static enum rc note(void *arg, const char *key, uint64_t size, struct err *err)
{
	struct page *p = arg;

	p->is_full = p->n == p->max;
	if (p->is_full)
		return err_set(err, RC_LIMIT, "%s: a page is full", key);
	p->all = mem_grow(p->all, &p->cap, p->n + 1, sizeof(*p->all));
	p->all[p->n++] = (struct found){ xstrdup(key), size };
	return RC_OK;
}

/* The next page of a place, which begins behind the key that came last. */
static void fill(struct verify_keys *k, size_t i)
{
	struct page *p = &k->pages[i];
	CLEANUP_FREE char *after = p->n ? xstrdup(p->all[p->n - 1].key) : NULL;
	struct err err = { .msg = "" };
	enum rc rc;

	page_clear(p);
	p->is_full = false;
	rc = store_list(k->places[i].st, k->prefix, after, note, p, &err);
	p->is_over = !p->is_full;
	/* Not published: it may have what it cannot list. */
	p->is_unlistable = rc == RC_UNSUPPORTED || rc == RC_NOENT;
	if (!rc || p->is_full || p->is_unlistable)
		return;
	page_clear(p);
	k->places[i].why = err;
	k->places[i].is_away = true;
}

/* The first key of a place that was not handed out; NULL: there is none. */
static const struct found *head(struct verify_keys *k, size_t i)
{
	struct page *p = &k->pages[i];

	if (k->places[i].is_away || p->is_unlistable)
		return NULL;
	if (p->at == p->n && !p->is_over)
		fill(k, i);
	return p->at < p->n ? &p->all[p->at] : NULL;
}

static uint64_t take(struct verify_keys *k, size_t i)
{
	const struct found *f = head(k, i);

	if (k->places[i].is_away || k->pages[i].is_unlistable)
		return VERIFY_KEYS_UNKNOWN;
	if (!f || strcmp(f->key, k->key) != 0)
		return VERIFY_KEYS_MISSING;
	k->pages[i].at++;
	return f->size;
}

bool verify_keys_next(struct verify_keys *k)
{
	const char *least = NULL;

	for (size_t i = 0; i < k->n; i++) {
		const struct found *f = head(k, i);

		if (f && (!least || strcmp(f->key, least) < 0))
			least = f->key;
	}
	if (!least)
		return false;
	free(k->key);
	k->key = xstrdup(least);
	for (size_t i = 0; i < k->n; i++)
		k->sizes[i] = take(k, i);
	return true;
}

const char *verify_keys_key(const struct verify_keys *k)
{
	return k->key;
}

const uint64_t *verify_keys_sizes(const struct verify_keys *k)
{
	return k->sizes;
}
