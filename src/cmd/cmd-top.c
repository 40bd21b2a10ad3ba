/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-top.c - desfs top: what a mount is doing, again and again. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/mountinfo.h"
#include "base/opt-rows.h"
#include "base/stop.h"
#include "cmd/cmd.h"
#include "cmd/tell.h"
#include "cmd/top-ask.h"
#include "cmd/top-json.h"
#include "cmd/top-terminal.h"
#include "cmd/top-view.h"

#define INTERVAL_MAX 86400
#define COUNT_MAX 1000000000
#define PATIENCE (3 * CLOCK_NS_PER_SEC) /* until no answer is news */
#define TICK (CLOCK_NS_PER_SEC / 2)     /* how often that is told anew */

struct top_options {
	bool once, batch, json;
	unsigned int interval; /* seconds */
	unsigned int count;    /* 0: no end */
	const char *control;
};

static const struct opt top_opts[] = {
	{ .name = "once",
	  .letter = '1',
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct top_options, once),
	  .help = "print what there was since the start, and end" },
	{ .name = "batch",
	  .letter = 'b',
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct top_options, batch),
	  .help = "print one after the other, also on a terminal" },
	{ .name = "interval",
	  .letter = 'd',
	  .arg = "SECONDS",
	  .kind = OPT_UINT,
	  .min = 1,
	  .max = INTERVAL_MAX,
	  .offset = offsetof(struct top_options, interval),
	  .help = "look this often [2]" },
	{ .name = "count",
	  .letter = 'n',
	  .arg = "N",
	  .kind = OPT_UINT,
	  .min = 1,
	  .max = COUNT_MAX,
	  .offset = offsetof(struct top_options, count),
	  .help = "end after so many looks" },
	{ .name = "control",
	  .arg = "NAME",
	  .kind = OPT_STRING,
	  .offset = offsetof(struct top_options, control),
	  .help = "name of the mount's control directory [.des]" },
	OPT_ROW_JSON(struct top_options, json,
		     "print one JSON object each time, with all counters"),
};

struct top {
	const struct top_options *o;
	const char *mountpoint;
	bool is_screen; /* it is redrawn, and there are keys */
	struct ask *ask;
	struct look *before; /* NULL the first time */
};

/* Why a wait ended. */
enum event { EVENT_TIME, EVENT_LOOK, EVENT_KEY, EVENT_END };

static enum event wait_until(const struct top *t, uint64_t at, bool for_look)
{
	struct pollfd p[] = {
		{ .fd = stop_descriptor(), .events = POLLIN },
		{ .fd = for_look ? ask_descriptor(t->ask) : -1,
		  .events = POLLIN },
		{ .fd = t->is_screen ? STDIN_FILENO : -1, .events = POLLIN },
	};
	uint64_t now = clock_mono_ns();
	int ms = at > now ? (int)((at - now) / CLOCK_NS_PER_MS) + 1 : 0;
	int n = poll(p, ARRAY_LEN(p), ms);

	if (stop_requested())
		return EVENT_END;
	if (n > 0 && p[1].revents)
		return EVENT_LOOK;
	if (n > 0 && p[2].revents) {
		char key = terminal_key();

		/* A terminal that is gone is readable for ever. */
		return key == 'q' || key == 'Q' || !key ? EVENT_END : EVENT_KEY;
	}
	return EVENT_TIME;
}

static void tell_waiting(const struct top *t, const struct top_view *v,
			 uint64_t ns)
{
	CLEANUP_BUF struct buf b = { .max = 1 << 16 };

	top_view_waiting(v, ns, &b);
	if (t->is_screen)
		terminal_show(&b);
	else
		fprintf(stderr, "%s", buf_str(&b));
}

static struct top_view view_of(const struct top *t, const struct look *now)
{
	struct top_view v = {
		.mountpoint = t->mountpoint,
		.now = now,
		.before = t->before,
		.is_short = t->is_screen,
	};
	unsigned int rows;

	terminal_size(&v.columns, &rows);
	v.knows_kernel = ask_kernel(t->mountpoint, &v.in_kernel);
	return v;
}

