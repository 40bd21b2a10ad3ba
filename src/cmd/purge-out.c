/* SPDX-License-Identifier: Apache-2.0 */
/* purge-out.c - what became of one old shard, as people and programs read it.
 */
#include "config.h"

#include "cmd/purge-out.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/timestamp.h"
#include "cmd/json-row.h"
#include "cmd/tell.h"
#include "erase/receipt.h"
#include "repack/purge.h"

static const char *why_not(const struct purge_event *e)
{
	switch (e->verdict) {
	case PURGE_YES: return "its store keeps it";
	case PURGE_HELD: return "under a hold";
	case PURGE_GRACE: return "the grace period is not over";
	case PURGE_RUN_ALIVE: return "an older run is at work";
	case PURGE_UNVERIFIED: return "what takes its place is not whole";
	case PURGE_LACKS: return "what takes its place has not all of it";
	case PURGE_COUNTS:
	case PURGE_UNREAD: return "no record could be read that replaces it";
	}
	return "";
}

static void row_purge(const struct purge_event *e)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };

	json_row_begin_kind(&b, "purge");
	json_row_str(&b, "key", e->key);
	json_row_str(&b, "verdict", purge_verdict_text(e->verdict));
	if (e->zone)
		json_row_str(&b, "zone", e->zone);
	if (e->verdict == PURGE_YES && !e->is_failed)
		json_row_str(&b, "how", receipt_how_text(e->how));
	json_row_time(&b, "until", e->until);
	if (e->text)
		json_row_str(&b, "text", e->text);
	json_row_end(&b, stdout);
}

void purge_out(const struct purge_event *e, bool json, bool dry_run)
{
	char until[TIMESTAMP_TEXT] = "";

	if (e->is_failed)
		tell("%s: not removed: %s", e->key,
		     e->text ? e->text : why_not(e));
	if (json) {
		row_purge(e);
		return;
	}
	if (e->is_failed)
		return;
	if (timestamp_is_valid(e->until))
		timestamp_format(e->until, until);
	if (e->verdict == PURGE_YES && dry_run)
		printf("%s: would be removed\n", e->key);
	else if (e->verdict == PURGE_YES && e->how != RECEIPT_PENDING)
		printf("%s: removed%s%s\n", e->key, e->zone ? " from " : "",
		       e->zone ? e->zone : "");
	else
		printf("%s: stays: %s%s%s%s%s\n", e->key, why_not(e),
		       e->text ? ": " : "", e->text ? e->text : "",
		       *until ? ", until " : "", until);
}
