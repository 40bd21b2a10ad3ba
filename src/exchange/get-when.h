/* SPDX-License-Identifier: Apache-2.0 */
/* get-when.h - the time that somebody knows a file by, as a volume wants it.
 *
 * The text is one that timestamp_parse takes; NULL or "": no time, which is the
 * newest version.
 */
#ifndef DESFS_EXCHANGE_GET_WHEN_H
#define DESFS_EXCHANGE_GET_WHEN_H

#include <stdint.h>

#include "base/err.h"
#include "volume/volume-version.h"

/* The instant itself is wanted, and where nothing was made just then, the
 * newest version within what the text names: its second, its day.
 */
enum rc get_when(const char *text, struct volume_when *ret,
		 struct err *err) MUST_CHECK;

/* For archives of older programs: the date as it was written, YYYYMMDD as a
 * number; 0 of no time.
 */
enum rc get_when_day(const char *text, uint32_t *ret,
		     struct err *err) MUST_CHECK;

#endif
