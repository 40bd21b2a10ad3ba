/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-receipt.c - receipts: what is read is written in one form. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "erase/receipt.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(receipt_release) struct receipt r = { 0 };
	CLEANUP(receipt_release) struct receipt again = { 0 };
	CLEANUP_BUF struct buf one = { .max = RECEIPT_MAX };
	CLEANUP_BUF struct buf two = { .max = RECEIPT_MAX };
	struct err err;

	if (receipt_decode(data, size, &r, &err))
		return 0;
	if (receipt_encode(&r, &one, &err) ||
	    receipt_decode(one.p, one.len, &again, &err) ||
	    again.n_replaced != r.n_replaced || again.n_purged != r.n_purged ||
	    receipt_is_final(&again) != receipt_is_final(&r))
		abort();
	if (receipt_encode(&again, &two, &err) || one.len != two.len ||
	    memcmp(one.p, two.p, one.len) != 0)
		abort();
	return 0;
}
