/* SPDX-License-Identifier: Apache-2.0 */
/* held.c - whether a hold forbids to remove an old revision. */
#include "config.h"

#include "repack/held.h"

#include <stdlib.h>

#include "base/mem.h"
#include "repack/heirs.h"
#include "repack/old-set.h"
#include "repack/shard-seek.h"

struct comparison {
	struct store *st;
	const struct shard_meta *const *now;
	size_t n;
	struct shard_seek *seeks; /* opened when first needed */
	bool *is_open;
};

static enum rc has_entry(struct comparison *c, size_t i, const struct entry *e,
			 bool *ret, struct err *err)
{
	struct shard_seek *s = &c->seeks[i];
	enum rc rc = RC_OK;

	if (!c->is_open[i])
		rc = shard_seek_open(s, c->st, c->now[i]->key, c->now[i]->root,
				     err);
	c->is_open[i] = true;
	if (!rc)
		rc = shard_seek_key(s, e->parent, e->name, err);
	while (!rc && !*ret && shard_seek_is_at(s, e->parent, e->name)) {
		*ret = s->e.created_at == e->created_at && s->e.type == e->type;
		rc = shard_seek_next(s, err);
	}
	return rc;
}

/* The entries that h covers, from where the cursor is; *ret: one of them is
 * nowhere else.
 */
static enum rc look_from(struct comparison *c, struct shard_seek *old,
			 const struct hold *h, bool *ret, struct err *err)
{
	enum rc rc = RC_OK;

	while (!rc && !*ret && !old->at_end &&
	       hold_has_entry(h, old->e.parent, old->e.name)) {
		bool found = old->e.implicit;

		for (size_t i = 0; !rc && !found && i < c->n; i++)
			rc = has_entry(c, i, &old->e, &found, err);
		*ret = !found;
		if (!rc && found)
			rc = shard_seek_next(old, err);
	}
	return rc;
}

static enum rc look_for(struct comparison *c, struct shard_seek *old,
			const struct hold *h, bool *ret, struct err *err)
{
	const struct span whole = span_of(h->uid, h->uid_len);
	struct span parent, name;
	enum rc rc;

	entry_split_uid(whole, &parent, &name);
	rc = shard_seek_key(old, parent, name, err);
	if (!rc)
		rc = look_from(c, old, h, ret, err);
	if (rc || *ret || h->scope != HOLD_PREFIX_OF)
		return rc;
	/* And all of the directories that begin with it. */
	rc = shard_seek_key(old, whole, span_of(NULL, 0), err);
	return rc ? rc : look_from(c, old, h, ret, err);
}

static enum rc look(struct comparison *c, const struct holds *h,
		    const struct oplog_old *old, const struct hold **ret,
		    struct err *err)
{
	const struct hold *one;
	struct shard_seek seek = { 0 };
	bool is_open = false;
	enum rc rc = RC_OK;
	size_t i = 0;

	while (!rc && !*ret && (one = holds_next_within(h, &i, old->meta))) {
		bool is_alone = false;

		if (!is_open) {
			rc = shard_seek_open(&seek, c->st, old->key, old->root,
					     err);
			/* It went before: there is nothing to be kept. */
			if (rc == RC_NOENT)
				return RC_OK;
			is_open = true;
		}
		if (!rc)
			rc = look_for(c, &seek, one, &is_alone, err);
		if (!rc && is_alone)
			*ret = one;
	}
	shard_seek_close(&seek);
	return rc;
}

enum rc held_by(const struct holds *h, struct store *st,
		const struct oplog_old *old,
		const struct shard_meta *const *now, size_t n,
		const struct hold **ret, struct err *err)
{
	struct comparison c = { .st = st, .now = now, .n = n };
	size_t i = 0;
	enum rc rc;

	*ret = NULL;
	if (!h->n)
		return RC_OK;
	/* Of what nothing is known all may be held. */
	if (!old->meta || old->meta->is_purged) {
		*ret = &h->all[0];
		return RC_OK;
	}
	*ret = holds_shard(h, old->meta);
	if (*ret)
		return RC_OK;
	/* What is garbage has no revisions to be compared with. */
	if (old->is_garbage) {
		*ret = holds_next_within(h, &i, old->meta);
		return RC_OK;
	}
	c.seeks = xcalloc(n + 1, sizeof(*c.seeks));
	c.is_open = xcalloc(n + 1, sizeof(*c.is_open));
	rc = look(&c, h, old, ret, err);
	for (i = 0; i < n; i++)
		shard_seek_close(&c.seeks[i]);
	free(c.seeks);
	free(c.is_open);
	return rc;
}

enum rc held_mark(const struct holds *h, struct store *st,
		  const struct oplog_state *state, struct old_set *old,
		  struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; h->n && !rc && i < old->n; i++) {
		struct old_shard *s = &old->all[i];
		const struct hold *hold = NULL;
		struct heirs heirs;

		if (old_shard_is_gone(s))
			continue;
		heirs_of(state, s->old->key, &heirs);
		rc = held_by(h, st, s->old, heirs.all, heirs.n, &hold, err);
		s->is_held = hold;
		free(heirs.all);
	}
	return rc;
}
