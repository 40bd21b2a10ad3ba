/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-sources-tidy.c - spools of what was read of shards, kept from growing
 * with each that changes.
 */
#include "config.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "legacy/legacy-sources.h"

/* Smaller ones may be what they are. */
#define TIDY_FROM (1u << 20)

/* Bytes copied at a time. */
#define PIECE (256u << 10)

static bool is_worth_it(const struct legacy_sources *s, const struct spool *sp,
			unsigned int nth)
{
	uint64_t used = 0;

	for (size_t i = 0; i < s->n; i++)
		used += s->p[i].spool == nth ? s->p[i].len : 0;
	return spool_len(sp) > TIDY_FROM && used < spool_len(sp) / 2;
}

static enum rc copy(const struct spool *from, uint64_t at, uint64_t len,
		    struct spool *to, struct err *err)
{
	CLEANUP_FREE uint8_t *piece = mem_array(PIECE, 1);

	if (!piece)
		return err_set(err, RC_NOMEM, "no memory");
	while (len) {
		size_t n = len < PIECE ? (size_t)len : PIECE;

		if (spool_read(from, at, piece, n, err) ||
		    spool_append(to, piece, n, err))
			return err->rc;
		at += n;
		len -= n;
	}
	return RC_OK;
}

/* In the order of sources, which is all that tells where each is then. */
static void tidy(struct legacy_sources *s, struct spool *sp, unsigned int nth)
{
	struct spool fresh;
	uint64_t at = 0;
	struct err err;

	spool_init(&fresh, sp->dir, sp->memory);
	for (size_t i = 0; i < s->n; i++) {
		const struct legacy_source *src = &s->p[i];

		if (src->spool != nth || !src->len)
			continue;
		if (copy(sp, src->at, src->len, &fresh, &err)) {
			spool_release(&fresh);
			return;
		}
	}
	for (size_t i = 0; i < s->n; i++) {
		if (s->p[i].spool != nth)
			continue;
		s->p[i].at = at;
		at += s->p[i].len;
	}
	spool_release(sp);
	*sp = fresh;
}

void legacy_sources_tidy(struct legacy_sources *s,
			 struct spool spools[LEGACY_THREADS])
{
	for (unsigned int i = 0; i < LEGACY_THREADS; i++) {
		if (is_worth_it(s, &spools[i], i))
			tidy(s, &spools[i], i);
	}
}
