/* SPDX-License-Identifier: Apache-2.0 */
/* state.c - what the threads of a run are at just now. */
#include "config.h"

#include "pack/state.h"

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

	pthread_mutex_t lock; /* guards what follows, for looks at it */
	struct state_view now;
	uint64_t doing_since, file_since;
};

/* Lock order: state.lock, then row.lock. */
struct state {
	pthread_mutex_t lock;
	struct state_row *rows;
	atomic_bool is_remote;
	atomic_uint n_encoding, n_encoders;
};

static _Thread_local struct state_row *mine;

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
	pthread_mutex_lock(&mine->lock);
	mine->now.slot = slot;
	pthread_mutex_unlock(&mine->lock);
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
	enum state_doing was = doing;

	if (!mine)
		return was;
	pthread_mutex_lock(&mine->lock);
	was = mine->now.doing;
	mine->now.doing = doing;
	mine->doing_since = clock_coarse_ns();
	pthread_mutex_unlock(&mine->lock);
	return was;
}

void state_leave(enum state_doing was)
{
	state_enter(was);
}

static void append(struct state_view *v, struct span s)
{
	if (s.len)
		memcpy(v->name + v->name_len, s.p, s.len);
	v->name_len += s.len;
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
	struct state_view *v;

	if (!mine)
		return;
	name = last(name, STATE_NAME_MAX - 1);
	parent = last(parent, STATE_NAME_MAX - 1 - name.len);
	v = &mine->now;
	pthread_mutex_lock(&mine->lock);
	v->name_len = 0;
	append(v, parent);
	if (parent.len)
		append(v, span_of(slash, 1));
	append(v, name);
	v->is_cut = v->name_len < full;
	v->has_file = true;
	mine->file_since = clock_coarse_ns();
	pthread_mutex_unlock(&mine->lock);
}

void state_file_end(void)
{
	if (!mine)
		return;
	pthread_mutex_lock(&mine->lock);
	mine->now.has_file = false;
	pthread_mutex_unlock(&mine->lock);
}

size_t state_look(struct state *s, struct state_view *ret, size_t max)
{
	uint64_t now = clock_coarse_ns();
	size_t n = 0;
	LOCK_SCOPE(&s->lock);

	for (struct state_row *row = s->rows; row && n < max; row = row->next) {
		struct state_view *v = &ret[n++];

		pthread_mutex_lock(&row->lock);
		*v = row->now;
		v->doing_ns = now - row->doing_since;
		v->file_ns = now - row->file_since;
		/* The clocks of two processors may be a tick apart. */
		if (row->doing_since > now)
			v->doing_ns = 0;
		if (row->file_since > now)
			v->file_ns = 0;
		pthread_mutex_unlock(&row->lock);
	}
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
