/* SPDX-License-Identifier: Apache-2.0 */
/* err.h - the one convention for results: an enum, and a text on the caller's stack.
 *
 * A function that can fail returns enum rc and takes struct err *err last
 * (never NULL).  RC_OK is 0.  Whoever detects a failure words it:
 *
 *	return err_set(err, RC_CORRUPT, "footer is %zu bytes, not %d", n, want);
 *
 * and a caller with more context puts that in front:
 *
 *	return err_prefix(err, "shard %s", key);
 *
 * Messages start lower case, have no full stop, and say what was wanted and
 * what was found.  Nothing here allocates; struct err needs no release.
 */
#ifndef DESFS_BASE_ERR_H
#define DESFS_BASE_ERR_H

#include <stdbool.h>

#include "base/compiler.h"

enum rc {
#define RC(name, err, status, transient, text) RC_##name,
#include "base/rc.def"
#undef RC
	RC_COUNT
};

#define ERR_MSG_MAX 480

struct err {
	enum rc rc;
	char msg[ERR_MSG_MAX];
};

/* Record rc and the formatted message; returns rc. */
enum rc err_set(struct err *err, enum rc rc, const char *fmt, ...) PRINTF(3, 4);

/* Record a failed system call: the rc that fits errnum, and "<text>: <strerror>". */
enum rc err_set_errno(struct err *err, int errnum, const char *fmt, ...)
	PRINTF(3, 4);

/* Put "<text>: " before the message already there; returns its rc. */
enum rc err_prefix(struct err *err, const char *fmt, ...) PRINTF(2, 3);

/* The errno FUSE replies for rc; 0 for RC_OK. */
int rc_to_errno(enum rc rc);

/* The exit status of a tool for rc, see desfs(1). */
int rc_to_status(enum rc rc);

/* True when the same call may succeed later. */
bool rc_is_transient(enum rc rc);

/* A few words naming rc; static. */
const char *rc_text(enum rc rc);

#endif
