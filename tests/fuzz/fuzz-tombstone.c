/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-tombstone.c - requests to delete: what is read is written in one form.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "erase/tombstone.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(tombstone_release) struct tombstone t = { 0 };
	CLEANUP(tombstone_release) struct tombstone again = { 0 };
	CLEANUP_BUF struct buf one = { .max = TOMBSTONE_MAX };
	CLEANUP_BUF struct buf two = { .max = TOMBSTONE_MAX };
	struct err err;

	if (tombstone_decode(data, size, &t, &err))
		return 0;
	if (tombstone_encode(&t, &one, &err) ||
	    tombstone_decode(one.p, one.len, &again, &err) || again.n != t.n)
		abort();
	for (size_t i = 0; i < t.n; i++) {
		const struct erasure *a = &t.erasures[i];
		const struct erasure *b = &again.erasures[i];

		if (memcmp(a->id, b->id, sizeof(a->id)) != 0 ||
		    a->uid_len != b->uid_len || a->range != b->range ||
		    a->time != b->time ||
		    memcmp(a->uid, b->uid, a->uid_len) != 0)
			abort();
	}
	if (tombstone_encode(&again, &two, &err) || one.len != two.len ||
	    memcmp(one.p, two.p, one.len) != 0)
		abort();
	return 0;
}
