/* SPDX-License-Identifier: Apache-2.0 */
/* zones-mark.h - the object that each store of zones has, and how many there
 * are: what it says.
 *
 * {"stores":3}.  Of older programs it says nothing: {}.
 */
#ifndef DESFS_STORE_ZONES_MARK_H
#define DESFS_STORE_ZONES_MARK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"

#define ZONES_MARK_MAX 4096u /* bytes */

/* How many stores the archive has had; 0: it does not say. */
uint64_t zones_mark_decode(const void *p, size_t len) MUST_CHECK;
void zones_mark_encode(uint64_t n_stores, struct buf *out);

#endif
