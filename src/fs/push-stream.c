/* SPDX-License-Identifier: Apache-2.0 */
/* push-stream.c - which files to push to the kernel next: pure policy. */
#include "config.h"

#include "fs/push-stream.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/mem.h"

#define NONE UINT32_MAX
#define WORDS (PUSH_RUN_MAX / 64)

/* Reads this many files apart are one reader's, or those of threads that share
 * a directory.
 */
#define NEAR 8u
/* Reads in order before a window begins without credit, and at most. */
#define EVIDENCE 2u
#define EVIDENCE_MAX 16u
/* Files left to the reader when it is near: to wake takes time. */
#define LEAD 2u
#define LEAD_MAX 16u
/* Windows of fewer files have no marker. */
#define MARKED_MIN 4u
/* A bet on a whole directory, before its first file is read, takes more. */
#define CREDIT_MAX 32u
#define CREDIT_EARLY 8u
#define CREDIT_STEP 4u /* for twice the window */
/* In a row: the kernel has forgotten the directory. */
#define REFUSED_MAX 4u
/* Of one window: the kernel is short of memory and drops what it is given. */
#define AGAIN_MAX 8u

enum stage {
	STAGE_IDLE,
	STAGE_PUSHING,
	STAGE_PUSHED, /* the window is done, its marker is waited for */
};

/* A run, and the stream in it. */
struct stretch {
	struct stretch *prev, *next; /* by use, last used first */
	uint64_t dir, first;
	uint32_t n;
	bool is_first;
	uint64_t small[WORDS];
	uint64_t pushed[WORDS];
	uint64_t read[WORDS]; /* by the kernel's READ */

	/* The reader. */
	uint32_t last;     /* read last, or NONE */
	uint32_t evidence; /* reads in order */
	uint32_t strikes;  /* windows that were wrong */

	/* The window. */
	enum stage stage;
	bool is_out; /* one of its files is being pushed */
	bool is_bet;
	uint32_t start, head; /* pushing has come from here to here */
	uint32_t marker;      /* or NONE */
	uint32_t window;      /* files it was to have */
	uint32_t left;        /* of these */
	uint64_t bytes_left;
	uint32_t lead, refused, again;
};

struct push_streams {
	struct stretch all[PUSH_RUNS];
	struct stretch *used; /* by use */
	struct stretch *unused;
	struct {
		uint64_t first;
		struct stretch *s;
	} order[PUSH_RUNS]; /* by node */
	uint32_t n;
	struct stretch *pushing[PUSH_STREAMS]; /* their stage is PUSHING */
	uint32_t n_pushing, turn;
	uint32_t credit;
	struct push_stats stats;
};

/* --- sets of nodes -------------------------------------------------------- */

static bool has(const uint64_t *set, uint32_t i)
{
	return set[i / 64] >> i % 64 & 1;
}

static void add(uint64_t *set, uint32_t i)
{
	set[i / 64] |= UINT64_C(1) << i % 64;
}

static void take_out(uint64_t *set, uint32_t i)
{
	set[i / 64] &= ~(UINT64_C(1) << i % 64);
}

/* Those of a word that are small files in [from, to); todo: only such as are
 * neither pushed nor read.
 */
static uint64_t files_in(const struct stretch *s, uint32_t word, uint32_t from,
			 uint32_t to, bool todo)
{
	uint64_t bits = s->small[word];

	if (todo)
		bits &= ~(s->pushed[word] | s->read[word]);
	if (word == from / 64)
		bits &= UINT64_MAX << from % 64;
	if (word == to / 64)
		bits &= ~(UINT64_MAX << to % 64);
	return bits;
}

static uint32_t count(const struct stretch *s, uint32_t from, uint32_t to,
		      bool todo)
{
	uint32_t n = 0;

	if (from >= to)
		return 0;
	for (uint32_t w = from / 64; w < WORDS && w <= to / 64; w++)
		n += (uint32_t)__builtin_popcountll(
			files_in(s, w, from, to, todo));
	return n;
}

