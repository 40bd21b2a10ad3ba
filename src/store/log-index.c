/* SPDX-License-Identifier: Apache-2.0 */
/* log-index.c - log/index.json: what stands below log/. */
#include "config.h"

#include "store/log-index.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/key.h"
#include "base/mem.h"

#define INDEX_VERSION 1
#define NAMES_MAX (LOG_INDEX_MAX / 4) /* of a character, quotes and a comma */

/* One that may stand behind log/, and is not the index itself. */
static bool name_is_valid(const char *name)
{
	return strlen(name) <= KEY_MAX - strlen(LOG_INDEX_DIR) &&
	       key_is_valid(name) &&
	       strcmp(name, &LOG_INDEX_KEY[strlen(LOG_INDEX_DIR)]) != 0;
}

static bool may_follow(const char *last, const char *name)
{
	return name_is_valid(name) && (!last || strcmp(last, name) < 0);
}

void log_index_release(struct log_index *ix)
{
	while (ix->n)
		free(ix->names[--ix->n]);
	free(ix->names);
	*ix = (struct log_index){ 0 };
}

static enum rc check_head(const struct json_t *doc, struct err *err)
{
	const char *kind = NULL;
	uint64_t version = 0;

	if (!json_is_obj(doc))
		return err_set(err, RC_CORRUPT, "not an object");
	if (json_get_str(doc, "kind", 32, &kind, err) ||
	    json_get_u64(doc, "version", JSON_INT_MAX, &version, err))
		return err->rc;
	if (strcmp(kind, "index") != 0)
		return err_set(err, RC_CORRUPT, "kind is not \"index\"");
	if (version != INDEX_VERSION)
		return err_set(err, version ? RC_UNSUPPORTED : RC_CORRUPT,
			       "version is not %d", INDEX_VERSION);
	return RC_OK;
}

enum rc log_index_parse(const void *p, size_t len, struct log_index *ret,
			struct err *err)
{
	CLEANUP_JSON struct json_t *doc = NULL;
	CLEANUP(log_index_release) struct log_index ix = { 0 };
	struct json_t *names = NULL;
	size_t n = 0;

	if (json_parse(p, len, LOG_INDEX_MAX, &doc, err) ||
	    check_head(doc, err) ||
	    json_get_array(doc, "names", NAMES_MAX, &names, &n, err))
		return err->rc;
	ix.names = mem_array(n, sizeof(*ix.names));
	if (!ix.names)
		return err_set(err, RC_NOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		const char *name = json_text(json_at(names, i));

		if (!name || !may_follow(i ? ix.names[i - 1] : NULL, name))
			return err_set(err, RC_CORRUPT,
				       "names[%zu] is not a name behind the "
				       "one before",
				       i);
		ix.names[ix.n++] = xstrdup(name);
	}
	*ret = ix;
	ix = (struct log_index){ 0 };
	return RC_OK;
}

enum rc log_index_write(const char *const *names, size_t n, struct buf *out,
			struct err *err)
{
	CLEANUP_JSON struct json_t *doc = json_new_obj();
	struct json_t *array = json_new_array();

	json_set_str(doc, "kind", "index");
	json_set_u64(doc, "version", INDEX_VERSION);
	json_set(doc, "names", array);
	for (size_t i = 0; i < n; i++) {
		if (!may_follow(i ? names[i - 1] : NULL, names[i]))
			return err_set(err, RC_USAGE,
				       "%s: not a name for the index",
				       names[i]);
		json_add_str(array, names[i]);
	}
	json_write(doc, out);
	buf_append_str(out, "\n");
	if (!buf_ok(out))
		return err_set(err, RC_LIMIT, "the index is too long");
	return RC_OK;
}
