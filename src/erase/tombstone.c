/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone.c - one request to delete. */
#include "config.h"

#include "erase/tombstone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/unique.h"
#include "erase/document.h"

#define DAY_LEN (TIMESTAMP_DAY_TEXT - 1)
#define ID_DIGITS (2u * ERASURE_ID_LEN)

static const struct document_form form = {
	.kind = "tombstones",
	.array = "erasures",
	.element = "erasure",
	.max = TOMBSTONE_MAX,
	/* A uid of three characters a byte, and the rest. */
	.element_max = 3 * UID_MAX_LEN + 4096,
	.n_max = TOMBSTONE_ERASURES_MAX,
};

/* The members that say which versions. */
static const char *const ranges[] = {
	[ERASURE_ONE] = "created_at",
	[ERASURE_UNTIL] = "until",
};

void tombstone_release(struct tombstone *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->erasures[i].uid);
	free(t->erasures);
	erasure_words_release(&t->words);
	*t = (struct tombstone){ 0 };
}

/* Room for one more, zeroed. */
static struct erasure *append(struct tombstone *t)
{
	struct erasure *e;

	t->erasures = mem_grow(t->erasures, &t->cap, t->n + 1, sizeof(*e));
	e = &t->erasures[t->n++];
	*e = (struct erasure){ 0 };
	return e;
}

void tombstone_add(struct tombstone *t, const uint8_t id[ERASURE_ID_LEN],
		   const void *uid, size_t uid_len, enum erasure_range range,
		   int64_t time)
{
	struct erasure *e = append(t);

	memcpy(e->id, id, ERASURE_ID_LEN);
	e->uid = xmemdup0(uid, uid_len);
	e->uid_len = uid_len;
	e->range = range;
	e->time = time;
}

void erasure_versions(enum erasure_range range, int64_t time,
		      char ret[ERASURE_VERSIONS_TEXT])
{
	char text[TIMESTAMP_TEXT];

	timestamp_format(time, text);
	snprintf(ret, ERASURE_VERSIONS_TEXT, "%s %s", ranges[range], text);
}

static struct json_t *erasure_to_json(const struct erasure *e)
{
	struct json_t *j = json_new_obj();

	json_set_hex(j, "id", e->id, sizeof(e->id));
	json_set_bytes(j, "uid", e->uid, e->uid_len);
	json_set_time(j, ranges[e->range], e->time);
	return j;
}

static int by_id(const void *a, const void *b)
{
	const struct erasure *const *x = a;
	const struct erasure *const *y = b;

	return memcmp((*x)->id, (*y)->id, ERASURE_ID_LEN);
}

/* What could be written and not be read. */
static enum rc check(const struct tombstone *t, const struct erasure **sorted,
		     struct err *err)
{
	if (!timestamp_is_valid(t->time))
		return err_set(err, RC_USAGE, "time is no point in time");
	for (size_t i = 0; i < t->n; i++) {
		const struct erasure *e = sorted[i];

		if (!e->uid_len || e->uid_len > UID_MAX_LEN)
			return err_set(err, RC_USAGE,
				       "uid has %zu bytes, not 1 to %u",
				       e->uid_len, UID_MAX_LEN);
		if (!timestamp_is_valid(e->time))
			return err_set(err, RC_USAGE, "%s is no point in time",
				       ranges[e->range]);
		if (i && !by_id(&sorted[i - 1], &sorted[i]))
			return err_set(err, RC_USAGE,
				       "two erasures have one id");
	}
	return erasure_words_check(&t->words, err);
}

static enum rc write_all(const struct tombstone *t,
			 const struct erasure **sorted, struct buf *out,
			 struct err *err)
{
	CLEANUP_JSON struct json_t *j =
		document_new(&form, t->archive_id, t->time);
	struct document_writer w;

	json_set_hex(j, "nonce", t->nonce, sizeof(t->nonce));
	erasure_words_set(j, &t->words);
	document_begin(&w, &form, j, out);
	for (size_t i = 0; i < t->n; i++) {
		CLEANUP_JSON struct json_t *e = erasure_to_json(sorted[i]);

		document_text(&w, e);
	}
	return document_end(&w, &form, err);
}

enum rc tombstone_encode(const struct tombstone *t, struct buf *out,
			 struct err *err)
{
	CLEANUP_FREE const struct erasure **sorted = NULL;

