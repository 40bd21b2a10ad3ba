/* SPDX-License-Identifier: Apache-2.0 */
/* linked.c - files of several names whose bytes are in the part in the making.
 */
#include "config.h"

#include "pack/linked.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/spool.h"
#include "base/table.h"
#include "pack/content.h"
#include "pack/item.h"

#define BLOCKS_AT_ONCE 64u

/* In the temporary file, at the file's number; zeros: there is none. */
struct known {
	bool is_there;
	struct item seen; /* as it was when its bytes were read; numbers only */
	uint32_t n_blocks, block_size, tail_off;
	uint64_t blocks_at; /* of the first reference, in the spool */
	uint8_t sha256[ENTRY_HASH_LEN];
};

/* A file whose blocks are on their way. */
struct kept {
	uint64_t number;
	struct item seen; /* as it was when its bytes were read; numbers only */
	struct content_parts *content;
	UT_hash_handle hh; /* in the order in which they were added */
};

struct linked {
	const char *dir;
	struct kept *kept;
	int fd;              /* of the file of struct known; -1: none yet */
	struct spool blocks; /* references of all in that file */
};

struct linked *linked_new(const char *spool_dir)
{
	struct linked *l = xcalloc(1, sizeof(*l));

	l->dir = spool_dir;
	l->fd = -1;
	spool_init(&l->blocks, spool_dir, 0);
	return l;
}

static void forget(struct linked *l, struct kept *k)
{
	HASH_DEL(l->kept, k);
	content_unref(k->content);
	free(k);
}

static void forget_all(struct linked *l)
{
	struct kept *k, *next;

	HASH_ITER(hh, l->kept, k, next)
	{
		forget(l, k);
	}
}

void linked_free(struct linked *l)
{
	if (!l)
		return;
	forget_all(l);
	if (l->fd >= 0)
		close(l->fd);
	spool_release(&l->blocks);
	free(l);
}

size_t linked_n_kept(const struct linked *l)
{
	return HASH_COUNT(l->kept);
}

/* Without what the item borrows. */
static struct item numbers_of(const struct item *it)
{
	struct item n = *it;

	n.parent = n.name = n.target = n.xattrs = n.meta = (struct span){ 0 };
	return n;
}

static enum rc file_failed(const struct linked *l, struct err *err)
{
	return err_set_errno(err, errno, "temporary file in %s", l->dir);
}

/* --- out of memory and back -------------------------------------------------
 */

static enum rc save_blocks(struct linked *l, struct content_parts *c,
			   struct err *err)
{
	enum rc rc = RC_OK;

	for (uint32_t i = 0; i < content_n_blocks(c) && !rc;
	     i += BLOCKS_AT_ONCE) {
		struct block_ref refs[BLOCKS_AT_ONCE];
		uint32_t n = content_n_blocks(c) - i;

		if (n > BLOCKS_AT_ONCE)
			n = BLOCKS_AT_ONCE;
		rc = content_read(c, i, n, refs, err);
		if (!rc)
			rc = spool_append(&l->blocks, refs, n * sizeof(*refs),
					  err);
	}
	return rc;
}

static enum rc save(struct linked *l, const struct kept *k, struct err *err)
{
	struct content_parts *c = k->content;
	struct known known = { .is_there = true,
			       .seen = k->seen,
			       .n_blocks = content_n_blocks(c),
			       .block_size = content_block_size(c),
			       .tail_off = c->tail_off,
			       .blocks_at = spool_len(&l->blocks) };

	memcpy(known.sha256, c->sha256, sizeof(known.sha256));
	if (l->fd < 0 && spool_temporary(l->dir, &l->fd, err))
		return err->rc;
	if (save_blocks(l, c, err))
		return err->rc;
	if (io_pwrite(l->fd, &known, sizeof(known), k->number * sizeof(known)))
		return file_failed(l, err);
	return RC_OK;
}

static enum rc load_blocks(const struct linked *l, const struct known *known,
			   struct content_parts *c, struct err *err)
{
	enum rc rc = RC_OK;

	for (uint32_t i = 0; i < known->n_blocks && !rc; i += BLOCKS_AT_ONCE) {
		struct block_ref refs[BLOCKS_AT_ONCE];
		uint32_t n = known->n_blocks - i;

		if (n > BLOCKS_AT_ONCE)
			n = BLOCKS_AT_ONCE;
		rc = spool_read(&l->blocks,
				known->blocks_at + i * sizeof(*refs), refs,
				n * sizeof(*refs), err);
		if (!rc)
			rc = content_know(c, refs, n, err);
	}
	return rc;
}

static enum rc load(const struct linked *l, const struct item *it,
		    struct content_parts **ret, bool *ret_is_same,
		    struct err *err)
{
	struct content_parts *c;
	struct known known;
	ssize_t n = io_pread(l->fd, &known, sizeof(known),
			     it->link * sizeof(known));

	if (n < 0)
		return file_failed(l, err);
	if ((size_t)n != sizeof(known) || !known.is_there)
		return RC_OK;
	c = content_new(known.seen.size, known.block_size, l->dir);
	c->tail_off = known.tail_off;
	memcpy(c->sha256, known.sha256, sizeof(c->sha256));
	if (load_blocks(l, &known, c, err)) {
		content_unref(c);
		return err->rc;
	}
	*ret = c;
	*ret_is_same = item_is_same_state(&known.seen, it);
	return RC_OK;
}

/* --- use --------------------------------------------------------------------
 */

/* They are settled about in the order in which they came. */
static enum rc save_settled(struct linked *l, struct err *err)
{
	enum rc rc = RC_OK;

	while (!rc && l->kept && content_is_settled(l->kept->content)) {
		rc = save(l, l->kept, err);
		if (!rc)
			forget(l, l->kept);
	}
	return rc;
}

enum rc linked_add(struct linked *l, const struct item *it,
		   struct content_parts *c, struct err *err)
{
	struct kept *k = xcalloc(1, sizeof(*k));

	k->number = it->link;
	k->seen = numbers_of(it);
	k->content = content_ref(c);
	HASH_ADD(hh, l->kept, number, sizeof(k->number), k);
	return save_settled(l, err);
}

enum rc linked_find(struct linked *l, const struct item *it,
		    struct content_parts **ret, bool *ret_is_same,
		    struct err *err)
{
	struct kept *k = NULL;

	*ret = NULL;
	*ret_is_same = false;
	HASH_FIND(hh, l->kept, &it->link, sizeof(it->link), k);
	if (k) {
		*ret = content_ref(k->content);
		*ret_is_same = item_is_same_state(&k->seen, it);
		return RC_OK;
	}
	return l->fd < 0 ? RC_OK : load(l, it, ret, ret_is_same, err);
}

enum rc linked_clear(struct linked *l, struct err *err)
{
	forget_all(l);
	if (l->fd < 0)
		return RC_OK;
	if (ftruncate(l->fd, 0))
		return file_failed(l, err);
	return spool_clear(&l->blocks, err);
}
