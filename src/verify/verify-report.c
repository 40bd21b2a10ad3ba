/* SPDX-License-Identifier: Apache-2.0 */
/* verify-report.c - what was found in one object, until it is its turn. */
#include "config.h"

#include "verify/verify-report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/rd.h"
#include "base/spool.h"
#include "base/wr.h"

#define TEXT_MAX 1024u
#define MEMORY (64u << 10)

/* A finding as it is kept: kind, offset, length of the text, 1 + length of the
 * name or 0 for none; text; name.
 */
#define HEAD_LEN 17u

static void keep(struct verify_report *r, enum finding_kind kind, uint64_t off,
		 const char *text, struct span uid)
{
	CLEANUP_BUF struct buf b = { .max = HEAD_LEN + TEXT_MAX + uid.len };
	size_t len = strlen(text);

	if (r->has_failed)
		return;
	if (!r->has_kept)
		spool_init(&r->kept, spool_default_dir(), MEMORY);
	r->has_kept = true;
	wr_u8(&b, (uint8_t)kind);
	wr_u64(&b, off);
	wr_u32(&b, (uint32_t)len);
	wr_u32(&b, uid.p ? 1 + (uint32_t)uid.len : 0);
	buf_append(&b, text, len);
	if (uid.len)
		buf_append(&b, uid.p, uid.len);
	r->has_failed = spool_append(&r->kept, b.p, b.len, &r->err);
}

static void keep_text(struct verify_report *r, enum finding_kind kind,
		      uint64_t off, const char *fmt, va_list ap) PRINTF(4, 0);
