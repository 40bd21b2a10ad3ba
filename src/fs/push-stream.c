/* SPDX-License-Identifier: Apache-2.0 */
/* push-stream.c - which files to push to the kernel next: pure policy. */
#include "config.h"

#include "fs/push-stream.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/mem.h"
#include "fs/push-table.h"

/* Reads this many files apart are one reader's, or those of threads that share
 * a directory.
 */
#define NEAR 8u
/* Reads in order before a window begins without credit, and at most. */
#define EVIDENCE 2u
#define EVIDENCE_MAX 64u
/* Files to be pushed before the reader goes on, more when it came too soon. */
#define LEAD 4u
#define LEAD_MAX 16u
#define LEAD_BYTES (32u << 10) /* are as good */
/* Windows of fewer files have no marker. */
#define MARKED_MIN 4u
/* A bet on a whole directory, before its first file is read, takes more. */
#define CREDIT_MAX 32u
#define CREDIT_EARLY 8u
#define CREDIT_STEP 4u /* for twice the window */
/* In a row: the kernel has forgotten the directory. */
#define REFUSED_MAX 4u
/* Of one window: the kernel is short of memory and drops what it is given. */
#define AGAIN_MAX 4u

struct push_streams {
	struct push_table table;
	struct push_stretch *going[PUSH_STREAMS];
	uint32_t n_going, turn;
	uint32_t credit;
	struct push_stats stats;
};

/* --- windows -------------------------------------------------------------- */

static void stop(struct push_streams *p, struct push_stretch *s)
{
	if (s->stage != PUSH_GOING)
		return;
	s->stage = PUSH_WAITING;
	for (uint32_t i = 0; i < p->n_going; i++) {
		if (p->going[i] == s) {
			p->going[i] = p->going[--p->n_going];
			return;
		}
	}
}

static void close_window(struct push_streams *p, struct push_stretch *s)
{
	stop(p, s);
	s->stage = PUSH_IDLE;
	s->marker = PUSH_NONE;
	s->is_whole = false;
}

/* Files from the head on, and where the marker is. */
static void plan(struct push_stretch *s, uint32_t n)
{
	uint32_t left = push_stretch_count(s, s->head, s->n, true);

	s->left = n < left ? n : left;
	s->marker = s->left < MARKED_MIN
			    ? PUSH_NONE
			    : push_stretch_find(s, s->head, s->left * 3 / 4);
}

/* A window behind a file of s, or in the run behind s; false: there are no
 * files, or too many streams.
 */
static bool open_window(struct push_streams *p, struct push_stretch *s,
			uint32_t from, uint32_t window)
{
	uint32_t head = push_stretch_find(s, from, 0);

	if (head == PUSH_NONE) {
		struct push_stretch *next = push_table_following(&p->table, s);

		close_window(p, s);
		if (!next || next->stage != PUSH_IDLE)
			return false;
		s = next;
		head = push_stretch_find(s, 0, 0);
	}
	if (head == PUSH_NONE)
		return false;
	if (s->stage != PUSH_GOING) {
		if (p->n_going == PUSH_STREAMS)
			return false;
		p->going[p->n_going++] = s;
	}
	s->stage = PUSH_GOING;
	s->start = s->head = head;
	s->window = window;
	s->bytes_left = PUSH_WINDOW_BYTES;
	s->lead = LEAD;
	s->lead_bytes = 0;
	s->refused = s->again = 0;
	s->is_bet = false;
	plan(s, window);
	p->stats.windows++;
	return true;
}

static uint32_t twice(uint32_t window)
{
	return window < PUSH_WINDOW_MAX / 2 ? window * 2 : PUSH_WINDOW_MAX;
}

static uint32_t window_by_credit(const struct push_streams *p)
{
	uint32_t window = PUSH_WINDOW_MIN;

	for (uint32_t i = p->credit / CREDIT_STEP; i > 0; i--)
		window = twice(window);
	return window;
}

/* A stream begins. */
static void begin(struct push_streams *p, struct push_stretch *s, uint32_t from,
		  bool is_bet)
{
	if (!open_window(p, s, from,
			 is_bet ? window_by_credit(p) : PUSH_WINDOW_MIN))
		return;
	p->stats.streams++;
	if (!is_bet)
		return;
	p->credit--;
	/* It may be that of the run behind s. */
	p->going[p->n_going - 1]->is_bet = true;
}

static void earn(struct push_streams *p, uint32_t credit)
{
	p->credit += credit;
	if (p->credit > CREDIT_MAX)
		p->credit = CREDIT_MAX;
}

/* Some read all of a directory, but in an order of their own, as cp does by
 * inode numbers: that a directory is wanted whole is worth a bet on the next.
 */
static void note_walk(struct push_streams *p, struct push_stretch *s)
{
	if (s->is_walked || s->n_read < MARKED_MIN ||
	    s->n_read * 4 < push_stretch_count(s, 0, s->n, false) * 3)
		return;
	s->is_walked = true;
	earn(p, 2);
}

