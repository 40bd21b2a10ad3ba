/* SPDX-License-Identifier: Apache-2.0 */
/* fs-daemon.h - into the background, with word back to the caller.
 *
 * The fork comes before the first thread.  The parent waits until the child
 * serves or says why it does not, and ends with that.
 */
#ifndef DESFS_FS_FS_DAEMON_H
#define DESFS_FS_FS_DAEMON_H

#include "base/compiler.h"
#include "base/err.h"

/* Returns in the child only: a descriptor to report on.  The parent exits with
 * 0, or prints the child's error and exits with its status.
 */
enum rc daemon_start(int *ret, struct err *err) MUST_CHECK;

/* Leave terminal and directory; errors can still be reported. */
enum rc daemon_detach(struct err *err) MUST_CHECK;

/* Let the parent go; both close fd, and do nothing when it is -1. */
void daemon_report_serving(int fd);
void daemon_report_failed(int fd, const struct err *err);

/* Print "mount.desfs: <message>" as one harmless line. */
void daemon_print_error(const struct err *err);

#endif
