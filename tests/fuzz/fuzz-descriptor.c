/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-descriptor.c - desfs.json: what is read can be written and read again.
 */
#include "config.h"

#include <stdlib.h>

#include "fuzz.h"
#include "volume/descriptor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct descriptor d = { 0 };
	struct descriptor again = { 0 };
	struct err err;

	if (descriptor_decode(data, size, &d, &err))
		return 0;
	/* Members not known here were part of the id. */
	descriptor_set_id(&d);
	buf_init(&b, DESCRIPTOR_MAX);
	descriptor_encode(&d, &b);
	if (!buf_ok(&b) || descriptor_decode(b.p, b.len, &again, &err) ||
	    again.n_bits != d.n_bits || again.route != d.route ||
	    again.created_at != d.created_at)
		abort();
	return 0;
}
