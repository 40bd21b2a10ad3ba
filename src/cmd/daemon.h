/* SPDX-License-Identifier: Apache-2.0 */
/* daemon.h - where mount.desfs is, and running it.
 *
 * It is looked for beside this program first, then where it was installed.
 */
#ifndef DESFS_CMD_DAEMON_H
#define DESFS_CMD_DAEMON_H

#include "base/err.h"

/* Become the daemon; argv[0] is set here.  Returns only on failure. */
enum rc daemon_exec(char **argv, struct err *err);

/* Run it and wait for its end; its exit status, or -1 when there is none. */
int daemon_spawn(char **argv);

#endif
