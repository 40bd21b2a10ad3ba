/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-kinds-erase.c - the kinds of log records that tell of deletions, as
 * JSON.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "erase/receipt-share.h"
#include "erase/suppression.h"
#include "erase/tombstone.h"
#include "volume/oplog-json-backend.h"

/* --- documents ------------------------------------------------------------ */

typedef bool key_fn(const char *key);

static const void *tombstones_of(const struct oplog_record *r, size_t *ret_n)
{
	*ret_n = r->n_tombstones;
	return r->tombstones;
}

static int compare_objects(const void *a, const void *b)
{
	const struct oplog_object *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static enum rc object_to_json(const void *element, struct json_t **ret,
			      struct err *err)
{
	const struct oplog_object *o = element;
	struct json_t *j = json_new_obj();

	(void)err;
	json_set_str(j, "key", o->key);
	json_set_u64(j, "count", o->count);
	json_set_hex(j, "sha256", o->sha256, SHA256_LEN);
	if (o->rest_of)
		json_set_str(j, "rest_of", o->rest_of);
	*ret = j;
	return RC_OK;
}

static enum rc get_object(const struct json_t *j, struct oplog_object *o,
			  key_fn *is_valid, struct err *err)
{
	const char *key = "";

	if (json_get_str(j, "key", 128, &key, err) ||
	    json_get_u64(j, "count", JSON_INT_MAX, &o->count, err) ||
	    json_get_hex(j, "sha256", o->sha256, SHA256_LEN, err))
		return err->rc;
	if (!is_valid(key))
		return err_set(err, RC_CORRUPT,
			       "key %s is not one of such a document", key);
	o->key = xstrdup(key);
	return RC_OK;
}

static enum rc get_rest_of(const struct json_t *j, struct oplog_object *o,
			   struct err *err)
{
	const char *key = "";

	if (!json_has(j, "rest_of"))
		return RC_OK;
	if (json_get_str(j, "rest_of", 128, &key, err))
		return err->rc;
	if (!tombstone_key_is_valid(key))
		return err_set(err, RC_CORRUPT,
			       "rest_of %s is not the key of such a document",
			       key);
	o->rest_of = xstrdup(key);
	return RC_OK;
}

static enum rc append_tombstone(struct oplog_record *r, const struct json_t *j,
				bool is_kept, struct err *err)
{
	struct oplog_object *o;

	(void)is_kept;
	r->tombstones = mem_grow(r->tombstones, &r->cap, r->n_tombstones + 1,
				 sizeof(*r->tombstones));
	o = &r->tombstones[r->n_tombstones++];
	*o = (struct oplog_object){ 0 };
	if (get_object(j, o, tombstone_key_is_valid, err))
		return err->rc;
	return get_rest_of(j, o, err);
}

/* --- withdrawn ------------------------------------------------------------ */

static const void *withdrawn_of(const struct oplog_record *r, size_t *ret_n)
{
	*ret_n = r->n_withdrawn;
	return r->withdrawn;
}

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, ERASURE_ID_LEN);
}

static enum rc id_to_json(const void *element, struct json_t **ret,
			  struct err *err)
{
	const struct erasure_id *id = element;
	char text[HEX_TEXT(ERASURE_ID_LEN)];

	(void)err;
	hex_encode(id->b, ERASURE_ID_LEN, text);
	*ret = json_new_str(text);
	return RC_OK;
}

static enum rc append_id(struct oplog_record *r, const struct json_t *j,
			 bool is_kept, struct err *err)
{
	const char *text = json_text(j);
	struct erasure_id *id;

	(void)is_kept;
	r->withdrawn = mem_grow(r->withdrawn, &r->cap, r->n_withdrawn + 1,
				sizeof(*r->withdrawn));
	id = &r->withdrawn[r->n_withdrawn++];
	if (!text || !hex_decode(text, strlen(text), id->b, ERASURE_ID_LEN))
		return err_set(err, RC_CORRUPT, "not 32 hex digits");
	return RC_OK;
}

/* --- purged --------------------------------------------------------------- */

static const void *purged_of(const struct oplog_record *r, size_t *ret_n)
{
	*ret_n = r->n_purged;
	return r->purged;
}

