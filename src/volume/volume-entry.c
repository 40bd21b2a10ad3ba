/* SPDX-License-Identifier: Apache-2.0 */
/* volume-entry.c - entries as a volume gives them out: holding, choosing,
 * numbers. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/siphash.h"
#include "cache/block-cache.h"
#include "volume/volume-hide.h"
#include "volume/volume-old.h"
#include "volume/volume-state.h"

void cleanup_view(struct view **view)
{
	view_unref(*view);
}

void cleanup_cursor(struct shard_cursor *c)
{
	shard_cursor_close(c);
}

/* Repacks of a shard that follow each other faster than it is read. */
#define TRIES_MAX 8u

bool volume_try_next(struct volume_try *t)
{
	bool again = !t->n || (t->rc == RC_CHANGED && t->n < TRIES_MAX &&
			       volume_generation(t->v) != t->view->generation);

	view_unref(t->view);
	t->view = again ? volume_view(t->v) : NULL;
	t->n++;
	return again;
}

void volume_entry_init(struct volume_entry *ret, const struct shard_cursor *c,
		       bool date)
{
	*ret = (struct volume_entry){
		.node = { .shard = c->h.sf->ordinal,
			  .ordinal = shard_cursor_ordinal(c),
			  .date = date },
		.e = c->e,
		.hold = block_cache_ref(c->leaf),
	};
}

void volume_entry_release(struct volume_entry *ve)
{
	block_cache_unref(ve->hold);
	ve->hold = NULL;
}

void volume_entry_hold(struct volume_entry *ve)
{
	block_cache_ref(ve->hold);
}

void volume_pick_offer(struct volume_pick *pick, const struct view *view,
		       const struct shard_cursor *c)
{
	bool is_hidden = view_hides(view, &c->e);
	struct volume_entry *ve = c->e.implicit || is_hidden
					  ? &pick->implicit_one
					  : &pick->explicit_one;

	if ((is_hidden && c->e.type != ENTRY_DIR) ||
	    (ve->hold && ve->e.created_at >= c->e.created_at))
		return;
	volume_entry_release(ve);
	volume_entry_init(ve, c, false);
	if (is_hidden)
		volume_infer(&ve->e);
}

void volume_pick_release(struct volume_pick *pick)
{
	volume_entry_release(&pick->explicit_one);
	volume_entry_release(&pick->implicit_one);
}

struct volume_entry *volume_pick_of(struct volume_entry *explicit_one,
				    struct volume_entry *implicit_one)
{
	if (!explicit_one || !implicit_one)
		return explicit_one ? explicit_one : implicit_one;
	if (explicit_one->e.type != ENTRY_DIR &&
	    implicit_one->e.created_at > explicit_one->e.created_at)
		return implicit_one;
	return explicit_one;
}

char *volume_uid(struct span parent, struct span name, struct span *ret)
{
	size_t len = entry_uid_len(parent, name);
	char *p = xcalloc(len + 1, 1);

	*ret = span_of(p, entry_uid(parent, name, p));
	return p;
}

bool volume_name_ok(struct span name)
{
	if (!name.len || name.len > 255)
		return false;
	if (name.p[0] == '.' &&
	    (name.len == 1 || (name.len == 2 && name.p[1] == '.')))
		return false;
	return !memchr(name.p, '/', name.len) && !memchr(name.p, 0, name.len);
}

enum rc volume_no_entry(struct span name, struct err *err)
{
	return err_set(err, RC_NOENT, "%.*s: no such file or directory",
		       (int)(name.len < 256 ? name.len : 256),
		       name.len ? name.p : "");
}

/* From the shard of the node itself. */
static enum rc get_there(struct volume *v, struct volume_node node,
			 struct volume_entry *ret, struct err *err)
{
	const struct shard_file *sf = shard_set_get(v->set, node.shard);
	CLEANUP_CURSOR struct shard_cursor c = { 0 };
	enum rc rc;

	if (!sf || node.ordinal >= sf->meta.n_entries)
		return err_set(err, RC_NOENT, "no entry %llu in shard %u",
			       (unsigned long long)node.ordinal,
			       (unsigned int)node.shard);
	rc = shard_cursor_open(&c, &v->env, sf, err);
	if (!rc)
		rc = shard_cursor_goto(&c, node.ordinal, err);
	if (rc)
		return rc;
	volume_entry_init(ret, &c, node.date);
	return RC_OK;
}

enum rc volume_get_raw(struct volume *v, struct volume_node node,
		       struct volume_entry *ret, struct err *err)
{
	if (volume_is_replaced(v, node.shard))
		(void)!volume_old_find(v->old, node, true, &node);
	return get_there(v, node, ret, err);
}

/* Of a node in a shard that was replaced. */
static enum rc get_current(struct volume *v, const struct view *view,
			   struct volume_node node, struct volume_entry *ret,
			   struct err *err)
{
	struct volume_entry was;
	enum rc rc;

	(void)!volume_old_find(v->old, node, false, &node);
	rc = get_there(v, node, &was, err);
	if (rc || !volume_is_replaced(v, node.shard)) {
		if (!rc)
			*ret = was;
		return rc;
	}
	rc = volume_current(v, view, &was, ret, err);
	volume_entry_release(&was);
	return rc;
}

enum rc volume_get(struct volume *v, struct volume_node node,
		   struct volume_entry *ret, struct err *err)
{
	struct volume_try t = { .v = v };
	struct volume_entry ve = { 0 };

	if (node.shard == VOLUME_NO_SHARD)
		return volume_root(v, ret, err);
	if (!volume_is_replaced(v, node.shard))
		t.rc = get_there(v, node, &ve, err);
	if (volume_is_replaced(v, node.shard)) {
		volume_entry_release(&ve);
		while (volume_try_next(&t))
			t.rc = get_current(v, t.view, node, &ve, err);
	}
	if (!t.rc && volume_has_deleted(v))
		t.rc = volume_admit(v, &ve, err);
	if (t.rc)
		volume_entry_release(&ve);
	else
		*ret = ve;
	return t.rc;
}

/* --- inode numbers ---------------------------------------------------------
 */

static void add_byte(struct siphash *s, uint8_t byte)
{
	siphash_update(s, &byte, 1);
}

uint64_t volume_ino(const struct volume *v, const struct volume_entry *ve)
{
	const struct entry *e = &ve->e;
	bool is_linked = link_group_is_set(e->link_group);
	struct siphash s;
	uint64_t ino;

	siphash_init(&s, v->descriptor.archive_id);
	if (is_linked)
		add_byte(&s, ve->node.date ? 'D' : 'T');
	else
		add_byte(&s, ve->node.date ? 'd' : 't');
	for (unsigned int i = 0; ve->node.date && i < 64; i += 8)
		add_byte(&s, (uint8_t)((uint64_t)e->created_at >> i));
	if (is_linked) {
		siphash_update(&s, e->link_group, LINK_GROUP_LEN);
	} else {
		siphash_update(&s, e->parent.p, e->parent.len);
		if (e->parent.len)
			add_byte(&s, '/');
		siphash_update(&s, e->name.p, e->name.len);
	}
	ino = siphash_final(&s) & INT64_MAX;
	return ino > 1 ? ino : ino + 2;
}
