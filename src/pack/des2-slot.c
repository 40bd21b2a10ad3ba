/* SPDX-License-Identifier: Apache-2.0 */
/* des2-slot.c - the files of a slot to shards of the format DES2.
 *
 * A shard's number is one above all that its day and slot have, and its name is
 * taken only if nobody has it.  So whoever gets a number has seen all shards
 * below it, and no two runs pack one uid of a day twice: when the name is gone
 * what is not safe yet is looked at anew, with the new shard in view.
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/sorter.h"
#include "pack/des2-backend.h"
#include "pack/des2-names.h"
#include "pack/des2-outcome.h"
#include "pack/des2-part.h"
#include "pack/des2-rules.h"
#include "pack/des2-there.h"
#include "run/state.h"
#include "shard/route.h"

/* So often other runs may be quicker. */
#define CLASHES_MAX 1000u

struct slot {
	struct des2_thread *t;
	uint32_t number; /* of the slot */
	struct sorter_reader *reader;
	struct buf last; /* key of the last record that was seen */
	int64_t first;   /* created_at of the first of that key */
	struct buf done; /* of the last one that is safe, or empty */
	struct des2_outcome outcome;

	/* The day at hand. */
	bool has_day;
	char day_key[DES2_DAY_LEN];
	struct route route;
	struct des2_there *there;
	struct err why; /* rc set: nothing of the day can be packed */
	uint32_t next;  /* number of the next shard */

	struct des2_part part; /* the shard at hand */

	/* Names that others took, of a day. */
	bool is_clash;
	char clash_day[16];
	uint32_t *clashes;
	size_t n_clashes, clashes_cap;
	unsigned int tries;
};

static struct pack *pack_of(const struct slot *s)
{
	return s->t->d->p;
}

/* --- shards -----------------------------------------------------------------
 */

static void note_clash(struct slot *s)
{
	if (strcmp(s->clash_day, s->route.day) != 0) {
		s->n_clashes = 0;
		memcpy(s->clash_day, s->route.day, sizeof(s->clash_day));
	}
	s->clashes = mem_grow(s->clashes, &s->clashes_cap, s->n_clashes + 1,
			      sizeof(*s->clashes));
	s->clashes[s->n_clashes++] = s->next;
	s->is_clash = true;
}

/* All before this is safe, and told. */
static enum rc settle(struct slot *s, const char *key, struct err *err)
{
	enum rc rc = des2_outcome_tell(&s->outcome, pack_of(s), key, err);

	buf_clear(&s->done);
	buf_append(&s->done, s->last.p, s->last.len);
	if (!rc && !buf_ok(&s->done))
		rc = err_set(err, RC_NOMEM, "no memory for a name");
	return rc;
}

static enum rc end_shard(struct slot *s, struct err *err)
{
	char key[DES2_KEY_TEXT];
	enum rc rc;

	if (!s->part.is_open)
		return settle(s, "", err);
	des2_shard_key(s->route.day, s->route.hex, s->next, key);
	rc = des2_part_end(&s->part, key, err);
	if (rc == RC_EXISTS)
		note_clash(s);
	if (rc)
		return rc;
	s->next++;
	return settle(s, key, err);
}

/* --- days -------------------------------------------------------------------
 */

/* Names that others took while the list lagged. */
static void add_clashes(const struct slot *s, struct des2_name **names,
			size_t *n)
{
	size_t cap = *n;

	for (size_t i = 0; i < s->n_clashes; i++) {
		struct des2_name name = { .number = s->clashes[i] };
		bool is_listed = false;

		for (size_t k = 0; k < *n; k++)
			is_listed =
				is_listed || (*names)[k].number == name.number;
		if (is_listed)
			continue;
		memcpy(name.day, s->route.day, sizeof(name.day));
		memcpy(name.hex, s->route.hex, sizeof(name.hex));
		*names = mem_grow(*names, &cap, *n + 1, sizeof(name));
		(*names)[(*n)++] = name;
	}
}

static enum rc look_at_day(struct slot *s, struct err *err)
{
	struct pack *p = pack_of(s);
	CLEANUP_FREE struct des2_name *listed = NULL;
	const struct des2_name *names;
	size_t n = 0;
	enum rc rc = RC_OK;

	names = des2_names_find(s->t->d->names, s->route.day, s->route.hex, &n);
	if (!strcmp(s->clash_day, s->route.day)) {
		rc = des2_names_list(p->store, s->route.day, s->route.hex,
				     &listed, &n, err);
		if (rc)
			return rc;
		add_clashes(s, &listed, &n);
		names = listed;
	}
	for (size_t i = 0; i < n; i++)
		if (names[i].number >= s->next)
			s->next = names[i].number + 1;
	if (!n)
		return RC_OK;
	return des2_there_new(p->store, names, n, p->opts->n_bits,
			      p->opts->spool, &s->there, err);
}

