/* SPDX-License-Identifier: Apache-2.0 */
/* walk-team.h - divides a walk among its threads; for walk*.c only.
 *
 * A walker works at a stack of directories of its own.  While another one
 * waits, it hands over half of the subdirectories of the highest one, or a
 * share of the names that it just read in one; what is handed over is a frame
 * that the other begins its stack with.
 */
#ifndef DESFS_PACK_WALK_TEAM_H
#define DESFS_PACK_WALK_TEAM_H

#include <stdatomic.h>
#include <sys/stat.h>

#include "pack/name-stack.h"
#include "pack/walk.h"

struct walk_team;

/* Of a directory whose names several walkers look at. */
struct walk_shared {
	atomic_uint n_walkers; /* not done yet; the last one emits it */
	atomic_uint n_subdirs; /* that those who are done found */
};

/* A directory on the way down. */
struct walk_frame {
	int fd; /* -1: closed, to be had by ".." from the one below it */
	struct stat st;
	size_t uid_len;            /* its uid: so many bytes of the walker's */
	uint32_t source;           /* that it is in */
	uint64_t number;           /* in struct dirs */
	uint64_t parent;           /* likewise, of its parent */
	struct name_range subdirs; /* to be entered, in the walker's stack */
	uint32_t n_subdirs;
	struct walk_shared *shared; /* NULL: no other is to look at it */
};

void walk_frame_release(struct walk_frame *f);

struct walk_task {
	struct walk_frame frame;
	char *uid;     /* of the frame */
	char *subdirs; /* to be entered, each with its NUL; may be NULL */
	size_t subdirs_len;
	uint8_t *names; /* as getdents64 gave them; may be NULL */
	size_t names_len;
	struct walk_task *next;
};

/* A task for the directory f with this uid: its own descriptor, no names and no
 * subdirectories yet.
 */
enum rc walk_task_new(struct walk_task **ret, const struct walk_frame *f,
		      const void *uid, struct err *err) MUST_CHECK;
void walk_task_free(struct walk_task *t);

struct walk_team *walk_team_new(unsigned int n_walkers,
				size_t n_sources) MUST_CHECK;
void walk_team_free(struct walk_team *t);

/* How many walkers wait for a task that nobody gave yet. */
unsigned int walk_team_wants(const struct walk_team *t);

/* Hand over a task. */
void walk_team_give(struct walk_team *t, struct walk_task *task);

/* Something to do: *ret_task, which the caller frees, or when that is NULL the
 * source *ret_source.  Waits; false: there will be nothing any more.
 */
bool walk_team_take(struct walk_team *t, struct walk_task **ret_task,
		    size_t *ret_source) MUST_CHECK;

/* End the walk, for all, with the first failure. */
void walk_team_fail(struct walk_team *t, const struct err *err);

/* Has the walk failed, or is it to stop? */
enum rc walk_team_check(struct walk_team *t, struct err *err) MUST_CHECK;

#endif
