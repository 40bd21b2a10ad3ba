/* SPDX-License-Identifier: Apache-2.0 */
/* archive-version.h - the version of the library for tar and zip. */
#ifndef DESFS_EXCHANGE_ARCHIVE_VERSION_H
#define DESFS_EXCHANGE_ARCHIVE_VERSION_H

/* "libarchive 3.6.2", of the one that runs, in room of the calling thread's;
 * "no libarchive (why)" without.  Loads it.  Any thread.
 */
const char *archive_version(void);

#endif
