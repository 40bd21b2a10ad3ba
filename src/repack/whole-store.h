/* SPDX-License-Identifier: Apache-2.0 */
/* whole-store.h - whether a store is all there is of an archive. */
#ifndef DESFS_REPACK_WHOLE_STORE_H
#define DESFS_REPACK_WHOLE_STORE_H

#include "base/err.h"

struct store;

/* RC_USAGE: it is one store of zones, or fewer than there are.  What is removed there may still be in
 * the others, and nobody may say that it is gone.
 */
enum rc whole_store_check(struct store *st, struct err *err) MUST_CHECK;

#endif
