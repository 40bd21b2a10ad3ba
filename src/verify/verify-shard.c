/* SPDX-License-Identifier: Apache-2.0 */
/* verify-shard.c - all that can be checked of one shard. */
#include "config.h"

#include "verify/verify-shard.h"

#include <inttypes.h>
#include <string.h>

#include "base/sha256.h"
#include "run/throttle.h"
#include "shard/shard-format.h"
#include "verify/raw-ahead.h"
#include "verify/raw-shard.h"
#include "verify/verify-files.h"
#include "verify/verify-index.h"
#include "verify/verify-names.h"

/* A filter larger than this is for more entries than a shard can hold. */
#define FILTER_MAX (UINT64_C(1) << 32)

static void lost_shard(const struct verify_shard_job *job,
		       struct verify_report *r)
{
	const struct shard_meta *m = job->expect;

	if (!m)
		return;
	verify_lost_many(r, FINDING_NO_OFFSET, m->n_entries,
			 "all %" PRIu64 " entries of the shard, '%.200s' to "
			 "'%.200s'",
			 m->n_entries, m->first, m->last);
}

static void check_header(const struct raw_shard *s, struct verify_report *r)
{
	struct shard_header h;
	struct err err;

	if (raw_shard_header(s, &h, &err))
		verify_damage(r, 0, "%s", err.msg);
}

/* False when some partition is not the one the directory names. */
static bool check_partitions(const struct raw_shard *s,
			     const struct buf *filter, const struct buf *dir,
			     struct verify_report *r)
{
	const struct shard_footer *f = &s->footer;
	uint64_t n = dir->len / BLOCK_HASH_LEN;
	uint64_t size = n ? filter->len / n : 0;
	bool all_right = true;

	for (uint64_t i = 0; i < n; i++) {
		uint8_t hash[SHA256_LEN];

		sha256_of(filter->p + i * size, size, hash);
		if (!memcmp(hash, dir->p + i * BLOCK_HASH_LEN, BLOCK_HASH_LEN))
			continue;
		verify_damage(r, f->filter.off + i * size,
			      "filter partition %" PRIu64 ": hash mismatch", i);
		all_right = false;
	}
	return all_right;
}

/* Leaves in filter what can be relied on. */
static void check_filter(const struct raw_shard *s, struct buf *filter,
			 struct verify_report *r)
{
	const struct shard_footer *f = &s->footer;
	CLEANUP_BUF struct buf dir = { .max = FILTER_MAX };
	bool all_right = true;
	struct err err;

	if (raw_shard_section(s, &f->filter_dir, FILTER_MAX, &dir, &err)) {
		verify_damage(r, f->filter_dir.off, "filter directory: %s",
			      err.msg);
		buf_clear(&dir);
	}
	if (raw_shard_section(s, &f->filter, FILTER_MAX, filter, &err)) {
		verify_damage(r, f->filter.off, "filter: %s", err.msg);
		all_right = false;
	}
	if (filter->len == f->filter.len)
		all_right &= check_partitions(s, filter, &dir, r);
	if (!all_right)
		buf_clear(filter);
}

/* What log and footer both say. */
static void check_expected(const struct verify_shard_job *job,
			   const struct shard_meta *is, struct verify_report *r)
{
	const struct shard_meta *want = job->expect;

	if (!want)
		return;
	if (memcmp(is->root, want->root, SHARD_ROOT_LEN) != 0)
		verify_damage(r, is->size - SHARD_FOOTER_SIZE,
			      "root is not the one the log says");
	if (is->size != want->size)
		verify_damage(r, FINDING_NO_OFFSET,
			      "%" PRIu64 " bytes, the log says %" PRIu64,
			      is->size, want->size);
	if (is->day != want->day || is->slot != want->slot ||
	    is->part != want->part || is->revision != want->revision ||
	    is->n_bits != want->n_bits || is->route != want->route)
		verify_damage(
			r, FINDING_NO_OFFSET,
			"day, slot, part, revision or route are not those "
			"the log says");
	if (is->n_entries != want->n_entries || is->n_files != want->n_files ||
	    is->plain_bytes != want->plain_bytes ||
	    is->created_min != want->created_min ||
	    is->created_max != want->created_max)
		verify_damage(r, FINDING_NO_OFFSET,
			      "counts or times are not those the log says");
	if (is->incompat != want->incompat ||
	    is->ro_compat != want->ro_compat || is->compat != want->compat)
		verify_damage(r, FINDING_NO_OFFSET,
			      "features are not those the log says");
	if (!span_equal(span_of(is->first, is->first_len),
			span_of(want->first, want->first_len)) ||
	    !span_equal(span_of(is->last, is->last_len),
			span_of(want->last, want->last_len)))
		verify_damage(r, FINDING_NO_OFFSET,
			      "first and last uid are not those the log says");
}

