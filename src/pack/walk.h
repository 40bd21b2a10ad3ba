/* SPDX-License-Identifier: Apache-2.0 */
/* walk.h - finds all that is in the sources.
 *
 * Every directory is read below a held descriptor, without recursion, and no
 * path is given to the kernel, so that their length is bounded by UID_MAX_LEN
 * alone.  What cannot be read is reported and remembered in keep; only what
 * ends the run is returned.  Several threads walk, so what is found comes in
 * any order.
 */
#ifndef DESFS_PACK_WALK_H
#define DESFS_PACK_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "pack/item.h"
#include "pack/source.h"

struct dirs;
struct filter;
struct keep;
struct links;
struct own;
struct report;

/* The item is valid during the call.  Called by all walkers at a time; their
 * numbers are below n_walkers.
 */
typedef enum rc walk_fn(void *arg, unsigned int walker, const struct item *it,
			struct err *err);

/* Will anybody ask for its link target and attributes?  From all walkers. */
typedef bool walk_wants_fn(void *arg, struct span uid);

struct walk_options {
	const struct sources *sources;
	const struct filter *filter; /* NULL: nothing is excluded */
	bool one_file_system;
	const struct own *own;  /* to be left out; NULL: nothing */
	unsigned int n_walkers; /* threads, at least 1 */
	/* walk_sources: of names of directories to be entered, each keeps so
	 * many bytes in memory, the others in a file in spool_dir.
	 */
	size_t memory;
	const char *spool_dir;

	struct links *links;
	struct dirs *dirs;
	struct keep *keep;
	struct report *report;
	walk_fn *emit;
	/* NULL: all are wanted.  Of others those two are not looked for. */
	walk_wants_fn *wants;
	void (*end)(void *arg, unsigned int walker); /* it emits no more */
	void *arg;
};

enum rc walk_sources(const struct walk_options *opts,
		     struct err *err) MUST_CHECK;

/* Only the paths listed in the file ("-": standard input), each ended by a NUL,
 * relative to the one source, which is a directory; and the directories they
 * are in.  spool_dir is for temporary files.
 */
enum rc walk_list(const struct walk_options *opts, const char *list,
		  const char *spool_dir, struct err *err) MUST_CHECK;

#endif
