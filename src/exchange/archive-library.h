/* SPDX-License-Identifier: Apache-2.0 */
/* archive-library.h - libarchive, loaded when it is first needed.
 *
 * Only exports and imports need it and the libraries behind it, of which
 * libxml2 brings 30 MB of ICU.  So the programs are not linked with it:
 * archive-library.c defines those of its functions that this room calls, by
 * their own names and types, and passes calls on.  Include this header in the
 * places of <archive.h> and <archive_entry.h>, and call nothing before
 * archive_library_load has succeeded once.
 *
 * libarchive takes names for text in the locale of the calling thread, which in
 * ours has ASCII only: archive_library_enter, and leave at the end, around
 * calls that have to do with names.
 */
#ifndef DESFS_EXCHANGE_ARCHIVE_LIBRARY_H
#define DESFS_EXCHANGE_ARCHIVE_LIBRARY_H

#include <locale.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/compiler.h"
#include "base/err.h"

/* Load libarchive, once however often it is called; any thread.  RC_IO says
 * which library or function is missing, and the package that has it.  What
 * failed once fails ever after.
 */
enum rc archive_library_load(struct err *err) MUST_CHECK;

/* The thread's names are UTF-8, or any other bytes, until leave gets what enter
 * gave.
 */
locale_t archive_library_enter(void);
void archive_library_leave(locale_t before);

/* What went wrong with a, as RC_IO if nothing better fits. */
enum rc archive_library_error(struct archive *a, struct err *err);

#endif
