/* SPDX-License-Identifier: Apache-2.0 */
/* holds.c - objects holds/... that forbid to remove what they cover. */
#include "config.h"

#include "repack/holds.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"
#include "store/store.h"

#define HOLD_VERSION 1
#define HOLD_KIND "hold"

void hold_release(struct hold *h)
{
	free(h->key);
	free(h->matter);
	free(h->uid);
	free(h->shard);
	*h = (struct hold){ 0 };
}

void holds_release(struct holds *h)
{
	for (size_t i = 0; i < h->n; i++)
		hold_release(&h->all[i]);
	free(h->all);
	*h = (struct holds){ 0 };
}

/* --- one object ----------------------------------------------------------- */

static enum rc check_kind(const struct json_t *j, struct err *err)
{
	const char *kind = "";
	uint64_t version = 0;

	if (!json_is_obj(j))
		return err_set(err, RC_CORRUPT, "not a JSON object");
	if (json_get_u64(j, "version", JSON_INT_MAX, &version, err) ||
	    json_get_str(j, "kind", 64, &kind, err))
		return err->rc;
	if (version != HOLD_VERSION || strcmp(kind, HOLD_KIND) != 0)
		return err_set(err, RC_UNSUPPORTED,
			       "%s of version %llu is not known here", kind,
			       (unsigned long long)version);
	return RC_OK;
}

static enum rc get_uid(const struct json_t *j, const char *name, struct hold *h,
		       struct err *err)
{
	if (json_get_bytes(j, name, UID_MAX_LEN, &h->uid, &h->uid_len, err))
		return err->rc;
	return h->uid_len ? RC_OK
			  : err_set(err, RC_CORRUPT, "%s is empty", name);
}

static enum rc get_scope(const struct json_t *j, struct hold *h,
			 struct err *err)
{
	const char *scope = "", *key = "";
	uint64_t day = 0;

	if (json_get_str(j, "scope", 64, &scope, err))
		return err->rc;
	if (!strcmp(scope, "all")) {
		h->scope = HOLD_ALL;
		return RC_OK;
	}
	if (!strcmp(scope, "uid")) {
		h->scope = HOLD_UID;
		return get_uid(j, "uid", h, err);
	}
	if (!strcmp(scope, "prefix")) {
		h->scope = HOLD_PREFIX_OF;
		return get_uid(j, "prefix", h, err);
	}
	if (!strcmp(scope, "day")) {
		h->scope = HOLD_DAY;
		if (json_get_u64(j, "day", 99991231, &day, err))
			return err->rc;
		h->day = (uint32_t)day;
		return RC_OK;
	}
	if (strcmp(scope, "shard") != 0)
		return err_set(err, RC_UNSUPPORTED,
			       "scope %s is not known here", scope);
	h->scope = HOLD_SHARD;
	if (json_get_str(j, "shard", SHARD_KEY_TEXT - 1, &key, err))
		return err->rc;
	h->shard = xstrdup(key);
	return RC_OK;
}

enum rc hold_decode(const void *p, size_t len, struct hold *ret,
		    struct err *err)
{
	CLEANUP_JSON struct json_t *j = NULL;
	struct hold h = { 0 };
	const char *matter = "";

	if (json_parse(p, len, HOLD_MAX, &j, err) || check_kind(j, err) ||
	    json_get_str(j, "matter", HOLD_MATTER_MAX, &matter, err))
		return err->rc;
	if (get_scope(j, &h, err)) {
		hold_release(&h);
		return err->rc;
	}
	h.matter = xstrdup(matter);
	*ret = h;
	return RC_OK;
}

/* --- all of them ---------------------------------------------------------- */

void holds_add(struct holds *h, const char *key, const void *p, size_t len)
{
	struct hold one = { .scope = HOLD_ALL };
	struct err why;

	if (p && hold_decode(p, len, &one, &why))
		one = (struct hold){ .scope = HOLD_ALL };
	one.key = xstrdup(key);
	h->all = mem_grow(h->all, &h->cap, h->n + 1, sizeof(*h->all));
	h->all[h->n++] = one;
}

struct reading {
	struct holds *to;
	struct store *st;
};

static enum rc read_one(void *arg, const char *key, uint64_t size,
			struct err *err)
{
	struct reading *r = arg;
	CLEANUP_BUF struct buf text = { .max = HOLD_MAX };
	enum rc rc;

	/* What is too long to be one, and more than anybody needs. */
	if (size > HOLD_MAX || r->to->n >= HOLDS_MAX) {
		holds_add(r->to, key, NULL, 0);
		return RC_OK;
	}
	rc = store_read_all(r->st, key, HOLD_MAX, &text, err);
	/* RC_USAGE: its name is no key. */
	if (rc == RC_NOENT || rc == RC_LIMIT || rc == RC_CORRUPT ||
	    rc == RC_USAGE)
		holds_add(r->to, key, NULL, 0);
	else if (rc)
		return rc;
	else
		holds_add(r->to, key, text.p, text.len);
	return RC_OK;
}

