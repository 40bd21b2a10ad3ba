/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-objects.c - objects of an older archive by number. */
#include "config.h"

#include "legacy/legacy-objects.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"

struct legacy_objects {
	pthread_mutex_t lock; /* guards what follows, not what it points to */
	struct legacy_object **p;
	size_t n, cap;
};

struct legacy_objects *legacy_objects_new(void)
{
	struct legacy_objects *o = xcalloc(1, sizeof(*o));

	pthread_mutex_init(&o->lock, NULL);
	return o;
}

void legacy_objects_free(struct legacy_objects *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->n; i++) {
		free(o->p[i]->key);
		free(o->p[i]);
	}
	free(o->p);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

uint32_t legacy_objects_add(struct legacy_objects *o, const char *key,
			    const struct object_info *info)
{
	struct legacy_object *object = xcalloc(1, sizeof(*object));
	LOCK_SCOPE(&o->lock);

	object->key = xstrdup(key);
	object->info = *info;
	o->p = mem_grow(o->p, &o->cap, o->n + 1,
			sizeof(struct legacy_object *));
	o->p[o->n] = object;
	return (uint32_t)o->n++;
}

struct legacy_object *legacy_objects_get(struct legacy_objects *o,
					 uint32_t number)
{
	LOCK_SCOPE(&o->lock);

	assert(number < o->n);
	return o->p[number];
}

bool legacy_objects_is_changed(struct legacy_objects *o, uint32_t number)
{
	return atomic_load(&legacy_objects_get(o, number)->is_changed);
}
