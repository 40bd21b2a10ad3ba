/* SPDX-License-Identifier: Apache-2.0 */
/* walk-down.h - one walker's way through directories; for walk*.c only. */
#ifndef DESFS_PACK_WALK_DOWN_H
#define DESFS_PACK_WALK_DOWN_H

#include "pack/walk-step.h"
#include "pack/walk-team.h"

struct walker {
	struct walk_step step;
	struct walk_team *team;
	struct walk_frame *frames;
	size_t n, cap;
	struct name_stack subdirs; /* of the frames */
	uint8_t *names;            /* as getdents64 gives them */
};

enum rc walker_init(struct walker *w, const struct walk_options *opts,
		    struct walk_team *team, unsigned int number,
		    struct err *err) MUST_CHECK;
void walker_release(struct walker *w);

/* The directory w->step.uid, open as fd, which is taken over, and all in it but
 * what is handed over to others.  parent is its directory's number.
 */
enum rc walk_down(struct walker *w, int fd, const struct stat *st,
		  uint32_t source, uint64_t parent, struct err *err) MUST_CHECK;

/* What another handed over. */
enum rc walk_down_task(struct walker *w, struct walk_task *t,
		       struct err *err) MUST_CHECK;

#endif
