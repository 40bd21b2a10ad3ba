/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-outside.c - files that are objects of their own beside a shard. */
#include "config.h"

#include "legacy/legacy-outside.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/table.h"

/* Bytes hashed at a time; more where each read is a request. */
#define PIECE (1u << 20)
#define PIECE_REMOTE (8u << 20)

/* How often an object that changes while it is looked at is looked at again. */
#define ATTEMPTS 3

enum state { UNKNOWN, LOOKING, RIGHT };

struct outside {
	char *name; /* see name_of */
	enum state state;
	bool is_gone; /* it is another by now, and stays so for this turn */
	struct object_info info; /* as it was when it was right */
	UT_hash_handle hh;
};

struct legacy_outside {
	struct store *st;
	pthread_mutex_t lock; /* guards what follows; not held during I/O */
	pthread_cond_t changed;
	struct outside *table;
	bool has_changed; /* since somebody asked */
};

struct legacy_outside *legacy_outside_new(struct store *st)
{
	struct legacy_outside *o = xcalloc(1, sizeof(*o));

	o->st = st;
	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->changed, NULL);
	return o;
}

void legacy_outside_free(struct legacy_outside *o)
{
	struct outside *at, *next;

	if (!o)
		return;
	HASH_ITER(hh, o->table, at, next)
	{
		HASH_DEL(o->table, at);
		free(at->name);
		free(at);
	}
	pthread_cond_destroy(&o->changed);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

enum rc legacy_outside_check(struct store *st, const char *key, uint64_t size,
			     struct object_info *ret, struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = 1 };
	enum rc rc = store_read_tail(st, key, 1, &b, ret, err);

	if (rc == RC_NOENT)
		return err_set(err, RC_CORRUPT,
			       "%s: not there, though a shard names it with "
			       "%" PRIu64 " bytes",
			       key, size);
	if (!rc && ret->size != size)
		return err_set(err, RC_CORRUPT,
			       "%s: has %" PRIu64
			       " bytes, the shard says %" PRIu64,
			       key, ret->size, size);
	return rc;
}

/* --- looking -------------------------------------------------------------- */

static enum rc compare_hash(const struct legacy_place *p, const char *key,
			    struct sha256 *h, struct err *err)
{
	char found[HEX_TEXT(SHA256_LEN)], want[HEX_TEXT(SHA256_LEN)];
	uint8_t hash[SHA256_LEN];

	sha256_final(h, hash);
	if (!memcmp(hash, p->sha256, SHA256_LEN))
		return RC_OK;
	hex_encode(hash, SHA256_LEN, found);
	hex_encode(p->sha256, SHA256_LEN, want);
	return err_set(err, RC_CORRUPT,
		       "%s: SHA-256 of the content is %s, the shard says %s",
		       key, found, want);
}

static enum rc check_hash(struct store *st, const struct legacy_place *p,
			  const char *key, const struct object_info *info,
			  struct err *err)
{
	size_t max = store_is_remote(st) ? PIECE_REMOTE : PIECE;
	CLEANUP_FREE uint8_t *piece = mem_array(max, 1);
	struct sha256 h;

	if (!piece)
		return err_set(err, RC_NOMEM, "%s: no memory", key);
	sha256_init(&h);
	for (uint64_t off = 0; off < p->size;) {
		uint64_t left = p->size - off;
		size_t n = left < max ? (size_t)left : max;

		if (store_read(st, key, info, off, piece, n, err))
			return err->rc;
		sha256_update(&h, piece, n);
		off += n;
	}
	return compare_hash(p, key, &h, err);
}

static enum rc look(struct store *st, const struct legacy_place *p,
		    const char *key, struct object_info *ret, struct err *err)
{
	enum rc rc = legacy_outside_check(st, key, p->size, ret, err);

	if (!rc && p->how == LEGACY_OUTSIDE)
		rc = check_hash(st, p, key, ret, err);
	return rc;
}

/* --- the table ------------------------------------------------------------ */

/* The object and all that is said of it: what was found right for one entry may
 * be wrong for another that names the same object; free() it.
 */
static char *name_of(const struct legacy_place *p, uint64_t turn,
		     const char *key)
{
	return xasprintf("%d %" PRIu64 " %" PRIu64 " %s", p->how, p->size, turn,
			 key);
}

/* With the lock held. */
static struct outside *find(struct legacy_outside *o, const char *name)
{
	struct outside *at = NULL;

	HASH_FIND_STR(o->table, name, at);
	if (at)
		return at;
	at = xcalloc(1, sizeof(*at));
	at->name = xstrdup(name);
	HASH_ADD_KEYPTR(hh, o->table, at->name, strlen(at->name), at);
	return at;
}

/* True: it is right, in that state; false: the caller is to look. */
static bool begin(struct legacy_outside *o, const char *name,
		  struct object_info *ret)
{
	LOCK_SCOPE(&o->lock);
	struct outside *at = find(o, name);

