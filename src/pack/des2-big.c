/* SPDX-License-Identifier: Apache-2.0 */
/* des2-big.c - big files of the format DES2: objects named by the hash of their
 * content, one for all that have it.
 *
 * An object that is there is believed only when it was read and has that hash,
 * and is durable; nothing is ever written over one.
 */
#include "config.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/table.h"
#include "pack/des2-backend.h"
#include "pack/des2-names.h"
#include "run/state.h"
#include "store/store-write.h"

#define READ_BYTES (1u << 20)
#define BIG_KEY_TEXT (sizeof(DES2_BIG_DIR "/") + HEX_TEXT(SHA256_LEN))

/* So many are remembered; what is forgotten is read once more. */
#define KNOWN_MAX (32u << 10)

struct known {
	uint8_t sha256[SHA256_LEN];
	UT_hash_handle hh;
};

struct sized {
	uint64_t size;
	UT_hash_handle hh;
};

struct des2_big {
	const struct des2_names *names;
	pthread_mutex_t lock; /* guards both tables */
	struct known *known;  /* was made, or read, by this run */
	struct sized *sizes;  /* of these */
};

struct des2_big *des2_big_new(const struct des2_names *names)
{
	struct des2_big *b = xcalloc(1, sizeof(*b));

	b->names = names;
	pthread_mutex_init(&b->lock, NULL);
	return b;
}

void des2_big_free(struct des2_big *b)
{
	struct known *k, *next_known;
	struct sized *s, *next_size;

	if (!b)
		return;
	HASH_ITER(hh, b->known, k, next_known)
	{
		HASH_DEL(b->known, k);
		free(k);
	}
	HASH_ITER(hh, b->sizes, s, next_size)
	{
		HASH_DEL(b->sizes, s);
		free(s);
	}
	pthread_mutex_destroy(&b->lock);
	free(b);
}

static bool is_known(struct des2_big *b, const uint8_t sha256[SHA256_LEN])
{
	struct known *k = NULL;
	LOCK_SCOPE(&b->lock);

	HASH_FIND(hh, b->known, sha256, SHA256_LEN, k);
	return k;
}

/* The first of a table is its oldest. */
static void make_room(struct des2_big *b)
{
	struct known *k = b->known;
	struct sized *s = b->sizes;

	if (HASH_COUNT(k) > KNOWN_MAX) {
		HASH_DEL(b->known, k);
		free(k);
	}
	if (HASH_COUNT(s) > KNOWN_MAX) {
		HASH_DEL(b->sizes, s);
		free(s);
	}
}

static void add_known(struct des2_big *b, const uint8_t sha256[SHA256_LEN],
		      uint64_t size)
{
	struct known *k = NULL;
	struct sized *s = NULL;
	LOCK_SCOPE(&b->lock);

	HASH_FIND(hh, b->known, sha256, SHA256_LEN, k);
	if (!k) {
		k = xcalloc(1, sizeof(*k));
		memcpy(k->sha256, sha256, SHA256_LEN);
		HASH_ADD(hh, b->known, sha256, SHA256_LEN, k);
	}
	HASH_FIND(hh, b->sizes, &size, sizeof(size), s);
	if (!s) {
		s = xcalloc(1, sizeof(*s));
		s->size = size;
		HASH_ADD(hh, b->sizes, size, sizeof(size), s);
	}
	make_room(b);
}

/* Can there be an object with its content? */
static bool has_size(struct des2_big *b, uint64_t size)
{
	struct sized *s = NULL;
	LOCK_SCOPE(&b->lock);

	HASH_FIND(hh, b->sizes, &size, sizeof(size), s);
	return s || des2_names_has_size(b->names, size);
}

static void big_key(const uint8_t sha256[SHA256_LEN], char ret[BIG_KEY_TEXT])
{
	char hash[HEX_TEXT(SHA256_LEN)];

	hex_encode(sha256, SHA256_LEN, hash);
	memcpy(ret, DES2_BIG_DIR "/", strlen(DES2_BIG_DIR "/"));
	memcpy(ret + strlen(DES2_BIG_DIR "/"), hash, sizeof(hash));
}

/* Read what is under key.  RC_NOENT: nothing is. */
static enum rc hash_object(struct des2 *d, const char *key, uint64_t *ret_size,
			   uint8_t ret[SHA256_LEN], struct err *err)
{
	CLEANUP_BUF struct buf tail = { .max = 1 };
	CLEANUP_FREE uint8_t *p = NULL;
	struct object_info info = { 0 };
	struct sha256 sha;
	uint64_t off = 0;

	if (store_read_tail(d->p->store, key, 1, &tail, &info, err))
		return err->rc;
	p = mem_array(READ_BYTES, 1);
	if (!p)
		return err_set(err, RC_NOMEM, "no memory to read %s", key);
	sha256_init(&sha);
	while (off < info.size) {
		uint64_t left = info.size - off;
		size_t n = left < READ_BYTES ? (size_t)left : READ_BYTES;

		if (pack_is_ending(d->p, err) ||
		    store_read(d->p->store, key, &info, off, p, n, err))
			return err->rc;
		sha256_update(&sha, p, n);
		off += n;
	}
	sha256_final(&sha, ret);
	*ret_size = info.size;
	return RC_OK;
}

