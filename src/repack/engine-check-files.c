/* SPDX-License-Identifier: Apache-2.0 */
/* engine-check-files.c - files in blocks that were written anew, read back and
 * hashed: some at a time, by the workers.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/workers.h"
#include "repack/engine-backend.h"
#include "verify/verify-data.h"

#define FILES 256u
#define BYTES (4u << 20) /* of them, and one file */

struct batch {
	struct job job;
	const struct raw_shard *s;
	struct entry
		files[FILES]; /* without names; they own their references */
	size_t n;
	uint64_t bytes;
	struct err err;
};

struct files_check {
	struct workers *workers;
	struct raw_shard s;
	struct batch *filling;
	struct batch **flying; /* a ring */
	size_t first, n_flying, max_flying;
};

struct files_check *files_check_new(const struct part *p,
				    const struct raw_shard *s)
{
	struct files_check *c = xcalloc(1, sizeof(*c));

	c->s = *s;
	/* By blocks_check. */
	c->s.is_hashed = true;
	c->max_flying = p->e->o->n_workers + 2;
	c->flying = xcalloc(c->max_flying, sizeof(struct batch *));
	/* Blocks written anew are few and far between. */
	c->s.ahead = NULL;
	c->workers = p->e->o->workers;
	return c;
}

static void batch_free(struct batch *b)
{
	for (size_t i = 0; b && i < b->n; i++)
		free((void *)(uintptr_t)b->files[i].content.blocks);
	free(b);
}

static void batch_main(void *arg)
{
	const struct verify_options nobody = { .fn = finding_ignore };
	struct batch *b = arg;
	struct verify_report report = { .key = b->s->key };
	struct verify_data *d = verify_data_new(b->s, &report);
	struct verify_totals ignored = { 0 };
	bool is_whole = true;

	for (size_t i = 0; i < b->n && is_whole; i++)
		is_whole = verify_data_later(d, &b->files[i],
					     b->files[i].content.blocks);
	is_whole &= verify_data_end(d);
	b->err.rc = RC_OK;
	if (!is_whole) {
		CLEANUP_FREE char *text = verify_report_first(&report);

		err_set(&b->err, RC_CORRUPT, "%s", text ? text : "other bytes");
	}
	verify_data_free(d);
	verify_report_tell(&report, &nobody, &ignored);
}

/* The oldest under way. */
static enum rc retire(struct files_check *c, struct err *err)
{
	struct batch *b = c->flying[c->first];
	enum rc rc;

	c->first = (c->first + 1) % c->max_flying;
	c->n_flying--;
	job_wait(c->workers, &b->job);
	rc = b->err.rc;
	if (rc)
		*err = b->err;
	batch_free(b);
	return rc;
}

static enum rc submit(struct files_check *c, struct err *err)
{
	struct batch *b = STEAL_PTR(c->filling);
	enum rc rc = RC_OK;

	if (c->n_flying == c->max_flying)
		rc = retire(c, err);
	c->flying[(c->first + c->n_flying++) % c->max_flying] = b;
	job_submit(c->workers, &b->job, batch_main, b);
	return rc;
}

enum rc files_check_add(struct files_check *c, const struct entry *e,
			const struct block_ref *refs, struct err *err)
{
	size_t n = e->content.n_blocks;
	struct block_ref *own = mem_array(n + 1, sizeof(*own));
	struct entry *to;

	if (!own)
		return err_set(err, RC_NOMEM, "no memory for references");
	if (!c->filling) {
		c->filling = xcalloc(1, sizeof(*c->filling));
		c->filling->s = &c->s;
	}
	memcpy(own, refs, n * sizeof(*own));
	to = &c->filling->files[c->filling->n++];
	*to = (struct entry){ .type = e->type,
			      .size = e->size,
			      .has_hash = e->has_hash,
			      .content = e->content };
	memcpy(to->sha256, e->sha256, sizeof(to->sha256));
	to->content.blocks = own;
	c->filling->bytes += e->size;
	if (c->filling->n < FILES && c->filling->bytes < BYTES)
		return RC_OK;
	return submit(c, err);
}

enum rc files_check_end(struct files_check *c, struct err *err)
{
	enum rc rc = c->filling ? submit(c, err) : RC_OK;

	while (c->n_flying) {
		struct err one;

		if (retire(c, &one) && !rc) {
			*err = one;
			rc = err->rc;
		}
	}
	free(c->flying);
	free(c);
	return rc;
}
