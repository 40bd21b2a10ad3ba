/* SPDX-License-Identifier: Apache-2.0 */
/* erasure-subject.c - the receipts of one uid, and salts that are to go. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/mem.h"
#include "repack/erasure-verify.h"
#include "repack/salt.h"
#include "repack/survey.h"
#include "store/store-write.h"
#include "volume/oplog-state.h"

/* Whether it is the uid's; without its salt nobody can tell. */
static enum rc matches(struct store *st, const struct receipt *r,
		       const struct erasure_subject *s, bool *ret,
		       struct err *err)
{
	int64_t time = s->time == INT64_MIN ? r->asked : s->time;
	uint8_t salt[RECEIPT_SALT_LEN];
	enum rc rc = RC_OK;

	if (s->salt)
		memcpy(salt, s->salt, sizeof(salt));
	else
		rc = salt_read(st, r->id, salt, err);
	*ret = !rc &&
	       receipt_is_of(r, salt, s->uid.p, s->uid.len, s->range, time);
	return rc == RC_NOENT ? RC_OK : rc;
}

/* Shards that count and have a version the receipt says is gone. */
static enum rc look(struct oplog *log, struct store *st,
		    const struct erasure_subject *s, const struct receipt *r,
		    erasure_finding_fn *fn, void *arg, struct err *err)
{
	CLEANUP(survey_release) struct survey v = { 0 };
	const struct oplog_state *state = oplog_state(log);
	struct erasure e = {
		.uid = (char *)(uintptr_t)s->uid.p,
		.uid_len = s->uid.len,
		.range = s->range,
		.time = s->time == INT64_MIN ? r->asked : s->time,
	};

	v.erasures = xcalloc(1, sizeof(*v.erasures));
	v.n_erasures = 1;
	v.erasures[0].erasure = &e;
	entry_split_uid(s->uid, &v.erasures[0].parent, &v.erasures[0].name);
	for (size_t i = 0; i < oplog_state_n_counting(state); i++) {
		const struct shard_meta *m = oplog_state_counting(state, i);

		survey_add(&v, &(struct survey_shard){ .key = m->key,
						       .root = m->root,
						       .meta = m });
	}
	if (survey_look(&v, st, s->jobs, err))
		return err->rc;
	for (size_t i = 0; i < v.erasures[0].n_holders; i++) {
		const struct survey_shard *has =
			&v.shards[v.erasures[0].holders[i]];
		char *text = has->problem ? xasprintf("it may be there: %s",
						      has->problem)
					  : xasprintf("%s has it", has->key);

		fn(arg, text);
		free(text);
	}
	return RC_OK;
}

enum rc erasure_verify_subject(struct oplog *log, struct store *st,
			       const struct erasure_subject *subject,
			       erasure_match_fn *match, erasure_finding_fn *fn,
			       void *arg, size_t *ret_n, struct err *err)
{
	const struct oplog_state *state = oplog_state(log);
	enum rc rc = RC_OK;

	*ret_n = 0;
	for (size_t i = 0; !rc && i < oplog_state_n_receipts(state); i++) {
		const struct receipt *r = oplog_state_receipt(state, i);
		bool is_of = false;

		rc = matches(st, r, subject, &is_of, err);
		if (rc || !is_of)
			continue;
		++*ret_n;
		match(arg, r);
		if (receipt_is_final(r))
			rc = look(log, st, subject, r, fn, arg, err);
	}
	return rc;
}

/* --- forgetting ----------------------------------------------------------- */

static enum rc forget_in(void *arg, const char *zone, struct store *place,
			 struct err *err)
{
	enum store_gone gone = STORE_KEPT;
	const char *key = arg;
	int64_t until;

	(void)zone;
	if (store_purge(place, key, &gone, &until, err))
		return err->rc;
	return gone == STORE_KEPT
		       ? err_set(err, RC_ACCESS, "%s: its store keeps it", key)
		       : RC_OK;
}

enum rc erasure_forget(const struct oplog *log, struct store *st,
		       const uint8_t id[ERASURE_ID_LEN], struct err *err)
{
	const struct receipt *r =
		oplog_state_find_receipt(oplog_state(log), id);
	char text[HEX_TEXT(ERASURE_ID_LEN)], key[SALT_KEY_TEXT];

	hex_encode(id, ERASURE_ID_LEN, text);
	if (!r)
		return err_set(err, RC_NOENT, "%s: has no receipt", text);
	if (!receipt_is_final(r))
		return err_set(err, RC_CHANGED,
			       "%s: something of it is pending; its salt is "
			       "needed until it is done",
			       text);
	salt_key(id, key);
	return store_each_place(st, key, forget_in, key, err);
}
