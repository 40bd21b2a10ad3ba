/* SPDX-License-Identifier: Apache-2.0 */
/* index-walk.c - all leaves of a shard's index in order, past damaged pages. */
#include "config.h"

#include "verify/index-walk.h"

#include <stdlib.h>

#include "base/mem.h"

void index_walk_init(struct index_walk *w, const struct raw_shard *s)
{
	*w = (struct index_walk){ .shard = s };
}

void index_walk_release(struct index_walk *w)
{
	while (w->depth)
		page_free(w->levels[--w->depth].page);
	page_free(w->leaf);
	free(w->pages);
	*w = (struct index_walk){ .started = true };
}

void index_walk_note(struct index_walk *w, const struct page_ref *ref)
{
	w->pages = mem_grow(w->pages, &w->cap_pages, w->n_pages + 1,
			    sizeof(*w->pages));
	w->pages[w->n_pages++] = *ref;
}

static enum rc check_leaf(const struct page *p, const struct page_child *c,
			  uint64_t end, struct err *err)
{
	struct entry e;

	if (page_kind(p) != PAGE_LEAF)
		return err_set(err, RC_CORRUPT, "index page is not a leaf");
	if (page_count(p) != end - c->first_ordinal)
		return err_set(err, RC_CORRUPT,
			       "index page has %u entries, not %llu",
			       page_count(p),
			       (unsigned long long)(end - c->first_ordinal));
	page_entry(p, 0, &e);
	if (c->parent.p &&
	    entry_key_compare(e.parent, e.name, c->parent, c->name))
		return err_set(err, RC_CORRUPT,
			       "index page begins with another key");
	return RC_OK;
}

static enum rc check_node(const struct page *p, const struct page_child *c,
			  uint64_t end, struct err *err)
{
	struct page_child first, last;

	if (page_kind(p) != PAGE_NODE)
		return err_set(err, RC_CORRUPT, "index page is not a node");
	page_child(p, 0, &first);
	page_child(p, page_count(p) - 1, &last);
	if (first.level + 1 != c->level)
		return err_set(err, RC_CORRUPT, "index page of another level");
	if (first.first_ordinal != c->first_ordinal ||
	    last.first_ordinal >= end)
		return err_set(err, RC_CORRUPT,
			       "index page counts other entries");
	if (c->parent.p &&
	    entry_key_compare(first.parent, first.name, c->parent, c->name))
		return err_set(err, RC_CORRUPT,
			       "index page begins with another key");
	return RC_OK;
}

/* Go down to child c, which holds the entries up to end. */
static enum rc visit(struct index_walk *w, const struct page_child *c,
		     uint64_t end, struct index_leaf *ret, struct err *err)
{
	struct page *p = NULL;
	enum rc rc;

	*ret = (struct index_leaf){ .ref = c->ref,
				    .first_ordinal = c->first_ordinal,
				    .n_entries = end - c->first_ordinal,
				    .parent = c->parent,
				    .name = c->name };
	index_walk_note(w, &c->ref);
	rc = raw_shard_page(w->shard, &c->ref, &p, err);
	if (!rc)
		rc = c->level > 1 ? check_node(p, c, end, err)
				  : check_leaf(p, c, end, err);
	if (rc) {
		page_free(p);
		return rc;
	}
	if (c->level > 1) {
		w->levels[w->depth++] =
			(struct index_level){ .page = p, .end = end };
	} else {
		w->leaf = p;
		ret->page = p;
	}
	return RC_OK;
}

static enum rc visit_root(struct index_walk *w, struct index_leaf *ret,
			  struct err *err)
{
	const struct shard_footer *f = &w->shard->footer;
	struct page_child root = { .ref = f->root_page, .level = f->levels };

	w->started = true;
	if (!f->levels)
		return err_set(err, RC_NOENT, "no entries");
	return visit(w, &root, f->n_entries, ret, err);
}

enum rc index_walk_next(struct index_walk *w, struct index_leaf *ret,
			struct err *err)
{
	page_free(w->leaf);
	w->leaf = NULL;
	if (!w->started) {
		enum rc rc = visit_root(w, ret, err);

		if (rc || w->leaf)
			return rc;
	}
	while (w->depth) {
		struct index_level *l = &w->levels[w->depth - 1];
		struct page_child c, after = { .first_ordinal = l->end };
		enum rc rc;

		if (l->next == page_count(l->page)) {
			page_free(l->page);
			w->depth--;
			continue;
		}
		page_child(l->page, l->next++, &c);
		if (l->next < page_count(l->page))
			page_child(l->page, l->next, &after);
		rc = visit(w, &c, after.first_ordinal, ret, err);
		if (rc || w->leaf)
			return rc;
	}
	return err_set(err, RC_NOENT, "no more entries");
}
