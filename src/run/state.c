/* SPDX-License-Identifier: Apache-2.0 */
/* state.c - what the threads of a run are at just now. */
#include "config.h"

#include "run/state.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"

/* One attached thread. */
struct state_row {
	struct state *state;
	struct state_row *next; /* guarded by the state's lock */

	/* Written by its thread alone, many thousand times a second. */
	atomic_uint slot, doing;
	_Atomic uint64_t doing_since;
	atomic_bool has_file;

	pthread_mutex_t lock; /* guards what follows */
	uint64_t file_since;
	bool is_cut;
	char name[STATE_NAME_MAX];
	size_t name_len;
};

/* Lock order: state.lock, then row.lock. */
struct state {
	pthread_mutex_t lock;
	struct state_row *rows;
	atomic_bool is_remote;
	atomic_uint n_encoding, n_encoders;
};

static _Thread_local struct state_row *mine;

#define load(p) atomic_load_explicit(p, memory_order_relaxed)
#define store(p, v) atomic_store_explicit(p, v, memory_order_relaxed)

struct state *state_new(void)
{
	struct state *s = xcalloc(1, sizeof(*s));

	pthread_mutex_init(&s->lock, NULL);
	return s;
}

void state_free(struct state *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s);
}

void state_set_remote(struct state *s)
{
	atomic_store(&s->is_remote, true);
}

void state_set_encoders(struct state *s, unsigned int n)
{
	atomic_store(&s->n_encoders, n);
}

atomic_uint *state_encoding(struct state *s)
{
	return &s->n_encoding;
}

unsigned int state_encoders(struct state *s)
{
	return atomic_load(&s->n_encoders);
}

static struct state_row *add_row(struct state *s)
{
	struct state_row *row = xcalloc(1, sizeof(*row));
	LOCK_SCOPE(&s->lock);

	row->state = s;
	pthread_mutex_init(&row->lock, NULL);
	row->next = s->rows;
	s->rows = row;
	return row;
}

void state_attach(struct state *s, uint32_t slot)
{
	if (!mine)
		mine = add_row(s);
	store(&mine->slot, slot);
	state_enter(STATE_COMPARING);
}

static void remove_row(struct state *s, struct state_row *row)
{
	struct state_row **at = &s->rows;
	LOCK_SCOPE(&s->lock);

	while (*at != row)
		at = &(*at)->next;
	*at = row->next;
}

void state_detach(void)
{
	if (!mine)
		return;
	remove_row(mine->state, mine);
	pthread_mutex_destroy(&mine->lock);
	free(mine);
	mine = NULL;
}

enum state_doing state_enter(enum state_doing doing)
{
	enum state_doing was;

	if (!mine)
		return doing;
	was = (enum state_doing)load(&mine->doing);
	store(&mine->doing, doing);
	store(&mine->doing_since, clock_coarse_ns());
	return was;
}

void state_leave(enum state_doing was)
{
	state_enter(was);
}

static void append(struct state_row *row, struct span s)
{
	if (s.len)
		memcpy(row->name + row->name_len, s.p, s.len);
	row->name_len += s.len;
}

/* The end of what is longer than there is room. */
static struct span last(struct span s, size_t room)
{
	return s.len > room ? span_of(s.p + s.len - room, room) : s;
}

void state_file(struct span parent, struct span name)
{
	static const char slash[] = "/";
	size_t full = parent.len + (parent.len ? 1 : 0) + name.len;
	struct state_row *row = mine;

	if (!row)
		return;
	name = last(name, STATE_NAME_MAX - 1);
	parent = last(parent, STATE_NAME_MAX - 1 - name.len);
	pthread_mutex_lock(&row->lock);
	row->name_len = 0;
	append(row, parent);
	if (parent.len)
		append(row, span_of(slash, 1));
	append(row, name);
	row->is_cut = row->name_len < full;
	row->file_since = clock_coarse_ns();
	pthread_mutex_unlock(&row->lock);
	store(&row->has_file, true);
}

void state_file_end(void)
{
	if (mine)
		store(&mine->has_file, false);
}

/* The clocks of two processors may be a tick apart. */
static uint64_t since(uint64_t then, uint64_t now)
{
	return now > then ? now - then : 0;
}

static void look(struct state_row *row, uint64_t now, struct state_view *ret)
{
	LOCK_SCOPE(&row->lock);

	*ret = (struct state_view){
		.slot = load(&row->slot),
		.doing = (enum state_doing)load(&row->doing),
		.doing_ns = since(load(&row->doing_since), now),
		.has_file = load(&row->has_file),
		.file_ns = since(row->file_since, now),
		.is_cut = row->is_cut,
		.name_len = row->name_len,
	};
	memcpy(ret->name, row->name, row->name_len);
}

size_t state_look(struct state *s, struct state_view *ret, size_t max)
{
	uint64_t now = clock_coarse_ns();
	size_t n = 0;
	LOCK_SCOPE(&s->lock);

	for (struct state_row *row = s->rows; row && n < max; row = row->next)
		look(row, now, &ret[n++]);
	return n;
}

const char *state_doing_text(const struct state *s, enum state_doing doing)
{
	switch (doing) {
	case STATE_COMPARING: return "comparing with the archive";
	case STATE_READING: return "reading";
	case STATE_COMPRESSING: return "compressing";
	case STATE_WRITING:
		return atomic_load(&s->is_remote) ? "sending" : "writing";
	case STATE_THROTTLED: return "waiting as --throttle says";
	}
	return "";
}
