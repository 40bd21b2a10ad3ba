/* SPDX-License-Identifier: Apache-2.0 */
/* verify-report.c - what was found in one object, until it is its turn. */
#include "config.h"

#include "pack/verify-report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static struct finding *add(struct verify_report *r, enum finding_kind kind)
{
	r->findings =
		mem_grow(r->findings, &r->cap, r->n + 1, sizeof(*r->findings));
	r->findings[r->n] =
		(struct finding){ .kind = kind, .off = FINDING_NO_OFFSET };
	return &r->findings[r->n++];
}

static char *text_of(const char *fmt, va_list ap) PRINTF(1, 0);
static char *text_of(const char *fmt, va_list ap)
{
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	return xstrdup(text);
}

void verify_damage(struct verify_report *r, uint64_t off, const char *fmt, ...)
{
	struct finding *f = add(r, FINDING_DAMAGE);
	va_list ap;

	va_start(ap, fmt);
	f->text = text_of(fmt, ap);
	va_end(ap);
	f->off = off;
	r->totals.damage++;
}

void verify_note(struct verify_report *r, const char *fmt, ...)
{
	struct finding *f = add(r, FINDING_NOTE);
	va_list ap;

	va_start(ap, fmt);
	f->text = text_of(fmt, ap);
	va_end(ap);
	r->totals.notes++;
}

void verify_lost(struct verify_report *r, struct span parent, struct span name)
{
	struct finding *f = add(r, FINDING_LOST);
	size_t len = entry_uid_len(parent, name);
	char *uid = xcalloc(1, len + 1);

	entry_uid(parent, name, uid);
	f->uid = span_of(uid, len);
	f->text = xstrdup("cannot be read");
	r->totals.lost++;
}

void verify_lost_many(struct verify_report *r, uint64_t n, const char *fmt, ...)
{
	struct finding *f = add(r, FINDING_LOST);
	va_list ap;

	va_start(ap, fmt);
	f->text = text_of(fmt, ap);
	va_end(ap);
	r->totals.lost += n;
}

static void sum_up(struct verify_totals *to, const struct verify_totals *from)
{
	to->shards += from->shards;
	to->entries += from->entries;
	to->files += from->files;
	to->plain_bytes += from->plain_bytes;
	to->blocks += from->blocks;
	to->damage += from->damage;
	to->lost += from->lost;
	to->notes += from->notes;
}

void verify_report_tell(struct verify_report *r,
			const struct verify_options *opts,
			struct verify_totals *totals)
{
	for (size_t i = 0; i < r->n; i++) {
		struct finding *f = &r->findings[i];

		f->key = r->key;
		opts->fn(opts->arg, f);
		free((void *)(uintptr_t)f->text);
		free((void *)(uintptr_t)f->uid.p);
	}
	free(r->findings);
	sum_up(totals, &r->totals);
	*r = (struct verify_report){ .key = r->key };
}
