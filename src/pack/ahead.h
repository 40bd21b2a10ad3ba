/* SPDX-License-Identifier: Apache-2.0 */
/* ahead.h - asks the kernel for the files of a plan before they are read, when
 * it has to fetch them from a disk or a server.
 *
 * Who reads one file after the other has one request at a time under way.
 * When reads take longer than memory does, a thread goes ahead of him and tells
 * the kernel of the next files; it pauses when they are all in memory.  It
 * reads nothing itself, so nothing that is packed depends on it.
 */
#ifndef DESFS_PACK_AHEAD_H
#define DESFS_PACK_AHEAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct ahead;
struct plan;
struct sources;

/* Both must stay until ahead_free.  The calls are for the thread that reads;
 * for NULL ahead_step, ahead_begin and ahead_end do nothing.
 */
struct ahead *ahead_new(const struct sources *s,
			const struct plan *p) MUST_CHECK;
/* Takes NULL. */
void ahead_free(struct ahead *a);

/* The next item of the plan is at hand. */
void ahead_step(struct ahead *a);

/* Before and after a file's len bytes are read; the time at which that began.
 */
int64_t ahead_begin(const struct ahead *a);
void ahead_end(struct ahead *a, int64_t since, size_t len);

/* Reading len bytes took ns.  For tests, and for ahead_end. */
void ahead_took(struct ahead *a, int64_t ns, size_t len);

/* Files the kernel was told of so far, waiting until the thread pauses for want
 * of reading.  For tests.
 */
uint64_t ahead_told(struct ahead *a);

#endif
