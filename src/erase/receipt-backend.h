/* SPDX-License-Identifier: Apache-2.0 */
/* receipt-backend.h - what the files that make and read receipts share. */
#ifndef DESFS_ERASE_RECEIPT_BACKEND_H
#define DESFS_ERASE_RECEIPT_BACKEND_H

#include "erase/receipt.h"

/* The order of the arrays, by the roots; for qsort. */
int receipt_compare_replaced(const void *a, const void *b);
int receipt_compare_purged(const void *a, const void *b);
int receipt_compare_roots(const void *a, const void *b);

/* Zeroed, for n elements of size bytes.  No receipt remembers the room its
 * arrays have, most of which are of one element: it is the next power of two.
 * Aborts when memory is out.
 */
void *receipt_array(size_t n, size_t size) MUST_CHECK;
/* Such an array, which has n elements, with room for one more. */
void *receipt_array_grow(void *p, size_t n, size_t size) MUST_CHECK;

#endif
