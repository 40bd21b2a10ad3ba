/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-hold.c - holds: what is not understood holds everything. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "repack/holds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(holds_release) struct holds h = { 0 };
	struct hold one = { 0 };
	struct err err;
	enum rc rc = hold_decode(data, size, &one, &err);

	holds_add(&h, "holds/one", data, size);
	if (h.n != 1 || (rc && !holds_everything(&h)))
		abort();
	if (!rc && one.scope != HOLD_ALL && holds_everything(&h))
		abort();
	if (!rc && one.uid && !holds_uid(&h, one.uid, one.uid_len))
		abort();
	hold_release(&one);
	return 0;
}
