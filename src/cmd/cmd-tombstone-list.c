/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-tombstone-list.c - desfs tombstone list and show. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/human.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "cmd/json-row.h"
#include "cmd/tell.h"
#include "cmd/tombstone.h"
#include "erase/tombstone.h"
#include "repack/tombstone-doc.h"
#include "shard/shard-entry.h"
#include "volume/oplog-state.h"
#include "volume/oplog.h"

/* One document, as it is looked at. */
struct row {
	const struct oplog_state *state;
	const struct oplog_tombstone *t;
	struct tombstone doc; /* of what is done nothing is left in it */
	char id[TOMBSTONE_ID_TEXT];
	uint64_t n_withdrawn;
};

static enum rc row_read(struct row *r, struct store *st,
			const struct oplog_state *state,
			const struct oplog_tombstone *t, struct err *err)
{
	*r = (struct row){ .state = state, .t = t };
	tombstone_doc_id(r->t->object->key, r->id);
	if (r->t->done)
		return RC_OK;
	if (tombstone_doc_read(st, r->t->object, &r->doc, err))
		return err->rc;
	for (size_t k = 0; k < r->doc.n; k++)
		r->n_withdrawn +=
			oplog_state_is_withdrawn(state, r->doc.erasures[k].id);
	return RC_OK;
}

static void row_release(struct row *r)
{
	tombstone_release(&r->doc);
}

static const char *row_state(const struct row *r)
{
	if (r->t->done)
		return "done";
	return r->n_withdrawn == r->doc.n ? "withdrawn" : "open";
}

/* --- list ------------------------------------------------------------------
 */

static void erasure_json(const struct row *r, const struct erasure *e)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
	char time[TIMESTAMP_TEXT];

	timestamp_format(e->time, time);
	json_row_begin_kind(&b, "erasure");
	json_row_str(&b, "tombstone", r->id);
	json_row_hex(&b, "id", e->id, ERASURE_ID_LEN);
	json_row_bytes(&b, "path", e->uid, e->uid_len);
	json_row_str(&b, e->range == ERASURE_ONE ? "created_at" : "until",
		     time);
	json_row_bool(&b, "withdrawn",
		      oplog_state_is_withdrawn(r->state, e->id));
	json_row_end(&b, stdout);
}

static void erasure_text(const struct row *r, const struct erasure *e)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
	char id[HEX_TEXT(ERASURE_ID_LEN)], versions[ERASURE_VERSIONS_TEXT];

	hex_encode(e->id, ERASURE_ID_LEN, id);
	erasure_versions(e->range, e->time, versions);
	buf_printf(&b, "  %s %s ", id, versions);
	name_escape(&b, e->uid, e->uid_len);
	if (oplog_state_is_withdrawn(r->state, e->id))
		buf_append_str(&b, " (withdrawn)");
	buf_append_str(&b, "\n");
	fputs(buf_str(&b), stdout);
}

static void print_erasure(const struct tombstone_options *o,
			  const struct row *r, const struct erasure *e)
{
	if (o->json)
		erasure_json(r, e);
	else
		erasure_text(r, e);
}

static int64_t row_time(const struct row *r)
{
	return r->t->done ? r->t->record->time : r->doc.time;
}

static void row_json(const struct row *r)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
	char time[TIMESTAMP_TEXT];

	timestamp_format(row_time(r), time);
	json_row_begin_kind(&b, "tombstone");
	json_row_str(&b, "id", r->id);
	json_row_str(&b, "time", time);
	json_row_str(&b, "state", row_state(r));
	json_row_u64(&b, "count", r->t->object->count);
	if (!r->t->done) {
		json_row_u64(&b, "withdrawn", r->n_withdrawn);
		json_row_str(&b, "reason",
			     erasure_reason_text(r->doc.words.reason));
		if (r->doc.words.by)
			json_row_str(&b, "by", r->doc.words.by);
		if (r->doc.words.ticket)
			json_row_str(&b, "ticket", r->doc.words.ticket);
	}
	json_row_end(&b, stdout);
}

static void put_word(struct buf *b, const char *word)
{
	buf_append_str(b, " ");
	if (word)
		text_escape(b, word, strlen(word));
	else
		buf_append_str(b, "-");
}

static void row_text(const struct row *r)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
	char time[TIMESTAMP_TEXT];

	timestamp_format(row_time(r), time);
	buf_printf(&b, "%s %s %-9s %7" PRIu64 " %-9s", r->id, time,
		   row_state(r), r->t->object->count,
		   r->t->done ? "-" : erasure_reason_text(r->doc.words.reason));
	put_word(&b, r->doc.words.by);
	put_word(&b, r->doc.words.ticket);
	buf_append_str(&b, "\n");
	fputs(buf_str(&b), stdout);
}

static void print_row(const struct tombstone_options *o, const struct row *r)
{
	if (o->json)
		row_json(r);
	else
		row_text(r);
}

static enum rc read_log(struct open_log *l, const struct oplog_state **ret,
			struct err *err)
{
	bool changed;

	if (oplog_read(l->log, l->st, &changed, err))
		return err->rc;
	*ret = oplog_state(l->log);
	return RC_OK;
}

