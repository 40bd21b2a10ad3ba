/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-des2.c - shards of DES2, versions 1 and 2, with their files. */
#include "config.h"

#include "fuzz.h"
#include "legacy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct legacy_object o = { data, size };

	legacy_walk(&o, SHARD_KIND_DES2_V1, SHARD_KIND_DES2_V2);
	return 0;
}
