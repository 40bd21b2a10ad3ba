/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-legacy-meta.c - sidecars: the tombstones are the same whatever pieces
 * the document comes in.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "fuzz.h"
#include "legacy/legacy-meta.h"

struct seen {
	struct sha256 h;
	uint64_t n;
};

static enum rc note(void *arg, struct span uid, struct err *err)
{
	struct seen *s = arg;

	(void)err;
	sha256_update(&s->h, &uid.len, sizeof(uid.len));
	sha256_update(&s->h, uid.p, uid.len);
	s->n++;
	return RC_OK;
}

static enum rc parse(const uint8_t *p, size_t len, size_t piece,
		     uint8_t digest[SHA256_LEN])
{
	struct seen s = { .n = 0 };
	struct legacy_meta *m = legacy_meta_new(note, &s);
	struct err err;
	enum rc rc = RC_OK;

	sha256_init(&s.h);
	for (size_t off = 0; off < len && !rc; off += piece)
		rc = legacy_meta_feed(m, p + off,
				      len - off < piece ? len - off : piece,
				      &err);
	if (!rc)
		rc = legacy_meta_end(m, &err);
	if (rc && rc != RC_CORRUPT && rc != RC_UNSUPPORTED && rc != RC_LIMIT)
		abort();
	legacy_meta_free(m);
	sha256_final(&s.h, digest);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t one[SHA256_LEN], other[SHA256_LEN];
	enum rc rc = parse(data, size, size ? size : 1, one);

	if (!rc != !parse(data, size, 3, other) ||
	    (!rc && memcmp(one, other, sizeof(one)) != 0))
		abort();
	return 0;
}
