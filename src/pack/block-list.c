/* SPDX-License-Identifier: Apache-2.0 */
/* block-list.c - which blocks a file in the making consists of. */
#include "config.h"

#include "pack/block-list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct block_list_page {
	uint32_t number; /* its first segment is number * BLOCK_LIST_PAGE */
	uint32_t n_open; /* segments that are stored, but not placed */
	struct block_ref *refs; /* NULL: spooled; data_len 0: not known yet */
	uint64_t at;            /* in the spool */
};

void block_list_init(struct block_list *l, uint64_t size, uint32_t block_size,
		     const char *spool_dir)
{
	*l = (struct block_list){
		.size = size,
		.n = (uint32_t)((size + block_size - 1) / block_size),
		.block_size = block_size,
	};
	spool_init(&l->spool, spool_dir, 0);
}

void block_list_release(struct block_list *l)
{
	for (size_t i = l->n_spooled; i < l->n_pages; i++)
		free(l->pages[i].refs);
	free(l->pages);
	spool_release(&l->spool);
}

size_t block_list_len(const struct block_list *l, uint32_t i)
{
	uint64_t left = l->size - (uint64_t)i * l->block_size;

	return left < l->block_size ? (size_t)left : l->block_size;
}

static struct block_ref hole_at(const struct block_list *l, uint32_t i)
{
	return (struct block_ref){ .data_len = (uint32_t)block_list_len(l, i) };
}

/* Segments of a page. */
static uint32_t page_len(const struct block_list *l, uint32_t number)
{
	uint32_t left = l->n - number * BLOCK_LIST_PAGE;

	return left < BLOCK_LIST_PAGE ? left : BLOCK_LIST_PAGE;
}

/* The page of segment i; NULL: nothing in it is stored. */
static struct block_list_page *find_page(const struct block_list *l, uint32_t i)
{
	uint32_t number = i / BLOCK_LIST_PAGE;
	size_t low = 0, high = l->n_pages;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->pages[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == l->n_pages || l->pages[low].number != number)
		return NULL;
	return &l->pages[low];
}

static struct block_list_page *add_page(struct block_list *l, uint32_t i)
{
	uint32_t number = i / BLOCK_LIST_PAGE;
	uint32_t first = number * BLOCK_LIST_PAGE;
	struct block_list_page *page;

	l->pages = mem_grow(l->pages, &l->cap_pages, l->n_pages + 1,
			    sizeof(*l->pages));
	page = &l->pages[l->n_pages++];
	*page = (struct block_list_page){
		.number = number,
		.refs = xcalloc(page_len(l, number), sizeof(*page->refs)),
	};
	for (uint32_t k = first; k < i; k++)
		page->refs[k - first] = hole_at(l, k);
	return page;
}

static struct block_list_page *last_page(const struct block_list *l)
{
	return l->n_pages ? &l->pages[l->n_pages - 1] : NULL;
}

static bool is_in(const struct block_list_page *page, uint32_t i)
{
	return page && page->number == i / BLOCK_LIST_PAGE;
}

void block_list_add_hole(struct block_list *l)
{
	uint32_t i = l->n_decided++;
	struct block_list_page *page = last_page(l);

	assert(i < l->n);
	if (is_in(page, i))
		page->refs[i % BLOCK_LIST_PAGE] = hole_at(l, i);
}

void block_list_add_stored(struct block_list *l)
{
	uint32_t i = l->n_decided++;
	struct block_list_page *page = last_page(l);

	assert(i < l->n);
	if (!is_in(page, i))
		page = add_page(l, i);
	page->n_open++;
}

bool block_list_is_hole(const struct block_list *l, uint32_t i)
{
	const struct block_list_page *page;
	const struct block_ref *ref;

	if (i >= l->n_decided)
		return false;
	page = find_page(l, i);
	if (!page)
		return true;
	/* What is spooled is hashed, and asked for by nobody. */
	if (!page->refs)
		return false;
	ref = &page->refs[i % BLOCK_LIST_PAGE];
	return ref->data_len && !ref->stored_len;
}

void block_list_fill(struct block_list *l, uint32_t i,
		     const struct block_ref *ref)
{
	find_page(l, i)->refs[i % BLOCK_LIST_PAGE] = *ref;
}

static enum rc spool_page(struct block_list *l, struct block_list_page *page,
			  struct err *err)
{
	size_t len = page_len(l, page->number) * sizeof(*page->refs);
	enum rc rc;

	page->at = spool_len(&l->spool);
	rc = spool_append(&l->spool, page->refs, len, err);
	if (rc)
		return rc;
	free(page->refs);
	page->refs = NULL;
	l->n_spooled++;
	return RC_OK;
}

enum rc block_list_place(struct block_list *l, uint32_t i, uint64_t off,
			 struct err *err)
{
	struct block_list_page *page = find_page(l, i);
	enum rc rc = RC_OK;

	page->refs[i % BLOCK_LIST_PAGE].off = off;
	page->n_open--;
	while (!rc && l->n_pages - l->n_spooled > BLOCK_LIST_KEPT &&
	       !l->pages[l->n_spooled].n_open)
		rc = spool_page(l, &l->pages[l->n_spooled], err);
	return rc;
}

/* The same of one page. */
static enum rc read_page(const struct block_list *l, uint32_t i, uint32_t n,
			 struct block_ref *ret, struct err *err)
{
	const struct block_list_page *page = find_page(l, i);
	size_t from = i % BLOCK_LIST_PAGE;

	if (!page) {
		for (uint32_t k = 0; k < n; k++)
			ret[k] = hole_at(l, i + k);
		return RC_OK;
	}
	if (!page->refs)
		return spool_read(&l->spool, page->at + from * sizeof(*ret),
				  ret, n * sizeof(*ret), err);
	memcpy(ret, page->refs + from, n * sizeof(*ret));
	return RC_OK;
}

enum rc block_list_read(const struct block_list *l, uint32_t i, uint32_t n,
			struct block_ref *ret, struct err *err)
{
	enum rc rc = RC_OK;

	assert(n <= l->n_decided && i <= l->n_decided - n);
	while (n && !rc) {
		uint32_t part = BLOCK_LIST_PAGE - i % BLOCK_LIST_PAGE;

		if (part > n)
			part = n;
		rc = read_page(l, i, part, ret, err);
		i += part;
		n -= part;
		ret += part;
	}
	return rc;
}
