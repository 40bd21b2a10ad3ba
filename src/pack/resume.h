/* SPDX-License-Identifier: Apache-2.0 */
/* resume.h - a run that goes on where an earlier one died, and tells the next
 * one how to.
 *
 * All functions do nothing in a run without --checkpoint.
 */
#ifndef DESFS_PACK_RESUME_H
#define DESFS_PACK_RESUME_H

#include <stdbool.h>

#include "base/err.h"

struct pack;
struct resume;

/* Read the checkpoint, if there is one; its time is the run's.  RC_USAGE: it is
 * of other options; RC_CORRUPT; RC_EXISTS: another run has it.
 */
enum rc resume_open(struct pack *p, struct err *err) MUST_CHECK;

/* The descriptor is known: commit what the earlier run had published. RC_USAGE:
 * it is of another archive.
 */
enum rc resume_commit(struct pack *p, struct err *err) MUST_CHECK;

/* The run's time is known: from here on the file says how far it is. */
enum rc resume_begin(struct pack *p, struct err *err) MUST_CHECK;

/* A shard was published; from any thread. */
void resume_note(struct pack *p);

/* No more will be published: have the file say all, from this thread. */
void resume_settle(struct pack *p);

/* is_complete: nothing is left to be done, and the file goes. */
void resume_end(struct pack *p, bool is_complete);

#endif
