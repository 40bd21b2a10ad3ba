/* SPDX-License-Identifier: Apache-2.0 */
/* publish.c - write log/index.json, for readers of web servers that cannot
 * list.
 */
#include "config.h"

#include "pack/publish.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "legacy/legacy-store.h"
#include "store/log-index.h"
#include "store/store-write.h"
#include "volume/descriptor.h"

/* So often another run may be in the way before we leave it to that one. */
#define TRIES 8

struct names {
	char **p;
	size_t n, cap;
};

static void names_release(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->p[i]);
	free(names->p);
	*names = (struct names){ 0 };
}

static enum rc add_name(void *arg, const char *key, uint64_t size,
			struct err *err)
{
	struct names *names = arg;

	(void)size;
	(void)err;
	if (!strcmp(key, LOG_INDEX_KEY))
		return RC_OK;
	names->p = mem_grow(names->p, &names->cap, names->n + 1,
			    sizeof(*names->p));
	names->p[names->n++] = xstrdup(key + strlen(LOG_INDEX_DIR));
	return RC_OK;
}

static enum rc list_names(struct store *st, struct names *ret, struct err *err)
{
	names_release(ret);
	return store_list(st, LOG_INDEX_DIR, NULL, add_name, ret, err);
}

static enum rc write_index(struct store *st, const struct names *names,
			   struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = LOG_INDEX_MAX };
	enum rc rc = log_index_write((const char *const *)names->p, names->n,
				     &text, err);

	return rc ? rc
		  : store_replace(st, LOG_INDEX_KEY, text.p, text.len, err);
}

static bool is_same(const struct names *a, const struct names *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (strcmp(a->p[i], b->p[i]) != 0)
			return false;
	}
	return true;
}

static enum rc check_archive(struct store *st, struct err *err)
{
	CLEANUP_BUF struct buf text = { .max = DESCRIPTOR_MAX };

	enum rc rc = descriptor_read(st, &text, err);

	return rc == RC_NOENT ? legacy_store_refuse(st, err) : rc;
}

/* Who writes last may have listed first; so everybody looks again afterwards,
 * and the last one to look has the whole log in front of him.
 */
enum rc publish_log(struct store *st, size_t *ret_n, struct err *err)
{
	CLEANUP(names_release) struct names names = { 0 };
	CLEANUP(names_release) struct names after = { 0 };
	enum rc rc = check_archive(st, err);

	if (!rc)
		rc = list_names(st, &names, err);
	for (int i = 0; !rc && i < TRIES; i++) {
		struct names swap = names;

		rc = write_index(st, &names, err);
		if (!rc)
			rc = list_names(st, &after, err);
		if (rc || is_same(&names, &after))
			break;
		names = after;
		after = swap;
	}
	if (!rc)
		*ret_n = names.n;
	return rc;
}
