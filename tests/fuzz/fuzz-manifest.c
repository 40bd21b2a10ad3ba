/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-manifest.c - manifests in three notations: what the records are does not
 * depend on the pieces in which the bytes come, and a good one is sound.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json-check.h"
#include "fuzz.h"
#include "exchange/manifest.h"

struct source {
	const uint8_t *p;
	size_t left, chunk;
};

static enum rc read_source(void *arg, void *buf, size_t len, size_t *ret,
			   struct err *err)
{
	struct source *s = arg;
	size_t n = s->left < s->chunk ? s->left : s->chunk;

	(void)err;
	n = n < len ? n : len;
	if (n)
		memcpy(buf, s->p, n);
	s->p += n;
	s->left -= n;
	*ret = n;
	return RC_OK;
}

static void check_good(const struct manifest_record *r)
{
	struct json_check check;

	if (!r->has_uid || r->uid.len > UID_MAX_LEN || !*r->source ||
	    !timestamp_is_valid(r->created_at.us) || r->meta.len > META_MAX)
		abort();
	if (!r->meta.len)
		return;
	json_check_init(&check);
	if (!json_check_feed(&check, r->meta.p, r->meta.len) ||
	    !json_check_end(&check))
		abort();
}

static void put(struct buf *out, const void *p, size_t len)
{
	buf_append(out, &len, sizeof(len));
	buf_append(out, p, len);
}

static void read_all(const uint8_t *data, size_t size, size_t chunk,
		     struct buf *out)
{
	struct source s = { .p = data, .left = size, .chunk = chunk };
	struct manifest_record r;
	struct manifest *m = NULL;
	struct err err = { .msg = "" };
	uint64_t n = 0;
	enum rc rc = manifest_open(&m, read_source, &s, &err);

	for (; !rc; n++) {
		rc = manifest_next(m, &r, &err);
		if (rc)
			break;
		/* Each has a byte of its own at least, but the last. */
		if (r.number != n || n > size + 1)
			abort();
		if (!r.why.rc)
			check_good(&r);
		put(out, r.why.msg, strlen(r.why.msg));
		put(out, r.uid.p, r.uid.len);
		put(out, r.created_at_text.p, r.created_at_text.len);
		put(out, &r.size, sizeof(r.size));
		put(out, r.source, strlen(r.source));
		put(out, r.sha256, r.has_sha256 ? SHA256_LEN : 0);
		put(out, r.meta.p, r.meta.len);
	}
	if (m && rc != RC_NOENT)
		abort();
	put(out, err.msg, strlen(err.msg));
	manifest_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf one = { .max = SIZE_MAX }, two = { .max = SIZE_MAX };

	read_all(data, size, SIZE_MAX, &one);
	read_all(data, size, 1 + size % 7, &two);
	if (!buf_ok(&one) || !buf_ok(&two) || one.len != two.len ||
	    memcmp(one.p, two.p, one.len) != 0)
		abort();
	buf_release(&one);
	buf_release(&two);
	return 0;
}
