/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-datavision.c - containers of Datavision. */
#include "config.h"

#include "fuzz.h"
#include "legacy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct legacy_object o = { data, size };

	legacy_walk(&o, SHARD_KIND_DATAVISION, SHARD_KIND_DATAVISION);
	return 0;
}
