/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-legacy-name.c - lists of names, one a line: what is taken for one of an
 * older archive is within its bounds, and n_bits is what all names allow.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "legacy/legacy-bits.h"

static void check(const struct legacy_name *n, struct span key)
{
	bool is_des2 =
		n->kind == LEGACY_NAME_SHARD || n->kind == LEGACY_NAME_META;

	if (n->kind == LEGACY_NAME_NONE ||
	    (n->kind == LEGACY_NAME_BIG_FILE) != !n->day || n->day > 99991231 ||
	    (is_des2 && n->slot > 65535) || n->file.len >= key.len)
		abort();
	if (n->file.len &&
	    (n->file.p < key.p || n->file.p + n->file.len != key.p + key.len))
		abort();
}

static void check_bits(const struct legacy_bits *b)
{
	char text[LEGACY_BITS_TEXT];
	unsigned int n;
	struct err err;

	legacy_bits_text(b, text);
	if (legacy_bits_get(b, 0, &n, &err)) {
		if (err.rc != RC_CORRUPT || !b->n_names)
			abort();
		return;
	}
	if (n < LEGACY_BITS_MIN || n > LEGACY_BITS_MAX ||
	    legacy_bits_get(b, n, &n, &err))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_of(data, size);
	struct legacy_bits b;

	legacy_bits_init(&b);
	while (rest.len) {
		const char *end = memchr(rest.p, '\n', rest.len);
		struct span key = span_of(rest.p, end ? (size_t)(end - rest.p)
						      : rest.len);
		struct legacy_name n;

		if (legacy_name_parse(key.p, key.len, &n)) {
			check(&n, key);
			legacy_bits_name(&b, &n, key);
		}
		rest = span_after(rest, end ? key.len + 1 : key.len);
	}
	check_bits(&b);
	return 0;
}
