/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-tombstone-name.c - lines of lists of names that are to be deleted: never
 * another name than the one that is there.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "fuzz.h"
#include "repack/tombstone-name.h"
#include "shard/shard-format.h"

/* What a list would say that means the same. */
static void check_again(const struct tombstone_name *name)
{
	CLEANUP_FREE char *line =
		xcalloc(1, name->uid.len + TIMESTAMP_TEXT + 2);
	struct tombstone_name again;
	struct err err;
	size_t len = name->uid.len;

	memcpy(line, name->uid.p, len);
	line[len++] = '\t';
	timestamp_format(name->time.from, line + len);
	len += strlen(line + len);
	if (tombstone_name_parse(line, len, false, &again, &err) ||
	    !span_equal(again.uid, name->uid) || !again.has_time ||
	    again.time.from != name->time.from)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool is_raw = size && data[0] & 1;
	struct tombstone_name name;
	struct err err;
	char *line;

	if (!size)
		return 0;
	line = xmemdup0(data + 1, size - 1);
	if (!tombstone_name_parse(line, size - 1, is_raw, &name, &err)) {
		if (!name.uid.len || name.uid.len > UID_MAX_LEN ||
		    memcmp(name.uid.p, data + 1, name.uid.len) != 0)
			abort();
		if (name.has_time ? data[1 + name.uid.len] != '\t'
				  : name.uid.len != size - 1)
			abort();
		if (name.has_time && (is_raw || name.time.from > name.time.to))
			abort();
		if (name.has_time)
			check_again(&name);
	}
	free(line);
	return 0;
}
