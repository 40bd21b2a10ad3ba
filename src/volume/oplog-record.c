/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-record.c - one record of the log, and the keys of records. */
#include "config.h"

#include "volume/oplog-record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json-elements.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/stamped.h"
#include "erase/receipt-share.h"
#include "volume/oplog-json-backend.h"
#include "volume/record-digest.h"

#define RECORD_VERSION 1
/* Of one in the long array: receipts may be the longest. */
#define ELEMENT_MAX ((size_t)RECEIPT_MAX)

static void release_objects(struct oplog_object *objects, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(objects[i].key);
		free(objects[i].rest_of);
	}
	free(objects);
}

static void release_repack(struct oplog_record *r)
{
	for (size_t i = 0; i < r->n_replaces; i++)
		free(r->replaces[i].key);
	free(r->replaces);
}

static void release_purged(struct oplog_record *r)
{
	for (size_t i = 0; i < r->n_purged; i++) {
		free(r->purged[i].key);
		free(r->purged[i].zone);
	}
	free(r->purged);
}

static void release_erased(struct oplog_record *r)
{
	for (size_t i = 0; i < r->n_receipts; i++)
		receipt_release(&r->receipts[i]);
	free(r->receipts);
	receipt_share_free(r->share);
	for (size_t i = 0; i < r->n_done; i++)
		free(r->done[i]);
	free(r->done);
	release_objects(r->suppressed, r->n_suppressed);
}

void oplog_record_release(struct oplog_record *r)
{
	for (size_t i = 0; i < r->n_shards; i++)
		shard_meta_release(&r->shards[i]);
	free(r->shards);
	free(r->name);
	free(r->prev.name);
	release_repack(r);
	release_objects(r->tombstones, r->n_tombstones);
	free(r->withdrawn);
	release_purged(r);
	release_erased(r);
	*r = (struct oplog_record){ 0 };
}

enum rc oplog_record_key(int64_t time, char *ret, size_t size, struct err *err)
{
	char name[STAMPED_TEXT];
	int n;

	if (stamped_name(time, name, err))
		return err->rc;
	n = snprintf(ret, size, "log/%s.json", name);
	if (n < 0 || (size_t)n >= size)
		return err_set(err, RC_LIMIT, "log key needs %d bytes", n + 1);
	return RC_OK;
}

bool oplog_record_name_time(const char *name, int64_t *ret_time)
{
	return stamped_parse(name, ".json", ret_time);
}

/* --- writing -------------------------------------------------------------- */

/* One that is being written. */
struct writer {
	const struct oplog_form *form;
	const void **elements; /* in order */
	size_t n;
};

static int compare_elements(const void *a, const void *b, void *arg)
{
	const struct oplog_form *form = arg;

	return form->compare(*(const void *const *)a, *(const void *const *)b);
}

static void writer_init(struct writer *w, const struct oplog_record *r)
{
	const uint8_t *p;

	w->form = oplog_forms[r->kind];
	p = w->form->array_of(r, &w->n);
	w->elements = xcalloc(w->n + 1, sizeof(*w->elements));
	for (size_t i = 0; i < w->n; i++)
		w->elements[i] = p + i * w->form->element_size;
	qsort_r(w->elements, w->n, sizeof(*w->elements), compare_elements,
		(void *)(uintptr_t)w->form);
}

static enum rc write_elements(const struct writer *w, struct buf *out,
			      struct err *err)
{
	for (size_t i = 0; i < w->n; i++) {
		CLEANUP_JSON struct json_t *j = NULL;

		if (w->form->to_json(w->elements[i], &j, err))
			return err->rc;
		if (i)
			buf_append_str(out, ",");
		json_write(j, out);
	}
	return RC_OK;
}

static enum rc digest_of(const struct writer *w, const struct json_t *rest,
			 const struct buf *elements,
			 uint8_t digest[SHARD_ID_LEN], struct err *err)
{
	struct record_digest d;

	record_digest_begin(&d, rest, w->form->array);
	record_digest_written(&d, elements);
	return record_digest_end(&d, digest, err);
}