/* A shard outside an archive has the last part of its key only. */
static void check_key(const char *key, const struct shard_meta *m,
		      struct verify_report *r)
{
	char want[SHARD_KEY_TEXT];
	size_t len = strlen(key), want_len;

	shard_key(m, want);
	want_len = strlen(want);
	if (len <= want_len && !strcmp(want + want_len - len, key) &&
	    (len == want_len || want[want_len - len - 1] == '/'))
		return;
	verify_damage(r, FINDING_NO_OFFSET,
		      "it is not called %s, which its footer asks for", want);
}

static void check_meta(const struct verify_shard_job *job,
		       const struct raw_shard *s, struct verify_report *r)
{
	struct shard_meta m = { 0 };
	struct err err;

	if (job->archive_id && memcmp(s->footer.header.archive_id,
				      job->archive_id, SHARD_ID_LEN) != 0)
		verify_damage(r, FINDING_NO_OFFSET,
			      "it is a shard of another archive");
	if (raw_shard_meta(s, &m, &err)) {
		verify_damage(r, s->footer.info.off, "%s", err.msg);
		return;
	}
	check_key(job->key, &m, r);
	check_expected(job, &m, r);
	shard_meta_release(&m);
}

/* Fills hold, which info borrows from; false when it is damaged, which
 * check_meta has reported.
 */
static bool read_info(const struct raw_shard *s, struct buf *hold,
		      struct shard_info *info)
{
	struct err err;

	return !raw_shard_section(s, &s->footer.info, SHARD_INFO_MAX, hold,
				  &err) &&
	       !shard_info_decode(hold->p, hold->len, info, &err);
}

static void check_index(const struct verify_shard_job *job,
			const struct raw_shard *s, const struct buf *filter,
			struct verify_report *r)
{
	CLEANUP_BUF struct buf hold = { .max = SHARD_INFO_MAX };
	struct verify_report data = { .key = r->key, .may_stop = r->may_stop };
	struct verify_files *files = NULL;
	struct shard_info info;
	bool has_info = read_info(s, &hold, &info), is_complete;

	if (job->deep)
		files = verify_files_new(s, job->pool, job->live, &data);
	is_complete =
		verify_index(s, filter, has_info ? &info : NULL, files, job, r);
	if (files)
		verify_files_end(files, is_complete);
	verify_files_free(files);
	if (job->names && (!is_complete || data.totals.damage))
		verify_names(job, s, true, !is_complete, &data);
	/* Which of both was first to find something is no matter. */
	verify_report_move(r, &data);
}

/* Neither is there a footer that can be relied on. */
static void no_footer(const struct verify_shard_job *job,
		      const struct raw_shard *s, const struct err *err,
		      struct verify_report *r)
{
	uint64_t size = s->info.size;

	r->is_gone = err->rc == RC_NOENT;
	verify_damage(r,
		      size < SHARD_FOOTER_SIZE ? 0 : size - SHARD_FOOTER_SIZE,
		      "%s", err->msg);
	if (job->expect && size && size != job->expect->size)
		verify_damage(r, FINDING_NO_OFFSET,
			      "%" PRIu64 " bytes, the log says %" PRIu64, size,
			      job->expect->size);
	lost_shard(job, r);
	if (job->names && size)
		verify_names(job, s, false, true, r);
}

static void check_all(const struct verify_shard_job *job, struct raw_shard *s,
		      struct verify_report *r)
{
	CLEANUP_BUF struct buf filter = { .max = FILTER_MAX };

	if (job->ahead)
		s->ahead = raw_ahead_new(job->ahead);
	check_header(s, r);
	check_meta(job, s, r);
	check_filter(s, &filter, r);
	check_index(job, s, &filter, r);
	raw_ahead_free(s->ahead);
}

/* All that was found may come of that. */
static void tell_unread(const struct raw_trouble *t, struct verify_report *r)
{
	verify_report_drop(r);
	verify_unread(r, "could not be read: %s", t->err.msg);
}

void verify_shard(const struct verify_shard_job *job, struct verify_report *r)
{
	struct raw_trouble trouble = { .has = false };
	struct raw_shard s;
	struct err err;
	enum rc rc;

	if (verify_is_stopped(r))
		return;
	throttle_wait(job->throttle, 0, SHARD_FOOTER_SIZE);
	rc = raw_shard_open(&s, job->store, job->key, &err);
	s.throttle = job->throttle;
	s.trouble = &trouble;
	if (rc)
		raw_shard_failed(&s, &err);
	if (rc)
		no_footer(job, &s, &err, r);
	else
		check_all(job, &s, r);
	/* What was found since may come of the signal. */
	if (r->totals.damage)
		(void)verify_is_stopped(r);
	if (r->is_stopped)
		return;
	if (job->tells_unread && atomic_load(&trouble.has)) {
		tell_unread(&trouble, r);
		return;
	}
	r->totals.shards++;
	r->totals.damaged_shards += r->totals.damage > 0;
}