/* The oldest first. */
static int by_time(const void *pa, const void *pb)
{
	const struct oplog_tombstone *a =
		*(const struct oplog_tombstone *const *)pa;
	const struct oplog_tombstone *b =
		*(const struct oplog_tombstone *const *)pb;

	if (a->record->time != b->record->time)
		return a->record->time < b->record->time ? -1 : 1;
	return strcmp(a->object->key, b->object->key);
}

static const struct oplog_tombstone **sorted(const struct oplog_state *state)
{
	size_t n = oplog_state_n_tombstones(state);
	const struct oplog_tombstone **all =
		xcalloc(n + 1, sizeof(struct oplog_tombstone *));

	for (size_t i = 0; i < n; i++)
		all[i] = oplog_state_tombstone(state, i);
	qsort(all, n, sizeof(struct oplog_tombstone *), by_time);
	return all;
}

static enum rc list_one(const struct tombstone_options *o, struct open_log *l,
			const struct oplog_state *state,
			const struct oplog_tombstone *t, struct err *err)
{
	struct row r;

	if (row_read(&r, l->st, state, t, err))
		return err->rc;
	print_row(o, &r);
	for (size_t k = 0; o->verbose && k < r.doc.n; k++)
		print_erasure(o, &r, &r.doc.erasures[k]);
	row_release(&r);
	return RC_OK;
}

enum rc tombstone_cmd_list(const struct tombstone_options *o,
			   struct open_log *l, char **args, struct err *err)
{
	const struct oplog_state *state = NULL;

	CLEANUP_FREE const struct oplog_tombstone **all = NULL;
	enum rc rc = RC_OK;

	(void)args;
	if (read_log(l, &state, err))
		return err->rc;
	all = sorted(state);
	for (size_t i = 0; !rc && i < oplog_state_n_tombstones(state); i++)
		rc = list_one(o, l, state, all[i], err);
	return rc;
}

/* --- show ------------------------------------------------------------------
 */

static bool is_called(const struct row *r, const struct erasure *e,
		      const char *what, size_t len)
{
	char id[HEX_TEXT(ERASURE_ID_LEN)];

	hex_encode(e->id, ERASURE_ID_LEN, id);
	return !strcmp(r->id, what) || !strcmp(id, what) ||
	       (e->uid_len == len && !memcmp(e->uid, what, len));
}

/* A receipt is all that is left of what is done. */
static void print_receipt(const struct tombstone_options *o,
			  const struct receipt *receipt)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
	char asked[TIMESTAMP_TEXT], hidden[TIMESTAMP_TEXT];
	char id[HEX_TEXT(ERASURE_ID_LEN)];

	timestamp_format(receipt->asked, asked);
	timestamp_format(receipt->hidden, hidden);
	hex_encode(receipt->id, ERASURE_ID_LEN, id);
	if (!o->json) {
		printf("%s: erasure with a receipt, asked %s, hidden %s; see "
		       "desfs erasures\n",
		       id, asked, hidden);
		return;
	}
	json_row_begin_kind(&b, "receipt");
	json_row_str(&b, "id", id);
	json_row_str(&b, "asked", asked);
	json_row_str(&b, "hidden", hidden);
	json_row_bool(&b, "final", receipt_is_final(receipt));
	json_row_end(&b, stdout);
}

static bool show_receipt(const struct tombstone_options *o,
			 const struct oplog_state *state, const char *what)
{
	const struct receipt *receipt;
	uint8_t id[ERASURE_ID_LEN];

	if (!hex_decode(what, strlen(what), id, sizeof(id)))
		return false;
	receipt = oplog_state_find_receipt(state, id);
	if (receipt)
		print_receipt(o, receipt);
	return receipt;
}

static enum rc show_one(const struct tombstone_options *o, struct open_log *l,
			const struct oplog_state *state, const char *what,
			struct err *err)
{
	bool found = show_receipt(o, state, what);
	size_t len = strlen(what);

	for (size_t i = 0; i < oplog_state_n_tombstones(state); i++) {
		bool is_shown = false;
		struct row r;

		if (row_read(&r, l->st, state, oplog_state_tombstone(state, i),
			     err))
			return err->rc;
		if (!strcmp(r.id, what) && !r.doc.n) {
			print_row(o, &r);
			found = true;
		}
		for (size_t k = 0; k < r.doc.n; k++) {
			if (!is_called(&r, &r.doc.erasures[k], what, len))
				continue;
			if (!is_shown)
				print_row(o, &r);
			is_shown = found = true;
			print_erasure(o, &r, &r.doc.erasures[k]);
		}
		row_release(&r);
	}
	return found ? RC_OK
		     : err_set(err, RC_NOENT,
			       "no tombstone has that id or name");
}

enum rc tombstone_cmd_show(const struct tombstone_options *o,
			   struct open_log *l, char **args, struct err *err)
{
	const struct oplog_state *state = NULL;
	size_t n = 0, n_failed = 0;
	enum rc last = RC_OK;

	if (read_log(l, &state, err))
		return err->rc;
	for (; args[n]; n++) {
		enum rc rc = show_one(o, l, state, args[n], err);

		if (rc && rc != RC_NOENT)
			return rc;
		if (!rc)
			continue;
		tell_failed(span_of(args[n], strlen(args[n])), err);
		last = rc;
		n_failed++;
	}
	return tell_result(n_failed, n, last, err);
}