/* All but the array and the digest. */
static struct json_t *rest_of(const struct oplog_record *r,
			      const uint8_t archive_id[SHARD_ID_LEN])
{
	const struct oplog_form *form = oplog_forms[r->kind];
	struct json_t *j = json_new_obj();

	json_set_u64(j, "version", RECORD_VERSION);
	json_set_str(j, "kind", form->kind);
	json_set_hex(j, "archive_id", archive_id, SHARD_ID_LEN);
	json_set_time(j, "time", r->time);
	if (r->prev.name) {
		struct json_t *prev = json_new_obj();

		json_set_str(prev, "name", r->prev.name);
		json_set_hex(prev, "sha256", r->prev.sha256, SHA256_LEN);
		json_set(j, "prev", prev);
	}
	if (form->set_rest)
		form->set_rest(r, j);
	return j;
}

static void encode(const struct oplog_record *r, struct json_t *rest,
		   struct buf *out, uint8_t digest[SHARD_ID_LEN])
{
	CLEANUP_BUF struct buf elements = { .max = OPLOG_RECORD_MAX };
	CLEANUP_BUF struct buf after = { .max = OPLOG_RECORD_MAX };
	struct writer w;
	struct err err;

	writer_init(&w, r);
	if (r->lacks_receipts || write_elements(&w, &elements, &err) ||
	    !buf_ok(&elements) ||
	    digest_of(&w, rest, &elements, digest, &err)) {
		out->failed = true;
	} else {
		json_set_hex(rest, "digest", digest, SHARD_ID_LEN);
		json_write_around(rest, w.form->array, out, &after);
		buf_append(out, elements.p, elements.len);
		buf_append(out, after.p, after.len);
	}
	free(w.elements);
}

void oplog_record_encode(const struct oplog_record *r,
			 const uint8_t archive_id[SHARD_ID_LEN],
			 struct buf *out)
{
	CLEANUP_JSON struct json_t *rest = rest_of(r, archive_id);
	uint8_t digest[SHARD_ID_LEN];

	encode(r, rest, out, digest);
	buf_append_str(out, "\n");
}

void oplog_record_encode_kept(const struct oplog_record *r,
			      const uint8_t archive_id[SHARD_ID_LEN],
			      struct buf *out, uint8_t ret_digest[SHARD_ID_LEN])
{
	CLEANUP_JSON struct json_t *rest = rest_of(r, archive_id);

	json_set_str(rest, "name", r->name);
	json_set_hex(rest, "sha256", r->sha256, SHA256_LEN);
	encode(r, rest, out, ret_digest);
}

/* --- reading -------------------------------------------------------------- */

/* One that is being read. */
struct reader {
	const struct oplog_form *form;
	struct json_t *rest; /* with an array of no elements */
	struct json_elements elements;
	size_t len;   /* of all */
	bool is_kept; /* in a checkpoint */
	uint8_t digest[SHARD_ID_LEN];
	struct oplog_record r;
};

/* Find the long array, by any of the names it may have. */
static bool find_array(struct reader *rd, const void *p, size_t len)
{
	for (size_t i = 0; i < OPLOG_N_KINDS; i++) {
		if (json_elements_find(&rd->elements, p, len,
				       oplog_forms[i]->array)) {
			rd->form = oplog_forms[i];
			return true;
		}
	}
	rd->elements = (struct json_elements){ .is_begun = false };
	return false;
}

/* All of the record but the elements of the array. */
static enum rc parse_rest(struct reader *rd, const void *p, size_t len,
			  struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = OPLOG_REST_MAX };

	if (len > OPLOG_RECORD_MAX)
		return err_set(err, RC_LIMIT,
			       "log record has %zu bytes, at most %u are read",
			       len, OPLOG_RECORD_MAX);
	if (!find_array(rd, p, len))
		return json_parse(p, len, OPLOG_REST_MAX, &rd->rest, err);
	if (rd->elements.before.len + rd->elements.after.len > OPLOG_REST_MAX)
		return err_set(err, RC_LIMIT,
			       "log record has %zu bytes beside %s, at most %u "
			       "are read",
			       rd->elements.before.len + rd->elements.after.len,
			       rd->form->array, OPLOG_REST_MAX);
	buf_append(&text, rd->elements.before.p, rd->elements.before.len);
	buf_append(&text, rd->elements.after.p, rd->elements.after.len);
	if (!buf_ok(&text))
		return err_set(err, RC_NOMEM, "no memory for a log record");
	return json_parse(text.p, text.len, OPLOG_REST_MAX, &rd->rest, err);
}