static void keep_text(struct verify_report *r, enum finding_kind kind,
		      uint64_t off, const char *fmt, va_list ap)
{
	char text[TEXT_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	keep(r, kind, off, text, span_of(NULL, 0));
}

static void keep_name(struct verify_report *r, enum finding_kind kind,
		      uint64_t off, const char *text, struct span parent,
		      struct span name)
{
	size_t len = entry_uid_len(parent, name);
	CLEANUP_FREE char *uid = xcalloc(1, len + 1);

	entry_uid(parent, name, uid);
	keep(r, kind, off, text, span_of(uid, len));
}

void verify_damage(struct verify_report *r, uint64_t off, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	keep_text(r, FINDING_DAMAGE, off, fmt, ap);
	va_end(ap);
	r->totals.damage++;
}

void verify_unread(struct verify_report *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	keep_text(r, FINDING_UNREAD, FINDING_NO_OFFSET, fmt, ap);
	va_end(ap);
	r->totals.unread_shards++;
}

void verify_note(struct verify_report *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	keep_text(r, FINDING_NOTE, FINDING_NO_OFFSET, fmt, ap);
	va_end(ap);
	r->totals.notes++;
}

void verify_lost(struct verify_report *r, uint64_t off, struct span parent,
		 struct span name)
{
	keep_name(r, FINDING_LOST, off, "cannot be read", parent, name);
	r->totals.lost++;
}

void verify_lost_name(struct verify_report *r, struct span parent,
		      struct span name)
{
	keep_name(r, FINDING_LOST, FINDING_NO_OFFSET, "cannot be found", parent,
		  name);
}

void verify_lost_many(struct verify_report *r, uint64_t off, uint64_t n,
		      const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	keep_text(r, FINDING_LOST, off, fmt, ap);
	va_end(ap);
	r->totals.lost += n;
}

void verify_weak(struct verify_report *r, uint64_t off, struct span parent,
		 struct span name)
{
	keep_name(r, FINDING_WEAK, off,
		  "its record is lost: it can be read while the index is whole",
		  parent, name);
	r->totals.weak++;
}

/* --- telling -------------------------------------------------------------- */

static void sum_up(struct verify_totals *to, const struct verify_totals *from)
{
	to->shards += from->shards;
	to->damaged_shards += from->damaged_shards;
	to->missing_shards += from->missing_shards;
	to->unread_shards += from->unread_shards;
	to->entries += from->entries;
	to->files += from->files;
	to->plain_bytes += from->plain_bytes;
	to->blocks += from->blocks;
	to->deleted += from->deleted;
	to->overdue += from->overdue;
	to->damage += from->damage;
	to->lost += from->lost;
	to->weak += from->weak;
	to->notes += from->notes;
}

/* The finding at *off, which is moved behind it; b holds its strings. */
static enum rc take(const struct verify_report *r, uint64_t *off, struct buf *b,
		    struct finding *ret, struct err *err)
{
	uint8_t head[HEAD_LEN], *to;
	struct rd rd = { .p = head, .left = sizeof(head) };
	uint32_t text_len, uid_len;

	if (spool_read(&r->kept, *off, head, sizeof(head), err))
		return err->rc;
	*ret = (struct finding){ .store = r->place,
				 .key = r->key,
				 .kind = (enum finding_kind)rd_u8(&rd) };
	ret->off = rd_u64(&rd);
	text_len = rd_u32(&rd);
	uid_len = rd_u32(&rd);
	ret->uid.len = uid_len ? uid_len - 1 : 0;
	*off += sizeof(head);
	buf_init(b, (size_t)text_len + ret->uid.len + 2);
	to = buf_reserve(b, (size_t)text_len + ret->uid.len + 2);
	if (!to)
		return err_set(err, RC_NOMEM, "no memory for a finding");
	memset(to, 0, (size_t)text_len + ret->uid.len + 2);
	ret->text = (const char *)to;
	if (uid_len)
		ret->uid.p = (const char *)to + text_len + 1;
	if (spool_read(&r->kept, *off, to, text_len, err) ||
	    spool_read(&r->kept, *off + text_len, to + text_len + 1,
		       ret->uid.len, err))
		return err->rc;
	*off += text_len + ret->uid.len;
	return RC_OK;
}

char *verify_report_first(const struct verify_report *r)
{
	struct buf b = { 0 };
	struct finding f;
	uint64_t off = 0;
	char *ret = NULL;
	struct err err;

	if (!r->has_kept || !spool_len(&r->kept))
		return NULL;
	if (!take(r, &off, &b, &f, &err))
		ret = xstrdup(f.text);
	buf_release(&b);
	return ret;
}

static void tell_kept(struct verify_report *r,
		      const struct verify_options *opts)
{
	uint64_t off = 0;

	while (!r->has_failed && off < spool_len(&r->kept)) {
		struct finding f;
		struct buf b = { 0 };

		r->has_failed = take(r, &off, &b, &f, &r->err);
		if (!r->has_failed)
			opts->fn(opts->arg, &f);
		buf_release(&b);
	}
}

static void count_live(struct verify_live *l, const struct verify_totals *t)
{
	atomic_fetch_add(&l->shards, t->shards);
	atomic_fetch_add(&l->damaged_shards, t->damaged_shards);
	atomic_fetch_add(&l->missing_shards, t->missing_shards);
	atomic_fetch_add(&l->unread_shards, t->unread_shards);
	atomic_fetch_add(&l->damage, t->damage);
	atomic_fetch_add(&l->lost, t->lost);
}

void finding_ignore(void *arg, const struct finding *f)
{
	(void)arg;
	(void)f;
}

void verify_report_tell(struct verify_report *r,
			const struct verify_options *opts,
			struct verify_totals *totals)
{
	if (r->has_kept)
		tell_kept(r, opts);
	if (r->has_failed) {
		CLEANUP_FREE char *text =
			xasprintf("more was found that could not be kept: %s",
				  r->err.msg);
		const struct finding f = { .kind = FINDING_DAMAGE,
					   .store = r->place,
					   .key = r->key,
					   .off = FINDING_NO_OFFSET,
					   .text = text };

		r->totals.damage++;
		opts->fn(opts->arg, &f);
	}
	sum_up(totals, &r->totals);
	if (opts->live)
		count_live(opts->live, &r->totals);
	verify_report_drop(r);
}

static void move_kept(struct verify_report *r, struct verify_report *from)
{
	uint64_t off = 0;

	while (!r->has_failed && off < spool_len(&from->kept)) {
		struct finding f;
		struct buf b = { 0 };

		r->has_failed = take(from, &off, &b, &f, &r->err);
		if (!r->has_failed)
			keep(r, f.kind, f.off, f.text, f.uid);
		buf_release(&b);
	}
}

void verify_report_move(struct verify_report *r, struct verify_report *from)
{
	if (from->has_kept)
		move_kept(r, from);
	if (from->has_failed && !r->has_failed) {
		r->has_failed = true;
		r->err = from->err;
	}
	r->is_stopped |= from->is_stopped;
	sum_up(&r->totals, &from->totals);
	verify_report_drop(from);
}

void verify_report_drop(struct verify_report *r)
{
	if (r->has_kept)
		spool_release(&r->kept);
	*r = (struct verify_report){ .key = r->key, .place = r->place };
}
