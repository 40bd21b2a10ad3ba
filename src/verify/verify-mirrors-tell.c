/* SPDX-License-Identifier: Apache-2.0 */
/* verify-mirrors-tell.c - which copy of a small object is right, and what is to
 * be said of the others.
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "verify/verify-mirrors-backend.h"
#include "verify/verify-report.h"
#include "volume/oplog-checkpoint.h"

/* Bytes of a hash that are told. */
#define HASH_SHOWN 8u

/* --- which copy is right -------------------------------------------------- */

/* oplog_checkpoint_fn */
static enum rc drop_record(void *arg, struct oplog_record *r, struct err *err)
{
	(void)arg;
	(void)err;
	oplog_record_release(r);
	return RC_OK;
}

static enum rc check_log_object(const char *name, const struct buf *b,
				struct err *err)
{
	struct oplog_record record = { 0 };
	uint8_t id[SHARD_ID_LEN];
	int64_t time;
	enum rc rc;

	if (oplog_checkpoint_name_time(name, &time))
		return oplog_checkpoint_decode(b->p, b->len, id, &time,
					       drop_record, NULL, err);
	rc = oplog_record_decode(b->p, b->len, &record, err);
	if (!rc)
		oplog_record_release(&record);
	return rc;
}

static enum rc check_hash(const struct verify_run *r, const char *key,
			  const struct verify_copy *c, struct err *err)
{
	const struct oplog_object *o =
		r->state ? verify_log_object(r, key) : NULL;

	if (!o || !memcmp(o->sha256, c->sha256, sizeof(c->sha256)))
		return RC_OK;
	return err_set(err, RC_CORRUPT, "not the bytes that the log has seen");
}

/* What can be told of a copy alone; only asked when they differ. */
static enum rc check_copy(const struct mirrors *m,
			  const struct verify_copies *c, size_t i,
			  struct err *err)
{
	CLEANUP_BUF struct buf b = { .max = OPLOG_RECORD_MAX };
	bool is_log = !strncmp(c->key, "log/", strlen("log/"));
	struct store *st = m->places[i].st;
	struct descriptor d;

	if (!strncmp(c->key, "tombstones/", strlen("tombstones/")))
		return check_hash(m->r, c->key, &c->of[i], err);
	if (!is_log && strcmp(c->key, DESCRIPTOR_KEY) != 0)
		return RC_OK;
	if (store_read_all(st, c->key, OPLOG_RECORD_MAX, &b, err))
		return err->rc;
	if (!strcmp(c->key, DESCRIPTOR_KEY))
		return descriptor_decode(b.p, b.len, &d, err);
	return check_log_object(c->key + strlen("log/"), &b, err);
}

/* The first that is there, and is right as far as that can be told; n: none. */
static size_t choose_right(const struct mirrors *m,
			   const struct verify_copies *c)
{
	bool agree = verify_copies_agree(c);
	size_t first = m->n;
	struct err err;

	for (size_t i = m->n; i-- > 0;) {
		if (c->of[i].state == COPY_THERE)
			first = i;
	}
	for (size_t i = first; !agree && i < m->n; i++) {
		if (c->of[i].state == COPY_THERE && !check_copy(m, c, i, &err))
			return i;
	}
	return first;
}

/* --- telling -------------------------------------------------------------- */

static void tell(struct mirrors *m, struct verify_report *report)
{
	verify_report_tell(report, m->r->opts, m->r->totals);
}

static bool is_there_now(struct store *st, const char *key)
{
	CLEANUP_BUF struct buf b = { .max = 1 };
	struct object_info info;
	struct err err;

	return store_read_tail(st, key, 1, &b, &info, &err) != RC_NOENT;
}

/* It may have come meanwhile, or gone from all. */
static void tell_missing(struct mirrors *m, const struct verify_copies *c,
			 size_t i, size_t right)
{
	struct verify_report report = { .key = c->key,
					.place = m->places[i].name };
	const char *has = m->places[right].name, *excuse;

	if (is_there_now(m->places[i].st, c->key) ||
	    !is_there_now(m->places[right].st, c->key))
		return;
	excuse = verify_excuse_of(m->excuse, c->key, i, right);
	if (excuse && !*excuse)
		return;
	if (excuse)
		verify_note(&report, "not there, store %s has it: %s", has,
			    excuse);
	else
		verify_damage(&report, FINDING_NO_OFFSET,
			      "not there, store %s has it, %" PRIu64 " bytes",
			      has, c->of[right].size);
	tell(m, &report);
}

static void tell_other(struct mirrors *m, const struct verify_copies *c,
		       size_t i, size_t right)
{
	struct verify_report report = { .key = c->key,
					.place = m->places[i].name };
	char is[HEX_TEXT(HASH_SHOWN)], want[HEX_TEXT(HASH_SHOWN)];
	struct err err;
	bool is_wrong = check_copy(m, c, i, &err);

	hex_encode(c->of[i].sha256, HASH_SHOWN, is);
	hex_encode(c->of[right].sha256, HASH_SHOWN, want);
	verify_damage(&report, FINDING_NO_OFFSET,
		      "%" PRIu64 " bytes of SHA-256 %s..., store %s has "
		      "%" PRIu64 " of %s...%s%s",
		      c->of[i].size, is, m->places[right].name,
		      c->of[right].size, want, is_wrong ? ": " : "",
		      is_wrong ? err.msg : "");
	tell(m, &report);
}

void verify_mirrors_unread(struct mirrors *m, const char *key, size_t i,
			   const struct err *err)
{
	struct verify_report report = { .key = key,
					.place = m->places[i].name };

	if (m->places[i].is_away && m->is_told[i])
		return;
	m->is_told[i] = m->places[i].is_away;
	verify_unread(&report, "could not be read: %s", err->msg);
	tell(m, &report);
}

void verify_mirrors_tell(struct mirrors *m, const struct verify_copies *c)
{
	size_t right = choose_right(m, c);

	for (size_t i = 0; i < m->n; i++) {
		const struct verify_copy *copy = &c->of[i];

		if (copy->state == COPY_UNREAD)
			verify_mirrors_unread(m, c->key, i, &copy->err);
		else if (right == m->n || copy->state == COPY_SKIPPED)
			continue;
		else if (copy->state == COPY_MISSING)
			tell_missing(m, c, i, right);
		else if (!verify_copy_is_like(copy, &c->of[right]))
			tell_other(m, c, i, right);
	}
}
