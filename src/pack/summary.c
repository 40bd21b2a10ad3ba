/* SPDX-License-Identifier: Apache-2.0 */
/* summary.c - the last words of a run. */
#include "config.h"

#include "pack/summary.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/human.h"
#include "pack/report.h"

static double per_second(const struct summary *s, uint64_t n)
{
	return s->ns ? (double)n * CLOCK_NS_PER_SEC / (double)s->ns : 0;
}

static void field(struct buf *out, const char *name, uint64_t n)
{
	buf_printf(out, ",\"%s\":%" PRIu64, name, n);
}

/* Stored bytes for each plain byte of files. */
static void ratio_field(struct buf *out, const struct report_counts *c)
{
	if (c->shards && c->packed_bytes)
		buf_printf(out, ",\"ratio\":%.4f",
			   (double)c->stored_bytes / (double)c->packed_bytes);
	else
		buf_append_str(out, ",\"ratio\":null");
}

void summary_json(const struct summary *s, struct buf *out)
{
	const struct report_counts *c = s->counts;

	buf_printf(out, "{\"v\":1,\"type\":\"summary\",\"dry_run\":%s",
		   s->is_dry_run ? "true" : "false");
	field(out, "found", c->found);
	field(out, "found_bytes", c->found_bytes);
	field(out, "elsewhere", c->elsewhere);
	field(out, "elsewhere_bytes", c->elsewhere_bytes);
	field(out, "packed", c->packed);
	field(out, "packed_bytes", c->packed_bytes);
	field(out, "packed_files", c->packed_files);
	field(out, "packed_dirs", c->packed_dirs);
	field(out, "unchanged", c->unchanged);
	field(out, "unchanged_bytes", c->unchanged_bytes);
	field(out, "removed", c->removed);
	field(out, "removed_sources", c->removed_sources);
	field(out, "removed_source_bytes", c->removed_source_bytes);
	field(out, "kept_sources", c->kept_sources);
	field(out, "failed", c->failed);
	field(out, "left_out", c->left_out);
	field(out, "excluded", c->excluded);
	field(out, "erased", c->erased);
	field(out, "slots", c->slots);
	field(out, "slots_done", c->slots_done);
	field(out, "shards", c->shards);
	field(out, "shards_existed", c->shards_existed);
	field(out, "stored_bytes", c->stored_bytes);
	ratio_field(out, c);
	field(out, "duration_ms", s->ns / CLOCK_NS_PER_MS);
	buf_printf(out, ",\"files_per_second\":%.1f,\"bytes_per_second\":%.0f",
		   per_second(s, c->packed), per_second(s, c->packed_bytes));
	field(out, "rss_max_bytes", s->rss_max);
	field(out, "spilled_bytes", s->spilled);
	buf_append_str(out, "}");
}

static void dry_text(const struct report_counts *c, struct buf *out)
{
	char in[HUMAN_MAX];

	buf_printf(out,
		   "would pack %" PRIu64 " names, %s; %" PRIu64
		   " unchanged, %" PRIu64 " removed, %" PRIu64 " failed\n",
		   c->packed, human_bytes(in, c->packed_bytes), c->unchanged,
		   c->removed, c->failed);
}

static void packed_text(const struct summary *s, struct buf *out)
{
	const struct report_counts *c = s->counts;
	char text[HUMAN_MAX];

	buf_printf(out,
		   "packed %" PRIu64 " names (%" PRIu64 " files, %" PRIu64
		   " directories), %s",
		   c->packed, c->packed_files, c->packed_dirs,
		   human_bytes(text, c->packed_bytes));
	if (c->shards)
		buf_printf(out, ", into %" PRIu64 " shards, %s", c->shards,
			   human_bytes(text, c->stored_bytes));
	if (c->shards && c->packed_bytes)
		buf_printf(out, " (%.1f %%)",
			   100.0 * (double)c->stored_bytes /
				   (double)c->packed_bytes);
	buf_printf(out, ", in %s\n", human_duration(text, s->ns));
}

static void sources_text(const struct summary *s, struct buf *out)
{
	const struct report_counts *c = s->counts;
	char text[HUMAN_MAX];

	if (!c->removed_sources && !c->kept_sources)
		return;
	buf_printf(out, "%s %" PRIu64 " source files, %s",
		   s->is_dry_run ? "would remove" : "removed",
		   c->removed_sources,
		   human_bytes(text, c->removed_source_bytes));
	if (c->kept_sources)
		buf_printf(out, "; kept %" PRIu64, c->kept_sources);
	buf_append_str(out, "\n");
}

static void erased_text(const struct report_counts *c, struct buf *out)
{
	if (c->erased)
		buf_printf(out,
			   "%" PRIu64 " erased: they were deleted for good, "
			   "and are not packed again\n",
			   c->erased);
}

void summary_text(const struct summary *s, struct buf *out)
{
	const struct report_counts *c = s->counts;
	char rate[HUMAN_MAX], rss[HUMAN_MAX], spilled[HUMAN_MAX];

	sources_text(s, out);
	erased_text(c, out);
	if (s->is_dry_run) {
		dry_text(c, out);
		return;
	}
	packed_text(s, out);
	buf_printf(out,
		   "%" PRIu64 " unchanged, %" PRIu64 " removed, %" PRIu64
		   " failed, %" PRIu64 " left out, %" PRIu64 " excluded\n",
		   c->unchanged, c->removed, c->failed, c->left_out,
		   c->excluded);
	human_bytes(rate, (uint64_t)per_second(s, c->packed_bytes));
	buf_printf(out,
		   "%.0f names/s, %s/s, %s of memory at most, %s spilled\n",
		   per_second(s, c->packed), rate, human_bytes(rss, s->rss_max),
		   human_bytes(spilled, s->spilled));
}
