/* SPDX-License-Identifier: Apache-2.0 */
/* suppression.c - the list of what is not to be archived again. */
#include "config.h"

#include "erase/suppression.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/hmac.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/timestamp.h"
#include "erase/document.h"

static const struct document_form form = {
	.kind = "suppressed",
	.array = "uids",
	.element = "uid",
	.max = SUPPRESSION_MAX,
	.element_max = 256,
	.n_max = SUPPRESSION_UIDS_MAX,
};

void suppression_release(struct suppression *s)
{
	free(s->hashes);
	*s = (struct suppression){ 0 };
}

/* The first len bytes of the HMAC. */
static void keyed(const uint8_t secret[SUPPRESSION_SECRET_LEN], const void *p,
		  size_t n, uint8_t *ret, size_t len)
{
	uint8_t full[HMAC_LEN];
	struct hmac h;

	hmac_init(&h, secret, SUPPRESSION_SECRET_LEN);
	hmac_update(&h, p, n);
	hmac_final(&h, full);
	memcpy(ret, full, len);
}

/* No uid is empty, so this is the HMAC of none. */
void suppression_key_id(const uint8_t secret[SUPPRESSION_SECRET_LEN],
			uint8_t ret[SUPPRESSION_KEY_ID_LEN])
{
	keyed(secret, "", 0, ret, SUPPRESSION_KEY_ID_LEN);
}

void suppression_hash(const uint8_t secret[SUPPRESSION_SECRET_LEN],
		      const void *uid, size_t uid_len,
		      struct suppression_hash *ret)
{
	keyed(secret, uid, uid_len, ret->b, sizeof(ret->b));
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, SUPPRESSION_HASH_LEN);
}

void suppression_add(struct suppression *s, const struct suppression_hash *hash)
{
	s->hashes = mem_grow(s->hashes, &s->cap, s->n + 1, sizeof(*s->hashes));
	s->hashes[s->n++] = *hash;
}

enum rc suppression_append(struct suppression *s,
			   const struct suppression *more, struct err *err)
{
	char want[HEX_TEXT(SUPPRESSION_KEY_ID_LEN)];
	char got[HEX_TEXT(SUPPRESSION_KEY_ID_LEN)];

	if (!more->n)
		return RC_OK;
	if (!s->n) {
		memcpy(s->archive_id, more->archive_id, sizeof(s->archive_id));
		memcpy(s->key_id, more->key_id, sizeof(s->key_id));
		s->time = more->time;
	}
	if (memcmp(s->archive_id, more->archive_id, sizeof(s->archive_id)) != 0)
		return err_set(err, RC_CORRUPT,
			       "list belongs to another archive");
	if (memcmp(s->key_id, more->key_id, sizeof(s->key_id)) != 0) {
		hex_encode(s->key_id, sizeof(s->key_id), want);
		hex_encode(more->key_id, sizeof(s->key_id), got);
		return err_set(err, RC_CORRUPT,
			       "list was made with the key %s, not %s", got,
			       want);
	}
	if (more->time > s->time)
		s->time = more->time;
	for (size_t i = 0; i < more->n; i++)
		suppression_add(s, &more->hashes[i]);
	return RC_OK;
}

void suppression_sort(struct suppression *s)
{
	size_t n = 0;

	if (!s->n)
		return;
	qsort(s->hashes, s->n, sizeof(*s->hashes), compare);
	for (size_t i = 0; i < s->n; i++) {
		if (!n || compare(&s->hashes[n - 1], &s->hashes[i]) != 0)
			s->hashes[n++] = s->hashes[i];
	}
	s->n = n;
}

bool suppression_has(const struct suppression *s,
		     const struct suppression_hash *hash)
{
	return s->n &&
	       bsearch(hash, s->hashes, s->n, sizeof(*s->hashes), compare);
}

/* The hash as a text of JSON, which needs no escapes. */
static void write_hash(const struct suppression_hash *hash, bool is_first,
		       struct buf *out)
{
	char text[HEX_TEXT(SUPPRESSION_HASH_LEN)];

	hex_encode(hash->b, sizeof(hash->b), text);
	buf_printf(out, "%s\"%s\"", is_first ? "" : ",", text);
}

enum rc suppression_encode(const struct suppression *s, struct buf *out,
			   struct err *err)
{
	CLEANUP_JSON struct json_t *j =
		document_new(&form, s->archive_id, s->time);
	struct document_writer w;

	if (s->n > SUPPRESSION_UIDS_MAX)
		return err_set(err, RC_LIMIT,
			       "%zu uids in one list, not at most %u", s->n,
			       SUPPRESSION_UIDS_MAX);
	if (!timestamp_is_valid(s->time))
		return err_set(err, RC_USAGE, "time is no point in time");
	json_set_hex(j, "key_id", s->key_id, sizeof(s->key_id));
	document_begin(&w, &form, j, out);
	for (size_t i = 0; i < s->n; i++) {
		assert(!i || compare(&s->hashes[i - 1], &s->hashes[i]) < 0);
		write_hash(&s->hashes[i], !i, out);
	}
	w.n = s->n;
	return document_end(&w, &form, err);
}

static enum rc get_hash(void *arg, const struct json_t *j, struct err *err)
{
	struct suppression *s = arg;
	const char *text = json_text(j);
	struct suppression_hash hash;

	if (!text || !hex_decode(text, strlen(text), hash.b, sizeof(hash.b)))
		return err_set(err, RC_CORRUPT, "not %u hex digits",
			       2 * SUPPRESSION_HASH_LEN);
	if (s->n && compare(&s->hashes[s->n - 1], &hash) >= 0)
		return err_set(err, RC_CORRUPT, "%s is not in order", text);
	suppression_add(s, &hash);
	return RC_OK;
}

static enum rc get_all(struct document *d, struct suppression *s,
		       struct err *err)
{
	memcpy(s->archive_id, d->archive_id, sizeof(s->archive_id));
	s->time = d->time;
	if (json_get_hex(d->j, "key_id", s->key_id, sizeof(s->key_id), err))
		return err->rc;
	return document_each(d, get_hash, s, err);
}

enum rc suppression_decode(const void *p, size_t len, struct suppression *ret,
			   struct err *err)
{
	CLEANUP(document_release) struct document d = { 0 };
	struct suppression s = { 0 };

	if (document_open(&d, &form, p, len, err))
		return err->rc;
	if (get_all(&d, &s, err)) {
		suppression_release(&s);
		return err->rc;
	}
	*ret = s;
	return RC_OK;
}

enum rc suppression_key(int64_t time, char ret[SUPPRESSION_KEY_TEXT],
			struct err *err)
{
	char name[STAMPED_TEXT];

	if (stamped_name(time, name, err))
		return err->rc;
	snprintf(ret, SUPPRESSION_KEY_TEXT, SUPPRESSION_PREFIX "%s.json", name);
	return RC_OK;
}

bool suppression_key_is_valid(const char *key)
{
	const size_t at = strlen(SUPPRESSION_PREFIX);
	int64_t time;

	return !strncmp(key, SUPPRESSION_PREFIX, at) &&
	       stamped_parse(key + at, ".json", &time);
}