/* The kth file to do from there on, the first is 0; NONE: there are fewer. */
static uint32_t find(const struct stretch *s, uint32_t from, uint32_t k)
{
	for (uint32_t w = from / 64; w < WORDS && w * 64 < s->n; w++) {
		uint64_t bits = files_in(s, w, from, s->n, true);
		uint32_t n = (uint32_t)__builtin_popcountll(bits);

		if (k >= n) {
			k -= n;
			continue;
		}
		while (k--)
			bits &= bits - 1;
		return w * 64 + (uint32_t)__builtin_ctzll(bits);
	}
	return NONE;
}

/* --- runs ----------------------------------------------------------------- */

struct push_streams *push_streams_new(void)
{
	struct push_streams *p = xcalloc(1, sizeof(*p));

	push_streams_forget(p);
	return p;
}

void push_streams_free(struct push_streams *p)
{
	free(p);
}

void push_streams_forget(struct push_streams *p)
{
	p->used = p->unused = NULL;
	p->n = p->n_pushing = 0;
	for (uint32_t i = PUSH_RUNS; i-- > 0;)
		LL_PREPEND(p->unused, &p->all[i]);
}

/* Where in the order the first run is that begins behind the node. */
static uint32_t place(const struct push_streams *p, uint64_t node)
{
	uint32_t lo = 0, hi = p->n;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (p->order[mid].first <= node)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct stretch *stretch_of(const struct push_streams *p, uint64_t node)
{
	uint32_t i = place(p, node);
	struct stretch *s = i ? p->order[i - 1].s : NULL;

	return s && node - s->first < s->n ? s : NULL;
}

static void stop_pushing(struct push_streams *p, struct stretch *s)
{
	if (s->stage != STAGE_PUSHING)
		return;
	s->stage = STAGE_PUSHED;
	for (uint32_t i = 0; i < p->n_pushing; i++) {
		if (p->pushing[i] == s) {
			p->pushing[i] = p->pushing[--p->n_pushing];
			return;
		}
	}
}

static void close_window(struct push_streams *p, struct stretch *s)
{
	stop_pushing(p, s);
	s->stage = STAGE_IDLE;
	s->marker = NONE;
}

static void drop(struct push_streams *p, struct stretch *s)
{
	uint32_t i = place(p, s->first) - 1;

	close_window(p, s);
	p->n--;
	memmove(&p->order[i], &p->order[i + 1],
		(p->n - i) * sizeof(p->order[0]));
	DL_DELETE(p->used, s);
	LL_PREPEND(p->unused, s);
}

static void touch(struct push_streams *p, struct stretch *s)
{
	if (p->used == s)
		return;
	DL_DELETE(p->used, s);
	DL_PREPEND(p->used, s);
}

static void insert(struct push_streams *p, const struct push_run *run)
{
	struct stretch *s;
	uint32_t i;

	if (!p->unused)
		drop(p, p->used->prev); /* the last */
	s = p->unused;
	LL_DELETE(p->unused, s);
	*s = (struct stretch){ .dir = run->dir,
			       .first = run->first,
			       .n = run->n,
			       .is_first = run->is_first,
			       .last = NONE,
			       .marker = NONE };
	memcpy(s->small, run->small, sizeof(s->small));
	DL_PREPEND(p->used, s);
	i = place(p, s->first);
	memmove(&p->order[i + 1], &p->order[i],
		(p->n - i) * sizeof(p->order[0]));
	p->order[i].first = s->first;
	p->order[i].s = s;
	p->n++;
}

/* A listing goes on where the last piece of it ended. */
static void extend(struct stretch *s, const struct push_run *run)
{
	for (uint32_t i = 0; i < run->n; i++) {
		if (has(run->small, i))
			add(s->small, s->n + i);
	}
	s->n += run->n;
}

void push_streams_listed(struct push_streams *p, const struct push_run *run)
{
	struct stretch *s = stretch_of(p, run->first);
	uint64_t end = run->first + run->n;
	uint32_t i;

	if (s && end <= s->first + s->n && s->dir == run->dir) {
		touch(p, s);
		return;
	}
	if (s)
		drop(p, s);
	for (i = place(p, run->first); i < p->n && p->order[i].first < end;)
		drop(p, p->order[i].s);
	s = i ? p->order[i - 1].s : NULL;
	if (s && s->dir == run->dir && s->first + s->n == run->first &&
	    s->n + run->n <= PUSH_RUN_MAX) {
		extend(s, run);
		touch(p, s);
	} else {
		insert(p, run);
	}
}

/* --- windows -------------------------------------------------------------- */

static struct stretch *following(const struct push_streams *p,
				 const struct stretch *s)
{
	uint32_t i = place(p, s->first);

	return i < p->n && p->order[i].s->dir == s->dir ? p->order[i].s : NULL;
}

/* Files from the head on, and where the marker is. */
static void plan(struct stretch *s, uint32_t n)
{
	uint32_t left = count(s, s->head, s->n, true);

	s->left = n < left ? n : left;
	s->marker =
		s->left < MARKED_MIN ? NONE : find(s, s->head, s->left * 3 / 4);
}

/* A window behind a file of s, or in the run behind s; false: there are no
 * files, or too many streams.
 */
static bool open_window(struct push_streams *p, struct stretch *s,
			uint32_t from, uint32_t lead, uint32_t window)
{
	uint32_t head = find(s, from, lead);

	if (head == NONE) {
		struct stretch *next = following(p, s);

		close_window(p, s);
		if (!next || next->stage != STAGE_IDLE)
			return false;
		s = next;
		head = find(s, 0, 0);
	}
	if (head == NONE)
		return false;
	if (s->stage != STAGE_PUSHING) {
		if (p->n_pushing == PUSH_STREAMS)
			return false;
		p->pushing[p->n_pushing++] = s;
	}
	s->stage = STAGE_PUSHING;
	s->start = s->head = head;
	s->window = window;
	s->bytes_left = PUSH_WINDOW_BYTES;
	s->lead = LEAD;
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
static void begin(struct push_streams *p, struct stretch *s, uint32_t from,
		  uint32_t lead, bool is_bet)
{
	if (!open_window(p, s, from, lead, window_by_credit(p)))
		return;
	p->stats.streams++;
	if (!is_bet)
		return;
	p->credit--;
	/* It may be that of the run behind s. */
	p->pushing[p->n_pushing - 1]->is_bet = true;
}

static void confirm(struct push_streams *p, struct stretch *s)
{
	p->stats.confirmed++;
	p->credit += s->is_bet ? 2 : 1;
	if (p->credit > CREDIT_MAX)
		p->credit = CREDIT_MAX;
	s->strikes = 0;
	s->marker = NONE;
	open_window(p, s, s->head, 0, twice(s->window));
}

/* The reader was expected elsewhere. */
static void lose(struct push_streams *p, struct stretch *s)
{
	close_window(p, s);
	s->strikes++;
	s->evidence = 1;
}

/* A file at the head or behind it is read: there is nothing to win with those
 * between.
 */
static void overtaken(struct push_streams *p, struct stretch *s, uint32_t i)
{
	uint32_t window = s->window;

	p->stats.overtaken++;
	if (count(s, s->head, i, false) > NEAR) {
		lose(p, s);
		return;
	}
	if (s->stage == STAGE_PUSHED) {
		open_window(p, s, i + 1, s->lead, window);
		return;
	}
	s->lead = s->lead * 2 < LEAD_MAX ? s->lead * 2 : LEAD_MAX;
	s->head = find(s, i + 1, s->lead);
	if (s->head == NONE) {
		s->head = s->n;
		close_window(p, s);
	} else if (s->marker == NONE || s->marker < s->head) {
		plan(s, s->left);
	}
}

static void read_in_window(struct push_streams *p, struct stretch *s,
			   uint32_t i)
{
	if (i == s->marker) {
		confirm(p, s);
	} else if (i >= s->head) {
		overtaken(p, s, i);
	} else if (i >= s->start && has(s->pushed, i)) {
		p->stats.again++;
		if (++s->again > AGAIN_MAX)
			lose(p, s);
	}
}

/* Who reads the first files of a directory may be walking. */
static bool is_worth_a_bet(const struct push_streams *p,
			   const struct stretch *s, uint32_t i)
{
	return p->credit && !s->strikes && s->evidence == 1 &&
	       count(s, 0, i, false) < EVIDENCE;
}

static void read_outside(struct push_streams *p, struct stretch *s, uint32_t i)
{
	uint32_t need = EVIDENCE + 2 * s->strikes;

	if (s->last == NONE || i > s->last) {
		bool is_near =
			s->last != NONE && count(s, s->last, i, false) <= NEAR;

		s->evidence = is_near ? s->evidence + 1 : 1;
	} else if (count(s, i, s->last, false) > NEAR) {
		s->evidence = 1;
	}
	if (need > EVIDENCE_MAX)
		need = EVIDENCE_MAX;
	if (s->evidence >= need)
		begin(p, s, i + 1, LEAD, false);
	else if (is_worth_a_bet(p, s, i))
		begin(p, s, i + 1, LEAD, true);
}

/* --- what happens --------------------------------------------------------- */

void push_streams_listed_all(struct push_streams *p, uint64_t dir)
{
	struct stretch *s;
	uint32_t first;

	if (p->credit < CREDIT_EARLY)
		return;
	DL_FOREACH(p->used, s)
	{
		if (s->dir != dir)
			return;
		if (s->is_first)
			break;
	}
	if (!s || s->stage != STAGE_IDLE || s->last != NONE || s->strikes)
		return;
	/* The first file is left to the reader: it is there at once. */
	first = find(s, 0, 0);
	if (first != NONE)
		begin(p, s, first + 1, 0, true);
}

/* The kernel has dropped what it had. */
static void begin_anew(struct push_streams *p, struct stretch *s)
{
	close_window(p, s);
	memset(s->pushed, 0, sizeof(s->pushed));
	memset(s->read, 0, sizeof(s->read));
	s->last = NONE;
	s->evidence = 0;
}

void push_streams_read(struct push_streams *p, uint64_t node)
{
	struct stretch *s = stretch_of(p, node);
	uint32_t i;

	if (!s)
		return;
	touch(p, s);
	i = (uint32_t)(node - s->first);
	if (!has(s->small, i))
		return;
	if (has(s->read, i) && (s->stage == STAGE_IDLE || i < s->start))
		begin_anew(p, s);
	add(s->read, i);
	if (s->stage != STAGE_IDLE)
		read_in_window(p, s, i);
	else
		read_outside(p, s, i);
	s->last = i;
}

bool push_streams_is_busy(const struct push_streams *p)
{
	for (uint32_t i = 0; i < p->n_pushing; i++) {
		if (!p->pushing[i]->is_out)
			return true;
	}
	return false;
}

/* The next file of a stream; NONE: its window is done. */
static uint32_t advance(struct push_streams *p, struct stretch *s)
{
	uint32_t i = s->left ? find(s, s->head, 0) : NONE;

	if (i != NONE && i == s->marker)
		i = find(s, i + 1, 0);
	if (i == NONE || !s->left) {
		stop_pushing(p, s);
		if (s->marker == NONE)
			s->stage = STAGE_IDLE;
		return NONE;
	}
	s->head = i + 1;
	s->left--;
	add(s->pushed, i);
	return i;
}

bool push_streams_begin(struct push_streams *p, uint64_t *ret_node)
{
	for (uint32_t n = p->n_pushing; n > 0 && p->n_pushing; n--) {
		struct stretch *s = p->pushing[p->turn++ % p->n_pushing];
		uint32_t i = s->is_out ? NONE : advance(p, s);

		if (i == NONE)
			continue;
		s->is_out = true;
		*ret_node = s->first + i;
		return true;
	}
	return false;
}

/* Bytes run out before files do: the marker comes sooner. */
static void account(struct stretch *s, uint64_t size)
{
	s->bytes_left -= size < s->bytes_left ? size : s->bytes_left;
	if (!s->bytes_left)
		s->left = 0;
	if (s->bytes_left < PUSH_WINDOW_BYTES / 4 && s->marker != NONE &&
	    s->marker > s->head)
		s->marker = find(s, s->head, 0);
}

static void refused(struct push_streams *p, struct stretch *s)
{
	if (++s->refused == REFUSED_MAX)
		drop(p, s);
}

/* The reader brings what is missing, and is followed at once then. */
static void absent(struct push_streams *p, struct stretch *s, uint32_t i)
{
	take_out(s->pushed, i);
	if (s->is_bet && s->stage == STAGE_PUSHING)
		p->credit++;
	close_window(p, s);
	if (s->evidence < EVIDENCE)
		s->evidence = EVIDENCE - 1;
}

void push_streams_end(struct push_streams *p, uint64_t node, uint64_t size,
		      enum push_result result)
{
	struct stretch *s = stretch_of(p, node);

	if (!s)
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
