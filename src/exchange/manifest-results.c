/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-results.c - what became of the records of a manifest.
 *
 * A slot of fixed size for each record, by its number; texts behind each other:
 * reasons, and keys of shards, mostly once each.
 */
#include "config.h"

#include "exchange/manifest-results.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/spool.h"

#define TEXTS_MEMORY (256u << 10)
#define KEYS 32u /* kept in memory: as many as shards are made at once */
#define KEY_MAX (64u << 10)

/* Where it is among the texts; of no bytes: none. */
struct place {
	uint64_t off;
	uint32_t len;
};

/* For files of one's own run only. */
struct slot {
	struct place why, shard;
	uint8_t is_known, status, has_sha256;
	uint8_t sha256[SHA256_LEN];
};

struct key {
	char *text; /* NULL: none yet */
	struct place place;
};

struct manifest_results {
	int fd; /* slots; holes are zeros */

	pthread_mutex_t lock; /* guards all below */
	struct spool texts;
	struct key keys[KEYS]; /* the last ones */
	unsigned int next;     /* of them, to be replaced */
	struct err failure;    /* the first */

	/* Of who reads. */
	struct buf why, shard;
	uint64_t shard_off; /* what shard is */
};

enum rc manifest_results_new(const char *dir, struct manifest_results **ret,
			     struct err *err)
{
	struct manifest_results *r;
	int fd;

	if (spool_temporary(dir, &fd, err))
		return err->rc;
	r = xcalloc(1, sizeof(*r));
	r->fd = fd;
	pthread_mutex_init(&r->lock, NULL);
	spool_init(&r->texts, dir, TEXTS_MEMORY);
	buf_init(&r->why, ERR_MSG_MAX);
	buf_init(&r->shard, KEY_MAX);
	*ret = r;
	return RC_OK;
}

void manifest_results_free(struct manifest_results *r)
{
	if (!r)
		return;
	close(r->fd);
	pthread_mutex_destroy(&r->lock);
	spool_release(&r->texts);
	for (size_t i = 0; i < KEYS; i++)
		free(r->keys[i].text);
	buf_release(&r->why);
	buf_release(&r->shard);
	free(r);
}

static enum rc add_text(struct manifest_results *r, const char *text,
			struct place *ret, struct err *err)
{
	*ret = (struct place){ .off = spool_len(&r->texts),
			       .len = (uint32_t)strlen(text) };
	return spool_append(&r->texts, text, ret->len, err);
}

/* Records of one shard are told of one after another, by each thread. */
static enum rc add_key(struct manifest_results *r, const char *text,
		       struct place *ret, struct err *err)
{
	struct key *k;

	for (size_t i = 0; i < KEYS; i++) {
		k = &r->keys[i];
		if (k->text && !strcmp(k->text, text)) {
			*ret = k->place;
			return RC_OK;
		}
	}
	if (add_text(r, text, ret, err))
		return err->rc;
	k = &r->keys[r->next];
	r->next = (r->next + 1) % KEYS;
	free(k->text);
	k->text = xstrdup(text);
	k->place = *ret;
	return RC_OK;
}

static enum rc add_texts(struct manifest_results *r,
			 const struct feed_result *result, struct slot *ret,
			 struct err *err)
{
	LOCK_SCOPE(&r->lock);

	if (result->shard && add_key(r, result->shard, &ret->shard, err))
		return err->rc;
	return result->why ? add_text(r, result->why->msg, &ret->why, err)
			   : RC_OK;
}

static void fail(struct manifest_results *r, const struct err *err)
{
	LOCK_SCOPE(&r->lock);

	if (!r->failure.rc)
		r->failure = *err;
}

void manifest_results_set(struct manifest_results *r,
			  const struct feed_result *result)
{
	struct slot s = { .is_known = 1,
			  .status = (uint8_t)result->status,
			  .has_sha256 = result->has_sha256 };
	struct err err = { .msg = "" };

	if (result->has_sha256)
		memcpy(s.sha256, result->sha256, SHA256_LEN);
	if ((result->shard || result->why) && add_texts(r, result, &s, &err)) {
		fail(r, &err);
		return;
	}
	if (!io_pwrite(r->fd, &s, sizeof(s), result->number * sizeof(s)))
		return;
	err_set_errno(&err, errno, "temporary file of results");
	fail(r, &err);
}

static enum rc get_text(const struct manifest_results *r, struct place at,
			struct buf *ret, struct err *err)
{
	uint8_t *p;

	buf_clear(ret);
	p = buf_reserve(ret, at.len);
	if (!p)
		return err_set(err, RC_NOMEM, "out of memory");
	if (spool_read(&r->texts, at.off, p, at.len, err))
		return err->rc;
	ret->len = at.len;
	return RC_OK;
}

enum rc manifest_results_get(struct manifest_results *r, uint64_t number,
			     struct manifest_result *ret, struct err *err)
{
	struct slot s = { .is_known = 0 };

	if (r->failure.rc) {
		*err = r->failure;
		return err->rc;
	}
	/* The last ones may be missing. */
	if (io_pread(r->fd, &s, sizeof(s), number * sizeof(s)) < 0)
		return err_set_errno(err, errno, "temporary file of results");
	*ret = (struct manifest_result){
		.is_known = s.is_known,
		.status = (enum feed_status)s.status,
		.has_sha256 = s.has_sha256,
	};
	memcpy(ret->sha256, s.sha256, SHA256_LEN);
	if (s.shard.len) {
		if ((r->shard_off != s.shard.off || !r->shard.len) &&
		    get_text(r, s.shard, &r->shard, err))
			return err->rc;
		r->shard_off = s.shard.off;
		ret->shard = buf_str(&r->shard);
	}
	if (s.why.len) {
		if (get_text(r, s.why, &r->why, err))
			return err->rc;
		ret->why = buf_str(&r->why);
	}
	return RC_OK;
}