static void end_day(struct slot *s)
{
	des2_there_free(s->there);
	s->there = NULL;
	s->has_day = false;
}

static enum rc begin_day(struct slot *s, const struct des2_record *r,
			 struct err *err)
{
	enum rc rc;

	s->next = 0;
	s->why.rc = RC_OK;
	rc = locate_shard(ROUTE_V2, ROUTE_UID, pack_of(s)->opts->n_bits,
			  r->uid.p, r->uid.len, &r->created, &s->route, err);
	if (!rc)
		rc = look_at_day(s, err);
	if (rc == RC_CORRUPT || rc == RC_UNSUPPORTED) {
		s->why = *err;
		rc = RC_OK;
		err_prefix(&s->why, "not packed, as what is there of its day "
				    "and slot cannot be told");
	}
	s->has_day = !rc;
	return rc;
}

/* --- files ------------------------------------------------------------------
 */

static enum rc leave_out(struct slot *s, const struct des2_record *r,
			 const struct err *why, struct err *err)
{
	const struct des2_told told = { .result = DES2_FAILED,
					.code = why->rc,
					.text = why->msg };

	return des2_outcome_add(&s->outcome, r, &told, err);
}

static enum rc write_spool(void *arg, const void *p, size_t len,
			   struct err *err)
{
	return spool_append(arg, p, len, err);
}

/* To the shard that it fits into. */
static enum rc add_content(struct slot *s, const struct des2_record *r,
			   enum codec_id codec, const uint8_t *big_sha256,
			   struct err *err)
{
	enum rc rc = RC_OK;

	if (s->part.is_open && des2_part_is_full(&s->part, r->it.size))
		rc = end_shard(s, err);
	if (!rc && !s->part.is_open)
		rc = des2_part_open(&s->part, s->number, err);
	return rc ? rc : des2_part_add(&s->part, r, codec, big_sha256, err);
}

/* A file that is not there yet. */
static enum rc pack_file(struct slot *s, const struct des2_record *r,
			 struct err *err)
{
	const struct pack_options *o = pack_of(s)->opts;
	bool is_big = r->it.size > o->big_file, own = false;
	struct des2_told told = { .result = DES2_PACKED };
	enum codec_id codec = des2_stays_plain(r->uid) ? CODEC_NONE : o->codec;
	uint8_t sha256[SHA256_LEN];
	uint64_t stored = 0;
	struct err failure;
	enum rc rc;

	if (!s->part.is_open && pack_is_stopping(pack_of(s), err))
		return err->rc;
	rc = spool_clear(&s->t->stored, err);
	if (rc)
		return rc;
	if (is_big)
		rc = des2_big_put(s->t, r, sha256, &own, &failure);
	else
		rc = des2_file_read(s->t, r, codec, write_spool, &s->t->stored,
				    &stored, sha256, &own, &failure);
	if (rc && own)
		return leave_out(s, r, &failure, err);
	if (rc) {
		*err = failure;
		return rc;
	}
	rc = add_content(s, r, codec, is_big ? sha256 : NULL, err);
	if (rc)
		return rc;
	report_block(pack_of(s)->report, r->it.size,
		     is_big ? r->it.size : stored);
	told.sha256 = sha256;
	return des2_outcome_add(&s->outcome, r, &told, err);
}

static enum rc pack_new(struct slot *s, const struct des2_record *r,
			struct err *err)
{
	static const struct des2_told dry = { .result = DES2_PACKED };
	struct err failure;
	enum rc rc = des2_part_meta(&s->part, r, &failure);

	if (rc == RC_LIMIT)
		return leave_out(s, r, &failure, err);
	if (rc) {
		*err = failure;
		return rc;
	}
	if (pack_of(s)->opts->dry_run)
		return des2_outcome_add(&s->outcome, r, &dry, err);
	state_file(r->it.parent, r->it.name);
	rc = pack_file(s, r, err);
	state_file_end();
	return rc;
}

static enum rc add_file(struct slot *s, const struct des2_record *r,
			struct err *err)
{
	static const struct des2_told erased = { .result = DES2_ERASED };
	struct des2_told told = { .result = DES2_THERE };
	struct des2_compared c = { .is_own = false };
	struct des2_entry e;
	struct err failure;
	enum rc rc;

