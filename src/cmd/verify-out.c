/* SPDX-License-Identifier: Apache-2.0 */
/* verify-out.c - what desfs verify has found, as text or JSON. */
#include "config.h"

#include "cmd/verify-out.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/human.h"
#include "base/mem.h"
#include "cmd/json-row.h"

/* Names of one object that are told to people. */
#define NAMES_MAX 20u

static const char *const kind_names[] = {
	[FINDING_DAMAGE] = "damage", [FINDING_LOST] = "lost",
	[FINDING_WEAK] = "weak",     [FINDING_UNREAD] = "unread",
	[FINDING_NOTE] = "note",
};

void verify_row_finding(struct buf *b, const struct finding *f, int target)
{
	json_row_str(b, "kind", kind_names[f->kind]);
	if (target != VERIFY_NO_TARGET)
		json_row_i64(b, "target", target);
	if (f->store)
		json_row_str(b, "store", f->store);
	json_row_str(b, "key", f->key);
	if (f->off != FINDING_NO_OFFSET)
		json_row_u64(b, "offset", f->off);
	if (f->uid.p)
		json_row_bytes(b, "path", f->uid.p, f->uid.len);
	json_row_str(b, "text", f->text);
}

void verify_row_totals(struct buf *b, const struct verify_totals *t)
{
	json_row_u64(b, "shards", t->shards);
	json_row_u64(b, "damaged_shards", t->damaged_shards);
	json_row_u64(b, "missing_shards", t->missing_shards);
	json_row_u64(b, "unread_shards", t->unread_shards);
	json_row_u64(b, "skipped_shards", t->skipped_shards);
	json_row_u64(b, "old_shards", t->old_shards);
	json_row_u64(b, "entries", t->entries);
	json_row_u64(b, "files", t->files);
	json_row_u64(b, "plain_bytes", t->plain_bytes);
	json_row_u64(b, "blocks", t->blocks);
	json_row_u64(b, "deleted", t->deleted);
	json_row_u64(b, "overdue", t->overdue);
	json_row_u64(b, "damage", t->damage);
	json_row_u64(b, "lost", t->lost);
	json_row_u64(b, "weak", t->weak);
	json_row_u64(b, "notes", t->notes);
}

double verify_corruption_rate(uint64_t shards, uint64_t damaged,
			      uint64_t missing)
{
	uint64_t all = shards + missing;

	return all ? (double)(damaged + missing) / (double)all : 0;
}

/* --- text ----------------------------------------------------------------- */

static void print_line(struct buf *b)
{
	buf_append_str(b, "\n");
	if (buf_ok(b))
		fwrite(b->p, 1, b->len, stdout);
}

void verify_text_end(struct verify_text *t)
{
	if (t->n_more)
		printf("%s: costs %" PRIu64
		       " more, all of them are in --report and --json\n",
		       t->key, t->n_more);
	free(t->key);
	*t = (struct verify_text){ .key = NULL };
}

/* Whether the name is one too many. */
static bool is_left_out(struct verify_text *t, const struct finding *f)
{
	if (!f->uid.p)
		return false;
	if (!t->key || strcmp(t->key, f->key) != 0) {
		verify_text_end(t);
		t->key = xstrdup(f->key);
	}
	if (t->n_named++ < NAMES_MAX)
		return false;
	t->n_more++;
	return true;
}

void verify_text_finding(struct verify_text *t, const struct finding *f)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };

	if (is_left_out(t, f))
		return;
	if (f->kind == FINDING_NOTE)
		buf_append_str(&b, "note: ");
	if (f->store)
		buf_printf(&b, "store %s: ", f->store);
	text_escape(&b, f->key, strlen(f->key));
	buf_append_str(&b, ": ");
	switch (f->kind) {
	case FINDING_DAMAGE:
		if (f->off != FINDING_NO_OFFSET)
			buf_printf(&b, "offset %" PRIu64 ": ", f->off);
		break;
	case FINDING_LOST: buf_append_str(&b, "costs "); break;
	case FINDING_WEAK: buf_append_str(&b, "weakens "); break;
	case FINDING_UNREAD:
	case FINDING_NOTE: break;
	}
	if (f->uid.len)
		name_escape(&b, f->uid.p, f->uid.len);
	else if (f->uid.p)
		buf_append_str(&b, "."); /* the root */
	if (!f->uid.p || f->kind == FINDING_WEAK) {
		buf_append_str(&b, f->uid.p ? ": " : "");
		text_escape(&b, f->text, strlen(f->text));
	}
	print_line(&b);
}

/* --- the sum -------------------------------------------------------------- */

/* What is damaged may be no shard. */
static void print_damage(const struct verify_totals *t)
{
	printf("DAMAGED: %" PRIu64 " findings", t->damage - t->late);
	if (t->damaged_shards)
		printf(", %" PRIu64 " shards damaged", t->damaged_shards);
	if (t->missing_shards)
		printf(", %" PRIu64 " missing", t->missing_shards);
	if (t->lost)
		printf(", %" PRIu64 " entries cannot be read", t->lost);
}

static void print_text(const struct verify_totals *t, bool is_deep)
{
	char bytes[HUMAN_MAX];

	printf("%" PRIu64 " shards, %" PRIu64 " entries, %" PRIu64
	       " files of %s: ",
	       t->shards, t->entries, t->files,
	       human_bytes(bytes, t->plain_bytes));
	if (t->damage > t->late)
		print_damage(t);
	else if (t->unread_shards || !is_deep)
		printf("no damage found");
	else
		printf("all is well");
	if (t->late)
		printf("; %" PRIu64 " deleted entries ARE LATE", t->overdue);
	if (t->unread_shards)
		printf("; %" PRIu64 " shards could not be read",
		       t->unread_shards);
	if (t->skipped_shards)
		printf("; %" PRIu64 " shards were passed over",
		       t->skipped_shards);
	printf("\n");
}

void verify_print_totals(const struct verify_totals *t, bool is_deep,
			 bool is_json)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };

	if (!is_json) {
		print_text(t, is_deep);
		return;
	}
	json_row_begin_kind(&b, "total");
	verify_row_totals(&b, t);
	json_row_end(&b, stdout);
}
