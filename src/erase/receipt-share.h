/* SPDX-License-Identifier: Apache-2.0 */
/* receipt-share.h - one copy of what many receipts say alike.
 *
 * Files that are deleted together lie in few shards, so that their receipts
 * differ in id, subject and times only.
 */
#ifndef DESFS_ERASE_RECEIPT_SHARE_H
#define DESFS_ERASE_RECEIPT_SHARE_H

#include "erase/receipt.h"

/* Remembers some of what was met last. */
struct receipt_share;
struct receipt_share *receipt_share_new(void) MUST_CHECK;
void receipt_share_free(struct receipt_share *s); /* takes NULL */

/* r is not changed any more, but for the order of its arrays.  Receipts that
 * share something are for one thread at a time.
 */
void receipt_share_add(struct receipt_share *s, struct receipt *r);

#endif
