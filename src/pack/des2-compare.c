/* SPDX-License-Identifier: Apache-2.0 */
/* des2-compare.c - is a file what a shard of the format DES2 has of it? */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "base/timestamp.h"
#include "pack/des2-backend.h"
#include "pack/des2-there.h"

static enum rc other_content(const struct des2_entry *e,
			     struct des2_compared *c, struct err *err)
{
	c->is_own = true;
	return err_set(err, RC_EXISTS,
		       "%s has it with other content, which alone would be "
		       "read",
		       e->key);
}

static enum rc hash_there(struct des2_thread *t, const struct des2_entry *e,
			  struct des2_compared *c, struct err *err)
{
	enum rc rc = des2_there_hash(t->d->p->store, e, c->sha256, err);

	c->is_own = rc == RC_CORRUPT || rc == RC_LIMIT;
	c->has_sha256 = !rc;
	return rc;
}

/* The file's own content against c->sha256. */
static enum rc compare_source(struct des2_thread *t,
			      const struct des2_record *r,
			      const struct des2_entry *e,
			      struct des2_compared *c, struct err *err)
{
	uint8_t is[SHA256_LEN];
	uint64_t stored;
	enum rc rc = des2_file_read(t, r, CODEC_NONE, NULL, NULL, &stored, is,
				    &c->is_own, err);

	if (!rc && memcmp(is, c->sha256, sizeof(is)) != 0)
		return other_content(e, c, err);
	return rc;
}

static enum rc compare_content(struct des2_thread *t,
			       const struct des2_record *r,
			       const struct des2_entry *e,
			       struct des2_compared *c, struct err *err)
{
	enum rc rc = hash_there(t, e, c, err);

	return rc ? rc : compare_source(t, r, e, c, err);
}

/* A record whose hash is known need not be read. */
static enum rc compare_hash(struct des2_thread *t, const struct des2_record *r,
			    const struct des2_entry *e, struct des2_compared *c,
			    struct err *err)
{
	enum rc rc = hash_there(t, e, c, err);

	if (!rc && memcmp(r->it.sha256, c->sha256, SHA256_LEN) != 0)
		return other_content(e, c, err);
	return rc;
}

static bool has_mtime(const struct des2_record *r, const struct des2_entry *e)
{
	char mtime[TIMESTAMP_NS_TEXT];

	timestamp_format_ns(r->it.mtime_s, r->it.mtime_ns, mtime);
	return !strcmp(mtime, e->mtime);
}

static bool has_created(const struct des2_record *r, const struct des2_entry *e)
{
	struct timestamp ts;
	struct err ignored;

	return !timestamp_parse(e->created, &ts, &ignored) &&
	       ts.us == r->created.us;
}

/* Is it the same by its time, so that nothing need be read? */
static bool is_told_by_time(const struct des2_thread *t,
			    const struct des2_record *r,
			    const struct des2_entry *e)
{
	if (t->d->p->opts->checksum)
		return false;
	return r->it.is_fed ? has_created(r, e) : has_mtime(r, e);
}

/* The shard names a big file that is lost.  With the content of the source it
 * is whole again.
 */
static enum rc restore_big(struct des2_thread *t, const struct des2_record *r,
			   const struct des2_entry *e, struct des2_compared *c,
			   struct err *err)
{
	uint8_t is[SHA256_LEN];
	enum rc rc = compare_source(t, r, e, c, err);

	if (rc || t->d->p->opts->dry_run)
		return rc;
	rc = des2_big_put(t, r, is, &c->is_own, err);
	if (!rc && memcmp(is, c->sha256, sizeof(is)) != 0)
		return other_content(e, c, err);
	return rc;
}

/* What a shard says of a big file is worth nothing without it. */
static enum rc compare_big(struct des2_thread *t, const struct des2_record *r,
			   const struct des2_entry *e, struct des2_compared *c,
			   struct err *err)
{
	bool is_quick = !r->it.has_sha256 && is_told_by_time(t, r, e);
	enum rc rc;

	if (r->it.has_sha256 &&
	    memcmp(r->it.sha256, e->sha256, SHA256_LEN) != 0)
		return other_content(e, c, err);
	memcpy(c->sha256, e->sha256, sizeof(c->sha256));
	rc = is_quick ? des2_big_find(t->d, e->sha256, e->plain_len, &c->is_own,
				      err)
		      : des2_big_check(t->d, e->sha256, e->plain_len,
				       &c->is_own, err);
	if (rc == RC_NOENT)
		rc = restore_big(t, r, e, c, err);
	else if (!rc && !is_quick && !r->it.has_sha256)
		rc = compare_source(t, r, e, c, err);
	c->has_sha256 = !rc && !is_quick;
	return rc;
}

enum rc des2_compare(struct des2_thread *t, const struct des2_record *r,
		     const struct des2_entry *e, struct des2_compared *c,
		     struct err *err)
{
	c->is_own = true;
	if (e->is_damaged)
		return err_set(err, RC_EXISTS, "%s has it, damaged", e->key);
	if (e->plain_len != r->it.size)
		return err_set(err, RC_EXISTS,
			       "%s has it with %" PRIu64 " bytes, not %" PRIu64
			       ", and would alone be read",
			       e->key, e->plain_len, r->it.size);
	c->is_own = false;
	if (e->is_external)
		return compare_big(t, r, e, c, err);
	/* What a list says of a file is (uid, created_at), size and hash. */
	if (r->it.has_sha256)
		return compare_hash(t, r, e, c, err);
	if (is_told_by_time(t, r, e))
		return RC_OK;
	return compare_content(t, r, e, c, err);
}
