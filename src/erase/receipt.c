/* SPDX-License-Identifier: Apache-2.0 */
/* receipt.c - what proves that a deletion was done: made and written. */
#include "config.h"

#include "erase/receipt-backend.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/hmac.h"
#include "base/json.h"
#include "base/mem.h"

static const char *const hows[] = {
	[RECEIPT_REMOVED] = "removed",
	[RECEIPT_VERSION_REMOVED] = "version-removed",
	[RECEIPT_PENDING] = "pending",
};

const char *receipt_how_text(enum receipt_how how)
{
	return hows[how];
}

bool receipt_how_parse(const char *text, enum receipt_how *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(hows); i++) {
		if (!strcmp(text, hows[i])) {
			*ret = (enum receipt_how)i;
			return true;
		}
	}
	return false;
}

static void release_own(struct receipt *r)
{
	for (size_t i = 0; i < r->n_replaced; i++)
		free(r->replaced[i].to);
	for (size_t i = 0; i < r->n_purged; i++)
		free(r->purged[i].zone);
	free(r->replaced);
	free(r->purged);
	erasure_words_release(&r->words);
}

void receipt_release(struct receipt *r)
{
	if (r->common)
		receipt_common_unref(r->common);
	else
		release_own(r);
	*r = (struct receipt){ 0 };
}

struct receipt_common *receipt_common_new(struct receipt *r)
{
	struct receipt_common *c = xcalloc(1, sizeof(*c));

	c->refs = 2;
	c->what = *r;
	r->common = c;
	return c;
}

void receipt_common_unref(struct receipt_common *c)
{
	if (!c || --c->refs)
		return;
	release_own(&c->what);
	free(c);
}

void receipt_join(struct receipt *r, struct receipt_common *c)
{
	release_own(r);
	r->words = c->what.words;
	r->replaced = c->what.replaced;
	r->purged = c->what.purged;
	r->common = c;
	c->refs++;
}

void receipt_subject(const uint8_t salt[RECEIPT_SALT_LEN], const void *uid,
		     size_t uid_len, enum erasure_range range, int64_t time,
		     uint8_t ret[RECEIPT_SUBJECT_LEN])
{
	char versions[ERASURE_VERSIONS_TEXT];
	struct hmac h;

	erasure_versions(range, time, versions);
	hmac_init(&h, salt, RECEIPT_SALT_LEN);
	hmac_update(&h, uid, uid_len);
	/* The last zero byte: there is none in what follows it. */
	hmac_update(&h, "", 1);
	hmac_update(&h, versions, strlen(versions));
	hmac_final(&h, ret);
}

bool receipt_is_of(const struct receipt *r,
		   const uint8_t salt[RECEIPT_SALT_LEN], const void *uid,
		   size_t uid_len, enum erasure_range range, int64_t time)
{
	uint8_t subject[RECEIPT_SUBJECT_LEN];

	receipt_subject(salt, uid, uid_len, range, time, subject);
	return !memcmp(subject, r->subject, sizeof(subject));
}

bool receipt_is_final(const struct receipt *r)
{
	for (size_t i = 0; i < r->n_purged; i++) {
		if (r->purged[i].how == RECEIPT_PENDING)
			return false;
	}
	return true;
}

static size_t room_of(size_t n)
{
	size_t cap = 1;

	while (cap < n)
		cap *= 2;
	return cap;
}

void *receipt_array(size_t n, size_t size)
{
	return xcalloc(room_of(n), size);
}

void *receipt_array_grow(void *p, size_t n, size_t size)
{
	void *more;

	if (n && n < room_of(n))
		return p;
	more = receipt_array(n + 1, size);
	if (n)
		memcpy(more, p, n * size);
	free(p);
	return more;
}

void receipt_add_replaced(struct receipt *r, const struct receipt_root *from,
			  const struct receipt_root *to, size_t n_to,
			  int64_t time)
{
	struct receipt_replaced *x;

	r->replaced = receipt_array_grow(r->replaced, r->n_replaced,
					 sizeof(*r->replaced));
	x = &r->replaced[r->n_replaced++];
	*x = (struct receipt_replaced){ .from = *from,
					.n_to = n_to,
					.time = time };
	x->to = xcalloc(n_to + 1, sizeof(*to));
	for (size_t i = 0; i < n_to; i++)
		x->to[i] = to[i];
}

void receipt_add_purged(struct receipt *r, const struct receipt_root *root,
			const char *zone, enum receipt_how how, int64_t time,
			int64_t until)
{
	struct receipt_purged *x;

	r->purged =
		receipt_array_grow(r->purged, r->n_purged, sizeof(*r->purged));
	x = &r->purged[r->n_purged++];
	*x = (struct receipt_purged){
		.root = *root,
		.zone = zone ? xstrdup(zone) : NULL,
		.how = how,
		.time = time,
		.until = how == RECEIPT_PENDING ? until : RECEIPT_UNKNOWN,
	};
}

int receipt_compare_roots(const void *a, const void *b)
{
	return memcmp(a, b, SHARD_ROOT_LEN);
}

int receipt_compare_replaced(const void *a, const void *b)
{
	const struct receipt_replaced *x = a, *y = b;

	return receipt_compare_roots(&x->from, &y->from);
}

int receipt_compare_purged(const void *a, const void *b)
{
	const struct receipt_purged *x = a, *y = b;
	int c = receipt_compare_roots(&x->root, &y->root);

	return c ? c : strcmp(x->zone ? x->zone : "", y->zone ? y->zone : "");
}

