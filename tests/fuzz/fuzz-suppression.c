/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-suppression.c - lists of what is not to be archived again: what is read
 * is written in one form, and found.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "erase/suppression.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(suppression_release) struct suppression s = { 0 };
	CLEANUP(suppression_release) struct suppression again = { 0 };
	CLEANUP_BUF struct buf one = { .max = SUPPRESSION_MAX };
	CLEANUP_BUF struct buf two = { .max = SUPPRESSION_MAX };
	struct err err;

	if (suppression_decode(data, size, &s, &err))
		return 0;
	if (suppression_encode(&s, &one, &err) ||
	    suppression_decode(one.p, one.len, &again, &err) ||
	    again.n != s.n || again.time != s.time)
		abort();
	for (size_t i = 0; i < s.n; i++) {
		if (!suppression_has(&again, &s.hashes[i]))
			abort();
	}
	if (suppression_encode(&again, &two, &err) || one.len != two.len ||
	    memcmp(one.p, two.p, one.len) != 0)
		abort();
	return 0;
}