	while (at->state == LOOKING)
		pthread_cond_wait(&o->changed, &o->lock);
	if (at->state == RIGHT) {
		*ret = at->info;
		return true;
	}
	at->state = LOOKING;
	return false;
}

static void end(struct legacy_outside *o, const char *name, enum rc rc,
		const struct object_info *info)
{
	LOCK_SCOPE(&o->lock);
	struct outside *at = find(o, name);

	at->state = rc ? UNKNOWN : RIGHT;
	if (!rc)
		at->info = *info;
	pthread_cond_broadcast(&o->changed);
}

/* It is not as it was, unless another has noticed that before.  Where a hash
 * says that the content is the same, it is looked at again.
 */
static void forget(struct legacy_outside *o, const struct legacy_place *p,
		   const char *name, const struct object_info *info)
{
	LOCK_SCOPE(&o->lock);
	struct outside *at = find(o, name);

	if (at->state != RIGHT || strcmp(at->info.tag, info->tag) != 0 ||
	    at->info.size != info->size)
		return;
	if (p->how == LEGACY_OUTSIDE) {
		at->state = UNKNOWN;
		return;
	}
	o->has_changed |= !at->is_gone;
	at->is_gone = true;
}

uint64_t legacy_outside_turn(struct legacy_outside *o,
			     const struct legacy_place *p, const char *key)
{
	LOCK_SCOPE(&o->lock);
	uint64_t turn = 0;

	for (;;) {
		CLEANUP_FREE char *name = name_of(p, turn, key);
		const struct outside *at = NULL;

		HASH_FIND_STR(o->table, name, at);
		if (!at || !at->is_gone)
			return turn;
		turn++;
	}
}

bool legacy_outside_has_changed(struct legacy_outside *o)
{
	LOCK_SCOPE(&o->lock);
	bool has_changed = o->has_changed;

	o->has_changed = false;
	return has_changed;
}

/* --- reading -------------------------------------------------------------- */

static uint64_t turn_of(const struct legacy_place *p)
{
	return p->how == LEGACY_EXTERNAL ? p->off : 0;
}

static enum rc read_checked(struct legacy_outside *o,
			    const struct legacy_place *p, const char *key,
			    uint64_t off, void *buf, size_t len, bool is_ahead,
			    struct err *err)
{
	CLEANUP_FREE char *name = name_of(p, turn_of(p), key);
	struct object_info info = { 0 };
	enum rc rc = RC_OK;

	if (!begin(o, name, &info)) {
		rc = look(o->st, p, key, &info, err);
		end(o, name, rc, &info);
	}
	if (!rc)
		rc = is_ahead ? store_read_ahead(o->st, key, &info, off, buf,
						 len, err)
			      : store_read(o->st, key, &info, off, buf, len,
					   err);
	if (rc == RC_CHANGED || (rc == RC_NOENT && p->how == LEGACY_OUTSIDE))
		forget(o, p, name, &info);
	return rc;
}

/* Of one block: all of it is read anyway. */
static enum rc read_whole(struct legacy_outside *o,
			  const struct legacy_place *p, const char *key,
			  void *buf, struct err *err)
{
	struct buf b = { .max = (size_t)p->size };
	struct object_info info;
	struct sha256 h;
	enum rc rc;

	rc = store_read_tail(o->st, key, (size_t)p->size, &b, &info, err);
	if (rc == RC_NOENT || (!rc && info.size != p->size))
		rc = legacy_outside_check(o->st, key, p->size, &info, err);
	if (!rc && b.len == p->size) {
		memcpy(buf, b.p, b.len);
		sha256_init(&h);
		sha256_update(&h, b.p, b.len);
		rc = compare_hash(p, key, &h, err);
	} else if (!rc) {
		rc = err_set(err, RC_CHANGED, "%s: changed while it was read",
			     key);
	}
	buf_release(&b);
	return rc;
}

enum rc legacy_outside_read(struct legacy_outside *o,
			    const struct legacy_place *p, const char *key,
			    uint64_t off, void *buf, size_t len, bool is_ahead,
			    struct err *err)
{
	bool is_hashed = p->how == LEGACY_OUTSIDE;
	bool is_whole = is_hashed && !off && len == p->size;
	enum rc rc = RC_OK;

	/* Without a hash another state of the object is another content. */
	for (int i = 0; i < (is_hashed ? ATTEMPTS : 1); i++) {
		rc = is_whole ? read_whole(o, p, key, buf, err)
			      : read_checked(o, p, key, off, buf, len, is_ahead,
					     err);
		if (rc != RC_CHANGED && rc != RC_NOENT)
			return rc;
	}
	return rc == RC_NOENT ? err_set(err, RC_CORRUPT,
					"%s: not there, though a shard names "
					"it with %" PRIu64 " bytes",
					key, p->size)
			      : rc;
}
