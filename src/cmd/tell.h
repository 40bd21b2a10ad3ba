/* SPDX-License-Identifier: Apache-2.0 */
/* tell.h - what a tool has to say to the person who called it, on stderr.
 *
 * One line each, "desfs: text", harmless for a terminal whatever names are in
 * it.  Safe from any thread.
 */
#ifndef DESFS_CMD_TELL_H
#define DESFS_CMD_TELL_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/err.h"

struct span;

void tell(const char *fmt, ...) PRINTF(1, 2);

/* The error of one file: "desfs: PATH: message". */
void tell_failed(struct span path, const struct err *err);

/* What a tool returns that told the errors of n_failed files itself: RC_OK
 * without any, that error for the only one, RC_PARTIAL for some of many.  The
 * message is left empty.
 */
enum rc tell_result(size_t n_failed, size_t n_all, enum rc last,
		    struct err *err);

#endif