	if (s->why.rc)
		return leave_out(s, r, &s->why, err);
	rc = des2_there_find(s->there, r->uid, &e, err);
	if (rc == RC_NOENT)
		return pack_new(s, r, err);
	if (rc)
		return rc;
	if (e.is_deleted)
		return des2_outcome_add(&s->outcome, r, &erased, err);
	rc = des2_compare(s->t, r, &e, &c, &failure);
	if (rc && c.is_own)
		return leave_out(s, r, &failure, err);
	if (rc) {
		*err = failure;
		return rc;
	}
	told.text = e.key;
	told.sha256 = c.has_sha256 ? c.sha256 : NULL;
	return des2_outcome_add(&s->outcome, r, &told, err);
}

/* --- a slot -----------------------------------------------------------------
 */

static bool is_same_day(const struct slot *s, struct span key)
{
	return s->has_day && !memcmp(s->day_key, key.p, DES2_DAY_LEN);
}

/* A further record of a day and uid. */
static enum rc add_again(struct slot *s, const struct des2_record *r,
			 struct err *err)
{
	bool is_same = r->created.us == s->first;
	const struct des2_told told = {
		.result = is_same ? DES2_AGAIN : DES2_FAILED,
		.code = RC_EXISTS,
		.text = is_same ? "listed before with the same created_at"
				: "listed before with the same day, of which "
				  "format 2 can hold one",
	};

	return des2_outcome_add(&s->outcome, r, &told, err);
}

static enum rc add_record(struct slot *s, struct span key, struct span value,
			  struct err *err)
{
	struct des2_record r;
	enum rc rc = des2_record_decode(key, value, &r, err);

	if (rc)
		return rc;
	if (s->has_day && !is_same_day(s, key)) {
		rc = end_shard(s, err);
		end_day(s);
	}
	if (!rc && !s->has_day) {
		memcpy(s->day_key, key.p, DES2_DAY_LEN);
		rc = begin_day(s, &r, err);
	}
	if (rc)
		return rc;
	if (span_equal(key, span_of(s->last.p, s->last.len)))
		return add_again(s, &r, err);
	s->first = r.created.us;
	rc = add_file(s, &r, err);
	/* After it: what ends a shard for it makes safe what was before. */
	buf_clear(&s->last);
	buf_append(&s->last, key.p, key.len);
	return rc;
}

static enum rc add_records(struct slot *s, struct err *err)
{
	struct span key, value;
	enum rc rc;

	for (;;) {
		rc = sorter_next(s->reader, &key, &value, err);
		if (rc == RC_NOENT)
			return s->has_day ? end_shard(s, err) : RC_OK;
		if (rc)
			return rc;
		if (s->done.len &&
		    span_compare(key, span_of(s->done.p, s->done.len)) <= 0)
			continue;
		if (pack_is_ending(pack_of(s), err))
			return err->rc;
		rc = add_record(s, key, value, err);
		if (rc)
			return rc;
	}
}

/* From what is safe on, until another run comes in between. */
static enum rc try_slot(struct slot *s, struct err *err)
{
	struct err ignored;
	enum rc rc = sorter_read(pack_of(s)->items, s->number, &s->reader, err);

	s->is_clash = false;
	buf_clear(&s->last);
	if (!rc)
		rc = add_records(s, err);
	des2_part_close(&s->part);
	end_day(s);
	sorter_reader_free(s->reader);
	s->reader = NULL;
	if (rc && s->is_clash)
		return des2_outcome_forget(&s->outcome, &ignored) ? err->rc
								  : rc;
	return rc;
}

static void slot_init(struct slot *s, struct des2_thread *t, uint32_t number)
{
	*s = (struct slot){ .t = t, .number = number };
	buf_init(&s->last, SIZE_MAX / 2);
	buf_init(&s->done, SIZE_MAX / 2);
	des2_part_init(&s->part, t);
	des2_outcome_init(&s->outcome, t->d->p->opts->spool);
}

static void slot_release(struct slot *s)
{
	des2_outcome_release(&s->outcome);
	buf_release(&s->last);
	buf_release(&s->done);
	des2_part_release(&s->part);
	free(s->clashes);
}

enum rc des2_pack_slot(struct des2_thread *t, uint32_t number, struct err *err)
{
	struct err ignored;
	struct slot s;
	enum rc rc;

	slot_init(&s, t, number);
	do
		rc = try_slot(&s, err);
	while (rc && s.is_clash && ++s.tries < CLASHES_MAX);
	/* What failed, failed, whatever became of the others. */
	if (rc)
		(void)!des2_outcome_tell(&s.outcome, t->d->p, NULL, &ignored);
	slot_release(&s);
	return rc;
}