enum rc holds_read(struct holds *ret, struct store *st, struct err *err)
{
	struct holds h = { 0 };
	struct reading r = { &h, st };

	if (store_list(st, HOLD_PREFIX, NULL, read_one, &r, err)) {
		holds_release(&h);
		return err_prefix(err, "holds");
	}
	*ret = h;
	return RC_OK;
}

/* --- what they cover ------------------------------------------------------ */

bool holds_are_same(const struct holds *a, const struct holds *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (strcmp(a->all[i].key, b->all[i].key) != 0)
			return false;
	}
	return true;
}

const struct hold *holds_everything(const struct holds *h)
{
	for (size_t i = 0; i < h->n; i++) {
		if (h->all[i].scope == HOLD_ALL)
			return &h->all[i];
	}
	return NULL;
}

static bool begins_with(const char *p, size_t len, const struct hold *h)
{
	return len >= h->uid_len && !memcmp(p, h->uid, h->uid_len);
}

static bool is_uid(const char *p, size_t len, const struct hold *h)
{
	return len == h->uid_len && !memcmp(p, h->uid, len);
}

const struct hold *holds_uid(const struct holds *h, const char *uid,
			     size_t uid_len)
{
	for (size_t i = 0; i < h->n; i++) {
		const struct hold *one = &h->all[i];

		if (one->scope == HOLD_ALL ||
		    (one->scope == HOLD_UID && is_uid(uid, uid_len, one)) ||
		    (one->scope == HOLD_PREFIX_OF &&
		     begins_with(uid, uid_len, one)))
			return one;
	}
	return NULL;
}

const struct hold *holds_shard(const struct holds *h,
			       const struct shard_meta *m)
{
	for (size_t i = 0; i < h->n; i++) {
		const struct hold *one = &h->all[i];

		if (one->scope == HOLD_ALL ||
		    (one->scope == HOLD_DAY && one->day == m->day) ||
		    (one->scope == HOLD_SHARD && !strcmp(one->shard, m->key)))
			return one;
	}
	return NULL;
}

bool hold_has_entry(const struct hold *h, struct span parent, struct span name)
{
	size_t len = entry_uid_len(parent, name), at;
	const char *uid = h->uid;

	if (h->scope != HOLD_UID && h->scope != HOLD_PREFIX_OF)
		return false;
	if (len < h->uid_len || (h->scope == HOLD_UID && len != h->uid_len))
		return false;
	if (!parent.len)
		return !memcmp(name.p, uid, h->uid_len);
	at = h->uid_len < parent.len ? h->uid_len : parent.len;
	if (memcmp(parent.p, uid, at) != 0)
		return false;
	if (at == h->uid_len)
		return true;
	return uid[at] == '/' &&
	       !memcmp(name.p, uid + at + 1, h->uid_len - at - 1);
}

/* Whether a is not after what begins with the prefix, nor b before it. */
static bool overlaps(struct span a, struct span b, struct span prefix)
{
	if (span_compare(b, prefix) < 0)
		return false;
	return span_compare(a, prefix) <= 0 ||
	       (a.len >= prefix.len && !memcmp(a.p, prefix.p, prefix.len));
}

static bool may_lie_within(const struct hold *h, const struct shard_meta *m)
{
	struct span parent, name, first[2], last[2];
	const struct span whole = span_of(h->uid, h->uid_len);

	entry_split_uid(whole, &parent, &name);
	entry_split_uid(span_of(m->first, m->first_len), &first[0], &first[1]);
	entry_split_uid(span_of(m->last, m->last_len), &last[0], &last[1]);
	if (h->scope == HOLD_UID)
		return entry_key_compare(first[0], first[1], parent, name) <=
			       0 &&
		       entry_key_compare(parent, name, last[0], last[1]) <= 0;
	/* Names in the directory that the prefix is in, and all of directories
	 * that begin with it.
	 */
	return overlaps(first[0], last[0], whole) ||
	       (span_compare(first[0], parent) <= 0 &&
		span_compare(parent, last[0]) <= 0);
}

const struct hold *holds_next_within(const struct holds *h, size_t *i,
				     const struct shard_meta *m)
{
	while (*i < h->n) {
		const struct hold *one = &h->all[(*i)++];

		if ((one->scope == HOLD_UID || one->scope == HOLD_PREFIX_OF) &&
		    may_lie_within(one, m))
			return one;
	}
	return NULL;
}