static enum rc get_kind(struct reader *rd, struct err *err)
{
	const char *kind = "";
	uint64_t version = 0;

	if (!json_is_obj(rd->rest))
		return err_set(err, RC_CORRUPT, "not a JSON object");
	if (json_get_u64(rd->rest, "version", JSON_INT_MAX, &version, err))
		return err->rc;
	if (version != RECORD_VERSION)
		return err_set(err, RC_UNSUPPORTED,
			       "log record has version %" PRIu64
			       ", this program reads %d",
			       version, RECORD_VERSION);
	if (json_get_str(rd->rest, "kind", 64, &kind, err))
		return err->rc;
	for (size_t i = 0; i < OPLOG_N_KINDS; i++) {
		if (strcmp(kind, oplog_forms[i]->kind) != 0)
			continue;
		rd->r.kind = (enum oplog_kind)i;
		/* An array that was not found by its name has to be empty. */
		if (rd->form &&
		    strcmp(rd->form->array, oplog_forms[i]->array) != 0)
			return err_set(err, RC_CORRUPT,
				       "log record is of kind %s and has %s",
				       kind, rd->form->array);
		rd->form = oplog_forms[i];
		return RC_OK;
	}
	return err_set(err, RC_UNSUPPORTED,
		       "log record is of kind %s, not known here", kind);
}

static enum rc get_prev(struct reader *rd, struct err *err)
{
	struct oplog_prev *prev = &rd->r.prev;
	struct json_t *j = NULL;
	const char *name = "";
	int64_t time;

	if (!json_has(rd->rest, "prev"))
		return RC_OK;
	if (json_get_obj(rd->rest, "prev", &j, err))
		return err->rc;
	if (json_get_str(j, "name", 128, &name, err) ||
	    json_get_hex(j, "sha256", prev->sha256, SHA256_LEN, err))
		return err_prefix(err, "prev");
	if (!oplog_record_name_time(name, &time))
		return err_set(err, RC_CORRUPT,
			       "prev is %s, which is no record", name);
	if (time >= rd->r.time)
		return err_set(err, RC_CORRUPT, "prev %s is no earlier one",
			       name);
	prev->name = xstrdup(name);
	return RC_OK;
}

/* What a checkpoint says of the record itself. */
static enum rc get_origin(struct reader *rd, struct err *err)
{
	const char *name = "";
	int64_t time = 0;

	if (!rd->is_kept)
		return RC_OK;
	if (json_get_str(rd->rest, "name", 128, &name, err) ||
	    json_get_hex(rd->rest, "sha256", rd->r.sha256, SHA256_LEN, err))
		return err->rc;
	if (!oplog_record_name_time(name, &time) || time != rd->r.time)
		return err_set(err, RC_CORRUPT, "name %s does not fit the time",
			       name);
	rd->r.name = xstrdup(name);
	return RC_OK;
}

static enum rc get_element(struct reader *rd, const struct json_t *j, size_t i,
			   struct err *err)
{
	const struct oplog_form *form = rd->form;
	const uint8_t *p;
	size_t n = 0;

	if (form->append(&rd->r, j, rd->is_kept, err))
		return err_prefix(err, "%s %zu", form->element, i);
	p = form->array_of(&rd->r, &n);
	p += i * form->element_size;
	if (i && form->compare(p - form->element_size, p) >= 0)
		return err_set(err, RC_CORRUPT, "%s %zu is not in order",
			       form->element, i);
	return RC_OK;
}

