/* SPDX-License-Identifier: Apache-2.0 */
/* list-pace.h - how long a list of many pages may take; pure.
 *
 * Each page has a deadline of its own.  All of them together have the time of
 * one call and more for each key they bring, so that a long list may take long
 * and one that only drips ends.  Time the caller spends on the keys does not
 * count.
 */
#ifndef DESFS_STORE_LIST_PACE_H
#define DESFS_STORE_LIST_PACE_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

/* A server that needs a whole timeout of 20 s for a page of 1000 is still
 * waited for.
 */
#define LIST_PACE_KEY_NS UINT64_C(20000000)

struct list_pace {
	uint64_t allowed, spent; /* ns */
};

void list_pace_begin(struct list_pace *p, uint64_t timeout_ms);

/* A page of n keys came after ns.  RC_TIMEOUT: no further one is to be asked
 * for.
 */
enum rc list_pace_page(struct list_pace *p, uint64_t ns, size_t n,
		       struct err *err) MUST_CHECK;

#endif
