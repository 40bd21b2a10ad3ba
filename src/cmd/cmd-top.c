/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-top.c - desfs top: what a mount is doing, from its control file. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/human.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/stop.h"
#include "cmd/cmd.h"
#include "cmd/json-row.h"

#define STATS_MAX (4u << 20)
#define INTERVAL_MAX 86400

struct top_options {
	bool once;
	bool json;
	unsigned int interval; /* seconds */
	const char *control;
};

static const struct opt top_opts[] = {
	{ .name = "once",
	  .letter = '1',
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct top_options, once),
	  .help = "print the totals once and end" },
	{ .name = "interval",
	  .letter = 'n',
	  .arg = "SECONDS",
	  .kind = OPT_UINT,
	  .min = 1,
	  .max = INTERVAL_MAX,
	  .offset = offsetof(struct top_options, interval),
	  .help = "look this often [2]" },
	{ .name = "control",
	  .arg = "NAME",
	  .kind = OPT_STRING,
	  .offset = offsetof(struct top_options, control),
	  .help = "name of the mount's control directory [.des]" },
	{ .name = "json",
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct top_options, json),
	  .help = "print one JSON object each time, with all counters" },
};

/* What is shown of the counters: the label, the name, its unit. */
static const struct {
	const char *label, *name;
	bool is_bytes;
} rows[] = {
	{ "FUSE messages", "fuse_messages", false },
	{ "  lookups", "fuse_lookup", false },
	{ "  reads", "fuse_read", false },
	{ "  readdirs", "fuse_readdir", false },
	{ "  readdirs with attributes", "fuse_readdirplus", false },
	{ "  getattrs", "fuse_getattr", false },
	{ "control messages", "control_messages", false },
	{ "bytes served", "volume_bytes_served", true },
	{ "blocks in cache: hits", "volume_block_hits", false },
	{ "  misses", "volume_block_misses", false },
	{ "index pages in cache: hits", "volume_page_hits", false },
	{ "  misses", "volume_page_misses", false },
	{ "index cache: hits", "volume_index_hits", false },
	{ "  misses", "volume_index_misses", false },
	{ "  failed", "volume_index_errors", false },
	{ "disk cache: hits", "volume_disk_hits", false },
	{ "  misses", "volume_disk_misses", false },
	{ "shards opened", "volume_shards_opened", false },
	{ "store reads", "volume_store_reads", false },
	{ "store bytes", "volume_store_bytes", true },
	{ "ranges fetched", "volume_fetch_ranges", false },
	{ "  ahead", "volume_fetch_ahead", false },
	{ "requests: GET", "volume_store_get", false },
	{ "  LIST", "volume_store_get_list", false },
	{ "  tried again", "volume_store_retries", false },
	{ "  timeouts", "volume_store_timeouts", false },
	{ "  throttled", "volume_store_throttled", false },
	{ "  wrong replies", "volume_store_bad_replies", false },
	{ "  bytes received", "volume_store_wire_in", true },
	{ "refreshes", "refresh_done", false },
	{ "errors replied", "error_replies", false },
	{ "damaged objects met", "volume_corrupt", false },
};

/* One look at the control file. */
struct look {
	char *text;  /* lines of "name value" */
	uint64_t at; /* ns */
};

static enum rc take_look(const char *path, struct look *ret, struct err *err)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP_FREE char *text = NULL;
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return err_set(err, RC_NOENT,
			       "%s: not there; is it a mount of desfs?", path);
	if (fd < 0)
		return err_set_errno(err, errno, "%s", path);
	text = xcalloc(1, STATS_MAX + 1);
	n = io_read(fd, text, STATS_MAX);
	if (n < 0)
		return err_set_errno(err, errno, "%s", path);
	ret->at = clock_mono_ns();
	ret->text = STEAL_PTR(text);
	return RC_OK;
}

/* The value of a counter, 0 when it is not there. */
static uint64_t value_of(const char *text, const char *name)
{
	size_t len = strlen(name);

	while (text) {
		if (!strncmp(text, name, len) && text[len] == ' ')
			return strtoull(text + len + 1, NULL, 10);
		text = strchr(text, '\n');
		text += !!text;
	}
	return 0;
}

static void print_head(const char *text)
{
	char up[HUMAN_MAX], plain[HUMAN_MAX], stored[HUMAN_MAX];
	char blocks[HUMAN_MAX];

	printf("up %s; %" PRIu64 " shards, %" PRIu64 " entries, %s in %s; "
	       "block cache %s\n\n",
	       human_duration(up,
			      value_of(text, "uptime_ms") * CLOCK_NS_PER_MS),
	       value_of(text, "volume_n_shards"),
	       value_of(text, "volume_n_entries"),
	       human_bytes(plain, value_of(text, "volume_plain_bytes")),
	       human_bytes(stored, value_of(text, "volume_stored_bytes")),
	       human_bytes(blocks, value_of(text, "volume_block_cache_bytes")));
}

