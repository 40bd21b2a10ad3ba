/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-sources.c - the shards of an older archive, listed. */
#include "config.h"

#include "legacy/legacy-sources.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

/* All their names begin with a digit: nothing else is listed. */
#define BEFORE_DIGITS "/"
#define AFTER_DIGITS ':'

struct listing {
	const struct legacy_options *o;
	struct legacy_sources *to; /* NULL: one is enough */
	bool is_over, has_any;
};

void legacy_sources_release(struct legacy_sources *s)
{
	for (size_t i = 0; i < s->n; i++)
		legacy_source_release(&s->p[i]);
	free(s->p);
	legacy_damage_release(&s->damage);
	*s = (struct legacy_sources){ .p = NULL };
}

static bool is_wanted(const struct legacy_options *o,
		      const struct legacy_name *name)
{
	return (!o->day || name->day == o->day) &&
	       (!o->has_slot || name->slot == o->slot);
}

static struct legacy_source *add(struct legacy_sources *s, const char *key,
				 const struct legacy_name *name, uint64_t size)
{
	s->p = mem_grow(s->p, &s->cap, s->n + 1, sizeof(*s->p));
	s->p[s->n] = (struct legacy_source){ .key = xstrdup(key),
					     .day = name->day,
					     .size = size,
					     .object = LEGACY_OBJECT_NONE };
	return &s->p[s->n++];
}

/* A sidecar comes right behind its shard.  What it deletes may be in other
 * shards, too: it counts without the one beside it.
 */
static void note_meta(struct legacy_sources *s, const char *key,
		      const struct legacy_name *name, uint64_t size)
{
	CLEANUP_FREE char *shard = legacy_shard_key(key);
	struct legacy_source *of = s->n ? &s->p[s->n - 1] : NULL;

	if (!of || strcmp(of->key, shard) != 0) {
		of = add(s, shard, name, 0);
		of->is_alone = true;
	}
	of->has_meta = true;
	of->meta_size = size;
}

/* store_list_fn */
static enum rc note(void *arg, const char *key, uint64_t size, struct err *err)
{
	struct listing *l = arg;
	struct legacy_name name;

	if (*key >= AFTER_DIGITS) {
		l->is_over = true;
		return err_set(err, RC_NOENT, "no more shards");
	}
	if (!legacy_name_parse(key, strlen(key), &name))
		return RC_OK;
	if (!l->to && legacy_name_is_shard(&name)) {
		l->has_any = l->is_over = true;
		return err_set(err, RC_NOENT, "there is one");
	}
	if (!l->to || !is_wanted(l->o, &name))
		return RC_OK;
	legacy_bits_name(&l->to->bits, &name, span_of(key, strlen(key)));
	if (name.kind == LEGACY_NAME_META)
		note_meta(l->to, key, &name, size);
	else if (legacy_name_is_shard(&name))
		(void)add(l->to, key, &name, size);
	return RC_OK;
}

static enum rc list(struct listing *l, struct store *st, const char *prefix,
		    struct err *err)
{
	enum rc rc = store_list(st, prefix, *prefix ? NULL : BEFORE_DIGITS,
				note, l, err);

	return l->is_over ? RC_OK : rc;
}

/* All, or one that is enough.  A directory beside it that is none of an archive
 * and may not be read, such as lost+found at the top of a file system, is of no
 * interest; in other stores there is no such thing, and lists are dear.
 */
static enum rc list_all(struct listing *l, struct store *st, struct err *err)
{
	enum rc rc = list(l, st, "", err);

	if (rc != RC_ACCESS || store_is_remote(st))
		return rc;
	if (l->to) {
		legacy_sources_release(l->to);
		legacy_bits_init(&l->to->bits);
	}
	rc = RC_OK;
	for (char c = '0'; c <= '9' && !rc && !l->is_over; c++)
		rc = list(l, st, (const char[]){ c, '\0' }, err);
	return rc;
}

/* Containers of a day.  What is no directory has none, which no bucket can
 * tell; other shards of the day may be there all the same.
 */
static enum rc list_containers(struct listing *l, struct store *st,
			       struct err *err)
{
	uint32_t day = l->o->day;
	char prefix[32];
	enum rc rc;

	snprintf(prefix, sizeof(prefix), "%04u-%02u-%02u/", day / 10000,
		 day / 100 % 100, day % 100);
	rc = list(l, st, prefix, err);
	if (rc != RC_CORRUPT || store_is_remote(st))
		return rc;
	legacy_damage_add(&l->to->damage, err->msg);
	return RC_OK;
}

/* Shards of DES2: years below 1000 may be without leading zeros, see take_day
 * in legacy-name.c.
 */
static enum rc list_flat(struct listing *l, struct store *st, struct err *err)
{
	uint32_t day = l->o->day;
	char prefix[32], plain[32];

	snprintf(prefix, sizeof(prefix), "%08" PRIu32 "_", day);
	snprintf(plain, sizeof(plain), "%" PRIu32 "_", day);
	if (list(l, st, prefix, err))
		return err->rc;
	return strcmp(prefix, plain) != 0 ? list(l, st, plain, err) : RC_OK;
}

enum rc legacy_sources_list(struct store *st, const struct legacy_options *o,
			    struct legacy_sources *ret, struct err *err)
{
	struct listing l = { .o = o, .to = ret };

	legacy_bits_init(&ret->bits);
	if (!o->day)
		return list_all(&l, st, err);
	/* '-' comes before '_' and digits before both: the order is that of
	 * keys.
	 */
	if (list_containers(&l, st, err))
		return err->rc;
	return list_flat(&l, st, err);
}

enum rc legacy_sources_exist(struct store *st, bool *ret, struct err *err)
{
	struct listing l = { .o = NULL };
	enum rc rc = list_all(&l, st, err);

	*ret = l.has_any;
	return rc;
}
