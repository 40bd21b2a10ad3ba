/* SPDX-License-Identifier: Apache-2.0 */
/* progress.c - how far a long run has come. */
#include "config.h"

#include "base/progress.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/human.h"
#include "base/json-text.h"
#include "base/log.h"
#include "base/mem.h"

#define LINE_NS (200 * CLOCK_NS_PER_MS)
#define LOG_NS CLOCK_NS_PER_SEC
#define OUT_MAX 4096

/* The rate is a mean over about so many seconds. */
#define RATE_SECONDS 4.0

const char *const progress_mode_names[] = { "auto", "always", "never", "json",
					    NULL };

/* LINE: rewritten in place; PLAIN: the same, one below the other. */
enum output { OUTPUT_NONE, OUTPUT_LINE, OUTPUT_PLAIN, OUTPUT_JSON };

struct progress {
	enum output output;
	int fd;
	uint64_t interval;
	uint64_t start;
	atomic_uint_fast64_t due; /* when the next line may be written */

	/* Guards what follows.  Held while writing: only updates that are due
	 * take it, and they try and go on when another has it.
	 */
	pthread_mutex_t lock;
	uint64_t last_time;
	uint64_t last_bytes;
	double rate; /* bytes a second; 0: not known yet */
};

static enum output choose_output(enum progress_mode mode, int fd)
{
	switch (mode) {
	case PROGRESS_AUTO: return isatty(fd) ? OUTPUT_LINE : OUTPUT_NONE;
	case PROGRESS_ALWAYS: return isatty(fd) ? OUTPUT_LINE : OUTPUT_PLAIN;
	case PROGRESS_NEVER: return OUTPUT_NONE;
	case PROGRESS_JSON: return OUTPUT_JSON;
	}
	return OUTPUT_NONE;
}

struct progress *progress_new(enum progress_mode mode, int fd)
{
	struct progress *p = xcalloc(1, sizeof(*p));

	p->output = choose_output(mode, fd);
	p->fd = fd;
	p->interval = p->output == OUTPUT_LINE ? LINE_NS : LOG_NS;
	p->start = clock_coarse_ns();
	p->last_time = p->start;
	atomic_init(&p->due, p->start + p->interval);
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

/* Mix the speed since the last line into the mean. */
static void measure(struct progress *p, uint64_t now, uint64_t bytes)
{
	double dt = (double)(now - p->last_time) / CLOCK_NS_PER_SEC;
	double rate, weight;

	if (now <= p->last_time || bytes < p->last_bytes)
		return;
	rate = (double)(bytes - p->last_bytes) / dt;
	weight = p->rate > 0 ? dt / (dt + RATE_SECONDS) : 1;
	p->rate += (rate - p->rate) * weight;
	p->last_time = now;
	p->last_bytes = bytes;
}

/* Nanoseconds left; 0 when nobody knows. */
static uint64_t time_left(const struct progress *p, uint64_t now,
			  const struct progress_counters *c)
{
	double left = 0;

	if (c->bytes_total > c->bytes_in && p->rate >= 1)
		left = (double)(c->bytes_total - c->bytes_in) / p->rate *
		       CLOCK_NS_PER_SEC;
	else if (c->files_total > c->files_done && c->files_done)
		left = (double)(now - p->start) *
		       ((double)(c->files_total - c->files_done) /
			(double)c->files_done);
	return left < 1e18 ? (uint64_t)left : 0;
}

static void format_line(const struct progress *p, uint64_t now,
			const struct progress_counters *c, struct buf *b)
{
	char one[HUMAN_MAX], two[HUMAN_MAX];
	uint64_t left = time_left(p, now, c);

	if (c->phase && *c->phase) {
		text_escape(b, c->phase, strlen(c->phase));
		buf_append_str(b, ": ");
	}
	buf_printf(b, "%" PRIu64, c->files_done);
	if (c->files_total)
		buf_printf(b, "/%" PRIu64, c->files_total);
	buf_append_str(b, " files");
	if (c->errors)
		buf_printf(b, ", %" PRIu64 " failed", c->errors);
	buf_printf(b, ", %s", human_bytes(one, c->bytes_in));
	if (c->bytes_out)
		buf_printf(b, " -> %s", human_bytes(two, c->bytes_out));
	if (p->rate >= 1)
		buf_printf(b, ", %s/s", human_bytes(one, (uint64_t)p->rate));
	if (left)
		buf_printf(b, ", %s left", human_duration(two, left));
}

static void format_json(const struct progress *p, uint64_t now,
			const struct progress_counters *c, bool is_last,
			struct buf *b)
{
	const char *phase = c->phase ? c->phase : "";
	uint64_t left = time_left(p, now, c);

