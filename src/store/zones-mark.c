/* SPDX-License-Identifier: Apache-2.0 */
/* zones-mark.c - how many stores an archive in zones has. */
#include "config.h"

#include "store/zones-mark.h"

#include "base/json.h"

uint64_t zones_mark_decode(const void *p, size_t len)
{
	CLEANUP_JSON struct json_t *j = NULL;
	struct err ignored;
	uint64_t n = 0;

	if (json_parse(p, len, ZONES_MARK_MAX, &j, &ignored) ||
	    !json_is_obj(j) ||
	    json_get_u64(j, "stores", JSON_INT_MAX, &n, &ignored))
		return 0;
	return n;
}

void zones_mark_encode(uint64_t n_stores, struct buf *out)
{
	CLEANUP_JSON struct json_t *j = json_new_obj();

	json_set_u64(j, "stores", n_stores);
	json_write(j, out);
	buf_append_str(out, "\n");
}
