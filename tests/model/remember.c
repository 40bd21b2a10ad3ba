/* SPDX-License-Identifier: Apache-2.0 */
/* remember.c - what was decoded of the log and of what it names once. */
#include "config.h"

#include "remember.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "copy-record.h"
#include "erase/tombstone.h"
#include "volume/oplog-checkpoint.h"
#include "volume/oplog-json-backend.h"

#define BUCKETS 4096u
#define HASHED_MAX 256u /* bytes */
/* One in so many is decoded again. */
#define CHECK_EVERY 256u

enum form { RECORD, KEPT, CHECKPOINT, DOCUMENT, HASH };

struct known {
	struct known *next;
	enum form form;
	uint64_t hash;
	void *bytes;
	size_t len;
	struct oplog_record *records; /* one, except of a checkpoint */
	size_t n, cap;
	struct tombstone document;
	uint8_t id[SHARD_ID_LEN]; /* its digest; a checkpoint: the archive */
	uint8_t sha256[SHA256_LEN];
	int64_t time;
};

/* Those of one sequence; two actors may be running, in turns. */
static struct known *buckets[BUCKETS];
/* Recursive: a checkpoint has records. */
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static uint64_t n_asked;

/* The linker's names are no names of ours. */
#define REAL(name) __asm__("__real_" #name)
#define WRAP(name) __asm__("__wrap_" #name)

enum rc real_decode(const void *p, size_t len, struct oplog_record *ret,
		    struct err *err) REAL(oplog_record_decode);
enum rc decode(const void *p, size_t len, struct oplog_record *ret,
	       struct err *err) WRAP(oplog_record_decode);
enum rc real_kept(const void *p, size_t len, struct oplog_record *ret,
		  uint8_t ret_digest[SHARD_ID_LEN], struct err *err)
	REAL(oplog_record_decode_kept);
enum rc kept(const void *p, size_t len, struct oplog_record *ret,
	     uint8_t ret_digest[SHARD_ID_LEN], struct err *err)
	WRAP(oplog_record_decode_kept);
enum rc real_checkpoint(const void *p, size_t len,
			uint8_t ret_archive_id[SHARD_ID_LEN], int64_t *ret_time,
			oplog_checkpoint_fn *fn, void *arg, struct err *err)
	REAL(oplog_checkpoint_decode);
enum rc checkpoint(const void *p, size_t len,
		   uint8_t ret_archive_id[SHARD_ID_LEN], int64_t *ret_time,
		   oplog_checkpoint_fn *fn, void *arg, struct err *err)
	WRAP(oplog_checkpoint_decode);
enum rc real_document(const void *p, size_t len, struct tombstone *ret,
		      struct err *err) REAL(tombstone_decode);
enum rc document(const void *p, size_t len, struct tombstone *ret,
		 struct err *err) WRAP(tombstone_decode);

void real_sha256(const void *p, size_t len, uint8_t out[SHA256_LEN])
	REAL(sha256_of);
void sha256(const void *p, size_t len, uint8_t out[SHA256_LEN]) WRAP(sha256_of);

static void release(struct known *k)
{
	for (size_t i = 0; i < k->n; i++)
		oplog_record_release(&k->records[i]);
	free(k->records);
	tombstone_release(&k->document);
	free(k->bytes);
}

void remember_clear(void)
{
	LOCK_SCOPE(&lock);
	for (size_t i = 0; i < BUCKETS; i++) {
		struct known *k, *next;

		for (k = buckets[i]; k; k = next) {
			next = k->next;
			release(k);
			free(k);
		}
		buckets[i] = NULL;
	}
}

