/* SPDX-License-Identifier: Apache-2.0 */
/* convert-place.h - where an archive that is made of another may be. */
#ifndef DESFS_CMD_CONVERT_PLACE_H
#define DESFS_CMD_CONVERT_PLACE_H

#include "base/err.h"

/* RC_USAGE: the two are one place, or one is in the other.  to need not be
 * there.
 */
enum rc convert_check_places(const char *from, const char *to,
			     struct err *err) MUST_CHECK;

#endif