static void confirm(struct push_streams *p, struct push_stretch *s)
{
	/* In any order the marker is met by chance too. */
	if (s->is_whole &&
	    s->n_read * 4 < push_stretch_count(s, 0, s->n, true)) {
		close_window(p, s);
		return;
	}
	p->stats.confirmed++;
	earn(p, s->is_bet ? 2 : 1);
	s->strikes = 0;
	s->marker = PUSH_NONE;
	open_window(p, s, s->head, twice(s->window));
}

/* The reader was expected elsewhere. */
static void lose(struct push_streams *p, struct push_stretch *s)
{
	close_window(p, s);
	s->strikes++;
	s->evidence = 1;
}

/* A file at the head or behind it is read, or the one that is being pushed:
 * there is nothing to win with the next ones.
 */
static void overtaken(struct push_streams *p, struct push_stretch *s,
		      uint32_t i)
{
	uint32_t window = s->window;

	if (push_stretch_count(s, s->head, i, false) > NEAR) {
		if (!s->is_whole)
			lose(p, s);
		return;
	}
	p->stats.overtaken++;
	if (s->stage == PUSH_WAITING) {
		open_window(p, s, i + 1, window);
		return;
	}
	s->lead_bytes = 0;
	s->lead = s->lead * 2 < LEAD_MAX ? s->lead * 2 : LEAD_MAX;
	s->head = push_stretch_find(s, i + 1, 0);
	if (s->head == PUSH_NONE) {
		s->head = s->n;
		close_window(p, s);
	} else if (s->marker == PUSH_NONE || s->marker < s->head) {
		plan(s, s->left);
	}
}

static void read_in_window(struct push_streams *p, struct push_stretch *s,
			   uint32_t i)
{
	/* The first file is read first: in order, then. */
	if (s->last == PUSH_NONE && i < s->start)
		s->is_whole = false;
	if (i == s->marker) {
		confirm(p, s);
	} else if (i >= s->head || (s->is_out && i == s->out)) {
		overtaken(p, s, i);
	} else if (i >= s->start && push_set_has(s->pushed, i)) {
		p->stats.again++;
		if (++s->again == AGAIN_MAX)
			lose(p, s);
	}
}

/* Who reads the first files of a directory may be walking. */
static bool is_worth_a_bet(const struct push_streams *p,
			   const struct push_stretch *s, uint32_t i)
{
	return p->credit && !s->strikes && s->evidence == 1 &&
	       push_stretch_count(s, 0, i, false) < EVIDENCE;
}

static void read_outside(struct push_streams *p, struct push_stretch *s,
			 uint32_t i)
{
	uint32_t need = EVIDENCE + 2 * s->strikes;

	if (s->last == PUSH_NONE || i > s->last) {
		bool is_near = s->last != PUSH_NONE &&
			       push_stretch_count(s, s->last, i, false) <= NEAR;

		s->evidence = is_near ? s->evidence + 1 : 1;
	} else if (push_stretch_count(s, i, s->last, false) > NEAR) {
		s->evidence = 1;
	}
	if (need > EVIDENCE_MAX)
		need = EVIDENCE_MAX;
	if (s->evidence >= need)
		begin(p, s, i + 1, false);
	else if (is_worth_a_bet(p, s, i))
		begin(p, s, i + 1, true);
}

/* --- life ----------------------------------------------------------------- */

static void on_drop(void *arg, struct push_stretch *s)
{
	close_window(arg, s);
}

struct push_streams *push_streams_new(void)
{
	struct push_streams *p = xcalloc(1, sizeof(*p));

	p->table.on_drop = on_drop;
	p->table.arg = p;
	push_table_clear(&p->table);
	return p;
}

void push_streams_free(struct push_streams *p)
{
	free(p);
}

void push_streams_forget(struct push_streams *p)
{
	p->n_going = 0;
	push_table_clear(&p->table);
}

/* --- what happens --------------------------------------------------------- */

void push_streams_listed(struct push_streams *p, const struct push_run *run)
{
	push_table_listed(&p->table, run);
}

void push_streams_listed_all(struct push_streams *p, uint64_t dir)
{
	struct push_stretch *s;
	uint32_t first;

	if (p->credit < CREDIT_EARLY)
		return;
	DL_FOREACH(p->table.used, s)
	{
		if (s->dir != dir)
			return;
		if (s->is_first)
			break;
	}
	if (!s || s->stage != PUSH_IDLE || s->last != PUSH_NONE || s->strikes)
		return;
	/* The first file is left to the reader: it is there at once. */
	first = push_stretch_find(s, 0, 0);
	if (first == PUSH_NONE)
		return;
	begin(p, s, first + 1, true);
	s->is_whole = s->stage != PUSH_IDLE;
}

