/* SPDX-License-Identifier: Apache-2.0 */
/* top-ask.h - looks at a mount, taken by a thread of its own.
 *
 * When all threads of a daemon are busy a look waits like everybody else, and
 * just then one wants to be told so.  One thread asks and takes.
 */
#ifndef DESFS_CMD_TOP_ASK_H
#define DESFS_CMD_TOP_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/top-look.h"

struct ask;

/* path: the control directory. */
enum rc ask_open(struct ask **ret, const char *path,
		 struct err *err) MUST_CHECK;

/* A look that gets no answer is left behind with its thread: it ends with the
 * process.
 */
void ask_close(struct ask *a);

/* Begin to look; the look before must have been taken. */
void ask_begin(struct ask *a);

/* Readable once the look is there. */
int ask_descriptor(const struct ask *a);

/* The look, once the descriptor is readable; the caller frees it. */
enum rc ask_take(struct ask *a, struct look **ret, struct err *err) MUST_CHECK;

/* Requests of the mount at path that the kernel has not got answers to, as it
 * counts them itself; false when it does not tell.  Asks the daemon nothing.
 */
bool ask_kernel(const char *mountpoint, uint64_t *ret);

#endif