/* The next look; *ret NULL: it is to end before that. */
static enum rc next_look(struct top *t, struct look **ret, struct err *err)
{
	uint64_t since = clock_mono_ns(), tell_at = since + PATIENCE;

	*ret = NULL;
	ask_begin(t->ask);
	for (;;) {
		switch (wait_until(t, tell_at, true)) {
		case EVENT_LOOK: return ask_take(t->ask, ret, err);
		case EVENT_END: return RC_OK;
		case EVENT_KEY: break;
		case EVENT_TIME: {
			struct top_view v = view_of(t, NULL);

			tell_waiting(t, &v, clock_mono_ns() - since);
			tell_at = clock_mono_ns() +
				  (t->is_screen ? TICK : PATIENCE);
			break;
		}
		}
	}
}

static void show(const struct top *t, const struct look *now, bool is_first)
{
	struct top_view v = view_of(t, now);
	CLEANUP_BUF struct buf b = { .max = 1 << 20 };

	if (t->o->json) {
		top_json(&v, stdout);
	} else {
		top_view(&v, &b);
		if (t->is_screen)
			terminal_show(&b);
		else
			printf("%s%s", is_first ? "" : "\n", buf_str(&b));
	}
	fflush(stdout);
}

/* False when it is to end. */
static bool pause_until(const struct top *t, uint64_t at)
{
	while (clock_mono_ns() < at) {
		switch (wait_until(t, at, false)) {
		case EVENT_END: return false;
		case EVENT_KEY: return true;
		case EVENT_LOOK:
		case EVENT_TIME: break;
		}
	}
	return !stop_requested();
}

static enum rc watch(struct top *t, struct err *err)
{
	unsigned int count = t->o->once ? 1 : t->o->count;
	enum rc rc = RC_OK;

	for (unsigned int n = 1;; n++) {
		struct look *now;
		uint64_t next;

		rc = next_look(t, &now, err);
		if (rc || !now)
			break;
		show(t, now, n == 1);
		look_free(t->before);
		t->before = now;
		next = clock_mono_ns() + t->o->interval * CLOCK_NS_PER_SEC;
		if (n == count || ferror(stdout) || !pause_until(t, next))
			break;
	}
	look_free(t->before);
	return rc;
}

/* A daemon that is stuck is not asked. */
static enum rc check_mount(const char *path, struct err *err)
{
	CLEANUP_FREE char *real = realpath(path, NULL);
	bool is_mounted = false;

	if (!real)
		return err_set_errno(err, errno, "%s", path);
	if (mountinfo_has_desfs(real, &is_mounted, err))
		return err->rc;
	if (!is_mounted)
		return err_set(err, RC_NOENT, "%s: no archive is mounted there",
			       path);
	return RC_OK;
}

static enum rc top_run(const void *options, int argc, char **argv,
		       struct err *err)
{
	const struct top_options *o = options;
	CLEANUP_FREE char *path = NULL;
	struct top t = {
		.o = o,
		.mountpoint = argv[0],
		.is_screen = isatty(STDOUT_FILENO) && isatty(STDIN_FILENO) &&
			     !o->batch && !o->json && !o->once,
	};
	enum rc rc;

	(void)argc;
	rc = check_mount(argv[0], err);
	if (!rc)
		rc = stop_init(STOP_ON_HUP | STOP_TWICE_KILLS, err);
	path = xasprintf("%s/%s", argv[0], o->control);
	if (!rc)
		rc = ask_open(&t.ask, path, err);
	if (rc)
		return rc;
	if (t.is_screen)
		terminal_begin();
	rc = watch(&t, err);
	if (t.is_screen)
		terminal_end();
	ask_close(t.ask);
	return rc;
}

static const struct top_options top_defaults = { .interval = 2,
						 .control = ".des" };

const struct cmd cmd_top = {
	.name = "top",
	.usage = "[OPTION]... MOUNTPOINT",
	.summary = "show what a mount is doing and what is slow",
	.opts = top_opts,
	.n_opts = ARRAY_LEN(top_opts),
	.defaults = &top_defaults,
	.options_size = sizeof(top_defaults),
	.min_args = 1,
	.max_args = 1,
	.run = top_run,
};