static int compare_purged(const void *a, const void *b)
{
	const struct oplog_purged *x = a, *y = b;
	int c = strcmp(x->key, y->key);

	if (c)
		return c;
	if (!x->zone || !y->zone)
		return !!x->zone - !!y->zone;
	return strcmp(x->zone, y->zone);
}

static enum rc purged_to_json(const void *element, struct json_t **ret,
			      struct err *err)
{
	const struct oplog_purged *p = element;
	struct json_t *j;

	if (p->zone && erasure_word_check(RC_USAGE, "zone", p->zone, err))
		return err->rc;
	j = json_new_obj();
	json_set_str(j, "key", p->key);
	json_set_hex(j, "root", p->root, SHARD_ROOT_LEN);
	json_set_str(j, "how", receipt_how_text(p->how));
	json_set_time(j, "time", p->time);
	if (p->zone)
		json_set_str(j, "zone", p->zone);
	if (p->how == RECEIPT_PENDING && p->until != RECEIPT_UNKNOWN)
		json_set_time(j, "until", p->until);
	*ret = j;
	return RC_OK;
}

static enum rc get_how(const struct json_t *j, struct oplog_purged *p,
		       struct err *err)
{
	const char *how = "";

	p->until = RECEIPT_UNKNOWN;
	if (json_get_str(j, "how", 64, &how, err))
		return err->rc;
	if (!receipt_how_parse(how, &p->how))
		return err_set(err, RC_UNSUPPORTED, "how %s is not known here",
			       how);
	if (!json_has(j, "until"))
		return RC_OK;
	if (p->how != RECEIPT_PENDING)
		return err_set(err, RC_CORRUPT, "%s has an until", how);
	return json_get_time(j, "until", &p->until, err);
}

static enum rc append_purged(struct oplog_record *r, const struct json_t *j,
			     bool is_kept, struct err *err)
{
	const char *zone = "";
	struct oplog_purged *p;

	(void)is_kept;
	r->purged = mem_grow(r->purged, &r->cap, r->n_purged + 1,
			     sizeof(*r->purged));
	p = &r->purged[r->n_purged++];
	*p = (struct oplog_purged){ 0 };
	if (oplog_get_shard_key(j, &p->key, p->root, err) ||
	    get_how(j, p, err) || json_get_time(j, "time", &p->time, err))
		return err->rc;
	if (!json_has(j, "zone"))
		return RC_OK;
	if (json_get_str(j, "zone", ERASURE_WORD_MAX, &zone, err) ||
	    erasure_word_check(RC_CORRUPT, "zone", zone, err))
		return err->rc;
	p->zone = xstrdup(zone);
	return RC_OK;
}

/* --- erased --------------------------------------------------------------- */

static const void *receipts_of(const struct oplog_record *r, size_t *ret_n)
{
	*ret_n = r->n_receipts;
	return r->receipts;
}

static int compare_receipts(const void *a, const void *b)
{
	const struct receipt *x = a, *y = b;

	return memcmp(x->id, y->id, ERASURE_ID_LEN);
}

/* Only the order of its arrays may change. */
static enum rc to_json_of_receipt(const void *element, struct json_t **ret,
				  struct err *err)
{
	return receipt_to_json((struct receipt *)(uintptr_t)element, ret, err);
}

