/* SPDX-License-Identifier: Apache-2.0 */
/* stop.h - signals that ask us to end become one flag and one descriptor.
 *
 * main calls stop_init before it starts threads.  Loops ask stop_requested;
 * whoever waits in poll adds stop_descriptor, which is readable from the
 * request on, for good.  All functions but init and release are safe from any
 * thread.
 *
 * A program that has something worth finishing says stop_gently before it
 * begins: from then on a signal only asks (stop_asked), and all that heeds
 * stop_requested, as requests over the network, goes on.
 */
#ifndef DESFS_BASE_STOP_H
#define DESFS_BASE_STOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

enum stop_flags {
	/* SIGHUP asks to end too; otherwise it is left as it was. */
	STOP_ON_HUP = 1,
	/* A second signal kills, whichever of them it is: for tools, so that
	 * Ctrl-C twice always ends them.  A daemon would leave a dead mount
	 * behind.  SIGHUP excepted: a terminal that is closed may send more
	 * than one.
	 */
	STOP_TWICE_KILLS = 2,
};

/* From here on SIGINT and SIGTERM only ask.  Signals that were ignored at the
 * start (nohup, background jobs) stay ignored, SIGTERM excepted.
 */
enum rc stop_init(unsigned int flags, struct err *err) MUST_CHECK;

/* Give the signals their default action, forget the request. */
void stop_release(void);

bool stop_requested(void);

/* Signals that come from here on ask for an end in good order only. */
void stop_gently(void);

/* That is finished: signals request again, as one does that came meanwhile. */
void stop_promptly(void);

/* A signal has come, gently or not. */
bool stop_asked(void);

/* Ask as a signal would; also safe in signal handlers. */
void stop_request(void);

/* The signal that asked, 0 when none did. */
int stop_signal(void);

/* To be polled for reading, never read; -1 before stop_init. */
int stop_descriptor(void);

/* The same for stop_asked. */
int stop_asked_descriptor(void);

/* Sleep for ns, or less when a signal comes; true when a stop is requested. */
bool stop_sleep(uint64_t ns);

#endif