static void sort(struct receipt *r)
{
	for (size_t i = 0; i < r->n_replaced; i++) {
		const struct receipt_replaced *x = &r->replaced[i];

		if (x->n_to)
			qsort(x->to, x->n_to, sizeof(*x->to),
			      receipt_compare_roots);
	}
	if (r->n_replaced)
		qsort(r->replaced, r->n_replaced, sizeof(*r->replaced),
		      receipt_compare_replaced);
	if (r->n_purged)
		qsort(r->purged, r->n_purged, sizeof(*r->purged),
		      receipt_compare_purged);
}

static enum rc check_replaced(const struct receipt *r, struct err *err)
{
	for (size_t i = 0; i < r->n_replaced; i++) {
		const struct receipt_replaced *x = &r->replaced[i];

		if (x->n_to > RECEIPT_ITEMS_MAX)
			return err_set(err, RC_LIMIT,
				       "%zu revisions in the place of one, not "
				       "at most %u",
				       x->n_to, RECEIPT_ITEMS_MAX);
		if (!timestamp_is_valid(x->time))
			return err_set(err, RC_USAGE,
				       "time is no point in time");
		if (i && !receipt_compare_replaced(x - 1, x))
			return err_set(err, RC_USAGE,
				       "a revision is replaced twice");
		for (size_t k = 1; k < x->n_to; k++) {
			if (!receipt_compare_roots(&x->to[k - 1], &x->to[k]))
				return err_set(err, RC_USAGE,
					       "a revision takes one place "
					       "twice");
		}
	}
	return RC_OK;
}

static enum rc check_purged(const struct receipt *r, struct err *err)
{
	for (size_t i = 0; i < r->n_purged; i++) {
		const struct receipt_purged *x = &r->purged[i];

		if (x->zone &&
		    erasure_word_check(RC_USAGE, "zone", x->zone, err))
			return err->rc;
		if (!timestamp_is_valid(x->time) ||
		    (x->until != RECEIPT_UNKNOWN &&
		     !timestamp_is_valid(x->until)))
			return err_set(err, RC_USAGE,
				       "time is no point in time");
		if (i && !receipt_compare_purged(x - 1, x))
			return err_set(err, RC_USAGE,
				       "a revision goes twice from a zone");
	}
	return RC_OK;
}

/* What could be written and not be read; r is sorted. */
static enum rc check(const struct receipt *r, struct err *err)
{
	if (r->n_replaced > RECEIPT_ITEMS_MAX ||
	    r->n_purged > RECEIPT_ITEMS_MAX)
		return err_set(err, RC_LIMIT,
			       "%u replaced, %u purged, not at most %u each",
			       r->n_replaced, r->n_purged, RECEIPT_ITEMS_MAX);
	if (!timestamp_is_valid(r->asked) || !timestamp_is_valid(r->hidden))
		return err_set(err, RC_USAGE, "time is no point in time");
	if (check_replaced(r, err) || check_purged(r, err))
		return err->rc;
	return erasure_words_check(&r->words, err);
}

static struct json_t *replaced_to_json(const struct receipt_replaced *x)
{
	struct json_t *j = json_new_obj(), *to = json_new_array();

	for (size_t i = 0; i < x->n_to; i++) {
		char text[HEX_TEXT(SHARD_ROOT_LEN)];

		hex_encode(x->to[i].b, SHARD_ROOT_LEN, text);
		json_add_str(to, text);
	}
	json_set_hex(j, "from", x->from.b, SHARD_ROOT_LEN);
	json_set_time(j, "time", x->time);
	json_set(j, "to", to);
	return j;
}

static struct json_t *purged_to_json(const struct receipt_purged *x)
{
	struct json_t *j = json_new_obj();

	json_set_str(j, "how", receipt_how_text(x->how));
	json_set_hex(j, "root", x->root.b, SHARD_ROOT_LEN);
	json_set_time(j, "time", x->time);
	if (x->until != RECEIPT_UNKNOWN)
		json_set_time(j, "until", x->until);
	if (x->zone)
		json_set_str(j, "zone", x->zone);
	return j;
}

enum rc receipt_to_json(struct receipt *r, struct json_t **ret, struct err *err)
{
	struct json_t *j, *replaced, *purged;

	sort(r);
	if (check(r, err))
		return err->rc;
	j = json_new_obj();
	replaced = json_new_array();
	purged = json_new_array();
	for (size_t i = 0; i < r->n_replaced; i++)
		json_add(replaced, replaced_to_json(&r->replaced[i]));
	for (size_t i = 0; i < r->n_purged; i++)
		json_add(purged, purged_to_json(&r->purged[i]));
	json_set_hex(j, "id", r->id, sizeof(r->id));
	json_set_hex(j, "subject", r->subject, sizeof(r->subject));
	json_set_time(j, "asked", r->asked);
	json_set_time(j, "hidden", r->hidden);
	json_set(j, "replaced", replaced);
	json_set(j, "purged", purged);
	erasure_words_set(j, &r->words);
	*ret = j;
	return RC_OK;
}

enum rc receipt_encode(struct receipt *r, struct buf *out, struct err *err)
{
	CLEANUP_JSON struct json_t *j = NULL;
	size_t before = out->len;

	if (receipt_to_json(r, &j, err))
		return err->rc;
	json_write(j, out);
	if (!buf_ok(out) || out->len - before > RECEIPT_MAX)
		return err_set(err, RC_LIMIT, "receipt has over %u bytes",
			       RECEIPT_MAX);
	return RC_OK;
}
