/* SPDX-License-Identifier: Apache-2.0 */
/* progress.c - how far a long run has come. */
#include "config.h"

#include "base/progress.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/progress-format.h"

#define LINE_NS (200 * CLOCK_NS_PER_MS)
#define LOG_NS CLOCK_NS_PER_SEC
#define OUT_MAX 4096

/* Speeds are means over about so many seconds; what is left is told from a
 * longer one, so that it does not jump.
 */
#define SPEED_SECONDS 4.0
#define LEFT_SECONDS 20.0

/* Less is not worth a time left. */
#define LEFT_AFTER CLOCK_NS_PER_SEC

const char *const progress_mode_names[] = { "auto", "always", "never", "json",
					    NULL };

/* LINE: rewritten in place; PLAIN: the same, one below the other. */
enum output { OUTPUT_NONE, OUTPUT_LINE, OUTPUT_PLAIN, OUTPUT_JSON };

/* How quickly a number grows. */
struct speed {
	uint64_t last;
	double per_second;
	bool is_known;
};

struct progress {
	enum output output; /* NONE from progress_end on */
	int fd;
	uint64_t interval;
	uint64_t start;
	uint64_t due;              /* when the next line may be written */
	uint64_t last_time;        /* of measuring */
	uint64_t phase_time;       /* since when the totals are those of now */
	struct speed files, bytes; /* worked on */
	struct speed files_done, bytes_done; /* all */

	pthread_mutex_t lock; /* guards result */
	struct progress_speed result;
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
	p->start = clock_mono_ns();
	p->last_time = p->phase_time = p->start;
	p->due = p->start + p->interval;
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* --- speeds ---------------------------------------------------------------
 */

/* Mix the speed since the last time into the mean.  False: it began anew. */
static bool speed_add(struct speed *s, double dt, uint64_t n, double seconds)
{
	bool is_on = n >= s->last;
	double now, weight;

	if (!is_on)
		*s = (struct speed){ .last = n };
	now = (double)(n - s->last) / dt;
	weight = s->is_known ? dt / (dt + seconds) : 1;
	s->per_second += (now - s->per_second) * weight;
	s->is_known = is_on;
	s->last = n;
	return is_on;
}

/* Seconds for the rest of one number; below 0 when nobody knows. */
static double seconds_for(const struct speed *s, uint64_t done, uint64_t total)
{
	if (total <= done)
		return 0;
	return s->per_second > 0 ? (double)(total - done) / s->per_second : -1;
}

static void find_left(struct progress *p, uint64_t now,
		      const struct progress_counters *c,
		      struct progress_speed *ret)
{
	double files =
		seconds_for(&p->files_done, c->files_done, c->files_total);
	double bytes =
		seconds_for(&p->bytes_done, c->bytes_done, c->bytes_total);
	/* Many small files take their time, and so do few large ones. */
	double left = files > bytes ? files : bytes;

	ret->is_left_known = c->files_total && files >= 0 && bytes >= 0 &&
			     left < 1e9 && now - p->phase_time >= LEFT_AFTER;
	if (ret->is_left_known)
		ret->ns_left = (uint64_t)(left * CLOCK_NS_PER_SEC);
}

static void measure(struct progress *p, uint64_t now,
		    const struct progress_counters *c)
{
	struct progress_speed result = { 0 };
	double dt = (double)(now - p->last_time) / CLOCK_NS_PER_SEC;

	if (now <= p->last_time)
		return;
	speed_add(&p->files, dt, c->files_in, SPEED_SECONDS);
	speed_add(&p->bytes, dt, c->bytes_in, SPEED_SECONDS);
	speed_add(&p->bytes_done, dt, c->bytes_done, LEFT_SECONDS);
	if (!speed_add(&p->files_done, dt, c->files_done, LEFT_SECONDS))
		p->phase_time = now;
	p->last_time = now;
	result.files = p->files.per_second;
	result.bytes = p->bytes.per_second;
	find_left(p, now, c, &result);
	pthread_mutex_lock(&p->lock);
	p->result = result;
	pthread_mutex_unlock(&p->lock);
}

struct progress_speed progress_speed(struct progress *p)
{
	LOCK_SCOPE(&p->lock);

	return p->result;
}

/* --- writing ----------------------------------------------------------------
 */

static size_t width_of(int fd)
{
	struct winsize ws;

	return !ioctl(fd, TIOCGWINSZ, &ws) && ws.ws_col ? ws.ws_col : 80;
}

/* Cut the line to the terminal's width: a line that wraps cannot be rewritten.
 * Each character counts as one column.
 */
static void cut_to_width(struct buf *b, size_t width)
{
	size_t n = 0;

	for (size_t i = 0; i < b->len; i++) {
		bool is_start = (b->p[i] & 0xc0) != 0x80;

		if (is_start && ++n >= width) {
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

static void report(struct progress *p, uint64_t now,
		   const struct progress_counters *c, bool is_last)
{
	struct progress_speed speed;
	size_t width;
	struct buf b;

	measure(p, now, c);
	speed = progress_speed(p);
	buf_init(&b, OUT_MAX);
	switch (p->output) {
	case OUTPUT_NONE: break;
	case OUTPUT_LINE:
		width = width_of(p->fd);
		progress_format_line(c, speed, width, &b);
		cut_to_width(&b, width);
		if (buf_ok(&b))
			draw_line(p, &b);
		break;
	case OUTPUT_PLAIN:
		progress_format_line(c, speed, SIZE_MAX, &b);
		buf_append_str(&b, "\n");
		write_all(p->fd, &b);
		break;
	case OUTPUT_JSON:
		progress_format_json(c, speed, now - p->start, is_last, &b);
		write_all(p->fd, &b);
		break;
	}
	buf_release(&b);
}

uint64_t progress_update(struct progress *p, const struct progress_counters *c)
{
	uint64_t now = clock_mono_ns();

	if (now >= p->due) {
		p->due = now + p->interval;
		report(p, now, c, false);
	}
	return p->due;
}

void progress_end(struct progress *p, const struct progress_counters *c)
{
	static const char wipe[] = "\r\033[K";

	if (p->output == OUTPUT_LINE) {
		struct buf b = { .max = sizeof(wipe) };

		buf_append_str(&b, wipe);
		write_all(p->fd, &b);
		buf_release(&b);
		log_set_unfinished_line(false);
	} else if (c) {
		report(p, clock_mono_ns(), c, true);
	}
	p->output = OUTPUT_NONE;
}
