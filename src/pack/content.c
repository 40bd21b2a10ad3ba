/* SPDX-License-Identifier: Apache-2.0 */
/* content.c - where a file's bytes are going. */
#include "config.h"

#include "pack/content.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

bool content_fits(uint64_t size, uint32_t block_size)
{
	return size <= CONTENT_BLOCKS_MAX * block_size;
}

struct content_parts *content_new(uint64_t size, uint32_t block_size,
				  const char *spool_dir)
{
	struct content_parts *c = xcalloc(1, sizeof(*c));

	assert(content_fits(size, block_size));
	block_list_init(&c->blocks, size, block_size, spool_dir);
	c->tail_block = CONTENT_NO_BLOCK;
	c->refs = 1;
	sha256_init(&c->sha);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	return c;
}

struct content_parts *content_ref(struct content_parts *c)
{
	LOCK_SCOPE(&c->lock);

	c->refs++;
	return c;
}

void content_unref(struct content_parts *c)
{
	unsigned int left;

	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	left = --c->refs;
	pthread_mutex_unlock(&c->lock);
	if (left)
		return;
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	block_list_release(&c->blocks);
	free(c);
}

uint32_t content_n_blocks(const struct content_parts *c)
{
	return c->blocks.n;
}

uint32_t content_block_size(const struct content_parts *c)
{
	return c->blocks.block_size;
}

size_t content_len(const struct content_parts *c, uint32_t i)
{
	return block_list_len(&c->blocks, i);
}

/* Hash the next segment, or the holes that are next; locked, but not while it
 * does so.  False: what is next is not known yet.
 */
static bool hash_next(struct content_parts *c)
{
	uint32_t i = c->n_hashed, n = 0;
	const struct content_piece *piece = c->offered;
	uint64_t zeros = 0;

	if (piece && piece->i == i) {
		c->offered = piece->next;
		pthread_mutex_unlock(&c->lock);
		sha256_update(&c->sha, piece->p, content_len(c, i));
		pthread_mutex_lock(&c->lock);
		c->n_hashed++;
		return true;
	}
	for (; block_list_is_hole(&c->blocks, i + n); n++)
		zeros += content_len(c, i + n);
	if (!n)
		return false;
	pthread_mutex_unlock(&c->lock);
	sha256_update_zeros(&c->sha, zeros);
	pthread_mutex_lock(&c->lock);
	c->n_hashed += n;
	return true;
}

/* Locked. */
static void hash_on(struct content_parts *c)
{
	if (c->is_hashing)
		return;
	c->is_hashing = true;
	while (hash_next(c)) {
		if (c->n_hashed == c->blocks.n)
			sha256_final(&c->sha, c->sha256);
		pthread_cond_broadcast(&c->changed);
	}
	c->is_hashing = false;
}

void content_add_hole(struct content_parts *c)
{
	LOCK_SCOPE(&c->lock);

	block_list_add_hole(&c->blocks);
	hash_on(c);
}

void content_add_stored(struct content_parts *c)
{
	LOCK_SCOPE(&c->lock);

	block_list_add_stored(&c->blocks);
	c->n_stored++;
}

void content_offer(struct content_parts *c, struct content_piece *piece)
{
	struct content_piece **at = &c->offered;
	LOCK_SCOPE(&c->lock);

	if (piece->i < c->n_hashed)
		return;
	while (*at && (*at)->i < piece->i)
		at = &(*at)->next;
	piece->next = *at;
	*at = piece;
	hash_on(c);
}

void content_wait_hashed(struct content_parts *c, uint32_t i)
{
	LOCK_SCOPE(&c->lock);

	while (c->n_hashed <= i)
		pthread_cond_wait(&c->changed, &c->lock);
}

void content_done(struct content_parts *c, uint32_t i,
		  const struct block_ref *ref)
{
	LOCK_SCOPE(&c->lock);

	block_list_fill(&c->blocks, i, ref);
	c->n_done++;
	pthread_cond_broadcast(&c->changed);
}

enum rc content_place(struct content_parts *c, uint32_t i, uint64_t off,
		      struct err *err)
{
	LOCK_SCOPE(&c->lock);

	c->n_placed++;
	return block_list_place(&c->blocks, i, off, err);
}

bool content_is_settled(struct content_parts *c)
{
	LOCK_SCOPE(&c->lock);

	return c->n_placed == c->n_stored && c->n_hashed == c->blocks.n;
}

enum rc content_know(struct content_parts *c, const struct block_ref *refs,
		     uint32_t n, struct err *err)
{
	enum rc rc = RC_OK;
	LOCK_SCOPE(&c->lock);

	for (uint32_t k = 0; k < n && !rc; k++) {
		uint32_t i = c->n_hashed++;

		if (!refs[k].stored_len) {
			block_list_add_hole(&c->blocks);
			continue;
		}
		block_list_add_stored(&c->blocks);
		block_list_fill(&c->blocks, i, &refs[k]);
		rc = block_list_place(&c->blocks, i, refs[k].off, err);
		c->n_stored++;
		c->n_done++;
		c->n_placed++;
	}
	return rc;
}

enum rc content_known(struct content_parts **ret, uint64_t size, uint32_t off,
		      const struct block_ref *ref,
		      const uint8_t sha256[ENTRY_HASH_LEN], struct err *err)
{
	struct content_parts *c = content_new(size, BLOCK_SIZE_MAX, NULL);

	c->tail_off = off;
	memcpy(c->sha256, sha256, sizeof(c->sha256));
	if (content_know(c, ref, 1, err)) {
		content_unref(c);
		return err->rc;
	}
	*ret = c;
	return RC_OK;
}

enum rc content_read(struct content_parts *c, uint32_t i, uint32_t n,
		     struct block_ref *ret, struct err *err)
{
	LOCK_SCOPE(&c->lock);

	return block_list_read(&c->blocks, i, n, ret, err);
}

void content_wait(struct content_parts *c, uint32_t own)
{
	LOCK_SCOPE(&c->lock);

	while (c->n_done + own < c->n_stored)
		pthread_cond_wait(&c->changed, &c->lock);
}
