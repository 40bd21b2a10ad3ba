/* SPDX-License-Identifier: Apache-2.0 */
/* archive-list.c - all objects of an archive by their keys. */
#include "config.h"

#include "verify/archive-list.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "volume/descriptor.h"

#define DAY_DIGITS 8u

bool archive_key_is_shard(const char *key)
{
	size_t len = strlen(key);

	return strspn(key, "0123456789") == DAY_DIGITS &&
	       key[DAY_DIGITS] == '/' &&
	       !strncmp(key + DAY_DIGITS + 1, key, DAY_DIGITS) &&
	       key[2 * DAY_DIGITS + 1] == '_' &&
	       !strchr(key + DAY_DIGITS + 1, '/') && len > 4 &&
	       !strcmp(key + len - 4, ".des");
}

static enum object_kind kind_of(const char *key)
{
	if (!strcmp(key, DESCRIPTOR_KEY))
		return OBJECT_DESCRIPTOR;
	if (!strncmp(key, "log/", 4))
		return OBJECT_LOG;
	if (!strncmp(key, "tombstones/", 11))
		return OBJECT_TOMBSTONE;
	if (!strncmp(key, "salts/", 6) || !strncmp(key, "reap/", 5))
		return OBJECT_SALT;
	if (!strncmp(key, "holds/", 6))
		return OBJECT_HOLD;
	return archive_key_is_shard(key) ? OBJECT_SHARD : OBJECT_OTHER;
}

static enum rc add(void *arg, const char *key, uint64_t size, struct err *err)
{
	struct archive_list *l = arg;

	(void)err;
	l->objects =
		mem_grow(l->objects, &l->cap, l->n + 1, sizeof(*l->objects));
	l->objects[l->n++] = (struct archive_object){ .key = xstrdup(key),
						      .size = size,
						      .kind = kind_of(key) };
	return RC_OK;
}

enum rc archive_list_read(struct archive_list *ret, struct store *st,
			  struct err *err)
{
	enum rc rc;

	*ret = (struct archive_list){ 0 };
	rc = store_list(st, "", NULL, add, ret, err);
	if (rc)
		archive_list_release(ret);
	return rc;
}

void archive_list_release(struct archive_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->objects[i].key);
	free(l->objects);
	*l = (struct archive_list){ 0 };
}

static int by_key(const void *key, const void *at)
{
	const struct archive_object *o = at;

	return strcmp(key, o->key);
}

const struct archive_object *archive_list_find(const struct archive_list *l,
					       const char *key)
{
	return l->n ? bsearch(key, l->objects, l->n, sizeof(*l->objects),
			      by_key)
		    : NULL;
}

bool archive_list_is_archive(const struct archive_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		switch (l->objects[i].kind) {
		case OBJECT_DESCRIPTOR:
		case OBJECT_SHARD: return true;
		case OBJECT_LOG:
		case OBJECT_TOMBSTONE:
		case OBJECT_SALT:
		case OBJECT_HOLD:
		case OBJECT_OTHER: break;
		}
	}
	return false;
}