/* RC_OK: the object is there, with its content.  RC_NOENT: there is none. */
static enum rc check_object(struct des2 *d, const uint8_t sha256[SHA256_LEN],
			    uint64_t size, bool *ret_own, struct err *err)
{
	char key[BIG_KEY_TEXT], found[HEX_TEXT(SHA256_LEN)];
	uint8_t is[SHA256_LEN];
	uint64_t there = 0;
	enum rc rc;

	if (is_known(d->big, sha256))
		return RC_OK;
	big_key(sha256, key);
	rc = hash_object(d, key, &there, is, err);
	if (rc)
		return rc;
	if (memcmp(is, sha256, SHA256_LEN) != 0) {
		hex_encode(is, SHA256_LEN, found);
		*ret_own = true;
		return err_set(err, RC_CORRUPT,
			       "%s: the archive has it with other content: its "
			       "SHA-256 is %s",
			       key, found);
	}
	/* Another run may be making it durable still; shards that name it are
	 * not to come first.
	 */
	if (!d->p->opts->dry_run && store_sync(d->p->store, key, err))
		return err->rc;
	add_known(d->big, sha256, size);
	return RC_OK;
}

enum rc des2_big_check(struct des2 *d, const uint8_t sha256[SHA256_LEN],
		       uint64_t size, bool *ret_own, struct err *err)
{
	*ret_own = false;
	return check_object(d, sha256, size, ret_own, err);
}

enum rc des2_big_find(struct des2 *d, const uint8_t sha256[SHA256_LEN],
		      uint64_t size, bool *ret_own, struct err *err)
{
	CLEANUP_BUF struct buf tail = { .max = 1 };
	struct object_info info = { 0 };
	char key[BIG_KEY_TEXT];

	*ret_own = false;
	if (is_known(d->big, sha256))
		return RC_OK;
	big_key(sha256, key);
	if (store_read_tail(d->p->store, key, 1, &tail, &info, err))
		return err->rc;
	if (info.size == size)
		return RC_OK;
	*ret_own = true;
	return err_set(err, RC_CORRUPT,
		       "%s: the archive has it with %" PRIu64
		       " bytes, not %" PRIu64,
		       key, info.size, size);
}

static enum rc write_upload(void *arg, const void *p, size_t len,
			    struct err *err)
{
	struct store_upload *up = arg;
	enum state_doing was = state_enter(STATE_WRITING);
	enum rc rc = store_upload_write(up, p, len, err);

	state_leave(was);
	return rc;
}

static void upload_free_p(struct store_upload **up)
{
	if (*up)
		store_upload_free(*up);
}

static enum rc upload(struct des2_thread *t, const struct des2_record *r,
		      uint8_t ret_sha256[SHA256_LEN], bool *ret_own,
		      struct err *err)
{
	CLEANUP(upload_free_p) struct store_upload *up = NULL;
	struct des2 *d = t->d;
	char key[BIG_KEY_TEXT];
	bool existed = false;
	uint64_t stored = 0;
	enum rc rc = store_upload_new(d->p->store, &up, err);

	if (!rc)
		rc = des2_file_read(t, r, CODEC_NONE, write_upload, up, &stored,
				    ret_sha256, ret_own, err);
	if (rc)
		return rc;
	*ret_own = false;
	big_key(ret_sha256, key);
	rc = store_upload_commit(up, key, &existed, err);
	if (rc == RC_EXISTS || (!rc && existed))
		return check_object(d, ret_sha256, r->it.size, ret_own, err);
	if (rc)
		return rc;
	report_shard(d->p->report, stored, false);
	add_known(d->big, ret_sha256, r->it.size);
	return RC_OK;
}

enum rc des2_big_put(struct des2_thread *t, const struct des2_record *r,
		     uint8_t ret_sha256[SHA256_LEN], bool *ret_own,
		     struct err *err)
{
	uint64_t stored;
	enum rc rc;

	/* Worth reading twice where that may save writing. */
	if (has_size(t->d->big, r->it.size)) {
		rc = des2_file_read(t, r, CODEC_NONE, NULL, NULL, &stored,
				    ret_sha256, ret_own, err);
		if (rc)
			return rc;
		*ret_own = false;
		rc = check_object(t->d, ret_sha256, r->it.size, ret_own, err);
		if (rc != RC_NOENT)
			return rc;
	}
	return upload(t, r, ret_sha256, ret_own, err);
}
