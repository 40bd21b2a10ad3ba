/* SPDX-License-Identifier: Apache-2.0 */
/* verify-copies.c - one small object as each of several stores has it. */
#include "config.h"

#include "verify/verify-copies.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/key.h"
#include "base/mem.h"

/* Nearly all are shorter, and take one request. */
#define PIECE (1u << 20)

void verify_copies_init(struct verify_copies *c, const char *key,
			const uint64_t *sizes, struct verify_place *places,
			size_t n)
{
	*c = (struct verify_copies){ .key = xstrdup(key),
				     .places = places,
				     .n = n };
	c->of = xcalloc(n + 1, sizeof(*c->of));
	for (size_t i = 0; sizes && i < n; i++) {
		if (sizes[i] == VERIFY_KEYS_MISSING)
			c->of[i].state = COPY_MISSING;
	}
}

void verify_copies_release(struct verify_copies *c)
{
	free(c->key);
	free(c->of);
	*c = (struct verify_copies){ 0 };
}

/* What comes before the last piece, which was read first. */
static enum rc hash_head(struct store *st, const char *key,
			 const struct object_info *info, uint64_t len,
			 struct sha256 *h, struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = PIECE };
	uint8_t *to = len ? buf_reserve(&b, PIECE) : NULL;

	for (uint64_t off = 0; off < len;) {
		size_t n = len - off < PIECE ? (size_t)(len - off) : PIECE;

		if (!to)
			return err_set(err, RC_NOMEM, "no memory to read with");
		if (store_read(st, key, info, off, to, n, err))
			return err->rc;
		sha256_update(h, to, n);
		off += n;
	}
	return RC_OK;
}

static enum rc hash_object(struct store *st, const char *key,
			   struct verify_copy *ret, struct err *err)
{
	CLEANUP_BUF struct buf tail = { .max = PIECE };
	struct object_info info;
	struct sha256 h;

	sha256_init(&h);
	if (store_read_tail(st, key, PIECE, &tail, &info, err) ||
	    hash_head(st, key, &info, info.size - tail.len, &h, err))
		return err->rc;
	if (tail.len)
		sha256_update(&h, tail.p, tail.len);
	sha256_final(&h, ret->sha256);
	ret->size = info.size;
	return RC_OK;
}

static void read_copy(struct verify_place *p, const char *key,
		      struct verify_copy *c)
{
	enum rc rc = hash_object(p->st, key, c, &c->err);

	c->state = !rc              ? COPY_THERE
		   : rc == RC_NOENT ? COPY_MISSING
				    : COPY_UNREAD;
	if (c->state == COPY_UNREAD && store_is_remote(p->st) &&
	    rc_is_transient(rc))
		p->is_away = true;
}

void verify_copies_read(void *arg)
{
	struct verify_copies *c = arg;

	for (size_t i = 0; i < c->n; i++) {
		if (c->of[i].state != COPY_MISSING && !c->places[i].is_away)
			read_copy(&c->places[i], c->key, &c->of[i]);
	}
}

bool verify_copy_is_like(const struct verify_copy *a,
			 const struct verify_copy *b)
{
	return a->size == b->size &&
	       !memcmp(a->sha256, b->sha256, sizeof(a->sha256));
}

bool verify_copies_agree(const struct verify_copies *c)
{
	const struct verify_copy *first = NULL;

	for (size_t i = 0; i < c->n; i++) {
		const struct verify_copy *is = &c->of[i];

		if (is->state != COPY_THERE)
			continue;
		if (first && !verify_copy_is_like(first, is))
			return false;
		first = first ? first : is;
	}
	return true;
}