static enum rc append_receipt(struct oplog_record *r, const struct json_t *j,
			      bool is_kept, struct err *err)
{
	struct receipt *to;

	(void)is_kept;
	r->receipts = mem_grow(r->receipts, &r->cap, r->n_receipts + 1,
			       sizeof(*r->receipts));
	to = &r->receipts[r->n_receipts++];
	*to = (struct receipt){ 0 };
	if (receipt_from_json(j, to, err))
		return err->rc;
	if (!r->share)
		r->share = receipt_share_new();
	receipt_share_add(r->share, to);
	return RC_OK;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void set_done(const struct oplog_record *r, struct json_t *j)
{
	const char **sorted = xcalloc(r->n_done + 1, sizeof(*sorted));
	struct json_t *array = json_new_array();

	for (size_t i = 0; i < r->n_done; i++)
		sorted[i] = r->done[i];
	qsort(sorted, r->n_done, sizeof(*sorted), compare_texts);
	for (size_t i = 0; i < r->n_done; i++)
		json_add_str(array, sorted[i]);
	json_set(j, "done", array);
	free(sorted);
}

static int compare_object_pointers(const void *a, const void *b)
{
	return compare_objects(*(const void *const *)a,
			       *(const void *const *)b);
}

static void set_erased(const struct oplog_record *r, struct json_t *j)
{
	const struct oplog_object **sorted =
		xcalloc(r->n_suppressed + 1, sizeof(*sorted));
	struct json_t *array = json_new_array();
	struct err err;

	for (size_t i = 0; i < r->n_suppressed; i++)
		sorted[i] = &r->suppressed[i];
	qsort(sorted, r->n_suppressed, sizeof(*sorted),
	      compare_object_pointers);
	for (size_t i = 0; i < r->n_suppressed; i++) {
		struct json_t *x = NULL;

		if (!object_to_json(sorted[i], &x, &err))
			json_add(array, x);
	}
	json_set(j, "suppressed", array);
	set_done(r, j);
	free(sorted);
}

static enum rc get_done(const struct json_t *j, struct oplog_record *r,
			struct err *err)
{
	struct json_t *array = NULL;
	size_t n = 0;

	if (json_get_array(j, "done", OPLOG_REST_ITEMS_MAX, &array, &n, err))
		return err->rc;
	r->done = xcalloc(n + 1, sizeof(*r->done));
	for (size_t i = 0; i < n; i++) {
		const char *key = json_text(json_at(array, i));

		if (!key || !tombstone_key_is_valid(key))
			return err_set(err, RC_CORRUPT,
				       "done %zu is no tombstone's key", i);
		if (i && strcmp(r->done[i - 1], key) >= 0)
			return err_set(err, RC_CORRUPT,
				       "done %zu is not in order", i);
		r->done[r->n_done++] = xstrdup(key);
	}
	return RC_OK;
}

static enum rc get_erased(const struct json_t *j, struct oplog_record *r,
			  struct err *err)
{
	struct json_t *array = NULL;
	size_t n = 0;

	if (get_done(j, r, err) ||
	    json_get_array(j, "suppressed", OPLOG_REST_ITEMS_MAX, &array, &n,
			   err))
		return err->rc;
	r->suppressed = xcalloc(n + 1, sizeof(*r->suppressed));
	while (r->n_suppressed < n) {
		size_t i = r->n_suppressed++;
		struct oplog_object *o = &r->suppressed[i];

		if (get_object(json_at(array, i), o, suppression_key_is_valid,
			       err))
			return err_prefix(err, "suppressed %zu", i);
		if (i && strcmp(o[-1].key, o->key) >= 0)
			return err_set(err, RC_CORRUPT,
				       "suppressed %zu is not in order", i);
	}
	return RC_OK;
}

/* --- all ------------------------------------------------------------------ */

const struct oplog_form oplog_form_tombstones = { .kind = "tombstones",
						  .array = "tombstones",
						  .element = "tombstone",
						  .text_min = 128,
						  .element_size = sizeof(
							  struct oplog_object),
						  .array_of = tombstones_of,
						  .compare = compare_objects,
						  .to_json = object_to_json,
						  .append = append_tombstone };

const struct oplog_form oplog_form_withdrawn = { .kind = "withdrawn",
						 .array = "withdrawn",
						 .element = "withdrawn",
						 .text_min = 32,
						 .element_size = sizeof(
							 struct erasure_id),
						 .array_of = withdrawn_of,
						 .compare = compare_ids,
						 .to_json = id_to_json,
						 .append = append_id };

const struct oplog_form oplog_form_purged = { .kind = "purged",
					      .array = "purged",
					      .element = "purged",
					      .text_min = 128,
					      .element_size = sizeof(
						      struct oplog_purged),
					      .array_of = purged_of,
					      .compare = compare_purged,
					      .to_json = purged_to_json,
					      .append = append_purged };

const struct oplog_form oplog_form_erased = { .kind = "erased",
					      .array = "receipts",
					      .element = "receipt",
					      .text_min = 128,
					      .element_size =
						      sizeof(struct receipt),
					      .array_of = receipts_of,
					      .compare = compare_receipts,
					      .to_json = to_json_of_receipt,
					      .append = append_receipt,
					      .set_rest = set_erased,
					      .get_rest = get_erased };
