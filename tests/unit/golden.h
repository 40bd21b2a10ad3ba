/* SPDX-License-Identifier: Apache-2.0 */
/* golden.h - reading files of tests/golden whole. */
#ifndef DESFS_TESTS_GOLDEN_H
#define DESFS_TESTS_GOLDEN_H

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "unit.h"

/* Fill b, which is to be released, with tests/golden/NAME.json. */
static inline void golden_read(const char *name, struct buf *b)
{
	const char *srcdir = getenv("SRCDIR");
	char path[4096];
	FILE *in;

	snprintf(path, sizeof(path), "%s/tests/golden/%s.json",
		 srcdir ? srcdir : ".", name);
	in = fopen(path, "re");
	if (!in)
		fail_msg("cannot open %s", path);
	buf_init(b, 1u << 20);
	for (;;) {
		uint8_t *p = buf_reserve(b, 65536);
		size_t n;

		assert_non_null(p);
		n = fread(p, 1, 65536, in);
		if (!n)
			break;
		b->len += n;
	}
	fclose(in);
}

#endif