/* Of their beginning, where the digest is, and so a record's time. */
static uint64_t hash_of(const void *p, size_t len)
{
	const uint8_t *b = p;
	size_t left = len < HASHED_MAX ? len : HASHED_MAX;
	uint64_t h = len, word;

	for (; left >= sizeof(word); b += sizeof(word), left -= sizeof(word)) {
		memcpy(&word, b, sizeof(word));
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	return h ^ h >> 29;
}

/* Takes r over. */
static void add(struct known *k, struct oplog_record *r)
{
	k->records =
		mem_grow(k->records, &k->cap, k->n + 1, sizeof(*k->records));
	k->records[k->n++] = *r;
	*r = (struct oplog_record){ 0 };
}

/* oplog_checkpoint_fn */
static enum rc add_kept(void *arg, struct oplog_record *r, struct err *err)
{
	(void)err;
	add(arg, r);
	return RC_OK;
}

static enum rc ask(const void *p, struct known *k, struct err *err)
{
	struct oplog_record r = { 0 };
	enum rc rc = RC_OK;

	switch (k->form) {
	case RECORD: rc = real_decode(p, k->len, &r, err); break;
	case KEPT: rc = real_kept(p, k->len, &r, k->id, err); break;
	case CHECKPOINT:
		return real_checkpoint(p, k->len, k->id, &k->time, add_kept, k,
				       err);
	case DOCUMENT: return real_document(p, k->len, &k->document, err);
	case HASH: real_sha256(p, k->len, k->sha256); return RC_OK;
	}
	if (!rc)
		add(k, &r);
	return rc;
}

static bool is_equal(const struct oplog_record *a, const struct oplog_record *b)
{
	CLEANUP_BUF struct buf x = { .max = OPLOG_RECORD_MAX };
	CLEANUP_BUF struct buf y = { .max = OPLOG_RECORD_MAX };

	oplog_record_encode(a, a->archive_id, &x);
	oplog_record_encode(b, b->archive_id, &y);
	return x.len == y.len && !memcmp(x.p, y.p, x.len) &&
	       !memcmp(a->sha256, b->sha256, SHA256_LEN) &&
	       (!a->name || !strcmp(a->name, b->name));
}

static bool is_equal_document(const struct known *a, const struct known *b)
{
	CLEANUP_BUF struct buf x = { .max = TOMBSTONE_MAX };
	CLEANUP_BUF struct buf y = { .max = TOMBSTONE_MAX };
	struct err err;

	return a->form != DOCUMENT ||
	       (!tombstone_encode(&a->document, &x, &err) &&
		!tombstone_encode(&b->document, &y, &err) && x.len == y.len &&
		!memcmp(x.p, y.p, x.len));
}

/* That what is remembered is what the bytes say. */
static void check(const struct known *k)
{
	struct known again = { .len = k->len, .form = k->form };
	struct err err;
	bool is_ok = !ask(k->bytes, &again, &err) && k->n == again.n &&
		     !memcmp(k->id, again.id, SHARD_ID_LEN) &&
		     !memcmp(k->sha256, again.sha256, SHA256_LEN) &&
		     k->time == again.time && is_equal_document(k, &again);

	for (size_t i = 0; is_ok && i < k->n; i++)
		is_ok = is_equal(&k->records[i], &again.records[i]);
	if (!is_ok) {
		fprintf(stderr, "remembered wrongly: %.*s\n", (int)k->len,
			(const char *)k->bytes);
		abort();
	}
	release(&again);
}

/* NULL: the bytes are wrong. */
static const struct known *get(const void *p, size_t len, enum form form,
			       struct err *err)
{
	struct known like = { .len = len,
			      .form = form,
			      .hash = hash_of(p, len) };
	struct known **bucket = &buckets[like.hash % BUCKETS], *k = *bucket;

	LOCK_SCOPE(&lock);
	while (k && (k->hash != like.hash || k->len != len || k->form != form ||
		     memcmp(k->bytes, p, len) != 0))
		k = k->next;
	if (k) {
		if (n_asked++ % CHECK_EVERY == 0)
			check(k);
		return k;
	}
	if (ask(p, &like, err)) {
		release(&like);
		return NULL;
	}
	k = xcalloc(1, sizeof(*k));
	*k = like;
	k->bytes = xmemdup0(p, len);
	k->next = *bucket;
	*bucket = k;
	return k;
}

enum rc decode(const void *p, size_t len, struct oplog_record *ret,
	       struct err *err)
{
	const struct known *k = get(p, len, RECORD, err);

	if (!k)
		return err->rc;
	copy_record(k->records, ret);
	return RC_OK;
}

enum rc kept(const void *p, size_t len, struct oplog_record *ret,
	     uint8_t ret_digest[SHARD_ID_LEN], struct err *err)
{
	const struct known *k = get(p, len, KEPT, err);

	if (!k)
		return err->rc;
	copy_record(k->records, ret);
	memcpy(ret_digest, k->id, SHARD_ID_LEN);
	return RC_OK;
}

enum rc checkpoint(const void *p, size_t len,
		   uint8_t ret_archive_id[SHARD_ID_LEN], int64_t *ret_time,
		   oplog_checkpoint_fn *fn, void *arg, struct err *err)
{
	const struct known *k = get(p, len, CHECKPOINT, err);

	if (!k)
		return err->rc;
	memcpy(ret_archive_id, k->id, SHARD_ID_LEN);
	*ret_time = k->time;
	for (size_t i = 0; i < k->n; i++) {
		struct oplog_record r;

		copy_record(&k->records[i], &r);
		if (fn(arg, &r, err)) {
			oplog_record_release(&r);
			return err->rc;
		}
	}
	return RC_OK;
}

enum rc document(const void *p, size_t len, struct tombstone *ret,
		 struct err *err)
{
	const struct known *k = get(p, len, DOCUMENT, err);

	if (!k)
		return err->rc;
	copy_tombstone(&k->document, ret);
	return RC_OK;
}

/* Of what is in the log; all else is hashed once or twice. */
void sha256(const void *p, size_t len, uint8_t out[SHA256_LEN])
{
	const struct known *k;
	struct err err;

	if (len < HASHED_MAX || *(const char *)p != '{') {
		real_sha256(p, len, out);
		return;
	}
	k = get(p, len, HASH, &err);
	if (!k)
		abort();
	memcpy(out, k->sha256, SHA256_LEN);
}
