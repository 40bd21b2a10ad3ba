/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-log-index.c - log/index.json: what is read can be written, and is read
 * the same again.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "store/log-index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(log_index_release) struct log_index ix = { 0 };
	CLEANUP(log_index_release) struct log_index again = { 0 };
	CLEANUP_BUF struct buf b = { 0 };
	struct err err;

	if (log_index_parse(data, size, &ix, &err))
		return 0;
	buf_init(&b, LOG_INDEX_MAX);
	if (log_index_write((const char *const *)ix.names, ix.n, &b, &err) ||
	    log_index_parse(b.p, b.len, &again, &err) || again.n != ix.n)
		abort();
	for (size_t i = 0; i < ix.n; i++) {
		if (strcmp(ix.names[i], again.names[i]) != 0)
			abort();
	}
	return 0;
}