/* Each element goes through the digest, though it be wrong, and what is wrong
 * is told only when the digest is right.
 */
static enum rc get_elements(struct reader *rd, struct record_digest *d,
			    struct err *first, struct err *err)
{
	size_t max = rd->len / rd->form->text_min;
	struct json_piece piece;

	while (json_elements_next(&rd->elements, &piece)) {
		CLEANUP_JSON struct json_t *j = NULL;

		if (json_parse(piece.p, piece.len, ELEMENT_MAX, &j, err))
			return err->rc;
		if (d->n == max)
			return err_set(err, RC_CORRUPT,
				       "%s has more than %zu elements",
				       rd->form->array, max);
		record_digest_element(d, j);
		if (!first->rc && get_element(rd, j, d->n - 1, first))
			continue;
	}
	return RC_OK;
}

static enum rc get_sealed(struct reader *rd, struct err *err)
{
	uint8_t want[SHARD_ID_LEN];
	struct err first = { .rc = RC_OK };
	struct record_digest d;

	if (json_get_hex(rd->rest, "digest", want, sizeof(want), err))
		return err->rc;
	json_unset(rd->rest, "digest");
	json_unset(rd->rest, rd->form->array);
	record_digest_begin(&d, rd->rest, rd->form->array);
	if (get_elements(rd, &d, &first, err)) {
		record_digest_release(&d);
		return err->rc;
	}
	receipt_share_free(rd->r.share);
	rd->r.share = NULL;
	if (record_digest_end(&d, rd->digest, err))
		return err->rc;
	if (memcmp(rd->digest, want, sizeof(want)) != 0)
		return err_set(err, RC_CORRUPT,
			       "digest does not fit the other members");
	if (first.rc)
		*err = first;
	return first.rc;
}

/* A record that makes what it replaces would be none of this order. */
static enum rc check_replaces(const struct oplog_record *r, struct err *err)
{
	size_t i = 0, k = 0;

	while (i < r->n_shards && k < r->n_replaces) {
		int c = strcmp(r->shards[i].key, r->replaces[k].key);

		if (!c)
			return err_set(err, RC_CORRUPT, "%s replaces itself",
				       r->shards[i].key);
		if (c < 0)
			i++;
		else
			k++;
	}
	return RC_OK;
}

static enum rc read_all(struct reader *rd, const void *p, size_t len,
			struct err *err)
{
	struct json_t *array = NULL;
	size_t n = 0;

	if (parse_rest(rd, p, len, err) || get_kind(rd, err) ||
	    json_get_array(rd->rest, rd->form->array, 0, &array, &n, err) ||
	    json_get_hex(rd->rest, "archive_id", rd->r.archive_id, SHARD_ID_LEN,
			 err) ||
	    json_get_time(rd->rest, "time", &rd->r.time, err) ||
	    get_sealed(rd, err) || get_prev(rd, err) || get_origin(rd, err))
		return err->rc;
	if (rd->form->get_rest && rd->form->get_rest(rd->rest, &rd->r, err))
		return err->rc;
	return check_replaces(&rd->r, err);
}

static enum rc decode(struct reader *rd, const void *p,
		      struct oplog_record *ret, struct err *err)
{
	enum rc rc = read_all(rd, p, rd->len, err);

	json_free(rd->rest);
	if (rc)
		oplog_record_release(&rd->r);
	else
		*ret = rd->r;
	return rc;
}

enum rc oplog_record_decode(const void *p, size_t len, struct oplog_record *ret,
			    struct err *err)
{
	struct reader rd = { .len = len };

	return decode(&rd, p, ret, err);
}

enum rc oplog_record_decode_kept(const void *p, size_t len,
				 struct oplog_record *ret,
				 uint8_t ret_digest[SHARD_ID_LEN],
				 struct err *err)
{
	struct reader rd = { .len = len, .is_kept = true };

	if (decode(&rd, p, ret, err))
		return err->rc;
	memcpy(ret_digest, rd.digest, SHARD_ID_LEN);
	return RC_OK;
}
