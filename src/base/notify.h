/* SPDX-License-Identifier: Apache-2.0 */
/* notify.h - tell the service manager how we are, as sd_notify(3) does.
 *
 * Does nothing, successfully, when $NOTIFY_SOCKET is not set.
 */
#ifndef DESFS_BASE_NOTIFY_H
#define DESFS_BASE_NOTIFY_H

#include "base/compiler.h"
#include "base/err.h"

/* Send assignments, one a line. */
enum rc notify_send(const char *state, struct err *err) MUST_CHECK;

#define NOTIFY_READY "READY=1"
#define NOTIFY_STOPPING "STOPPING=1"

#endif