/* The kernel has dropped what it had. */
static void begin_anew(struct push_streams *p, struct push_stretch *s)
{
	close_window(p, s);
	memset(s->pushed, 0, sizeof(s->pushed));
	memset(s->read, 0, sizeof(s->read));
	s->last = PUSH_NONE;
	s->evidence = s->n_read = 0;
	s->is_walked = false;
}

void push_streams_read(struct push_streams *p, uint64_t node)
{
	struct push_stretch *s = push_table_find(&p->table, node);
	uint32_t i;

	if (!s)
		return;
	push_table_touch(&p->table, s);
	i = (uint32_t)(node - s->first);
	if (!push_set_has(s->small, i))
		return;
	if (push_set_has(s->read, i) && (s->stage == PUSH_IDLE || i < s->start))
		begin_anew(p, s);
	if (!push_set_has(s->read, i))
		s->n_read++;
	push_set_add(s->read, i);
	note_walk(p, s);
	if (s->stage != PUSH_IDLE)
		read_in_window(p, s, i);
	else
		read_outside(p, s, i);
	s->last = i;
}

uint32_t push_streams_ready(const struct push_streams *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->n_going; i++)
		n += !p->going[i]->is_out;
	return n;
}

bool push_streams_is_behind(const struct push_streams *p, uint64_t node)
{
	const struct push_stretch *s = push_table_find(&p->table, node);
	uint32_t i, ahead = 0;

	if (!s || s->stage != PUSH_GOING || !s->left ||
	    s->lead_bytes >= LEAD_BYTES)
		return false;
	i = (uint32_t)(node - s->first);
	/* This one waits for the reader. */
	if (s->is_out && s->out == i)
		return false;
	for (uint32_t k = i + 1; k < s->head && ahead < s->lead; k++)
		ahead += push_set_has(s->pushed, k);
	return ahead < s->lead + s->is_out;
}

/* The next file of a stream; PUSH_NONE: its window is done. */
static uint32_t advance(struct push_streams *p, struct push_stretch *s)
{
	uint32_t i = s->left ? push_stretch_find(s, s->head, 0) : PUSH_NONE;

	if (i != PUSH_NONE && i == s->marker)
		i = push_stretch_find(s, i + 1, 0);
	if (i == PUSH_NONE || !s->left) {
		stop(p, s);
		if (s->marker == PUSH_NONE)
			s->stage = PUSH_IDLE;
		return PUSH_NONE;
	}
	s->head = i + 1;
	s->left--;
	push_set_add(s->pushed, i);
	return i;
}

bool push_streams_begin(struct push_streams *p, uint64_t *ret_node)
{
	for (uint32_t n = p->n_going; n > 0 && p->n_going; n--) {
		struct push_stretch *s = p->going[p->turn++ % p->n_going];
		uint32_t i = s->is_out ? PUSH_NONE : advance(p, s);

		if (i == PUSH_NONE)
			continue;
		s->is_out = true;
		s->out = i;
		*ret_node = s->first + i;
		return true;
	}
	return false;
}

/* Bytes run out before files do: the marker comes sooner. */
static void account(struct push_stretch *s, uint64_t size)
{
	s->lead_bytes += size;
	s->bytes_left -= size < s->bytes_left ? size : s->bytes_left;
	if (!s->bytes_left)
		s->left = 0;
	if (s->bytes_left < PUSH_WINDOW_BYTES / 4 && s->marker != PUSH_NONE &&
	    s->marker > s->head)
		s->marker = push_stretch_find(s, s->head, 0);
}

static void refused(struct push_streams *p, struct push_stretch *s)
{
	if (++s->refused == REFUSED_MAX)
		push_table_drop(&p->table, s);
}

/* The reader brings what is missing, and is followed at once then. */
static void absent(struct push_streams *p, struct push_stretch *s, uint32_t i)
{
	push_set_remove(s->pushed, i);
	if (s->is_bet && s->stage == PUSH_GOING)
		p->credit++;
	close_window(p, s);
	if (s->evidence < EVIDENCE)
		s->evidence = EVIDENCE - 1;
}

void push_streams_end(struct push_streams *p, uint64_t node, uint64_t size,
		      enum push_result result)
{
	struct push_stretch *s = push_table_find(&p->table, node);

	/* Its run may be gone, and the node in one that another file is of. */
	if (!s || !s->is_out || s->first + s->out != node)
		return;
	s->is_out = false;
	switch (result) {
	case PUSH_STORED:
		s->refused = 0;
		account(s, size);
		break;
	case PUSH_REFUSED: refused(p, s); break;
	case PUSH_SKIPPED: break;
	case PUSH_ABSENT: absent(p, s, (uint32_t)(node - s->first)); break;
	}
}

void push_streams_stats(const struct push_streams *p, struct push_stats *ret)
{
	*ret = p->stats;
}
