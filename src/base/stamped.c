/* SPDX-License-Identifier: Apache-2.0 */
/* stamped.c - names of objects in the order of time. */
#include "config.h"

#include "base/stamped.h"

#include <string.h>

#include "base/unique.h"

#define STAMP_LEN (TIMESTAMP_COMPACT_TEXT - 1)
#define DIGITS (HEX_TEXT(STAMPED_RANDOM_LEN) - 1)

enum rc stamped_name(int64_t us, char ret[STAMPED_TEXT], struct err *err)
{
	if (unique_text(ret + STAMP_LEN + 1, STAMPED_RANDOM_LEN, err))
		return err->rc;
	timestamp_format_compact(us, ret);
	ret[STAMP_LEN] = '-';
	return RC_OK;
}

bool stamped_parse(const char *name, const char *suffix, int64_t *ret_us)
{
	uint8_t random[STAMPED_RANDOM_LEN];

	return strlen(name) == STAMPED_TEXT - 1 + strlen(suffix) &&
	       name[STAMP_LEN] == '-' &&
	       !strcmp(name + STAMPED_TEXT - 1, suffix) &&
	       hex_decode(name + STAMP_LEN + 1, DIGITS, random,
			  sizeof(random)) &&
	       timestamp_parse_compact(name, STAMP_LEN, ret_us);
}
