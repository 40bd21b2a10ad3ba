/* SPDX-License-Identifier: Apache-2.0 */
/* erasure-verify-object.c - the objects that receipts tell of. */
#include "config.h"

#include <string.h>

#include "base/buf.h"
#include "base/rd.h"
#include "repack/erasure-verify-backend.h"
#include "store/store-write.h"
#include "verify/raw-shard.h"

/* --- what is to be gone --------------------------------------------------- */

struct asking {
	const char *key;
	uint8_t *is; /* the next place's */
};

static enum rc ask(void *arg, const char *zone, struct store *place,
		   struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = 1 };
	struct asking *a = arg;
	struct object_info info;
	enum rc rc = store_read_tail(place, a->key, 1, &b, &info, err);

	(void)zone;
	if (rc && rc != RC_NOENT)
		return rc;
	*a->is++ = rc ? OLD_GONE : OLD_THERE;
	return RC_OK;
}

static const struct receipt_purged *find_purged(const struct receipt *r,
						const uint8_t *root,
						const char *zone)
{
	for (size_t i = 0; i < r->n_purged; i++) {
		const struct receipt_purged *p = &r->purged[i];

		if (!memcmp(p->root.b, root, SHARD_ROOT_LEN) &&
		    (zone && p->zone ? !strcmp(zone, p->zone)
				     : !zone && !p->zone))
			return p;
	}
	return NULL;
}

/* A store that was added to a zone since has never had it. */
static void check_place(struct checking *c, const struct receipt *r,
			const struct old_shard *s, size_t i)
{
	const struct old_place *p = &s->places[i];
	const struct receipt_purged *says =
		find_purged(r, s->old->root, p->zone);
	const char *from = p->zone ? " from " : "", *in = p->zone ? " in " : "";
	const char *zone = p->zone ? p->zone : "";
	struct receipt_texts t = receipt_texts_of(r, s->old->root);

	if (says && says->how == RECEIPT_PENDING)
		return;
	if (says)
		c->ret->purged++;
	if (says && !old_place_is_gone(p) && !s->old->is_purged)
		checking_find(c,
			      "receipt %s: no record says that %s is gone%s%s",
			      t.id, s->old->key, from, zone);
	if (c->old_is[c->first_place[s - c->old.all] + i] != OLD_THERE)
		return;
	if (says || receipt_is_final(r))
		checking_find(c, "receipt %s: %s is there%s%s", t.id,
			      s->old->key, in, zone);
}

enum rc check_gone(struct checking *c, const struct receipt *r,
		   const struct old_shard *s, struct err *err)
{
	uint8_t *is = &c->old_is[c->first_place[s - c->old.all]];
	struct asking a = { .key = s->old->key, .is = is };

	if (s->n_places && *is == OLD_UNKNOWN &&
	    store_each_place(c->st, a.key, ask, &a, err))
		return err->rc;
	for (size_t i = 0; i < s->n_places; i++)
		check_place(c, r, s, i);
	return RC_OK;
}

/* --- what is to be there -------------------------------------------------- */

struct heir {
	struct checking *c;
	const struct shard_meta *meta;
};

static enum rc look_at_heir(void *arg, const char *zone, struct store *place,
			    struct err *err)
{
	const struct heir *h = arg;
	const struct shard_meta *m = h->meta;
	const char *in = zone ? " in " : "";
	struct raw_shard s;
	enum rc rc = raw_shard_open(&s, place, m->key, err);

	zone = zone ? zone : "";
	if (rc == RC_NOENT)
		checking_find(h->c,
			      "%s, which took the place of what is erased, is "
			      "not there%s%s",
			      m->key, in, zone);
	else if (rc == RC_CORRUPT || rc == RC_UNSUPPORTED)
		checking_find(h->c, "%s%s%s: %s", m->key, in, zone, err->msg);
	else if (!rc && memcmp(s.footer.root, m->root, SHARD_ROOT_LEN) != 0)
		checking_find(h->c,
			      "%s%s%s: its root is not the one the log says",
			      m->key, in, zone);
	else
		return rc;
	return RC_OK;
}

enum rc check_heir(struct checking *c, const struct shard_meta *m,
		   struct err *err)
{
	struct heir h = { .c = c, .meta = m };
	struct rd rd = { .p = m->root, .left = SHARD_ROOT_LEN };

	if (!uid_set_add(&c->heirs, rd_u64(&rd)))
		return RC_OK;
	c->ret->heirs++;
	return store_each_place(c->st, m->key, look_at_heir, &h, err);
}
