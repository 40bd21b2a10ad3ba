/* SPDX-License-Identifier: Apache-2.0 */
/* verify-excuse.c - why one of several stores may lack an object. */
#include "config.h"

#include "verify/verify-excuse.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/mem.h"
#include "erase/tombstone.h"
#include "store/store-write.h"
#include "verify/verify-backend.h"
#include "volume/oplog-checkpoint.h"
#include "volume/random-object.h"

#define LOG_PREFIX "log/"
#define SALT_PREFIX "salts/"

struct verify_excuse {
	struct verify_run *r;
	struct verify_place *places;
	size_t n;
	struct oplog **logs; /* of each place alone; NULL: not read yet */
	struct oplog *later; /* of now, with receipts; NULL: not read yet */
	bool is_asked;       /* the following is known: */
	bool has_runs;       /* alive */
	char **claims;       /* of dead runs, of what is no shard */
	size_t n_claims, cap_claims;
};

struct verify_excuse *verify_excuse_new(struct verify_run *r,
					struct verify_place *places, size_t n)
{
	struct verify_excuse *x = xcalloc(1, sizeof(*x));

	x->r = r;
	x->places = places;
	x->n = n;
	x->logs = xcalloc(n + 1, sizeof(struct oplog *));
	return x;
}

void verify_excuse_free(struct verify_excuse *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->n; i++)
		oplog_free(x->logs[i]);
	for (size_t i = 0; i < x->n_claims; i++)
		free(x->claims[i]);
	oplog_free(x->later);
	free(x->claims);
	free(x->logs);
	free(x);
}

static struct oplog *new_log(const struct verify_excuse *x)
{
	struct oplog *ret = oplog_new();

	if (x->r->has_descriptor)
		oplog_expect(ret, x->r->descriptor.archive_id);
	return ret;
}

/* --- the log -------------------------------------------------------------- */

/* What the place's own objects say; of one that cannot be read, nothing. */
static const struct oplog *log_of(struct verify_excuse *x, size_t i)
{
	struct err ignored;
	bool changed;

	if (x->logs[i])
		return x->logs[i];
	x->logs[i] = new_log(x);
	if (oplog_read(x->logs[i], x->places[i].st, &changed, &ignored)) {
		oplog_free(x->logs[i]);
		x->logs[i] = oplog_new();
	}
	return x->logs[i];
}

struct among {
	const struct oplog *log;
	bool has_all;
};

/* oplog_checkpoint_fn */
static enum rc look_for_record(void *arg, struct oplog_record *r,
			       struct err *err)
{
	struct among *a = arg;

	(void)err;
	a->has_all &= oplog_has_record(a->log, r->name);
	oplog_record_release(r);
	return RC_OK;
}

/* Whether other objects of a place have all the records of this one. */
static bool is_said_otherwise(struct verify_excuse *x, const char *key,
			      size_t lacks, size_t has)
{
	const char *name = key + strlen(LOG_PREFIX);
	struct among a = { .log = log_of(x, lacks), .has_all = true };
	CLEANUP_BUF struct buf b = { .max = OPLOG_CHECKPOINT_MAX };
	uint8_t id[SHARD_ID_LEN];
	struct err err;
	int64_t time;

	if (!oplog_checkpoint_name_time(name, &time))
		return oplog_has_record(a.log, name);
	return !store_read_all(x->places[has].st, key, OPLOG_CHECKPOINT_MAX, &b,
			       &err) &&
	       !oplog_checkpoint_decode(b.p, b.len, id, &time, look_for_record,
					&a, &err) &&
	       a.has_all;
}

/* --- runs ----------------------------------------------------------------- */

static enum rc note_claim(void *arg, const char *run, const char *key,
			  struct err *err)
{
	struct verify_excuse *x = arg;

	(void)run;
	(void)err;
	if (!key || archive_key_is_shard(key))
		return RC_OK;
	x->claims = mem_grow(x->claims, &x->cap_claims, x->n_claims + 1,
			     sizeof(*x->claims));
	x->claims[x->n_claims++] = xstrdup(key);
	return RC_OK;
}

/* Only a writer's view shows them; where there is none nothing is known. */
static void ask_for_runs(struct verify_excuse *x)
{
	const struct verify_run *r = x->r;
	unsigned int n_alive = 0;
	struct store *st = NULL;
	struct err ignored;

	x->is_asked = true;
	if (store_create(&st, r->url, r->opts->settings, &ignored))
		return;
	x->has_runs =
		!store_runs_alive(st, NULL, &n_alive, &ignored) && n_alive;
	/* Those that were told until then are true. */
	(void)!store_claims(st, note_claim, x, &ignored);
	store_close(st);
}

/* The next run that writes puts it there, whatever became of this one. */
static const char *excuse_of_run(struct verify_excuse *x, const char *key)
{
	if (!x->is_asked)
		ask_for_runs(x);
	for (size_t i = 0; i < x->n_claims; i++) {
		if (!strcmp(x->claims[i], key))
			return "the run that was to put it there has died, and "
			       "the next one does";
	}
	return x->has_runs ? "a run is at work that may put it there" : NULL;
}

/* --- deletions ------------------------------------------------------------ */

/* What the log says by now; NULL: it cannot be read. */
static const struct oplog_state *state_by_now(struct verify_excuse *x)
{
	struct err ignored;
	bool changed;

	if (!x->later) {
		x->later = new_log(x);
		oplog_keep_receipts(x->later);
		if (oplog_read(x->later, x->r->store, &changed, &ignored)) {
			oplog_free(x->later);
			x->later = oplog_new();
		}
	}
	return oplog_n_records(x->later) ? oplog_state(x->later) : NULL;
}

/* Salts are there before the receipts and lists that they are for. */
static bool is_salt_needed(struct verify_excuse *x, const char *key)
{
	const char *text = key + strlen(SALT_PREFIX);
	const struct oplog_state *s = state_by_now(x);
	uint8_t id[ERASURE_ID_LEN];

	if (!s)
		return true;
	if (!strcmp(key, SUPPRESSION_KEY_OBJECT))
		return oplog_state_n_suppressed(s);
	return !hex_decode(text, strlen(text), id, sizeof(id)) ||
	       oplog_state_find_receipt(s, id);
}

/* A document that is removed since nobody reads it any more. */
static bool is_done(struct verify_excuse *x, const char *key)
{
	const struct oplog_state *s = state_by_now(x);
	const struct oplog_tombstone *t =
		s ? oplog_state_find_tombstone(s, key) : NULL;

	return t && t->done;
}

/* --- all of them ---------------------------------------------------------- */

const char *verify_excuse_of(struct verify_excuse *x, const char *key,
			     size_t lacks, size_t has)
{
	bool is_log = !strncmp(key, LOG_PREFIX, strlen(LOG_PREFIX));

	if (is_log && is_said_otherwise(x, key, lacks, has))
		return "other objects there say the same, and it is left over";
	if (is_log || !strcmp(key, DESCRIPTOR_KEY))
		return excuse_of_run(x, key);
	if (!strncmp(key, SALT_PREFIX, strlen(SALT_PREFIX)))
		return is_salt_needed(x, key) ? NULL : "";
	return is_done(x, key) ? "" : NULL;
}
