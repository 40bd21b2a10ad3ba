/* SPDX-License-Identifier: Apache-2.0 */
/* walk.c - finds all that is in the sources. */
#include "config.h"

#include "pack/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/workers.h"
#include "pack/own.h"
#include "pack/walk-down.h"

struct walk {
	const struct walk_options *opts;
	struct walk_team *team;
	uint64_t root;           /* number of the directory sources are in */
	atomic_uint next_walker; /* its number */
};

static enum rc walk_file_source(struct walk *walk, struct walker *w,
				const struct source *s, uint32_t number,
				struct err *err)
{
	struct item like = { .source = number, .dir = walk->root };
	struct err failure;
	struct stat st;

	if (fstatat(s->fd, s->base, &st, AT_SYMLINK_NOFOLLOW)) {
		err_set_errno(&failure, errno, "cannot be examined");
		walk_fail(&w->step, &failure);
		return RC_OK;
	}
	if (walk_is_excluded(&w->step, S_ISDIR(st.st_mode)))
		return RC_OK;
	attr_enter(w->step.attrs, s->fd);
	return walk_emit(&w->step, s->base, &st, &like, err);
}

static enum rc walk_source(struct walk *walk, struct walker *w, uint32_t number,
			   struct err *err)
{
	const struct source *s = &walk->opts->sources->v[number];
	CLEANUP_FD int fd = -1;
	struct stat st;

	buf_clear(&w->step.uid);
	buf_append(&w->step.uid, s->name, s->name_len);
	if (!s->is_dir)
		return walk_file_source(walk, w, s, number, err);
	/* Named by the user, and yet as any other name, as rsync has it. */
	if (walk_is_excluded(&w->step, true))
		return RC_OK;
	fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0 || fstat(fd, &st))
		return err_set_errno(err, errno, "%s", s->path);
	if (own_is_dir(walk->opts->own, &st) || own_holds(walk->opts->own, fd))
		return err_set(err, RC_USAGE,
			       "%s: is the archive itself, or a part of it",
			       s->path);
	return walk_down(w, STEAL_FD(fd), &st, number, walk->root, err);
}

static enum rc do_task(struct walk *walk, struct walker *w,
		       struct walk_task *task, size_t source, struct err *err)
{
	enum rc rc;

	if (!task)
		return walk_source(walk, w, (uint32_t)source, err);
	rc = walk_down_task(w, task, err);
	walk_task_free(task);
	return rc;
}

static void walker_main(void *arg)
{
	struct walk *walk = arg;
	struct walk_task *task = NULL;
	struct walker w;
	size_t source = 0;
	unsigned int number = atomic_fetch_add(&walk->next_walker, 1);
	struct err err;

	if (walker_init(&w, walk->opts, walk->team, number, &err))
		walk_team_fail(walk->team, &err);
	while (walk_team_take(walk->team, &task, &source))
		if (do_task(walk, &w, task, source, &err))
			walk_team_fail(walk->team, &err);
	walker_release(&w);
	walk->opts->end(walk->opts->arg, number);
}

enum rc walk_sources(const struct walk_options *opts, struct err *err)
{
	struct walk walk = { .opts = opts, .root = ITEM_NO_DIR };
	unsigned int n = opts->n_walkers;
	struct workers *threads = NULL;
	enum rc rc = RC_OK;

	if (sources_have_names(opts->sources))
		rc = walk_add_root(opts, &walk.root, err);
	if (rc)
		return rc;
	rc = workers_start(&threads, "walk", n, n, err);
	if (rc)
		return rc;
	walk.team = walk_team_new(n, opts->sources->n);
	for (unsigned int i = 0; i < n; i++)
		workers_submit(threads, walker_main, &walk);
	workers_stop(threads);
	rc = walk_team_check(walk.team, err);
	walk_team_free(walk.team);
	return rc;
}