	buf_append_str(b, "{\"progress\":1,\"phase\":");
	json_text_string(b, phase, strlen(phase));
	buf_printf(b, ",\"files_done\":%" PRIu64, c->files_done);
	if (c->files_total)
		buf_printf(b, ",\"files_total\":%" PRIu64, c->files_total);
	buf_printf(b, ",\"bytes_in\":%" PRIu64, c->bytes_in);
	if (c->bytes_total)
		buf_printf(b, ",\"bytes_total\":%" PRIu64, c->bytes_total);
	buf_printf(b, ",\"bytes_out\":%" PRIu64 ",\"errors\":%" PRIu64,
		   c->bytes_out, c->errors);
	buf_printf(b, ",\"seconds\":%.1f,\"bytes_per_second\":%.0f",
		   (double)(now - p->start) / CLOCK_NS_PER_SEC, p->rate);
	if (left)
		buf_printf(b, ",\"seconds_left\":%.0f",
			   (double)left / CLOCK_NS_PER_SEC);
	buf_printf(b, ",\"done\":%s}\n", is_last ? "true" : "false");
}

/* Cut the line to the terminal's width: a line that wraps cannot be rewritten.
 * Each character counts as one column.
 */
static void cut_to_width(struct buf *b, int fd)
{
	struct winsize ws;
	size_t width = 80;
	size_t columns = 0;

	if (!ioctl(fd, TIOCGWINSZ, &ws) && ws.ws_col)
		width = ws.ws_col;
	for (size_t i = 0; i < b->len; i++) {
		bool is_start = (b->p[i] & 0xc0) != 0x80;

		if (is_start && ++columns >= width) {
			b->len = i;
			return;
		}
	}
}

static void write_all(int fd, const struct buf *b)
{
	ssize_t n;

	if (!buf_ok(b) || !b->len)
		return;
	/* A line that cannot be written is followed by the next. */
	n = write(fd, b->p, b->len);
	(void)n;
}

static void draw_line(struct progress *p, const struct buf *text)
{
	struct buf b;

	buf_init(&b, OUT_MAX);
	buf_append_str(&b, "\r");
	buf_append(&b, text->p, text->len);
	buf_append_str(&b, "\033[K");
	log_set_unfinished_line(true);
	write_all(p->fd, &b);
	buf_release(&b);
}

/* Called with the lock held. */
static void report(struct progress *p, uint64_t now,
		   const struct progress_counters *c, bool is_last)
{
	struct buf b;

	measure(p, now, c->bytes_in);
	buf_init(&b, OUT_MAX);
	switch (p->output) {
	case OUTPUT_NONE: break;
	case OUTPUT_LINE:
		format_line(p, now, c, &b);
		cut_to_width(&b, p->fd);
		if (buf_ok(&b))
			draw_line(p, &b);
		break;
	case OUTPUT_PLAIN:
		format_line(p, now, c, &b);
		buf_append_str(&b, "\n");
		write_all(p->fd, &b);
		break;
	case OUTPUT_JSON:
		format_json(p, now, c, is_last, &b);
		write_all(p->fd, &b);
		break;
	}
	buf_release(&b);
}

void progress_update(struct progress *p, const struct progress_counters *c)
{
	uint64_t now, due;

	if (p->output == OUTPUT_NONE)
		return;
	now = clock_coarse_ns();
	due = atomic_load_explicit(&p->due, memory_order_relaxed);
	if (now < due ||
	    !atomic_compare_exchange_strong(&p->due, &due, now + p->interval))
		return;
	if (pthread_mutex_trylock(&p->lock))
		return;
	report(p, now, c, false);
	pthread_mutex_unlock(&p->lock);
}

void progress_end(struct progress *p, const struct progress_counters *c)
{
	static const char wipe[] = "\r\033[K";

	if (!p)
		return;
	if (p->output == OUTPUT_LINE) {
		struct buf b = { .max = sizeof(wipe) };

		buf_append_str(&b, wipe);
		write_all(p->fd, &b);
		buf_release(&b);
		log_set_unfinished_line(false);
	} else if (c) {
		report(p, clock_coarse_ns(), c, true);
	}
	pthread_mutex_destroy(&p->lock);
	free(p);
}
