/* SPDX-License-Identifier: Apache-2.0 */
/* oplog-kinds.c - the kinds of log records as JSON. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "volume/oplog-json-backend.h"

#define N_LOST_MAX ((uint64_t)1 << 40)

static const char *const whys[] = {
	[OPLOG_DELETED] = "deleted", [OPLOG_MERGE] = "merge",
	[OPLOG_SPLIT] = "split",     [OPLOG_RECOMPRESS] = "recompress",
	[OPLOG_CORRUPT] = "corrupt",
};

const char *oplog_why_text(enum oplog_why why)
{
	return whys[why];
}

bool oplog_why_parse(const char *text, enum oplog_why *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(whys); i++) {
		if (!strcmp(text, whys[i])) {
			*ret = (enum oplog_why)i;
			return true;
		}
	}
	return false;
}

/* --- shards --------------------------------------------------------------- */

static const void *shards_of(const struct oplog_record *r, size_t *ret_n)
{
	*ret_n = r->n_shards;
	return r->shards;
}

static enum rc shard_to_json(const void *element, struct json_t **ret,
			     struct err *err)
{
	(void)err;
	*ret = oplog_shard_to_json(element);
	return RC_OK;
}

static enum rc append_shard(struct oplog_record *r, const struct json_t *j,
			    bool is_kept, struct err *err)
{
	struct shard_meta *m;

	r->shards = mem_grow(r->shards, &r->cap, r->n_shards + 1,
			     sizeof(*r->shards));
	m = &r->shards[r->n_shards++];
	*m = (struct shard_meta){ 0 };
	return oplog_shard_from_json(j, is_kept, m, err);
}

static void set_allow_erased(const struct oplog_record *r, struct json_t *j)
{
	if (r->allow_erased)
		json_set_bool(j, "allow_erased", true);
}

static enum rc get_allow_erased(const struct json_t *j, struct oplog_record *r,
				struct err *err)
{
	if (!json_has(j, "allow_erased"))
		return RC_OK;
	return json_get_bool(j, "allow_erased", &r->allow_erased, err);
}

/* --- repack --------------------------------------------------------------- */

static int compare_replaced(const void *a, const void *b)
{
	const struct oplog_replaced *const *x = a;
	const struct oplog_replaced *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

static void set_replaces(const struct oplog_record *r, struct json_t *j)
{
	const struct oplog_replaced **sorted =
		xcalloc(r->n_replaces + 1, sizeof(*sorted));
	struct json_t *array = json_new_array();

	for (size_t i = 0; i < r->n_replaces; i++)
		sorted[i] = &r->replaces[i];
	qsort(sorted, r->n_replaces, sizeof(*sorted), compare_replaced);
	for (size_t i = 0; i < r->n_replaces; i++) {
		struct json_t *x = json_new_obj();

		json_set_str(x, "key", sorted[i]->key);
		json_set_hex(x, "root", sorted[i]->root, SHARD_ROOT_LEN);
		json_add(array, x);
	}
	json_set(j, "replaces", array);
	free(sorted);
}

static void set_repack(const struct oplog_record *r, struct json_t *j)
{
	set_replaces(r, j);
	json_set_i64(j, "grace", r->grace);
	json_set_str(j, "why", oplog_why_text(r->why));
	if (r->n_lost)
		json_set_u64(j, "lost", r->n_lost);
}

/* See oplog_take_back. */
static bool is_taken_back(const struct oplog_record *r)
{
	for (size_t i = 0; i < r->n_shards; i++) {
		if (!r->shards[i].is_purged)
			return false;
	}
	return r->n_shards;
}

static enum rc get_replaces(const struct json_t *j, struct oplog_record *r,
			    struct err *err)
{
	struct json_t *array = NULL;
	size_t n = 0;

	if (json_get_array(j, "replaces", OPLOG_REST_ITEMS_MAX, &array, &n,
			   err))
		return err->rc;
	if (!n)
		return is_taken_back(r)
			       ? RC_OK
			       : err_set(err, RC_CORRUPT, "replaces is empty");
	r->replaces = xcalloc(n, sizeof(*r->replaces));
	while (r->n_replaces < n) {
		size_t i = r->n_replaces++;
		struct oplog_replaced *x = &r->replaces[i];

		if (oplog_get_shard_key(json_at(array, i), &x->key, x->root,
					err))
			return err_prefix(err, "replaces %zu", i);
		if (i && strcmp(x[-1].key, x->key) >= 0)
			return err_set(err, RC_CORRUPT,
				       "replaces %zu: %s is not in order", i,
				       x->key);
	}
	return RC_OK;
}

static enum rc get_repack(const struct json_t *j, struct oplog_record *r,
			  struct err *err)
{
	const char *why = "";

	if (get_replaces(j, r, err) ||
	    json_get_i64(j, "grace", 0, OPLOG_GRACE_MAX, &r->grace, err) ||
	    json_get_str(j, "why", 64, &why, err))
		return err->rc;
	if (!oplog_why_parse(why, &r->why))
		return err_set(err, RC_UNSUPPORTED, "why %s is not known here",
			       why);
	if (!json_has(j, "lost"))
		return RC_OK;
	return json_get_u64(j, "lost", N_LOST_MAX, &r->n_lost, err);
}

/* --- all ------------------------------------------------------------------ */

/* Of records that add shards. */
#define FORM_OF_SHARDS(word, set, get)                                      \
	{                                                                   \
		.kind = (word), .array = "shards", .element = "shard",      \
		.text_min = 128, .element_size = sizeof(struct shard_meta), \
		.array_of = shards_of, .compare = shard_meta_compare,       \
		.to_json = shard_to_json, .append = append_shard,           \
		.set_rest = (set), .get_rest = (get),                       \
	}

static const struct oplog_form form_shards =
	FORM_OF_SHARDS("shards", set_allow_erased, get_allow_erased);
static const struct oplog_form form_repack =
	FORM_OF_SHARDS("repack", set_repack, get_repack);

const struct oplog_form *const oplog_forms[OPLOG_N_KINDS] = {
	[OPLOG_SHARDS] = &form_shards,
	[OPLOG_REPACK] = &form_repack,
	[OPLOG_TOMBSTONES] = &oplog_form_tombstones,
	[OPLOG_WITHDRAWN] = &oplog_form_withdrawn,
	[OPLOG_PURGED] = &oplog_form_purged,
	[OPLOG_ERASED] = &oplog_form_erased,
};

const char *oplog_kind_text(enum oplog_kind kind)
{
	return oplog_forms[kind]->kind;
}
