/* SPDX-License-Identifier: Apache-2.0 */
/* content.c - where a file's bytes are going. */
#include "config.h"

#include "pack/content.h"

#include <assert.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"

bool content_fits(uint64_t size, uint32_t block_size)
{
	return size <= CONTENT_BLOCKS_MAX * block_size;
}

struct content_parts *content_new(uint64_t size, uint32_t block_size)
{
	struct content_parts *c = xcalloc(1, sizeof(*c));

	assert(content_fits(size, block_size));
	c->n_blocks = (uint32_t)((size + block_size - 1) / block_size);
	c->block_size = block_size;
	c->blocks = xcalloc(c->n_blocks, sizeof(*c->blocks));
	c->tail_block = CONTENT_NO_BLOCK;
	c->refs = 1;
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
	free(c->blocks);
	free(c);
}

void content_set_hole(struct content_parts *c, uint32_t i, uint32_t len)
{
	LOCK_SCOPE(&c->lock);

	c->blocks[i] = (struct block_ref){ .data_len = len };
}

void content_done(struct content_parts *c, uint32_t i,
		  const struct block_ref *ref)
{
	LOCK_SCOPE(&c->lock);

	c->blocks[i] = *ref;
	c->n_done++;
	pthread_cond_broadcast(&c->changed);
}

void content_wait(struct content_parts *c, uint32_t own)
{
	LOCK_SCOPE(&c->lock);

	while (c->n_done + own < c->n_stored)
		pthread_cond_wait(&c->changed, &c->lock);
}
