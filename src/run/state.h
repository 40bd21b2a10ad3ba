/* SPDX-License-Identifier: Apache-2.0 */
/* state.h - what the threads of a run are at just now, for those who ask.
 *
 * A thread that packs attaches itself to the run's state and says what it
 * begins and when it is through.  In threads that have not, as in tests, saying
 * so does nothing.  Any thread may look at any time.
 *
 *	state_attach(s, slot);
 *	state_file(parent, name);
 *	was = state_enter(STATE_WRITING);
 *	...
 *	state_leave(was);
 *	state_file_end();
 *	state_detach();
 */
#ifndef DESFS_RUN_STATE_H
#define DESFS_RUN_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "shard/shard-entry.h"

enum state_doing {
	STATE_COMPARING,
	STATE_READING,
	STATE_COMPRESSING, /* waiting for those who do */
	STATE_WRITING,
	STATE_THROTTLED,
};

struct state;

struct state *state_new(void) MUST_CHECK;
/* All threads are detached. */
void state_free(struct state *s);

/* Writing goes over the network. */
void state_set_remote(struct state *s);

/* Of the threads that compress: how many there are, and how many are at it just
 * now, which the caller counts.
 */
void state_set_encoders(struct state *s, unsigned int n);
atomic_uint *state_encoding(struct state *s);
unsigned int state_encoders(struct state *s);

/* The calling thread packs this slot, comparing it first.  May be called again
 * for another slot.
 */
void state_attach(struct state *s, uint32_t slot);
void state_detach(void);

/* What the calling thread is at; returns what it was at. */
enum state_doing state_enter(enum state_doing doing);
void state_leave(enum state_doing was);

/* The file it has begun to read. */
void state_file(struct span parent, struct span name);
void state_file_end(void);

/* One thread, and the name of its file (up to 256 bytes of its end). */
#define STATE_NAME_MAX 256

struct state_view {
	uint32_t slot;
	enum state_doing doing;
	uint64_t doing_ns; /* for so long */
	bool has_file;
	uint64_t file_ns; /* since it was begun */
	bool is_cut;      /* the name's beginning is missing */
	char name[STATE_NAME_MAX];
	size_t name_len;
};

/* The threads attached, at most max of them. */
size_t state_look(struct state *s, struct state_view *ret, size_t max);

/* "reading", ... */
const char *state_doing_text(const struct state *s, enum state_doing doing);

#endif