	if (t->n > TOMBSTONE_ERASURES_MAX)
		return err_set(err, RC_LIMIT,
			       "%zu erasures in one tombstone, not at most %u",
			       t->n, TOMBSTONE_ERASURES_MAX);
	sorted = xcalloc(t->n + 1, sizeof(*sorted));
	for (size_t i = 0; i < t->n; i++)
		sorted[i] = &t->erasures[i];
	qsort(sorted, t->n, sizeof(*sorted), by_id);
	if (check(t, sorted, err))
		return err->rc;
	return write_all(t, sorted, out, err);
}

static enum rc get_range(const struct json_t *j, struct erasure *e,
			 struct err *err)
{
	bool one = json_has(j, ranges[ERASURE_ONE]);

	if (one == json_has(j, ranges[ERASURE_UNTIL]))
		return err_set(err, RC_CORRUPT,
			       "%s of created_at and until, not one of them",
			       one ? "both" : "none");
	e->range = one ? ERASURE_ONE : ERASURE_UNTIL;
	return json_get_time(j, ranges[e->range], &e->time, err);
}

static enum rc get_erasure(void *arg, const struct json_t *j, struct err *err)
{
	struct tombstone *t = arg;
	struct erasure *e = append(t);

	if (!json_is_obj(j))
		return err_set(err, RC_CORRUPT, "not a JSON object");
	if (json_get_hex(j, "id", e->id, sizeof(e->id), err) ||
	    json_get_bytes(j, "uid", UID_MAX_LEN, &e->uid, &e->uid_len, err) ||
	    get_range(j, e, err))
		return err->rc;
	if (!e->uid_len)
		return err_set(err, RC_CORRUPT,
			       "uid is empty; a root is not deleted");
	if (t->n > 1 && memcmp(e[-1].id, e->id, ERASURE_ID_LEN) >= 0)
		return err_set(err, RC_CORRUPT, "id is not in order");
	return RC_OK;
}

static enum rc get_all(struct document *d, struct tombstone *t, struct err *err)
{
	memcpy(t->archive_id, d->archive_id, sizeof(t->archive_id));
	t->time = d->time;
	if (json_get_hex(d->j, "nonce", t->nonce, sizeof(t->nonce), err) ||
	    erasure_words_get(d->j, &t->words, err))
		return err->rc;
	return document_each(d, get_erasure, t, err);
}

enum rc tombstone_decode(const void *p, size_t len, struct tombstone *ret,
			 struct err *err)
{
	CLEANUP(document_release) struct document d = { 0 };
	struct tombstone t = { 0 };

	if (document_open(&d, &form, p, len, err))
		return err->rc;
	if (get_all(&d, &t, err)) {
		tombstone_release(&t);
		return err->rc;
	}
	*ret = t;
	return RC_OK;
}

enum rc tombstone_key(int64_t time, char ret[TOMBSTONE_KEY_TEXT],
		      struct err *err)
{
	char day[TIMESTAMP_DAY_TEXT], random[HEX_TEXT(ERASURE_ID_LEN)];

	if (unique_text(random, ERASURE_ID_LEN, err))
		return err->rc;
	timestamp_day(time, day);
	snprintf(ret, TOMBSTONE_KEY_TEXT, TOMBSTONE_PREFIX "%s/%s.json", day,
		 random);
	return RC_OK;
}

bool tombstone_key_is_valid(const char *key)
{
	size_t len = strlen(TOMBSTONE_PREFIX);
	uint8_t id[ERASURE_ID_LEN];

	if (strncmp(key, TOMBSTONE_PREFIX, len) != 0)
		return false;
	key += len;
	if (strspn(key, "0123456789") != DAY_LEN || key[DAY_LEN] != '/')
		return false;
	key += DAY_LEN + 1;
	return strlen(key) == ID_DIGITS + strlen(".json") &&
	       hex_decode(key, ID_DIGITS, id, sizeof(id)) &&
	       !strcmp(key + ID_DIGITS, ".json");
}

enum rc tombstone_check_key(const struct tombstone *t, const char *key,
			    struct err *err)
{
	char day[TIMESTAMP_DAY_TEXT], text[TIMESTAMP_TEXT];

	if (!tombstone_key_is_valid(key))
		return err_set(err, RC_CORRUPT,
			       "key %s is not " TOMBSTONE_PREFIX
			       "YYYYMMDD/%u hex digits.json",
			       key, ID_DIGITS);
	timestamp_day(t->time, day);
	if (!strncmp(key + strlen(TOMBSTONE_PREFIX), day, DAY_LEN))
		return RC_OK;
	timestamp_format(t->time, text);
	return err_set(err, RC_CORRUPT, "time is %s, the key is of another day",
		       text);
}
