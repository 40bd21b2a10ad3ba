/* SPDX-License-Identifier: Apache-2.0 */
/* stage.c - contents that a feed fetches together. */
#include "config.h"

#include "pack/stage.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/spool.h"
#include "base/stop.h"
#include "pack/feed.h"
#include "pack/plan.h"

/* Fetched at a time; larger files are opened by themselves, for which no others
 * need wait.
 */
#define BYTES_MAX (UINT64_C(256) << 20)
#define FILES_MAX (64u << 10)
#define FILE_MAX (UINT64_C(8) << 20)
/* The same where reads are to be few at a time. */
#define BYTES_SLOW (UINT64_C(8) << 20)
#define FILES_SLOW 1024u

struct stage {
	struct stage_options o;
	struct plan_reader *plan; /* at the item numbered end */
	uint64_t n_items;         /* the one at hand is the last of so many */
	uint64_t end;             /* what is before it was looked at */
	struct feed_soon *files;
	uint64_t *items; /* their numbers */
	size_t n, cap, cap_items, next;
	int fd;
	bool is_over; /* nothing more is fetched */
};

struct stage *stage_new(const struct stage_options *o)
{
	struct stage *s;

	if (!o->feed || !o->feed->fetch)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->o = *o;
	s->fd = -1;
	return s;
}

void stage_free(struct stage *s)
{
	if (!s)
		return;
	plan_reader_free(s->plan);
	if (s->fd >= 0)
		close(s->fd);
	free(s->files);
	free(s->items);
	free(s);
}

void stage_step(struct stage *s)
{
	if (s)
		s->n_items++;
}

/* --- fetching ------------------------------------------------------------- */

/* Names of one file are read once, whichever comes first. */
static bool is_staged(const struct item *it)
{
	return it->is_fed && it->type == ENTRY_REG && it->size &&
	       it->size <= FILE_MAX && !link_group_is_set(it->link_group);
}

static void add(struct stage *s, const struct item *it, uint64_t base)
{
	s->files = mem_grow(s->files, &s->cap, s->n + 1, sizeof(*s->files));
	s->items = mem_grow(s->items, &s->cap_items, s->n + 1,
			    sizeof(*s->items));
	s->items[s->n] = s->end;
	s->files[s->n++] = (struct feed_soon){
		.place = it->place, .size = it->size, .base = base
	};
}

/* The next files from the item at hand on.  Returns the bytes they have. */
static uint64_t choose(struct stage *s)
{
	uint64_t max_bytes = s->o.is_slow ? BYTES_SLOW : BYTES_MAX, bytes = 0;
	size_t max_files = s->o.is_slow ? FILES_SLOW : FILES_MAX;

	s->n = s->next = 0;
	while (s->n < max_files && bytes < max_bytes) {
		struct plan_place place;
		struct item it;
		struct err err;

		if (plan_reader_next(s->plan, &place, &it, &err)) {
			s->is_over = true;
			break;
		}
		if (s->end + 1 >= s->n_items && is_staged(&it)) {
			add(s, &it, bytes);
			bytes += it.size;
		}
		s->end++;
	}
	return bytes;
}

/* Room for a file alone may be there yet. */
static void drop(struct stage *s)
{
	s->n = s->next = 0;
	s->is_over |= ftruncate(s->fd, 0) != 0;
}

/* Failures are for who opens a file. */
static void fetch(struct stage *s)
{
	uint64_t bytes = choose(s);
	struct err err;
	enum rc rc = RC_OK;

	if (s->n && (ftruncate(s->fd, 0) || ftruncate(s->fd, (off_t)bytes)))
		rc = RC_IO;
	else if (s->n)
		rc = s->o.feed->fetch(s->o.feed->arg, s->files, s->n, s->fd,
				      &err);
	s->is_over |= rc != RC_OK;
	if (rc == RC_NOSPACE)
		drop(s);
}

static bool start(struct stage *s)
{
	struct err err;

	if (s->plan)
		return true;
	if (!spool_temporary(s->o.spool, &s->fd, &err) &&
	    !plan_reader_new(s->o.plan, &s->plan, &err))
		return true;
	s->is_over = true;
	return false;
}

/* --- opening -------------------------------------------------------------- */

bool stage_open(struct stage *s, const struct item *it, int *ret_fd,
		uint64_t *ret_base)
{
	uint64_t item;
	int fd;

	if (!s || !is_staged(it))
		return false;
	item = s->n_items - 1;
	/* A run that is to end needs few of them. */
	if (item >= s->end && !s->is_over && !stop_asked() && start(s))
		fetch(s);
	while (s->next < s->n && s->items[s->next] < item)
		s->next++;
	if (s->next == s->n || s->items[s->next] != item ||
	    !s->files[s->next].is_there)
		return false;
	fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return false;
	*ret_fd = fd;
	*ret_base = s->files[s->next].base;
	return true;
}