static void show(char ret[HUMAN_MAX], uint64_t v, bool is_bytes)
{
	if (is_bytes)
		human_bytes(ret, v);
	else
		snprintf(ret, HUMAN_MAX, "%" PRIu64, v);
}

/* The part of a name from s to the next ':' or blank. */
static int part_len(const char *s)
{
	return (int)strcspn(s, ": \n");
}

/* The stores of zones: "zone:ZONE:STORE:state N" begins one. */
static void print_zones(const char *text)
{
	static const char *const states[] = { "used", "left alone",
					      "being tried" };
	static const char head[] = "zone:", key[] = ":state ";
	bool is_headed = false;

	for (const char *line = text; line && *line;
	     line = strchr(line, '\n'), line += !!line) {
		const char *zone = line + strlen(head), *store, *end;
		unsigned long state;

		if (strncmp(line, head, strlen(head)) != 0)
			continue;
		store = zone + part_len(zone);
		store += *store == ':';
		end = store + part_len(store);
		if (strncmp(end, key, strlen(key)) != 0)
			continue;
		if (!is_headed)
			printf("\n%-14s %-14s %s\n", "zone", "store", "state");
		is_headed = true;
		state = strtoul(end + strlen(key), NULL, 10);
		printf("%-14.*s %-14.*s %s\n", part_len(zone), zone,
		       part_len(store), store,
		       state < ARRAY_LEN(states) ? states[state] : "unknown");
	}
}

/* before->text is NULL the first time: no rates. */
static void print_text(const struct look *now, const struct look *before)
{
	bool has_rates = before->text;
	double seconds = (double)(now->at - before->at) / CLOCK_NS_PER_SEC;

	if (isatty(STDOUT_FILENO) && has_rates)
		printf("\033[H\033[J");
	print_head(now->text);
	printf("%-30s %14s %14s\n", "", "total", has_rates ? "a second" : "");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t v = value_of(now->text, rows[i].name);
		char total[HUMAN_MAX], rate[HUMAN_MAX] = "";

		show(total, v, rows[i].is_bytes);
		if (has_rates) {
			uint64_t grown =
				v - value_of(before->text, rows[i].name);

			show(rate, (uint64_t)((double)grown / seconds + 0.5),
			     rows[i].is_bytes);
		}
		printf("%-30s %14s %14s\n", rows[i].label, total, rate);
	}
	print_zones(now->text);
}

static void print_json(const struct look *now)
{
	CLEANUP_BUF struct buf b = { .max = JSON_ROW_MAX };
	const char *line = now->text;

	json_row_begin(&b);
	json_row_u64(&b, "v", 1);
	while (line && *line) {
		size_t len = strcspn(line, " \n");
		char name[192];

		if (line[len] == ' ' && len < sizeof(name)) {
			memcpy(name, line, len);
			name[len] = '\0';
			json_row_u64(&b, name,
				     strtoull(line + len + 1, NULL, 10));
		}
		line = strchr(line, '\n');
		line += !!line;
	}
	json_row_end(&b, stdout);
}

static enum rc watch(const struct top_options *o, const char *path,
		     struct err *err)
{
	struct look before = { .text = NULL };
	enum rc rc;

	for (;;) {
		struct look now = { .text = NULL };

		rc = take_look(path, &now, err);
		if (rc)
			break;
		if (o->json)
			print_json(&now);
		else
			print_text(&now, &before);
		fflush(stdout);
		free(before.text);
		before = now;
		if (o->once || ferror(stdout) ||
		    stop_sleep(o->interval * CLOCK_NS_PER_SEC))
			break;
	}
	free(before.text);
	return rc;
}

static enum rc top_run(const void *options, int argc, char **argv,
		       struct err *err)
{
	const struct top_options *o = options;
	CLEANUP_FREE char *path = xasprintf("%s/%s/stats", argv[0], o->control);
	enum rc rc;

	(void)argc;
	rc = stop_init(STOP_ON_HUP | STOP_TWICE_KILLS, err);
	return rc ? rc : watch(o, path, err);
}

static const struct top_options top_defaults = { .interval = 2,
						 .control = ".des" };

const struct cmd cmd_top = {
	.name = "top",
	.usage = "[OPTION]... MOUNTPOINT",
	.summary = "show what a mount is doing",
	.opts = top_opts,
	.n_opts = ARRAY_LEN(top_opts),
	.defaults = &top_defaults,
	.options_size = sizeof(top_defaults),
	.min_args = 1,
	.max_args = 1,
	.run = top_run,
};
